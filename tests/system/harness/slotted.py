"""A sensor node with a boot loader and two slots, on the one board whose flash the emulator has: what is in it stays, over
restarts and over the end of the emulator."""
import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import threading
import tty

from .node import ROOT, Debugger, Node, tool
from .site import check, wait_for

sys.path.insert(0, os.path.join(ROOT, "firmware/node"))
import build  # noqa: E402
import sign  # noqa: E402

BOARD = "microbit"
FLASH_SIZE = 262144
SLOTS = (0x6000, 0x12000)
SLOT_SIZE = 49152
PIECE = 1024
OUT = os.path.join(ROOT, "build/node", BOARD, "emulated")


def built(name):
    tool("build", BOARD)
    with open(os.path.join(OUT, name), "rb") as file:
        return file.read()


def version_parts(version, body=None, board=BOARD, key=None, **how):
    """A version for both slots, as signed parts. `body`: other bytes than those of the firmware."""
    bodies = [built("slot-%s.bin" % name) if body is None else body(slot) for slot, name in enumerate("ab")]
    return [sign.part(key or build.KEY, board, slot, code, version, **how) for slot, code in enumerate(bodies)]


def hanging(slot):
    """A version that does nothing at all."""
    vectors = [0x20004000, SLOTS[slot] + 512 + 193] + [SLOTS[slot] + 512 + 193] * 46
    return b"".join(word.to_bytes(4, "little") for word in vectors) + bytes.fromhex("fee7") * 4


class SlottedNode(Node):
    """Its line is a terminal at `link` that stays when the power goes."""

    def __init__(self, site, label="node", flash=None):
        self.site, self.name, self.unit, self.label = site, BOARD, 1, label
        self.elf = os.path.join(OUT, "slot-a.elf")
        self.flash = bytearray(b"\xff" * FLASH_SIZE)
        boot = built("boot.bin")
        self.flash[:len(boot)] = boot
        self.master, self.fd = pty.openpty()
        tty.setraw(self.fd)
        self.link = site.path(label + ".tty")
        os.symlink(os.ttyname(self.fd), self.link)
        self.line = None
        self.starts = 0
        threading.Thread(target=self._carry, daemon=True).start()

    def fit(self, part):
        """As whoever flashes a new node does."""
        slot = int.from_bytes(part[6:8], "little")
        image = sign.slot_image(part)
        self.flash[SLOTS[slot]:SLOTS[slot] + len(image)] = image

    def _carry(self):
        while True:
            line = self.line
            ready = select.select([self.master] + ([line] if line else []), [], [], 0.05)[0]
            try:
                if self.master in ready:
                    data = os.read(self.master, 4096)
                    if line:
                        line.sendall(data)
                if line in ready:
                    data = line.recv(4096)
                    if data:
                        os.write(self.master, data)
                    else:
                        self.line = None
            except OSError:
                self.line = None

    def on(self):
        self.starts += 1
        name = "%s-%d" % (self.label, self.starts)
        paths = {what: self.site.path(name + "." + what) for what in ("line", "gdb", "qmp")}
        self.process = self.site.start(
            name, "qemu-system-arm", "-M", BOARD, "-nographic", "-monitor", "none", "-S",
            "-chardev", "socket,id=line,path=%s,server=on,wait=off" % paths["line"], "-serial", "chardev:line",
            "-qmp", "unix:%s,server=on,wait=off" % paths["qmp"], "-gdb", "unix:%s,server=on,wait=off" % paths["gdb"])
        wait_for(lambda: all(os.path.exists(path) for path in paths.values()), 20, "the emulator is there")
        self.qmp = socket.socket(socket.AF_UNIX)
        self.qmp.settimeout(20)
        self.qmp.connect(paths["qmp"])
        self.qmp_file = self.qmp.makefile("r")
        self.qmp_file.readline()
        self.command("qmp_capabilities")
        self.gdb_path = paths["gdb"]
        with Debugger(self.gdb_path) as debugger:
            for at in range(0, FLASH_SIZE, PIECE):
                piece = self.flash[at:at + PIECE].hex()
                check(debugger.ask("M%x,%x:%s" % (at, PIECE, piece)) == "OK", "the flash is filled")
            line = socket.socket(socket.AF_UNIX)
            line.connect(paths["line"])
            self.line = line
            self.command("system_reset")  # the processor takes its first two words from the flash

    def command(self, name, **arguments):
        self.qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            said = json.loads(self.qmp_file.readline())
            if "return" in said:
                return said["return"]
            check("error" not in said, "the emulator does", name, said)

    def off(self):
        """The power goes, at whatever it is doing: what is in the flash by then is what stays."""
        self.command("stop")
        path = self.site.path(self.label + ".flash")
        self.command("memsave", val=0, size=FLASH_SIZE, filename=path)
        with open(path, "rb") as file:
            self.flash = bytearray(file.read())
        self.line = None
        self.process.kill()

    def end(self):
        self.line = None
        self.process.kill()
