#!/usr/bin/python3
"""A node's power goes during any write to its flash while it is updated, on the board whose flash is emulated."""
import json
import os
import random
import subprocess

from harness import EXIT_OK, LONG, check, main, program, totals, wait_for
from harness.node import ROOT, build_nodes
from harness.slotted import BOARD, SlottedNode, Writes, sign, version_parts

os.environ["SLUICE_PROFILES"] = os.path.join(ROOT, "drivers/profiles")
CUTS = 40 if LONG else 4
# The writes that decide which version is started: of the header at the beginning, of the signature and the marks at the end.
FEW = 40


class Updates:
    """A node that gets one version after the other by the real command line."""

    def __init__(self, site):
        self.site = site
        self.node = SlottedNode(site)
        self.node.fit(version_parts(self.version(0))[0])
        self.runs = 0
        self.on()

    def on(self):
        self.node.on()
        wait_for(self.node.answers, 60, "it answers")

    @staticmethod
    def version(number):
        return "1.%d.0" % number

    def command(self, name, *words):
        return [program("sluice"), "node", name, self.node.link, *words, "--line", "115200 8N1", "--socket", "/nonexistent/api.sock"]

    def start(self, *words):
        return subprocess.Popen(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def updater(self):
        """The command that sends it the next version."""
        path = self.site.path(self.version(self.runs + 1) + ".snu")
        if not os.path.exists(path):
            with open(path, "wb") as out:
                out.write(sign.update_file(version_parts(self.version(self.runs + 1))))
        return self.start("update", path, "--reads", "2")

    def is_done(self, started, *what):
        """That command brings the next version, for good."""
        said = started.communicate()[0]
        check(started.returncode == EXIT_OK, "the command", what, said)
        self.runs += 1
        number, told = self.running()
        check(number == self.runs, "the new version runs", what, told)

    def running(self):
        """The number of the version that runs, and all that the node says."""
        done = wait_for(lambda: [one for one in [subprocess.run(self.command("status", "--json"), capture_output=True, text=True)] if one.stdout], 60,
                        "sluice node status")[0]
        told = json.loads(done.stdout)
        check(told["running"], "a version runs, and not the boot loader alone", told)
        return int(told["slots"]["AB".index(told["running"])]["version"].split(".")[1]), told

    def whole(self):
        """An update whose power stays. Returns how many writes it took."""
        writes = Writes(self.node)
        updater = self.updater()
        count = writes.come(float("inf"), lambda: updater.poll() is None)
        writes.end()
        self.is_done(updater)
        return count

    def cut(self, number, chance):
        """The power goes during that write of an update. Returns whether the new version was started then; it is, for good, in the end."""
        writes = Writes(self.node)
        updater = self.updater()
        came = writes.come(number, lambda: updater.poll() is None)
        if came == number:
            writes.cut(chance)
        updater.kill()
        said = updater.communicate()[0]
        check(came == number, "the update came to its end before", came, number, said)
        self.on()
        started, told = self.running()
        check(started in (self.runs, self.runs + 1), "what is started", number, told)
        new = started > self.runs
        self.is_done(self.start("confirm") if new else self.updater(), number, told)
        return new


def the_power_goes_during_any_write(site):
    """What starts then is the old version, and the same command makes the update good; or it is the new one, and can be confirmed."""
    updates = Updates(site)
    count = updates.whole()
    check(count > 3000, "the writes of an update", count)
    chance = random.Random(int(os.environ.get("SLUICE_SEED", "5")))
    new = 0
    for turn in range(CUTS):
        anywhere, first, last = chance.randrange(1, count + 1), chance.randrange(1, FEW + 1), count + 1 - chance.randrange(1, FEW + 1)
        new += updates.cut((anywhere, first, last)[turn % 3], chance)
    totals("node_power", what="power cuts during a node's update in QEMU", count=CUTS, lost=0, board=BOARD, writes=count, old_one_started=CUTS - new,
           new_one_started=new)
    return "%d cuts in %d writes: %d times the old version was started, %d times the new one" % (CUTS, count, CUTS - new, new)


main(the_power_goes_during_any_write, prepare=build_nodes)
