"""The simulated field: the programs of tests/sim, and how the gateway is configured for each."""
import json
import os
import subprocess

from .site import program, slowness, wait_for

SLOWNESS = slowness()


def patient(timeout_ms):
    """A time-out for a field whose replies are to be in time: what a busy machine keeps from it would be missing."""
    return "%dms" % (timeout_ms * SLOWNESS)


# A reply later than this is late by the simulators' reckoning, too.
TIMEOUT_MS = 500 * SLOWNESS
TIMEOUT = patient(500)
# For so long after a fault a reply on RTU is only believed when another read confirms it. What is read only for that,
# and what is not believed, the simulators have sent all the same.
DOUBT_MS = 12000
COUNTER = {"id": "counter", "reg": 0, "type": "u32"}


def doubted(devices, since_ms, until_ms):
    """For `finish`: replies of these devices from the begin of a fault to the end of the doubt after it."""
    return lambda witness: witness["d"] in devices and since_ms <= witness["t"] < until_ms + DOUBT_MS


class Sim:
    """One simulator. Its witness lines go to the site's truth file."""

    def __init__(self, site, name, kind, *arguments):
        self.site = site
        self.name = name
        self.control = site.path(name + ".control")
        self.program = program(kind)
        self.ready = site.path(name + ".ready")
        self.process = site.start(name, self.program, *arguments, "--control", self.control, "--truth", site.truth,
                                  "--ready-file", self.ready)
        wait_for(lambda: os.path.exists(self.ready), 10, name + " is ready")
        with open(self.ready) as ready:
            self.first = ready.read().strip()

    def tell(self, *commands):
        done = subprocess.run([self.program, "--tell", self.control, *commands], stdout=subprocess.PIPE, text=True,
                              timeout=60)
        if done.returncode:
            raise RuntimeError("%s: %s: %s" % (self.name, commands, done.stdout))
        return done.stdout

    def stats(self):
        return json.loads(self.tell("stats"))


class _Modbus(Sim):
    def device(self, device_id, unit, every="100ms", points=(), **more):
        """The configuration of one device: its counter, and `points` besides."""
        return {"id": device_id, "bus": self.name, "unit": unit, "numbering": "0-based",
                "points": [{"every": every, **point} for point in (COUNTER, *points)], **more}

    def quiet(self):
        """No unit answers from now on."""
        self.tell("silence *")


def _units(units):
    return [word for unit in units for word in ("--unit", unit)]


class RtuLine(_Modbus):
    """An RS-485 line on a pty with `units` such as "1:incomer,regs=40"."""

    def __init__(self, site, name, units, baud=115200, *arguments):
        self.link = site.path(name + ".tty")
        self.baud = baud
        super().__init__(site, name, "sim_rtu", "--link", self.link, "--baud", str(baud), "--realtime",
                         "--late-after", TIMEOUT, *_units(units), *arguments)

    def bus(self, **more):
        return {"id": self.name, "driver": "modbus-rtu", "port": self.link, "line": "%d 8E1" % self.baud,
                "timeout": TIMEOUT, **more}


class ModbusTcp(_Modbus):
    def __init__(self, site, name, units, *arguments):
        super().__init__(site, name, "sim_tcp", "--late-after", TIMEOUT, *_units(units), *arguments)
        self.port = int(self.first)

    def bus(self, **more):
        return {"id": self.name, "driver": "modbus-tcp", "host": "127.0.0.1:%d" % self.port, "timeout": TIMEOUT, **more}


class Line(Sim):
    """A serial line with one device of the same name."""

    def __init__(self, site, name, kind, baud, *arguments):
        self.link = site.path(name + ".tty")
        self.baud = baud
        super().__init__(site, name, "sim_line", kind, "--link", self.link, "--baud", str(baud), "--name", name,
                         *arguments)

    def quiet(self):
        self.tell("silence")


class Talker(Line):
    """NMEA 0183 by itself."""

    def __init__(self, site, name="nmea", every="300ms", *arguments):
        super().__init__(site, name, "nmea", 38400, "--every", every, *arguments)

    def bus(self, **more):
        return {"id": self.name + "-line", "driver": "serial", "port": self.link, "line": "%d 8N1" % self.baud,
                "start": "$", "checksum": "nmea", **more}

    def device(self, **more):
        return {"id": self.name, "bus": self.name + "-line",
                "points": [{"id": "counter", "match": "^\\$PSLCN,([0-9]+)", "group": 1, "type": "integer"}], **more}


class Scale(Line):
    """MT-SICS, asked."""

    def __init__(self, site, name="scale", *arguments):
        super().__init__(site, name, "scale", 9600, *arguments)

    def bus(self, **more):
        return {"id": self.name + "-line", "driver": "serial", "port": self.link, "line": "%d 8N1" % self.baud,
                **more}

    def device(self, every="300ms", **more):
        return {"id": self.name, "bus": self.name + "-line", "request": "SI\r\n", "when_busy": "^S I$",
                "when_out_of_range": "^S [+-]$", "when_failed": "^E[STL]$",
                "points": [{"id": "weight", "match": "^S [SD] +([-0-9.]+) g", "group": 1, "decimals": 2,
                            "unit": "g", "every": every}], **more}
