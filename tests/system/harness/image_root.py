"""The root folder of an image for a script of it, with programs that stand in for those that it calls."""
import os
import re
import subprocess
import sys

from .site import check

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
IMAGE = os.path.join(TOP, "firmware/image")
FILES = os.path.join(IMAGE, "root/files")
sys.path.insert(0, IMAGE)
from words import read  # noqa: E402

# Each notes its call; an answer is the text of a file beside it, and it fails where that is "fails".
STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>"$SYSTEM/calls"
answer=$(cat "$SYSTEM/answers/${0##*/}$1" 2>/dev/null)
[ "$answer" != fails ] || exit 1
echo "$answer"
"""
GOOD, BAD, RESTART, HEALTH = "rauc status mark-good", "rauc status mark-bad", "systemctl --no-block reboot", "sluice health --wait 10m"


class System:
    """A root folder with what the scripts read, and programs that stand in for those that they call."""
    failing = "0"  # how often the disk cannot be read

    def __init__(self, site, version="2.0.0", build="b2", confirmed=None, data="254:4", healthy=True):
        self.root = site.path("root-%d" % len(os.listdir(site.folder)))
        self.put("usr/lib/os-release", "ID=debian\nIMAGE_VERSION=%s\n" % version)
        self.put("usr/share/sluice/build", build + "\n")
        self.put("dev/console", "")
        self.put("dev/sluice/disk", "")
        self.put("sys/class/block/disk/size", "15523840\n")
        self.put("answers/mountpoint-d", data)
        self.put("answers/mountpoint-x", "254:4")
        self.put("answers/sluicehealth", "" if healthy else "fails")
        for folder in ("boot/sluice", "data/etc", "data/system", "etc/sluice", "run"):
            os.makedirs(os.path.join(self.root, folder))
        if confirmed is not None:
            self.put("data/system/confirmed", confirmed)
        for name in ("chown", "hostname", "mount", "mountpoint", "partx", "rauc", "resize2fs", "sfdisk", "sluice",
                     "sync", "systemctl", "umount"):
            self.put("bin/" + name, STAND_IN)
            os.chmod(os.path.join(self.root, "bin", name), 0o755)

    def put(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as out:
            out.write(text)

    def run(self, script, *arguments):
        """Runs a script of the image in this root folder; returns what it called, and its exit status."""
        self.put("calls", "")
        text = re.sub(r"(?<![\w.}/])/(boot|data|dev|etc|proc|run|sys|usr)\b", lambda found: self.root + found.group(),
                      read(FILES, "usr/lib/sluice", script).replace(">/dev/console", ">>/dev/console"))  # as a console, it keeps what was said
        self.put("script", text)
        done = subprocess.run(["sh", os.path.join(self.root, "script"), *arguments], check=False, stdout=subprocess.DEVNULL,
                              env={"SYSTEM": self.root, "FAILING": self.failing, "PATH": os.path.join(self.root, "bin") + ":" + os.environ["PATH"]})
        return read(self.root, "calls").splitlines(), done.returncode

    def mark(self, how):
        """What mark-good calls of that which changes or asks anything, and its exit status."""
        calls, status = self.run("mark-good", how)
        return [call for call in calls if call.split()[0] not in ("mountpoint", "sync")], status

    def starts(self, early, late):
        """Checks the calls of a start: those of the unit before the gateway, and those of the one behind it."""
        for how, wanted, status in (("confirmed", early, 0), ("trial", late, 1 if BAD in late else 0)):
            called, ended = self.mark(how)
            check(called == wanted and ended == status, "mark-good " + how, called, wanted, ended, read(self.root, "dev/console"))

    def has(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def confirmed(self):
        return read(self.root, "data/system/confirmed").splitlines() if self.has("data/system/confirmed") else None
