#!/usr/bin/python3
"""
What a receiver makes of a line on which a master asks four units, when it listens at another rate or with A and B
changed over: LINK SENT-BAUD HEARD-BAUD swapped|straight. The line is drawn as levels, a sample a microsecond, and
read as a UART reads it: a fall begins a byte, whose bits are taken in their middles, whatever the stop bit is. The bytes
go to the pty LINK again and again, those of a frame at once and the silences as long as the traffic has them; longer where
the machine has much to do, so that whoever reads them late still sees where one ends. Says "ready" on standard output.
"""
import os
import pathlib
import pty
import sys
import time
import tty

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import slowness  # noqa: E402
from wire import crc  # noqa: E402

SILENCE_US = 20000  # at least between two frames; a byte takes at most so long


def traffic():
    """Frames, each with the silence behind it in microseconds."""
    for i in range(12):
        unit = bytes([1 + i % 4])
        request = unit + bytes([3, 0, 17 * i & 0xFF, 0, 5])
        reply = unit + bytes([3, 10]) + bytes((i * 31 + k * 57) & 0xFF for k in range(10))
        yield request + crc(request), 40000
        yield reply + crc(reply), 60000


def draw(frames, bit, swapped):
    """The level of the line at each microsecond."""
    levels = bytearray([1]) * 50000
    for frame, silence in frames:
        for byte in frame:
            for level in [0] + [byte >> place & 1 for place in range(8)] + [1]:
                levels += bytearray([level]) * bit
        levels += bytearray([1]) * silence
    return bytes(level ^ 1 for level in levels) if swapped else bytes(levels)


def hear(levels, bit):
    """The bytes, each with the moment in microseconds at which it is there."""
    at = levels.find(b"\x01\x00") + 1
    while 0 < at < len(levels) - 10 * bit:
        byte = sum(levels[at + (2 * place + 3) * bit // 2] << place for place in range(8))
        end = at + 19 * bit // 2
        yield end, byte
        at = levels.find(b"\x01\x00", end) + 1


def bursts(heard):
    """What is heard without a silence in between, each with the microseconds since the one before."""
    burst, begun, last = b"", 0, 0
    for moment, byte in heard:
        if burst and moment - last > SILENCE_US:
            yield begun, burst
            burst, begun = b"", moment - last
        burst, last = burst + bytes([byte]), moment
    yield begun, burst


def main(link, sent_baud, heard_baud, wires):
    heard = list(bursts(hear(draw(traffic(), 1000000 // int(sent_baud), wires == "swapped"), 1000000 // int(heard_baud))))
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    os.symlink(os.ttyname(theirs), link)
    print("ready", flush=True)
    while True:
        for silence_us, burst in heard:
            time.sleep(max(silence_us, SILENCE_US) / 1e6 * slowness())
            try:
                os.write(ours, burst)
            except BlockingIOError:
                pass  # nobody listens


main(*sys.argv[1:])
