#!/usr/bin/python3
"""Takes the power from a real filesystem while a journal writes to it.

An ext4 filesystem in a file is mounted through a loop device, and journal_writer writes to it. At a random moment the
filesystem is shut down without a flush (the ioctl that xfstests uses), unmounted and mounted again; now and then only the
process is killed. What had been reported durable must be there afterwards, no key may stand for two events, and the cursor
must stand where it was told to. Needs root and loop devices; where it may not have them it says so and exits with 77.
"""

import argparse
import fcntl
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
SHUTDOWN_NO_FLUSH = 2
SKIPPED = 77
LIFE = 1_000_000  # values of one life of the writer: life i begins with i * LIFE
FILESYSTEM_BYTES = 192 << 20
UNMOUNT_S = 10


class Filesystem:
    def __init__(self, folder):
        self.image = os.path.join(folder, "disk.img")
        self.path = os.path.join(folder, "mnt")
        self.mounted = False
        os.mkdir(self.path)

    @staticmethod
    def run(*command):
        """Returns what went wrong, "" for nothing."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return str(error)
        return "" if done.returncode == 0 else done.stderr.strip() or "failed"

    def make(self):
        with open(self.image, "wb") as file:
            file.truncate(FILESYSTEM_BYTES)
        return self.run("mkfs.ext4", "-q", "-F", self.image) or self.mount()

    def mount(self):
        why = self.run("mount", "-o", "loop", self.image, self.path)
        self.mounted = why == ""
        return why

    def cut(self):
        handle = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", SHUTDOWN_NO_FLUSH))
        finally:
            os.close(handle)

    def unmount(self):
        deadline = time.monotonic() + UNMOUNT_S
        while self.mounted:
            why = self.run("umount", self.path)
            self.mounted = why != ""
            if self.mounted and time.monotonic() > deadline:
                raise RuntimeError(f"{self.path} cannot be unmounted: {why}")


class Knowledge:
    """What the world outside was told, and what is found to contradict it."""

    def __init__(self):
        self.values = {}  # key -> value
        self.durable = []  # first and last value, for each life
        self.acking = 0
        self.acked = 0
        self.wrong = []

    def learn(self, epoch, n, value):
        if self.values.setdefault((epoch, n), value) != value:
            self.wrong.append(f"key {epoch}-{n} was {self.values[(epoch, n)]} and is {value} now")

    def start(self, lines):
        """Checks what journal_writer found when it started."""
        found = set()
        for words in lines:
            if words[0] == "has":
                self.learn(words[1], int(words[2]), int(words[3]))
                found.add(int(words[3]))
            elif words[0] == "hole":
                self.wrong.append(f"events {words[1]} to {words[2]} are gone: {words[3]}")
            elif words[0] == "failed":
                self.wrong.append("the reader failed: " + " ".join(words[1:]))
            elif words[0] == "low" and not self.acked < int(words[1]) <= self.acking + 1:
                self.wrong.append(f"the cursor stands at {words[1]}, it was told up to "
                                  f"{self.acking}, for certain up to {self.acked}")
        for first, last in self.durable:
            missing = [value for value in range(first, last + 1) if value not in found]
            if missing:
                self.wrong.append(f"{len(missing)} durable readings are gone, from {missing[0]} on")

    def follow(self, words, life):
        if words[0] == "durable":
            self.learn(words[1], int(words[2]), int(words[3]))
            if len(self.durable) <= life:
                self.durable.append(None)
            self.durable[life] = (life * LIFE, int(words[3]))
        elif words[0] == "acking":
            self.acking = max(self.acking, int(words[1]))
        elif words[0] == "acked":
            self.acked = max(self.acked, int(words[1]))


def play(writer, filesystem, known, life, chance):
    """One life of the writer: it starts, is checked, writes for a while, and is ended."""
    process = subprocess.Popen(
        [writer, os.path.join(filesystem.path, "journal"), str(life * LIFE)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    cut = chance.random() < 0.8
    commits_left = chance.randrange(-12, 120)
    if commits_left <= 0:
        time.sleep(chance.random() * 0.02)  # a moment within the start or soon after
    head, ready, ended = [], False, False
    for line in process.stdout:
        words = line.split()
        if words[0] == "ready":
            known.start(head)
            ready = True
        elif ready:
            known.follow(words, life)
            commits_left -= words[0] == "durable"
        else:
            head.append(words)
        if not ended and commits_left <= 0:
            if cut:
                filesystem.cut()
            process.kill()
            ended = True
    if len(known.durable) <= life:
        known.durable.append((0, -1))
    return process.wait(), cut


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("writer", help="the program journal_writer")
    parser.add_argument("--cuts", type=int, default=100 if os.environ.get("SLUICE_LONG") else 5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    folder = tempfile.mkdtemp(prefix="sluice-power-cut-")
    filesystem = Filesystem(folder)
    known = Knowledge()
    cuts = life = 0
    try:
        why = filesystem.make()
        if why:
            print(f"skipped: no filesystem can be mounted here ({why})")
            return SKIPPED
        while cuts < arguments.cuts and not known.wrong:
            code, cut = play(arguments.writer, filesystem, known, life, chance)
            if code not in (-9, 3):
                known.wrong.append(f"journal_writer ended with {code}")
            if cut:
                filesystem.unmount()
                why = filesystem.mount()
                if why:
                    raise RuntimeError(f"the filesystem does not come back: {why}")
            cuts += cut
            life += 1
    finally:
        filesystem.unmount()
        shutil.rmtree(folder)
    for sentence in known.wrong:
        print(sentence, file=sys.stderr)
    line = json.dumps({"what": "power cuts of ext4", "count": cuts, "lost": len(known.wrong),
                       "seed": arguments.seed, "kills": life - cuts, "events": len(known.values)})
    print(line)
    if os.environ.get("SLUICE_TOTALS"):
        with open(os.path.join(os.environ["SLUICE_TOTALS"], "power_cut.json"), "w",
                  encoding="utf-8") as file:
            file.write(line + "\n")
    return 1 if known.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
