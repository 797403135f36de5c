"""A backlog drained over TLS, by the gateway and by a bridge of mosquitto."""
import os
import shutil
import subprocess

from figures import ROUNDS, median
from harness import Gateway, check, program, wait_for
from harness.site import free_port
from scene import Counter, FastBroker, cpu_s, tls_uplink

EVENTS = 200000
MESSAGE_BYTES = 200
DEADLINE_S = 120


def arrived(counter, field, wanted):
    """Waits until so many have arrived; returns their rate from the first message to the last one."""
    total = {"messages": 0, "readings": 0}
    first = {}

    def enough():
        report = counter.report()
        if report["messages"] and not first:
            first.update(at=report["first_ns"],
                         count=1 if field == "messages" else report["readings_first"])
        for name in total:
            total[name] += report[name]
        if report["messages"]:
            first["last"] = report["last_ns"]
        return total[field] >= wanted
    wait_for(enough, DEADLINE_S, "%d %s" % (wanted, field))
    return (total[field] - first["count"]) / ((first["last"] - first["at"]) / 1e9)


def drain_gateway(site, broker):
    journal = site.path("journal")
    shutil.rmtree(journal, ignore_errors=True)
    subprocess.run([program("bench_backlog"), journal, str(EVENTS)], check=True, stderr=subprocess.DEVNULL)
    gateway = Gateway(site, [], [], [tls_uplink(broker)])
    gateway.settings["journal"] = {}
    gateway.write()
    counter = Counter(site, broker, "sluice/+/data")
    gateway.start(wait=False)
    rate = arrived(counter, "readings", EVENTS)
    cpu = cpu_s(gateway.process.pid)
    gateway.kill()
    counter.close()
    return rate, cpu


class Bridge:
    """A mosquitto that keeps what is published to it for the broker, and brings it there."""

    def __init__(self, site, broker):
        certificate, key = broker.client
        self.site = site
        self.port = free_port()
        self.config = site.write("bridge.conf", "\n".join([
            "allow_anonymous true", "user root", "log_type error", "persistence true",
            "persistence_location %s/" % site.folder, "persistence_file bridge.db", "max_queued_messages 0",
            "listener %d 127.0.0.1" % self.port, "connection up", "address 127.0.0.1:%d" % broker.tls_port,
            "topic bench/# out 1", "cleansession false", "notifications false", "try_private false",
            "restart_timeout 2", "bridge_cafile " + broker.authority.path, "bridge_certfile " + certificate,
            "bridge_keyfile " + key]) + "\n")
        if os.path.exists(site.path("bridge.db")):
            os.unlink(site.path("bridge.db"))
        self.process = site.start("bridge", "mosquitto", "-c", self.config)

    def publish(self, messages):
        """True when the bridge has taken them all. (mosquitto_pub loses count of more than 65,535 at once.)"""
        while messages:
            some = min(messages, 50000)
            done = subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", "bench/x", "-q", "1", "-l"],
                                  input=(b"x" * MESSAGE_BYTES + b"\n") * some, stderr=subprocess.DEVNULL)
            if done.returncode:
                return False
            messages -= some
        return True


def drain_bridge(site, broker):
    bridge = Bridge(site, broker)
    counter = Counter(site, broker, "bench/#")
    wait_for(lambda: bridge.publish(1) and counter.report()["messages"], DEADLINE_S, "the bridge is connected")
    counter.close()
    broker.stop()
    check(bridge.publish(EVENTS), "the bridge did not take the messages")
    before = cpu_s(bridge.process.pid)
    broker.start()
    counter = Counter(site, broker, "bench/#")
    rate = arrived(counter, "messages", EVENTS)
    cpu = cpu_s(bridge.process.pid) - before
    bridge.process.kill()
    counter.close()
    return rate, cpu


def run(out, site):
    out.note("uplink: %d events drained over TLS, as many messages of %d bytes by a bridge (about two minutes)" %
             (EVENTS, MESSAGE_BYTES))
    broker = FastBroker(site)
    gateway, bridge = [], []
    for _ in range(ROUNDS):
        gateway.append(drain_gateway(site, broker))
        bridge.append(drain_bridge(site, broker))
    out.figure("uplink", "drain_bridge", round(median([rate for rate, _ in gateway])), "events/s",
               round(median([rate for rate, _ in bridge])), rounds=ROUNDS, events=EVENTS,
               gateway_cpu_us_per_event=round(median([cpu for _, cpu in gateway]) / EVENTS * 1e6, 2),
               bridge_cpu_us_per_message=round(median([cpu for _, cpu in bridge]) / EVENTS * 1e6, 2),
               bridge="QoS 1, TLS, messages of %d bytes" % MESSAGE_BYTES)
