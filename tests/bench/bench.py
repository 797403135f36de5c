"""Runs the benchmarks; see tools/bench."""
import argparse
import os
import platform
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
import part_field  # noqa: E402
import part_firmware  # noqa: E402
import part_footprint  # noqa: E402
import part_gateway  # noqa: E402
import part_journal  # noqa: E402
import part_uplink  # noqa: E402
import part_web  # noqa: E402
from figures import Out  # noqa: E402
from harness import Site  # noqa: E402

PARTS = {"journal": part_journal, "field": part_field, "uplink": part_uplink, "gateway": part_gateway,
         "footprint": part_footprint, "web": part_web, "firmware": part_firmware}


def machine():
    with open("/proc/cpuinfo") as cpuinfo:
        model = next((line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")), "?")
    return "%s, %d processors, Linux %s" % (model, os.cpu_count(), platform.release())


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description="Measures Sluice against goals and baselines.")
    parser.add_argument("part", nargs="*", metavar="NAME", help="which parts; all unless named: " + ", ".join(PARTS))
    parser.add_argument("--json", action="store_true", help="one line of JSON a figure")
    options = parser.parse_args()
    unknown = [name for name in options.part if name not in PARTS]
    if unknown:
        parser.error("no such part: %s; there are %s" % (", ".join(unknown), ", ".join(PARTS)))
    out = Out(options.json)
    out.note(machine())
    if os.getloadavg()[0] > 0.5:
        out.note("the machine is busy (load %.1f): figures will be worse than they could be" % os.getloadavg()[0])
    for name in options.part or PARTS:
        with Site("bench-" + name) as site:
            PARTS[name].run(out, site)
    if out.short:
        out.note("short of the goal: " + ", ".join(out.short))


main()
