"""Modbus TCP: what ten devices can deliver into the journal, and what a thousand cost."""
import shutil
import time

from figures import ROUNDS, median
from harness import Gateway, wait_for
from scene import DEVICES, REGISTERS, FastBroker, Usage, status_mb, tcp_field, tcp_gateway, tls_uplink

WINDOW_S = 4
INTERVALS = ("150us", "200us", "300us")  # between two reads of a device; the best without refusals is taken
MANY = 1000
UNITS = 200  # of one simulator; a unit has eight bits


def stored(gateway):
    return gateway.status()["journal"]["stored"]


def rate_at(site, field, every):
    """Durable values/s: each reading of each register is stored, nobody reads them. And what full rings refused."""
    gateway = tcp_gateway(site, field, None, every, report={"on_change": False})
    shutil.rmtree(gateway.journal, ignore_errors=True)
    gateway.start()
    wait_for(lambda: stored(gateway) > DEVICES * REGISTERS * 100, 30, "the first values are stored")
    rates = []
    for _ in range(ROUNDS):
        before, begun = stored(gateway), time.monotonic()
        time.sleep(WINDOW_S)
        rates.append((stored(gateway) - before) / (time.monotonic() - begun))
    refused = gateway.status()["journal"]["refused"]
    gateway.kill()
    return {"every": every, "rate": median(rates), "refused": refused}


def rate(out, site):
    out.note("field: ten Modbus TCP devices as fast as they go (about a minute)")
    field = tcp_field(site, name="rate")
    found = [rate_at(site, field, every) for every in INTERVALS]
    best = max(found, key=lambda run: (run["refused"] == 0, run["rate"]))
    out.figure("field", "tcp_rate", round(best["rate"]), "values/s", rounds=ROUNDS, every=best["every"], devices=DEVICES,
               registers=REGISTERS, refused_by_full_rings=best["refused"])


def replies(gateway):
    return [device["replies"] for bus in gateway.status()["buses"] for device in bus["devices"]]


def many(out, site):
    out.note("field: %d Modbus TCP devices, each %d registers once a second (about half a minute)" % (MANY, REGISTERS))
    broker = FastBroker(site)
    fields = [tcp_field(site, UNITS, "many%d" % number) for number in range(MANY // UNITS)]
    points = [{"id": "r%d" % register, "reg": register, "type": "u16"} for register in range(REGISTERS)]
    gateway = Gateway(
        site, [{"id": "bus%d" % number, "driver": "modbus-tcp", "host": "127.0.0.1:%d" % fields[number // UNITS].port}
               for number in range(MANY)],
        [{"id": "device%d" % number, "bus": "bus%d" % number, "unit": 1 + number % UNITS, "numbering": "0-based",
          "points": points} for number in range(MANY)],
        [tls_uplink(broker)])
    gateway.settings["defaults"] = {"every": "1s"}
    gateway.write()
    # Events that another measurement left would be drained by this one's uplink.
    shutil.rmtree(gateway.journal, ignore_errors=True)
    gateway.start()
    gateway.wait_online()
    wait_for(lambda: min(replies(gateway)) > 3, 60, "each device answered a few times")
    shares, resident, own = [], [], []
    before = sum(replies(gateway))
    begun = time.monotonic()
    for _ in range(ROUNDS):
        usage = Usage(gateway=gateway.process.pid)
        time.sleep(WINDOW_S)
        shares.append(usage.shares()["gateway"] * 100)
        resident.append(status_mb(gateway.process.pid, "VmRSS"))
        own.append(status_mb(gateway.process.pid, "RssAnon"))
    reads = (sum(replies(gateway)) - before) / (time.monotonic() - begun)
    gateway.stop()
    settings = {"rounds": ROUNDS, "devices": MANY, "registers": REGISTERS, "reads_per_s": round(reads),
                "uplink": "TLS, what changed"}
    out.figure("field", "tcp_1000_cpu", round(median(shares), 1), "% of a core", **settings)
    out.figure("field", "tcp_1000_rss", round(median(resident), 1), "MB", own_memory_mb=round(median(own), 1), **settings)


def run(out, site):
    rate(out, site)
    many(out, site)
