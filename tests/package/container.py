"""A Debian in a folder, by systemd-nspawn: single commands in it, or booted with a network of its own."""
import os
import shutil
import signal
import subprocess

from harness import check, wait_for
from harness.site import Failure, Skip, is_in_chroot

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "../..")
NSPAWN = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--machine=sluice-test-%d" % os.getpid()]
NOISE = "Attempted to remove disk file system"  # nspawn's own last words


def tool(name, *arguments):
    """The last line that one of our tools prints."""
    done = subprocess.run([os.path.join(SOURCE, "tools", name), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Failure("tools/%s: %s" % (name, done.stderr[-3000:]))
    return done.stdout.strip().splitlines()[-1]


class Container:
    def __init__(self, site, suite, *packages):
        if os.getuid() != 0 or not shutil.which("systemd-nspawn"):
            raise Skip("needs root and systemd-nspawn")
        if is_in_chroot():
            raise Skip("systemd-nspawn cannot work in a chroot")
        self.site = site
        self.root = site.path(suite)
        self.booted = None
        os.mkdir(self.root)
        subprocess.run(["tar", "-C", self.root, "-xf", tool("chroot", suite, *packages)], check=True)
        site.at_end(self.halt)

    def path(self, *parts):
        return os.path.join(self.root, *(part.lstrip("/") for part in parts))

    def put(self, file):
        """Copies a file to its /root; returns its name there."""
        shutil.copy(file, self.path("root"))
        return "/root/" + os.path.basename(file)

    def run(self, *command, expect=0, deadline_s=300):
        """What the command prints, errors too."""
        if self.booted:
            words = ["nsenter", "-t", str(self.leader()), "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                     "DEBIAN_FRONTEND=noninteractive", *command]
        else:
            words = [*NSPAWN, "--pipe", "-E", "DEBIAN_FRONTEND=noninteractive", "-D", self.root, *command]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=deadline_s)
        check(done.returncode == expect, " ".join(command), done.returncode, done.stdout[-3000:])
        return "".join(line for line in done.stdout.splitlines(keepends=True) if NOISE not in line)

    def apt(self, *words, **more):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0",
                        "-o", "Dpkg::Options::=--force-unsafe-io", *words, **more)

    def boot(self):
        self.booted = self.site.start("nspawn", *NSPAWN, "--private-network", "-D", self.root, "-b")
        wait_for(self.leader, 60, "the container's init")
        wait_for(lambda: self.run_quietly("systemctl", "is-system-running").strip() in ("running", "degraded"), 90, "it has booted")

    def run_quietly(self, *command):
        try:
            return self.run(*command)
        except Failure as failure:
            return str(failure).splitlines()[-1] if "degraded" not in str(failure) else "degraded"

    def leader(self):
        """The process that is number 1 inside."""
        with open("/proc/%d/task/%d/children" % (self.booted.pid, self.booted.pid)) as children:
            pids = children.read().split()
        return int(pids[-1]) if pids else None

    def start_outside(self, name, *command):
        """A program of this machine, on the container's network."""
        return self.site.start(name, "nsenter", "-t", str(self.leader()), "-n", *command)

    def halt(self):
        if not self.booted or not self.booted.alive():
            return
        os.kill(self.booted.pid, signal.SIGTERM)
        try:
            self.booted.popen.wait(30)
        except subprocess.TimeoutExpired:
            self.booted.kill()
