"""Modbus RTU on a line that is true to the wire: how much of the line's time the gateway makes use of."""
import os
import subprocess
import sys
import time

from figures import ROUNDS, median
from harness import Gateway, RtuLine, program

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests/profiles"))
from profiles import faults  # noqa: E402

REGISTERS = 10
REQUEST_BYTES = 8
REPLY_BYTES = 5 + 2 * REGISTERS
BITS = 11  # 8E1
SILENCE_CHARACTERS = 3.5
SECONDS = 4.6


def ideal_rate(baud):
    """Transactions/s when nothing but the bytes and the two silences takes time."""
    return baud / BITS / (REQUEST_BYTES + REPLY_BYTES + 2 * SILENCE_CHARACTERS)


def measure(line, count):
    line.tell("wait line replies 1")
    begun = time.monotonic()
    line.tell("wait line replies %d" % count)
    return count / (time.monotonic() - begun)


def profiles(out, site):
    """Device models that load, decode their vectors, and are valid by schema and vocabulary."""
    report = site.path("profiles")
    subprocess.run([program("test_profiles")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "SLUICE_PROFILES_REPORT": report})
    decoded = set(open(report).read().split()) if os.path.exists(report) else set()
    told, _ = faults(SOURCE)
    out.figure("field", "profiles", len([name for name in decoded if told.get(name) == []]), "device models", shipped=len(told))


def run(out, site):
    profiles(out, site)
    bauds = (9600, 19200)
    out.note("field: two RS-485 lines, %d registers a read (about a minute)" % REGISTERS)
    lines = {baud: RtuLine(site, "line%d" % baud, ["1:meter,regs=%d" % REGISTERS], baud) for baud in bauds}
    points = [{"id": "r%d" % register, "reg": register, "type": "u16", "every": "1ms"} for register in range(REGISTERS)]
    gateway = Gateway(site, [line.bus() for line in lines.values()],
                      [{"id": "meter%d" % baud, "bus": line.name, "unit": 1, "numbering": "0-based", "points": points}
                       for baud, line in lines.items()], [])
    gateway.start()
    rates = {baud: [] for baud in bauds}
    for _ in range(ROUNDS):
        for baud, line in lines.items():
            rates[baud].append(measure(line, round(SECONDS * ideal_rate(baud))))
    for baud, line in lines.items():
        stats = line.stats()
        out.figure("field", "rtu_%d" % baud, round(median(rates[baud]), 2), "transactions/s",
                   round(ideal_rate(baud), 2), rounds=ROUNDS, registers=REGISTERS, line="%d 8E1" % baud,
                   silences_violated=stats["violations"])
    gateway.stop()
