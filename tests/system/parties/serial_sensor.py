#!/usr/bin/python3
"""
A sensor on a pseudo-terminal, by data: serial_sensor.py LINK SPEC.json

SPEC has "talk", lines that it says by itself "every_ms", or "answers". An answer is given when what was heard ends with
"to" (a regular expression) and the line's speed is "baud"; it waits "after_ms", and when the speed is then not that of
"say_baud" the reader hears rubbish, as it would. All bytes are latin-1 text. Each byte takes its time on the wire.
"""
import json
import os
import pty
import re
import select
import sys
import termios
import time
import tty

BITS_PER_BYTE = 10
SPEEDS = {getattr(termios, "B%d" % baud): baud for baud in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 115200)}


class Sensor:
    def __init__(self, link, spec):
        self.spec = spec
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.slave = slave  # stays open: a pty that nobody has open reads as an error
        self.heard = b""
        os.symlink(os.ttyname(slave), link)

    def baud(self):
        return SPEEDS[termios.tcgetattr(self.master)[5]]

    def say(self, data):
        byte_s = BITS_PER_BYTE / self.baud()
        due = time.monotonic()
        for byte in data:
            due += byte_s
            time.sleep(max(0, due - time.monotonic()))
            os.write(self.master, bytes([byte]))

    def listen(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.heard = (self.heard + os.read(self.master, 256))[-256:]

    def answer(self):
        for answer in self.spec.get("answers", []):
            if not re.search(answer["to"].encode("latin-1") + b"$", self.heard, re.DOTALL):
                continue
            self.heard = b""
            if answer.get("baud") not in (None, self.baud()):
                return
            time.sleep(answer.get("after_ms", 10) / 1000)
            data = answer["say"].encode("latin-1")
            if answer.get("say_baud") not in (None, self.baud()):
                data = bytes(byte ^ 0x55 for byte in data)
            self.say(data)
            return

    def run(self):
        period = self.spec.get("every_ms", 0) / 1000
        due = time.monotonic()
        while True:
            if period and time.monotonic() >= due:
                for line in self.spec["talk"]:
                    self.say(line.encode("latin-1"))
                due = time.monotonic() + period
            self.listen(min(period or 0.2, 0.2))
            self.answer()


def main():
    with open(sys.argv[2]) as file:
        spec = json.load(file)
    sensor = Sensor(sys.argv[1], spec)
    print("ready", flush=True)
    sensor.run()


main()
