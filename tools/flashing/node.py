"""A node's firmware into its chip: the commands of the board's description."""
import pathlib
import shutil
import subprocess

from . import boards, build
from .words import Refused, say

HINTS = {
    "openocd": "Is the board's USB cable in, and does it carry data? Another program that talks to the programmer must be ended.",
    "st-flash": "Is the ST-LINK connected with SWCLK, SWDIO, GND and the board's own voltage?",
    "dfu": "The chip answers only when it was started with its button held: \"dfu-util --list\" must show 0483:df11.",
}


def choose(board, how):
    """The way to flash it: the one that is asked for, else the first whose program is here, else the first."""
    ways = [way for way in board["flash"] if "commands" in way]
    if not ways:
        raise Refused("%s is flashed by hand: %s" % (board["name"], board["flash"][0]["words"]))
    if how:
        for way in ways:
            if way["how"] == how:
                return way
        raise Refused("%s is not flashed by %s, but by %s" % (board["name"], how, ", ".join(way["how"] for way in ways)))
    present = [way for way in ways if shutil.which(boards.PROGRAMS[way["how"]][0])]
    return (present or ways)[0]


def flash(wanted):
    board = boards.find(wanted.board, "node")
    way = choose(board, wanted.how)
    program, package = boards.PROGRAMS[way["how"]]
    files = pathlib.Path(wanted.files or boards.ROOT / "build" / "node" / board["id"])
    commands = [boards.fill(words, board, files) for words in way["commands"]]
    if wanted.dry_run:
        here = "it is here" if shutil.which(program) else "it is not installed: sudo apt install " + package
        say("%s, by %s (%s). %s." % (board["name"], program, here, way["words"][:1].upper() + way["words"][1:]))
        for words in commands:
            print(" ".join("'%s'" % word if " " in word else word for word in words))
        return
    if not shutil.which(program):
        others = [other["how"] for other in board["flash"] if other is not way and "commands" in other]
        raise Refused("%s is not installed: sudo apt install %s%s" %
                      (program, package, "; or another way: --how " + others[0] if others else ""))
    if not wanted.files:
        build.build_board(board)
    missing = [name for name in boards.files_of(way["commands"]) if not (files / name).exists()]
    if missing:
        raise Refused("%s is not in %s: tools/flash build %s makes it" % (missing[0], files, board["id"]))
    say(way["words"][:1].upper() + way["words"][1:] + ".")
    for words in commands:
        say("$ " + " ".join(words))
        if subprocess.run(words, check=False).returncode != 0:
            raise Refused("%s did not write it: see above. %s" % (program, HINTS[way["how"]]))
    say("Done: the firmware is in the chip, and %s." %
        ("was read back" if way["how"] != "dfu" else "the chip has confirmed each block"))
