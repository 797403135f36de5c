"""A sensor node with a boot loader and two slots: what is in its flash stays, over restarts and over the end of the emulator."""
import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import threading
import time
import tty

from .node import ROOT, Debugger, Node, board, build_node
from .site import check, wait_for

sys.path.insert(0, os.path.join(ROOT, "firmware/node"))
import build  # noqa: E402
import sign  # noqa: E402

BOARD = "microbit"  # whose flash the emulator has
PIECE = 1024
OUT = os.path.join(ROOT, "build/node")


class Flash:
    """What a board's description says of where things lie."""

    def __init__(self, name):
        memory = board(name)["memory"]
        self.at = int(memory["flash"]["at"], 16)
        self.regions = {one["name"]: (int(one["at"], 16), one["size"]) for one in memory["map"]}
        self.size = max(at + size for at, size in self.regions.values()) - self.at
        self.slots = [self.regions[slot][0] for slot in ("slot-a", "slot-b")]
        self.ram_at = int(memory["ram"]["at"], 16)


def built(name, of=BOARD):
    build_node(of)
    with open(os.path.join(OUT, of, "emulated", name), "rb") as file:
        return file.read()


def version_parts(version, body=None, name=BOARD, key=None, **how):
    """A version for both slots of that board, as signed parts. `body`: other bytes than those of the firmware."""
    bodies = [built("slot-%s.bin" % "ab"[slot], name) if body is None else body(slot) for slot in range(2)]
    return [sign.part(key or build.KEY, name, slot, code, version, **how) for slot, code in enumerate(bodies)]


def hanging(slot, name=BOARD):
    """A version that does nothing at all."""
    flash = Flash(name)
    start = flash.slots[slot] + 512 + 193
    vectors = [flash.ram_at + 0x1000, start] + [start] * 46
    return b"".join(word.to_bytes(4, "little") for word in vectors) + bytes.fromhex("fee7") * 4


class SlottedNode(Node):
    """Its line is a terminal at `link` that stays when the power goes."""

    def __init__(self, site, label="node", name=BOARD):
        self.site, self.name, self.unit, self.label, self.late = site, name, 1, label, 0
        self.elf = os.path.join(OUT, name, "emulated", "slot-a.elf")
        self.place = Flash(name)
        self.flash = bytearray(b"\xff" * self.place.size)
        boot = built("boot.bin", name)
        self.flash[:len(boot)] = boot
        self.master, self.fd = pty.openpty()
        tty.setraw(self.fd)
        self.link = site.path(label + ".tty")
        os.symlink(os.ttyname(self.fd), self.link)
        self.line = None
        self.lag_s = 0  # what the line takes for a reply, as radio modems do
        self.lost = None  # (bytes of a request, how often one with these gets lost)
        self.starts = 0
        threading.Thread(target=self._carry, daemon=True).start()

    def fit(self, part):
        """As whoever flashes a new node does."""
        slot = int.from_bytes(part[6:8], "little")
        at, image = self.place.slots[slot] - self.place.at, sign.slot_image(part)
        self.flash[at:at + len(image)] = image

    def spoil(self, slot):
        """One bit of the version in it: what the flash forgot."""
        self.flash[self.place.slots[slot] - self.place.at + 700] ^= 1

    def _carry(self):
        while True:
            line = self.line
            ready = select.select([self.master] + ([line] if line else []), [], [], 0.05)[0]
            try:
                if self.master in ready:
                    data = os.read(self.master, 4096)
                    if self.lost and self.lost[0] in data and self.lost[1] > 0:
                        self.lost = (self.lost[0], self.lost[1] - 1)
                    elif line:
                        line.sendall(data)
                if line in ready:
                    data = line.recv(4096)
                    time.sleep(self.lag_s)
                    if data:
                        os.write(self.master, data)
                    else:
                        self.line = None
            except OSError:
                self.line = None

    def _machine(self):
        """The line of the description, without a program: the flash is filled as whoever flashes it does."""
        words = board(self.name)["emulation"]["qemu"]
        program = next(i for i, word in enumerate(words) if "{node.elf}" in word)
        return [word.replace("{serial}", "chardev:line") for word in words[:program - 1] + words[program + 1:]]

    def on(self, telling=False):
        """`telling`: what the firmware does with parts of the chip that the emulator has not is in `told`."""
        self.starts += 1
        name = "%s-%d" % (self.label, self.starts)
        paths = {what: self.site.path(name + "." + what) for what in ("line", "gdb", "qmp")}
        self.process = self.site.start(
            name, *self._machine(), *(("-d", "unimp", "-D", self.site.path(name + ".told")) if telling else ()), "-S", "-qmp", "unix:%s,server=on,wait=off" % paths["qmp"], "-gdb",
            "unix:%s,server=on,wait=off" % paths["gdb"], "-chardev", "socket,id=line,path=%s,server=on,wait=off" % paths["line"])
        wait_for(lambda: all(os.path.exists(path) for path in paths.values()), 20, "the emulator is there")
        self.qmp = socket.socket(socket.AF_UNIX)
        self.qmp.settimeout(20)
        self.qmp.connect(paths["qmp"])
        self.qmp_file = self.qmp.makefile("r")
        self.qmp_file.readline()
        self.command("qmp_capabilities")
        self.gdb_path = paths["gdb"]
        with Debugger(self.gdb_path) as debugger:
            for at in range(0, self.place.size, PIECE):
                piece = self.flash[at:at + PIECE].hex()
                check(debugger.ask("M%x,%x:%s" % (self.place.at + at, PIECE, piece)) == "OK", "the flash is filled")
            line = socket.socket(socket.AF_UNIX)
            line.connect(paths["line"])
            self.line = line
            self.command("system_reset")  # the processor takes its first two words from the flash

    def told(self, part):
        """What was written to that part of the chip so far: (offset, value), in the order of it."""
        with open(self.site.path("%s-%d.told" % (self.label, self.starts)), encoding="ascii") as lines:
            found = re.findall(r"^%s: unimplemented device write \(size \d, offset (0x\w+), value (0x\w+)\)$" % part, lines.read(), re.M)
        return [(int(offset, 16), int(value, 16)) for offset, value in found]

    def command(self, name, **arguments):
        self.qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            said = json.loads(self.qmp_file.readline())
            if "return" in said:
                return said["return"]
            check("error" not in said, "the emulator does", name, said)

    def saved(self):
        """What is in the flash at that moment."""
        path = self.site.path(self.label + ".flash")
        self.command("memsave", val=self.place.at, size=self.place.size, filename=path)
        with open(path, "rb") as file:
            return bytearray(file.read())

    def off(self):
        """The power goes, at whatever it is doing: what is in the flash by then is what stays."""
        self.command("stop")
        self.flash = self.saved()
        self.line = None
        self.process.kill()

    def end(self):
        self.line = None
        self.process.kill()


class Writes:
    """The writes to a node's slots, the erasing of a page and the writing of a word: the processor stops before each, until it may go on."""

    ERASES = {"microbit": 0x4001E508}  # the register that has a page erased

    def __init__(self, node):
        self.node = node
        self.debugger = Debugger(node.gdb_path)
        at = min(node.place.slots)
        self.watched = ((at, node.place.at + node.place.size - at), (self.ERASES[node.name], 4))
        self._watch("Z")
        self.debugger.go()

    def _watch(self, how):
        for address, size in self.watched:
            check(self.debugger.ask("%s2,%x,%x" % (how, address, size)) == "OK", "the debugger watches the flash")

    def _do(self):
        """The write that it stopped before. What is watched would stop it again and again."""
        self._watch("z")
        self.debugger.go("s")
        check(self.debugger.stops(20), "it does one step")

    def come(self, number, going):
        """Until it stands before that one, as long as `going` says so. Returns how many came."""
        count = 0
        while count < number:
            if self.debugger.stops(0.2):
                count += 1
                if count < number:
                    self._do()
                    self._watch("Z")
                    self.debugger.go()
            elif not going():
                break
        return count

    def cut(self, chance):
        """The power goes while the write is under way that it stands before: of its bits some have changed already, by chance."""
        before = self.node.saved()
        self._do()
        self.node.off()
        masks = [(place, chance.getrandbits(8)) for place, pair in enumerate(zip(before, self.node.flash)) if pair[0] != pair[1]]
        for place, mask in masks:
            self.node.flash[place] = before[place] & mask | self.node.flash[place] & ~mask
        self.end()

    def end(self):
        self.debugger.socket.close()
