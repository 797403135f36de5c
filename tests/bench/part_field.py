"""Modbus RTU on lines that are true to the wire: how much of the line's time the gateway makes use of, and the plan of its reads."""
import json
import os
import subprocess
import sys
import time

import field_tcp
from figures import ROUNDS, median
from harness import Gateway, RtuLine, program, wait_for
from harness.site import BUILD

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests/profiles"))
from profiles import faults  # noqa: E402

REGISTERS = 10
REQUEST_BYTES = 8
REPLY_BYTES = 5 + 2 * REGISTERS
BITS = 11  # 8E1
SILENCE_CHARACTERS = 3.5
SILENCE_SECONDS_FAST = 1.75e-3  # above 19200 baud
HEALTHY, DEAD = 5, 5
JITTER_SECONDS = 90
SECONDS = 4.6


def ideal_rate(baud):
    """Transactions/s when nothing but the bytes and the two silences takes time."""
    silence = SILENCE_SECONDS_FAST if baud > 19200 else SILENCE_CHARACTERS * BITS / baud
    return 1 / ((REQUEST_BYTES + REPLY_BYTES) * BITS / baud + 2 * silence)


def measure(line, count):
    line.tell("wait line replies 1")
    begun = time.monotonic()
    line.tell("wait line replies %d" % count)
    return count / (time.monotonic() - begun)


def profiles(out, site):
    """Device models that load, decode their vectors, and are valid by schema and vocabulary."""
    report = site.path("profiles")
    # Where the compiler ran: a cache in front of it may have made the test's own path relative to that.
    subprocess.run([program("test_profiles")], cwd=BUILD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "SLUICE_PROFILES_REPORT": report})
    decoded = set(open(report).read().split()) if os.path.exists(report) else set()
    told, _ = faults(SOURCE)
    out.figure("field", "profiles", len([name for name in decoded if told.get(name) == []]), "device models", shipped=len(told))


def plan(out):
    """Planned reads against the cheapest that there are. Written in C: see bench_plan.c."""
    bench = subprocess.run([program("bench_plan")], stdout=subprocess.PIPE, text=True, check=True)
    for line in bench.stdout.splitlines():
        out.row(json.loads(line))


class JitterLine:
    """Five devices that are read each second, beside some that do not answer; their intervals as the line's end sees them."""

    def __init__(self, site, name, dead):
        self.name = name
        self.healthy = {unit: "%s%d" % (name, unit) for unit in range(1, HEALTHY + 1)}
        self.dead = {unit: "%s%d" % (name, unit) for unit in range(HEALTHY + 1, HEALTHY + dead + 1)}
        self.names = {**self.healthy, **self.dead}
        self.line = RtuLine(site, name, ["%d:%s,regs=%d" % (unit, device, REGISTERS) for unit, device in self.names.items()], 9600)

    def devices(self):
        points = [{"id": "r%d" % register, "reg": register, "type": "u16", "every": "1s"} for register in range(REGISTERS)]
        return [{"id": device, "bus": self.name, "unit": unit, "numbering": "0-based", "points": points}
                for unit, device in self.names.items()]

    def deviations(self, witnesses, begun):
        """How far each interval was from a second, in percent of it, in rising order."""
        seen = {device: [] for device in self.healthy.values()}
        for witness in witnesses:
            if witness["d"] in seen and witness["t"] >= begun:
                seen[witness["d"]].append(witness["t"])
        return sorted(abs(later - earlier - 1000) / 10 for times in seen.values()
                      for earlier, later in zip(times, times[1:]))


def p99(values):
    return values[int(len(values) * 0.99)]


def jitter(out, site):
    """How far the intervals of devices that answer are from a second, while as many others do not, and on a line beside it on which all do."""
    out.note("field: %d devices that answer beside %d that do not (about two minutes)" % (HEALTHY, DEAD))
    half, control = JitterLine(site, "half", DEAD), JitterLine(site, "control", 0)
    gateway = Gateway(site, [half.line.bus(), control.line.bus()], half.devices() + control.devices(), [])
    # Some of them have never been heard, some were.
    never = list(half.dead)[::2]
    for unit in never:
        half.line.tell("silence %d" % unit)
    gateway.start()
    heard = [device for line in (half, control) for unit, device in line.names.items() if line is control or unit not in never]
    wait_for(lambda: all(gateway.device(device)["up"] for device in heard), 30, "all answer")
    for unit in half.dead:
        half.line.tell("silence %d" % unit)
    wait_for(lambda: all(not gateway.device(device)["up"] for device in half.dead.values()), 60, "half of them are down")
    begun = time.time() * 1000 + 2000  # what was late because of the last of their time-outs is over
    time.sleep(JITTER_SECONDS)
    witnesses = list(site.witnesses())
    off, noise = half.deviations(witnesses, begun), control.deviations(witnesses, begun)
    probes = sum(gateway.device(device)["timeouts"] for device in half.dead.values())
    gateway.stop()
    out.figure("field", "jitter_half_dead", round(p99(off), 2), "% of the interval", intervals=len(off),
               worst=round(off[-1], 2), probes=probes, line="9600 8E1", timeout="500ms")
    out.figure("field", "jitter_added", round(p99(off) - p99(noise), 2), "% of the interval", intervals=len(noise),
               without_dead_devices=round(p99(noise), 2), worst_without=round(noise[-1], 2))


def wrong_values(out):
    """A million replies of lines that do all they may do wrong; written in C: see bench_frames.c."""
    out.row(json.loads(subprocess.run([program("bench_frames")], stdout=subprocess.PIPE, text=True).stdout))


def run(out, site):
    profiles(out, site)
    wrong_values(out)
    plan(out)
    jitter(out, site)
    bauds = (9600, 19200, 115200)
    out.note("field: three RS-485 lines, %d registers a read (about a minute and a half)" % REGISTERS)
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
    field_tcp.run(out, site)
