#!/usr/bin/python3
"""The power goes between the unpacking of a new version and its configuring: what is started then is what accepts the configuration."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, "../../firmware/package")
sys.path.insert(0, os.path.join(HERE, "../system"))
from harness import check, main  # noqa: E402
from harness.disk import Disk  # noqa: E402

# A version of the gateway, as far as preinst and the unit's program know it: it says its name, and may refuse the configuration.
VERSION = """#!/bin/sh
case $1 in
check) exit %d ;;
*) echo version %d ;;
esac
"""


class Machine:
    """What preinst and the unit's program touch, on two disks: /usr on one, /var on the other."""

    def __init__(self, site):
        self.site = site
        self.disks = {"usr": Disk(site, "usr"), "var": Disk(site, "var")}
        self.put("etc/sluice/sluice.json", "{}\n")
        self.put("usr/bin/sluice", VERSION % (0, 1), 0o755)
        os.makedirs(self.path("usr/sbin"))
        os.symlink("../bin/sluice", self.path("usr/sbin/sluiced"))
        self.put("profiles/one.json", "{}\n")
        os.makedirs(self.path("usr/share/sluice"))
        subprocess.run(["tar", "-czf", self.path("usr/share/sluice/profiles.tar.gz"), "-C", self.path("profiles"), "."], check=True)
        # From an earlier upgrade that was taken.
        self.put("var/lib/sluice/version-taken", "")
        subprocess.run(["sync", "-f", *(disk.path for disk in self.disks.values())], check=True)

    def path(self, inside):
        return self.site.path(inside)

    def put(self, inside, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        os.chmod(self.site.write(inside, text), mode)

    def runs(self, script, *arguments):
        """What that script of the package says on this machine."""
        with open(os.path.join(PACKAGE, script), encoding="utf-8") as file:
            text = re.sub(r"(?<![\w.}/])/(etc|usr|var)\b", lambda found: self.path(found[1]), file.read())
        done = subprocess.run(["sh", self.site.write(script, text), *arguments], capture_output=True, text=True, check=False)
        check(done.returncode == 0, script, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def unpacks(self, text):
        """As dpkg does it: beside the old file, on the disk, and then in its place."""
        self.put("usr/bin/sluice.dpkg-new", text, 0o755)
        with open(self.path("usr/bin/sluice.dpkg-new"), "rb") as file:
            os.fsync(file.fileno())
        os.rename(self.path("usr/bin/sluice.dpkg-new"), self.path("usr/bin/sluice"))
        handle = os.open(self.path("usr/bin"), os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)

    def loses_its_power(self):
        for disk in self.disks.values():
            disk.cut()
        for disk in self.disks.values():
            disk.again()


def what_accepts_the_configuration_is_started_after_a_cut(site):
    machine = Machine(site)
    machine.runs("preinst", "upgrade")
    machine.unpacks(VERSION % (1, 2))
    machine.loses_its_power()
    said = machine.runs("start")
    check("refuses" in said and said.endswith("version 1\n"), "the version before is started", said)
    # The unit asks for it.
    with open(machine.path("usr/lib/systemd/system/sluice.service.d/00-version-before.conf"), encoding="utf-8") as file:
        check("ExecStart=/" in file.read(), "the drop-in is on the disk")
    with open(machine.path("usr/lib/sluice/before/share/sluice/profiles/one.json"), encoding="utf-8") as file:
        check(file.read() == "{}\n", "the profiles of the version before are on the disk")


main(what_accepts_the_configuration_is_started_after_a_cut)
