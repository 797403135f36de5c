"""The parties of the benchmarks that take part with the gateway: a fast broker, a counting subscriber, a field."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
from harness import Broker, Gateway, ModbusTcp, program  # noqa: E402

DEVICES = 10
REGISTERS = 100
TICK = os.sysconf("SC_CLK_TCK")


class FastBroker(Broker):
    """Mosquitto as it comes, but that it keeps all for a slow subscriber, and writes no log of each message."""

    def _config(self):
        certificate, key = self.server
        return "\n".join(["per_listener_settings false", "allow_anonymous true", "max_queued_messages 0", "user root",
                          "log_type error", "set_tcp_nodelay true",
                          "listener %d 127.0.0.1" % self.port,
                          "listener %d 127.0.0.1" % self.tls_port, "cafile " + self.authority.path,
                          "certfile " + certificate, "keyfile " + key, "require_certificate true"]) + "\n"


class Counter:
    """bench_subscriber: `report` tells what arrived since the last one."""

    def __init__(self, site, broker, topic, *options):
        with open(site.path("subscriber.log"), "a") as log:
            self.popen = subprocess.Popen([program("bench_subscriber"), str(broker.port), topic, *options],
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        site.at_end(self.close)
        self._line()

    @property
    def pid(self):
        return self.popen.pid

    def _line(self):
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError("bench_subscriber ended")
        return json.loads(line)

    def report(self):
        self.popen.stdin.write("report\n")
        self.popen.stdin.flush()
        return self._line()

    def close(self):
        if self.popen.stdin.closed:
            return
        self.popen.stdin.close()
        self.popen.wait()
        self.popen.stdout.close()


class Usage:
    """Processor time of some processes, as shares of one core between `start` and `shares`."""

    def __init__(self, **pids):
        self.pids = pids
        self.begun = time.monotonic()
        self.before = {name: cpu_s(pid) for name, pid in pids.items()}

    def seconds(self, name):
        return cpu_s(self.pids[name]) - self.before[name]

    def shares(self):
        took = time.monotonic() - self.begun
        return {name: round(self.seconds(name) / took, 3) for name in self.pids}


def cpu_s(pid):
    """User and system time of a process with all its threads."""
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def status_mb(pid, field):
    """A field of /proc/PID/status that is in kB, in units of 10^6 bytes."""
    with open("/proc/%d/status" % pid) as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    raise KeyError(field)


def tcp_field(site, devices=DEVICES, name="field"):
    """Modbus TCP devices with a hundred registers each."""
    return ModbusTcp(site, name, ["1-%d:device,regs=%d" % (devices, REGISTERS)])


def tcp_gateway(site, field, broker, every, devices=DEVICES, buses=DEVICES, uplink=None, report=None, web=None, **journal):
    """A gateway that reads each register of each device, with the shipped defaults but for what is said."""
    points = [{"id": "r%d" % register, "reg": register, "type": "u16"} for register in range(REGISTERS)]
    gateway = Gateway(
        site, [{"id": "bus%d" % bus, "driver": "modbus-tcp", "host": "127.0.0.1:%d" % field.port}
               for bus in range(buses)],
        [{"id": "device%d" % unit, "bus": "bus%d" % (unit % buses), "unit": unit, "numbering": "0-based",
          "points": points} for unit in range(1, devices + 1)],
        [tls_uplink(broker, **(uplink or {}))] if broker else [], web=web)
    gateway.settings["journal"] = journal
    gateway.settings["defaults"] = {"every": every, **({"report": report} if report else {})}
    gateway.write()
    return gateway


def tls_uplink(broker, **more):
    certificate, key = broker.client
    return {"id": "cloud", "url": "mqtts://127.0.0.1:%d" % broker.tls_port,
            "tls": {"ca": broker.authority.path, "cert": certificate, "key": key}, **more}
