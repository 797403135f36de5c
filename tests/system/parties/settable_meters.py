#!/usr/bin/python3
"""
Meters on a serial line whose unit, baud and format are set by registers, as Eastron's: LINK [key=value ...]. Holding
registers 18-19, 20-21 and 28-29 hold the code of the format, the unit and the code of the baud as floats, and are written
by function 16. With map=wirenboard the registers are 128 (unit), 110 (baud), 111 (parity) and 112 (stop bits), a whole
number each, by function 6. Keys: units=1,5 (which there are at the start; two alike answer at the same time; 5@9600 is at
another baud), baud=2400, format=8N1, restart=1 (what is written holds after SIGUSR1), locked=1 (writes are refused until
SIGUSR2). Says "ready", and what each meter is, on standard output.
"""
import os
import pty
import select
import signal
import struct
import sys
import termios
import tty

from wire import crc

BAUDS = (1200, 2400, 4800, 9600, 19200, 115200)
SPEEDS = {getattr(termios, "B%d" % baud): baud for baud in BAUDS}


def numbered(choices):
    """Read and write of a setting that a register holds by a code."""
    return choices.get, {value: code for code, value in choices.items()}.get


class Eastron:
    """Floats in two registers each."""
    size, write = 2, 16
    registers = {18: ("format", *numbered({0: "8N1", 1: "8E1", 2: "8O1", 3: "8N2"})), 20: ("unit", int, float),
                 28: ("baud", *numbered({0: 2400, 1: 4800, 2: 9600, 5: 1200}))}

    @staticmethod
    def pack(number):
        return struct.pack(">f", number)

    @staticmethod
    def unpack(request):
        return struct.unpack(">f", request[7:11])[0]


class WirenBoard:
    """A register each; parity and stop bits have one of their own."""
    size, write = 1, 6
    registers = {110: ("baud", lambda code: code * 100, lambda baud: baud // 100), 111: ("parity", "NOE".__getitem__, "NOE".index),
                 112: ("stop", int, int), 128: ("unit", int, int)}

    @staticmethod
    def pack(number):
        return struct.pack(">H", number)

    @staticmethod
    def unpack(request):
        return struct.unpack(">H", request[4:6])[0]


class Meter:
    def __init__(self, kind, unit, baud, form):
        self.kind = kind
        self.now = {"unit": unit, "baud": baud, "format": form, "parity": form[1], "stop": int(form[2])}
        self.next = dict(self.now)

    def restart(self):
        if self.kind is WirenBoard:
            self.next["format"] = "8%s%d" % (self.next["parity"], self.next["stop"])
        self.now = dict(self.next)
        print("unit %(unit)d at %(baud)d %(format)s" % self.now, flush=True)

    def answer(self, request, locked):
        """The PDU that answers, as the meter is before what it does takes hold."""
        function, address, count = request[1], *struct.unpack(">HH", request[2:6])
        kind = self.kind
        if address not in kind.registers:
            return bytes([function | 0x80, 2])
        key, decode, encode = kind.registers[address]
        if function == 3 and count == kind.size:
            return bytes([3, 2 * kind.size]) + kind.pack(encode(self.next[key]))
        if function == kind.write and locked:
            return bytes([function | 0x80, 4])
        if function == kind.write:
            self.next[key] = decode(kind.unpack(request))
            return request[1:6]
        return bytes([function | 0x80, 2])


def line_of(terminal):
    """What the other side has set: its baud, and its format. A pty drops PARENB, but keeps what else parity sets."""
    flags = termios.tcgetattr(terminal)
    parity = "N" if not flags[0] & termios.INPCK else "O" if flags[2] & termios.PARODD else "E"
    return SPEEDS.get(flags[5]), "8%s%d" % (parity, 2 if flags[2] & termios.CSTOPB else 1)


def main(link, **keys):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.symlink(os.ttyname(theirs), link)
    kind = WirenBoard if keys.get("map") == "wirenboard" else Eastron
    places = [unit.partition("@") for unit in keys.get("units", "1").split(",")]
    meters = [Meter(kind, int(unit), int(baud or keys.get("baud", 2400)), keys.get("format", "8N1"))
              for unit, _, baud in places]
    late, state = bool(int(keys.get("restart", 0))), {"locked": bool(int(keys.get("locked", 0)))}
    signal.signal(signal.SIGUSR1, lambda *_: [meter.restart() for meter in meters])
    signal.signal(signal.SIGUSR2, lambda *_: state.update(locked=False))
    print("ready", flush=True)
    while True:
        request = b""
        while select.select([ours], [], [], 0.005 if request else None)[0]:
            request += os.read(ours, 256)
        if len(request) < 8 or crc(request[:-2]) != request[-2:]:
            continue
        baud, form = line_of(ours)
        asked = [meter for meter in meters
                 if (meter.now["unit"], meter.now["baud"], meter.now["format"]) == (request[0], baud, form)]
        replies = []
        for meter in asked:
            reply = bytes([meter.now["unit"]]) + meter.answer(request, state["locked"])
            replies.append(reply + crc(reply))
            if not late and meter.next != meter.now:
                meter.restart()
        if len(replies) == 1:
            os.write(ours, replies[0])
        elif replies:  # both drive the line: what is heard is neither
            os.write(ours, bytes(a & b ^ 0x10 for a, b in zip(*replies[:2])))


main(sys.argv[1], **dict(word.split("=") for word in sys.argv[2:]))
