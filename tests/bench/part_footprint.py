"""How much memory and disk the gateway takes."""
import os
import subprocess
import time

from figures import ROUNDS, median
from harness import program, wait_for
from scene import REGISTERS, Counter, FastBroker, status_mb, tcp_field, tcp_gateway

DEVICES = 100


def memory(out, site):
    out.note("footprint: memory with 10,000 points (about half a minute)")
    broker = FastBroker(site)
    field = tcp_field(site, DEVICES)
    gateway = tcp_gateway(site, field, broker, "1s", devices=DEVICES).start()
    gateway.wait_online()
    counter = Counter(site, broker, "sluice/+/data")
    delivered = []

    def often_enough():
        delivered.append(counter.report()["readings"])
        return sum(delivered) >= 5 * DEVICES * REGISTERS
    wait_for(often_enough, 30, "each value is delivered a few times")
    resident, own = [], []
    for _ in range(ROUNDS):
        time.sleep(2)
        resident.append(status_mb(gateway.process.pid, "VmRSS"))
        own.append(status_mb(gateway.process.pid, "RssAnon"))
    gateway.stop()
    counter.close()
    out.figure("footprint", "rss_10000_points", round(median(resident), 2), "MB", rounds=ROUNDS,
               points=DEVICES * REGISTERS, buses=10, every="1s", own_memory_mb=round(median(own), 2))


def sizes(out, site):
    stripped = site.path("sluice")
    subprocess.run(["strip", "-o", stripped, program("sluice")], check=True)
    out.figure("footprint", "size_sluice", os.path.getsize(stripped), "bytes",
               form="daemon and command line in one, stripped, dynamically linked")


def run(out, site):
    memory(out, site)
    sizes(out, site)
