"""How tools/flash speaks: what it does to stderr, so that stdout is the result alone."""
import shutil
import sys
import time

MIB = 1 << 20
SHOWN_EVERY_S = 0.5


class Refused(Exception):
    """A sentence: what is not done, why, and what to do."""


def say(words):
    print(words, file=sys.stderr, flush=True)


def need(program, package):
    """The path of a program, or Refused with the package that has it."""
    found = shutil.which(program)
    if not found:
        raise Refused("%s is not installed: sudo apt install %s" % (program, package))
    return found


def duration(seconds):
    seconds = int(seconds + 0.5)
    return "%d s" % seconds if seconds < 100 else "%d min" % ((seconds + 30) // 60)


class Progress:
    """One line that changes on a terminal; elsewhere a line at each tenth."""

    def __init__(self, what, total, out=None, now=time.monotonic):
        self.what, self.total = what, total
        self.out, self.now = out or sys.stderr, now
        self.begun = self.shown = now()
        self.tenth = -1

    def line(self, done):
        spent = self.now() - self.begun
        rate = done / spent if spent > 0 else 0
        left = ", %s left" % duration((self.total - done) / rate) if rate and done < self.total else ""
        return "%s: %3d %%, %d of %d MiB, %.1f MiB/s%s" % (self.what, 100 * done // max(1, self.total), -(-done // MIB),
                                                         -(-self.total // MIB), rate / MIB, left)

    def at(self, done):
        ended = done >= self.total
        if self.out.isatty():
            if ended or self.now() - self.shown >= SHOWN_EVERY_S:
                self.shown = self.now()
                print("\r%-78s" % self.line(done), end="\n" if ended else "", file=self.out, flush=True)
        elif ended or 10 * done // max(1, self.total) > self.tenth:
            self.tenth = 10 * done // max(1, self.total)
            print(self.line(done), file=self.out, flush=True)
