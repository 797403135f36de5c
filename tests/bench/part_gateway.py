"""The whole gateway from Modbus TCP to a subscriber, and a plain Python script that does so without keeping anything."""
import shutil
import time

from figures import ROUNDS, median
from scene import DEVICES, HERE, REGISTERS, Counter, FastBroker, Usage, tcp_field, tcp_gateway

WARM_UP_S = 2
WINDOW_S = 5
INTERVALS = ("100us", "300us", "500us", "1ms")  # between two reads of a device; the best of them is taken
EVERYTHING = {"on_change": False}


class Run:
    """What went through in one window, and what it cost."""

    def __init__(self, counter, values, per_message, pids):
        counter.report()
        usage = Usage(**pids)
        begun = time.monotonic()
        time.sleep(WINDOW_S)
        report = counter.report()
        took = time.monotonic() - begun
        delivered = report["readings"] if values == "readings" else report["messages"] * per_message
        self.rate = delivered / took
        self.cpu_us = usage.seconds("gateway") / delivered * 1e6 if delivered else float("inf")
        self.shares = usage.shares()


def fresh(gateway):
    shutil.rmtree(gateway.journal, ignore_errors=True)
    return gateway.start()


def run_gateway(site, field, broker, every):
    gateway = fresh(tcp_gateway(site, field, broker, every, report=EVERYTHING))
    gateway.wait_online()
    counter = Counter(site, broker, "sluice/+/data")
    time.sleep(WARM_UP_S)
    measured = Run(counter, "readings", 1, {"gateway": gateway.process.pid, "field": field.process.pid,
                                            "broker": broker.process.pid, "subscriber": counter.pid})
    journal = gateway.status()["journal"]
    measured.refused = journal["refused"]
    measured.backlog = gateway.uplink()["backlog"]
    gateway.kill()
    counter.close()
    return measured


def run_plain(site, field, broker):
    script = site.start("plain", "/usr/bin/python3", "-B", HERE + "/plain_gateway.py", str(field.port),
                        str(broker.port), str(DEVICES), str(REGISTERS))
    counter = Counter(site, broker, "plain/#")
    time.sleep(WARM_UP_S)
    measured = Run(counter, "messages", REGISTERS, {"gateway": script.pid, "field": field.process.pid,
                                                    "broker": broker.process.pid, "subscriber": counter.pid})
    script.kill()
    counter.close()
    return measured


def bottleneck(shares):
    busiest = max(shares, key=shares.get)
    return "%s, %.2f of a core; all: %s" % (busiest, shares[busiest], ", ".join(
        "%s %.2f" % item for item in sorted(shares.items(), key=lambda item: -item[1])))


def rate(out, site, field, broker):
    out.note("gateway: as fast as it goes, %d devices x %d registers (about two minutes)" % (DEVICES, REGISTERS))
    every = max(INTERVALS, key=lambda every: run_gateway(site, field, broker, every).rate)
    ours, plain = [], []
    for _ in range(ROUNDS):
        ours.append(run_gateway(site, field, broker, every))
        plain.append(run_plain(site, field, broker))
    typical = sorted(ours, key=lambda measured: measured.rate)[ROUNDS // 2]
    other = sorted(plain, key=lambda measured: measured.rate)[ROUNDS // 2]
    out.figure("gateway", "e2e_rate", round(typical.rate), "values/s", round(other.rate), rounds=ROUNDS, every=every,
               bottleneck=bottleneck(typical.shares), bottleneck_of_baseline=bottleneck(other.shares),
               refused_by_full_rings=typical.refused, backlog_at_the_end=typical.backlog)
    out.figure("gateway", "e2e_cpu", round(median([measured.cpu_us for measured in ours]), 3), "us of CPU/value",
               round(median([measured.cpu_us for measured in plain]), 3), rounds=ROUNDS, every=every)


def latency(out, site, field, broker):
    out.note("gateway: latency, %d devices x %d registers each 100 ms (about a minute)" % (DEVICES, REGISTERS))
    gateway = fresh(tcp_gateway(site, field, broker, "100ms", uplink={"linger": "0ms"}, report=EVERYTHING,
                                commit="5ms"))
    gateway.wait_online()
    counter = Counter(site, broker, "sluice/+/data", "--latency")
    time.sleep(WARM_UP_S)
    counter.report()
    reports = []
    for _ in range(ROUNDS):
        time.sleep(2 * WINDOW_S)
        reports.append(counter.report())
    gateway.kill()
    counter.close()
    p50, p99, p999 = (median([report["latency_ms"][name] for report in reports]) for name in ("p50", "p99", "p999"))
    out.figure("gateway", "e2e_latency_p99", p99, "ms", rounds=ROUNDS, every="100ms", commit="5ms", linger="0ms",
               p50_ms=p50, p999_ms=p999, values_per_round=reports[0]["readings"], resolution="1 ms")


def idle_cpu(out, site, field, broker):
    out.note("gateway: processor time at 1,000 values/s (about a minute)")
    gateway = fresh(tcp_gateway(site, field, broker, "1s", report=EVERYTHING))
    gateway.wait_online()
    counter = Counter(site, broker, "sluice/+/data")
    time.sleep(WARM_UP_S)
    counter.report()
    shares = []
    for _ in range(ROUNDS):
        usage = Usage(gateway=gateway.process.pid)
        time.sleep(2 * WINDOW_S)
        shares.append(usage.shares()["gateway"] * 100)
    report = counter.report()
    gateway.kill()
    counter.close()
    out.figure("gateway", "cpu_1000_values_s", round(median(shares), 2), "% of a core", rounds=ROUNDS, every="1s",
               values_per_s=round(report["readings"] / (ROUNDS * 2 * WINDOW_S)), settings="shipped defaults, TLS")


def run(out, site):
    broker = FastBroker(site)
    field = tcp_field(site)
    rate(out, site, field, broker)
    latency(out, site, field, broker)
    idle_cpu(out, site, field, broker)
