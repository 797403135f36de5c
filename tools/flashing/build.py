"""Building for a board, and starting it in an emulator."""
import lzma
import os
import re
import shutil
import subprocess
import tempfile

from . import boards
from .words import MIB, Refused, need, say

BOOT_AT = 4 * MIB  # where an image has its boot partition
IMAGES = ("disk.img.xz", "disk.img")  # what is handed out comes first


def run(words, why):
    """Runs a program of the project, whose words are shown as they come."""
    say("$ " + " ".join(map(str, words)))
    if subprocess.run(words, cwd=boards.ROOT, check=False).returncode != 0:
        raise Refused(why)


def tool(name, *arguments):
    path = boards.ROOT / "tools" / name
    if not path.exists():
        raise Refused("this version has no tools/%s, so it cannot be built" % name)
    run([path, *arguments], "tools/%s could not build it: see above" % name)


def build_board(board):
    if board["kind"] == "gateway":
        tool("image", board["id"])
    else:
        tool("node", "build", board["id"])


def build(wanted):
    board = boards.find(wanted.board)
    build_board(board)
    print(boards.ROOT / "build" / ("image" if board["kind"] == "gateway" else "node") / board["id"])


def image_of(board):
    """The image that was built for it, or Refused."""
    folder = boards.ROOT / "build" / "image" / board["id"]
    for name in IMAGES:
        if (folder / name).exists():
            return folder / name
    raise Refused("there is no image in %s: sudo tools/flash build %s makes it" % (folder, board["id"]))


def test(wanted):
    board = boards.find(wanted.board)
    if not board["emulation"]["qemu"]:
        raise Refused("%s cannot be emulated: %s" % (board["name"], "; ".join(board["emulation"]["missing"])))
    if wanted.console:
        return console(board)
    if "tested_by" not in board:
        raise Refused("no test starts %s in an emulator yet; --console starts it in this terminal" % board["name"])
    if board["kind"] == "gateway":
        image_of(board)  # without one its tests have nothing to start
    names = "|".join(name.replace(".", "[.]") for name in board["tested_by"])
    run([boards.ROOT / "tools" / "test", "--long", "^(%s)$" % names], "%s has not passed its tests: see above" % board["name"])
    return 0


def unpacked(image, folder):
    """A copy of the image that the emulator may write to; its size a power of two, as emulated card readers want it."""
    disk = os.path.join(folder, "disk.img")
    opened = lzma.open(image) if str(image).endswith(".xz") else open(image, "rb")
    with opened as source, open(disk, "wb") as out:
        shutil.copyfileobj(source, out, MIB)
        size = out.tell()
        out.truncate(1 << (size - 1).bit_length())
    return disk


def from_boot(board, disk, folder):
    """What the line of QEMU takes from the boot partition ({boot:NAME}), copied into the folder: placeholder -> path."""
    files = {}
    for name in sorted(set(re.findall(r"{boot:([^}]+)}", " ".join(board["emulation"]["qemu"])))):
        need("mcopy", "mtools")
        files["boot:" + name] = os.path.join(folder, name)
        done = subprocess.run(["mcopy", "-n", "-i", "%s@@%d" % (disk, BOOT_AT), "::" + name, files["boot:" + name]], check=False)
        if done.returncode != 0:
            raise Refused("the image has no %s on its boot partition: sudo tools/flash build %s makes it anew" % (name, board["id"]))
        for one in board["emulation"].get("device_tree_set", []) if name.endswith(".dtb") else []:
            need("fdtput", "device-tree-compiler")
            for key, value in one["properties"].items():
                run(["fdtput", "-t", "s", files["boot:" + name], one["node"], key, value], "%s has no %s: see above" % (name, one["node"]))
    return files


def console(board):
    """The emulator in this terminal. What it changes is gone afterwards."""
    need(board["emulation"]["qemu"][0], " ".join(board["emulation"]["packages"]))
    with tempfile.TemporaryDirectory(prefix="sluice-emulator-") as folder:
        if board["kind"] == "gateway":
            disk = unpacked(image_of(board), folder)
            files, extra = folder, {"disk": disk, **from_boot(board, disk, folder)}
            say("this terminal is the board's console; Ctrl-a x ends the emulator")
        else:
            files = boards.ROOT / "build" / "node" / board["id"] / "emulated"
            missing = [name for name in boards.files_of([board["emulation"]["qemu"]]) if name != "serial" and not (files / name).exists()]
            if missing:
                raise Refused("%s is not in %s: tools/flash build %s makes it" % (missing[0], files, board["id"]))
            extra = {"serial": "pty"}
            say("its RS-485 is the pseudo terminal that QEMU names; Ctrl-c ends it. Ask it with: sluice read THAT --reg 40001")
        words = boards.fill(board["emulation"]["qemu"], board, files, extra)
        say("$ " + " ".join(words))
        return subprocess.run(words, check=False).returncode
