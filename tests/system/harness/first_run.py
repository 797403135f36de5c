"""What `tools/demo --first-run` starts: a gateway that nobody has set up yet, and what its first owner needs around it."""
import json
import os
import sys

from .gateway import sluice
from .site import BUILD, check, wait_for

PARTY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools/party/first_run.py")


class FirstRun:
    """`told` is what it tells the owner; `url` its page."""

    def __init__(self, site):
        folder = site.path("first-run")
        os.mkdir(folder)
        told = os.path.join(folder, "first-run.json")
        self.party = site.start("first-run", sys.executable, "-B", PARTY, "--build", BUILD, "--keep", folder)
        site.at_end(self.party.end)  # in order, so that it ends what it has started
        wait_for(lambda: os.path.exists(told) or self.party.popen.poll() is not None, 60, "all is started")
        check(os.path.exists(told), "it is started", self.party.log())
        with open(told) as file:
            self.told = json.load(file)
        self.url = self.told["page"].rstrip("/")

    def status(self):
        return json.loads(sluice("status", "--json", "--socket", self.told["socket"]).stdout or "{}")

    def wait(self, condition, what):
        wait_for(lambda: condition(self.status()), 30, what)
