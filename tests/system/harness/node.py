"""Sensor nodes: the firmware of a board, run by the emulator that its description names."""
import contextlib
import functools
import json
import os
import re
import select
import socket
import subprocess
import termios
import threading
import time
import tty

from parties.wire import crc

from .site import Failure, Skip, check, slowness, wait_for

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
HOLDING, INPUT, COIL, DISCRETE = 3, 4, 1, 2
_built = threading.Lock()


def board(name):
    with open(os.path.join(ROOT, "boards", name, "board.json"), encoding="utf-8") as file:
        return json.load(file)


def node_names():
    """All boards that are nodes."""
    return tool("boards").split()


def tool(*arguments):
    done = subprocess.run([os.path.join(ROOT, "tools/node"), *arguments], capture_output=True, text=True)
    if done.returncode == 1 and "tools/prepare firmware" in done.stderr:
        raise Skip(done.stderr.strip())
    check(done.returncode == 0, "tools/node", arguments, done.stderr)
    return done.stdout


@functools.cache
def _build(name):
    tool("build", name)


def build_node(name):
    """The firmware of that board, once for this program: what is tried does not change meanwhile."""
    with _built:
        _build(name)


def build_nodes():
    """The firmware of all boards, for main(): a busy machine takes minutes, which are no test's."""
    tool("build", "all")


def profile():
    """The points of a node by their ids."""
    with open(os.path.join(ROOT, "drivers/profiles/sluice-node.json"), encoding="utf-8") as file:
        return {point["id"]: point for point in json.load(file)["points"]}


def code_of(point, text):
    """The code of a text of that point."""
    return next(int(code) for code, word in profile()[point]["enum"].items() if word == text)


def frame_size(data):
    """How long the reply is that begins there; 0 as long as nobody can say."""
    if len(data) < 5:
        return 0
    return 5 if data[1] & 0x80 else 5 + data[2] if data[1] <= 4 or data[1] == 17 else 8 if data[1] in (5, 6, 15, 16) else len(data)


def is_whole(data):
    """Whether a reply is all there. A checksum alone does not say: where its last byte is zero, it is right without it."""
    size = frame_size(data)
    return 0 < size <= len(data) and crc(data[:-2]) == data[-2:]


class Node:
    """One emulated board. Its line is a terminal at `link`, which stays open as a wire does."""

    def __init__(self, site, name, gdb=False, image="node.elf", label=None, emulated=True):
        """`label`: what it is called in the site, where there are several of one board. `emulated`: the build for the
        emulator, else the one for the board itself."""
        if not os.path.exists("/usr/bin/qemu-system-arm"):
            raise Skip("qemu-system-arm is not installed: tools/prepare test")
        build_node(name)
        self.site = site
        self.name = name
        label = label or name
        self.elf = os.path.join(ROOT, "build/node", name, "emulated" if emulated else "", image)
        words = [word.replace("{serial}", "pty").replace("{node.elf}", self.elf) for word in board(name)["emulation"]["qemu"]]
        self.gdb_path = site.path(label + ".gdb") if gdb else None
        if gdb:
            words += ["-gdb", "unix:%s,server=on,wait=off" % self.gdb_path]
        self.process = site.start(label, *words)
        path = wait_for(self._terminal, 20, "the emulator has a terminal for the line")
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        self.link = site.path(label + ".tty")
        os.symlink(path, self.link)
        self.unit = 1
        self.late = 0

    def _terminal(self):
        check(self.process.alive(), "the emulator ended at its start", self.process.log())
        found = re.search(r"/dev/pts/\d+", self.process.log())
        return found and found.group()

    def end(self):
        os.close(self.fd)
        self.process.kill()

    def exchange(self, pdu, timeout_s=2.0, unit=None):
        """Sends a request; returns the reply's PDU, or None when none came: that may come yet, in front of another. Damaged ones fail. A
        busy machine has longer."""
        unit = self.unit if unit is None else unit
        frame = bytes([unit]) + pdu
        termios.tcflush(self.fd, termios.TCIFLUSH)
        os.write(self.fd, frame + crc(frame))
        data, end = b"", time.monotonic() + timeout_s * slowness()
        while True:
            size = frame_size(data)
            if self.late and 0 < size < len(data) and is_whole(data[:size]):
                data, self.late = data[size:], self.late - 1
                continue
            if is_whole(data):
                check(data[0] == unit and data[1] & 0x7F == pdu[0], "the reply is to the request", data.hex(), frame.hex())
                return data[1:-2]
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                check(not data, "the reply is damaged", data.hex())
                self.late += 1
                return None
            data += os.read(self.fd, 300)

    def read(self, function, first, count=1):
        """The registers, or bits."""
        reply = self.exchange(bytes([function]) + first.to_bytes(2, "big") + count.to_bytes(2, "big"))
        check(reply is not None and reply[0] == function, "%s answers function %d" % (self.name, function), reply and reply.hex())
        if function in (COIL, DISCRETE):
            return [reply[2 + i // 8] >> i % 8 & 1 for i in range(count)]
        return [int.from_bytes(reply[2 + 2 * i:4 + 2 * i], "big") for i in range(count)]

    def write(self, first, value, timeout_s=2.0):
        """One register, by function 6. The exception, 0, or None when no reply came."""
        reply = self.exchange(b"\6" + first.to_bytes(2, "big") + value.to_bytes(2, "big"), timeout_s)
        return None if reply is None else reply[1] if reply[0] & 0x80 else 0

    def point(self, name):
        """The raw number of a point of the profile."""
        place = profile()[name]
        function = {"input": INPUT, "holding": HOLDING}[place.get("table", "holding")]
        value = 0
        for register in self.read(function, place["reg"], {"u32": 2, "u64": 4}.get(place.get("type"), 1)):
            value = value << 16 | register
        return value

    def answers(self):
        """Whether it is there, looked for without patience. Twice: what was asked before it listened may still come."""
        return all(self.exchange(bytes([INPUT, 0, 0, 0, 1]), 0.5) is not None for _ in range(2))

    def hang(self):
        """Puts the processor into a loop that no interrupt leaves, as a program that went astray: by the debugger."""
        with Debugger(self.gdb_path) as debugger:
            debugger.jump(self._endless_loop())

    def _endless_loop(self):
        """Where `b .` stands in the firmware."""
        text = subprocess.run(["arm-none-eabi-objdump", "-d", self.elf], capture_output=True, text=True, check=True).stdout
        for line in text.splitlines():
            match = re.match(r"\s*([0-9a-f]+):\s+e7fe\s", line)
            if match:
                return int(match.group(1), 16)
        raise Failure("there is no endless loop in " + self.elf)


class Wire:
    """Two wires to which several nodes are connected, and a master at `link`: each hears what any other says."""

    def __init__(self, site, nodes):
        master, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave
        self.fds = [master, *(node.fd for node in nodes)]
        self.link = site.path("wire.tty")
        os.symlink(os.ttyname(slave), self.link)
        self.stop_in, self.stop_out = os.pipe()
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def _carry(self):
        while True:
            ready = select.select([*self.fds, self.stop_in], [], [])[0]
            if self.stop_in in ready:
                return
            for fd in ready:
                with contextlib.suppress(OSError):  # a node that was switched off
                    data = os.read(fd, 300)
                    for other in self.fds:
                        if other != fd:
                            os.write(other, data)

    def cut(self):
        os.write(self.stop_out, b"x")
        self.thread.join()
        for fd in (self.fds[0], self.slave, self.stop_in, self.stop_out):
            os.close(fd)


class Debugger:
    """As much of gdb's remote protocol as it takes to send a processor astray."""

    PC = 15

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.data = b""
        self.ask("?")  # the processor is stopped by the connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ask("D")  # goes on
        self.socket.close()

    def ask(self, words):
        """The reply. That the processor stopped is told unasked, too."""
        self.socket.sendall(b"$%s#%02x" % (words.encode(), sum(words.encode()) % 256))
        while True:
            reply = self._packet()
            if words == "?" or not reply.startswith("T"):
                return reply

    def go(self, how="c"):
        """The processor goes on, until it stops for what is watched; or, with "s", by one instruction."""
        self.socket.sendall(b"$%s#%02x" % (how.encode(), ord(how)))

    def stops(self, timeout_s):
        """Whether it has stopped by then."""
        while b"$" not in self.data:  # that it has heard us is no reply
            if not select.select([self.socket], [], [], timeout_s)[0]:
                return False
            piece = self.socket.recv(4096)
            check(piece, "the debugger is there")
            self.data = (self.data + piece).lstrip(b"+")
        reply = self._packet()
        check(reply.startswith("T05"), "why it stopped", reply)
        return True

    def _packet(self):
        while not re.search(rb"\$[^#]*#..", self.data):
            piece = self.socket.recv(4096)
            check(piece, "the debugger answers")
            self.data += piece
        packet = re.search(rb"\$([^#]*)#..", self.data)
        self.data = self.data[packet.end():]
        self.socket.sendall(b"+")
        return packet.group(1).decode()

    def jump(self, address):
        registers = self.ask("g")  # eight digits each, the lowest byte first
        at = 8 * self.PC
        registers = registers[:at] + address.to_bytes(4, "little").hex() + registers[at + 8:]
        check(self.ask("G" + registers) == "OK", "the debugger sets the PC")
