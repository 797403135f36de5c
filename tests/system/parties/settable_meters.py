#!/usr/bin/python3
"""
Meters on a serial line whose unit and baud are set by registers, as Eastron's: LINK [key=value ...]. Holding registers
20-21 and 28-29 hold unit and code of the baud as floats, and are written by function 16. Keys: units=1,5 (which there
are at the start; two alike answer at the same time), baud=2400, restart=1 (what is written holds after SIGUSR1),
locked=1 (writes are refused until SIGUSR2). Says "ready", and what each meter is, on standard output.
"""
import os
import pty
import select
import signal
import struct
import sys
import termios
import tty

CODES = {2400: 0, 4800: 1, 9600: 2, 1200: 5}
SPEEDS = {getattr(termios, "B%d" % baud): baud for baud in CODES}


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


class Meter:
    def __init__(self, unit, baud):
        self.unit, self.baud = unit, baud
        self.next_unit, self.next_code = float(unit), float(CODES[baud])

    def restart(self):
        self.unit = int(self.next_unit)
        self.baud = next(baud for baud, code in CODES.items() if code == self.next_code)
        print("unit %d at %d" % (self.unit, self.baud), flush=True)

    def answer(self, request, locked):
        """The PDU that answers, as the meter is before what it does takes hold."""
        function, address, count = request[1], *struct.unpack(">HH", request[2:6])
        if function == 3 and count == 2 and address in (20, 28):
            return struct.pack(">BBf", 3, 4, self.next_unit if address == 20 else self.next_code)
        if function == 16 and count == 2 and address in (20, 28):
            if locked:
                return bytes([0x90, 4])
            value = struct.unpack(">f", request[7:11])[0]
            if address == 20:
                self.next_unit = value
            else:
                self.next_code = value
            return request[1:6]
        return bytes([function | 0x80, 2])


def main(link, **keys):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.symlink(os.ttyname(theirs), link)
    meters = [Meter(int(unit), int(keys.get("baud", 2400))) for unit in keys.get("units", "1").split(",")]
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
        baud = SPEEDS.get(termios.tcgetattr(ours)[5])
        asked = [meter for meter in meters if meter.unit == request[0] and meter.baud == baud]
        replies = []
        for meter in asked:
            reply = bytes([meter.unit]) + meter.answer(request, state["locked"])
            replies.append(reply + crc(reply))
            if not late and (meter.next_unit != meter.unit or meter.next_code != CODES[meter.baud]):
                meter.restart()
        if len(replies) == 1:
            os.write(ours, replies[0])
        elif replies:  # both drive the line: what is heard is neither
            os.write(ours, bytes(a & b ^ 0x10 for a, b in zip(*replies[:2])))


main(sys.argv[1], **dict(word.split("=") for word in sys.argv[2:]))
