"""What the tests of finding things on Modbus share: scans, and a gateway whose bus is borrowed."""
import json
import os
import sys

from .field import RtuLine
from .gateway import EXIT_OK, Gateway, sluice
from .site import check, slowness, wait_for

SYSTEM = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTIES = os.path.join(SYSTEM, "parties")
os.environ["SLUICE_PROFILES"] = os.path.join(SYSTEM, "../../drivers/profiles")  # those of this tree


def patience_ms():
    """What a party that is a Python program needs for an answer."""
    return str(int(60 * slowness()))


def scan(*arguments, status=EXIT_OK, socket="/nonexistent/api.sock"):
    """The lines of `sluice scan --json`."""
    done = sluice("scan", "--json", "--socket", socket, *arguments)
    check(done.returncode == status, "exit status of sluice scan", done.returncode, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def devices(lines):
    return {line["unit"]: line for line in lines if line["kind"] == "device"}


def party(site, name, script, *arguments):
    process = site.start(name, sys.executable, os.path.join(PARTIES, script), *arguments)
    wait_for(lambda: "ready" in process.log(), 20, name + " is ready")
    return process


class Plant:
    """A gateway that polls a device on a line."""

    def __init__(self, site, more=()):
        self.site = site
        self.line = RtuLine(site, "field", ["1:boiler,regs=20", "9:new,regs=20"], 19200)
        self.gateway = Gateway(site, [self.line.bus()], [self.line.device("boiler", 1), *more], []).start()
        self.wait_up()

    def wait_up(self, deadline_s=20):
        wait_for(lambda: self.gateway.device("boiler")["up"], deadline_s, "the device is read")

    def lent(self):
        return self.gateway.status()["buses"][0].get("lent")


def wait_for_states(gateway, device):
    """Until it is stored that the device was lent and came back: the status knows that before it is durable."""
    def stored():
        states = [(event["v"], event.get("why")) for event in gateway.replay("--kind", "state", "--device", device)]
        return states[-2:] == [(False, "lent"), (True, None)]
    wait_for(stored, 10, "the states of " + device)
