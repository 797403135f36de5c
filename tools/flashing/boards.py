"""The boards there are: boards/NAME/board.json."""
import json
import pathlib
import re

from .words import Refused

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = {"openocd": ("openocd", "openocd"), "st-flash": ("st-flash", "stlink-tools"), "dfu": ("dfu-util", "dfu-util")}


def every():
    """All descriptions, gateways first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("boards/*/board.json"))]
    return sorted(found, key=lambda board: (board["kind"], board["id"]))


def find(name, kind=None):
    """The board of that name, or Refused."""
    boards = [board for board in every() if kind in (None, board["kind"])]
    for board in boards:
        if board["id"] == name:
            return board
    raise Refused("there is no %s \"%s\": there are %s" % (kind or "board", name, ", ".join(board["id"] for board in boards)))


def fill(words, board, files, extra=None):
    """A command of the board with its {placeholders} filled in: {at:NAME} from the map, {FILE} from the folder `files`."""
    places = {"at:" + part["name"]: part["at"] for part in board["memory"].get("map", [])}
    places.update(extra or {})

    def one(match):
        name = match[1]
        return places[name] if name in places else str(pathlib.Path(files) / name)
    return [re.sub(r"{([^}]+)}", one, word) for word in words]


def files_of(commands):
    """The files that commands speak of."""
    return sorted({name for words in commands for name in re.findall(r"{([^}:]+)}", " ".join(words))})


def print_list(_wanted):
    rows = [("BOARD", "NAME", "KIND", "STATE", "FLASHED BY")]
    rows += [(board["id"], board["name"], board["kind"], board["state"], ", ".join(way["how"] for way in board["flash"]))
             for board in every()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\ndescribed: nothing is built from it. built: never started. booted: its tests start it in an emulator.")
