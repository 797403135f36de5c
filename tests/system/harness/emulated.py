"""A board in QEMU: its serial console in a file, its field bus on a line of the simulators."""
import json
import os
import re
import shutil
import subprocess
import sys

from .site import Failure, Skip, free_port, wait_for

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.insert(0, os.path.join(TOP, "tools"))
from flashing.build import from_boot  # noqa: E402

# Where a board with QEMU's own network finds this machine's loopback.
HOST = "10.0.2.2"
# Where an image has its boot partition.
BOOT_AT = 4 << 20

# The network and the second serial port of a machine with PCI.
NET = ("-nic", "user,model=virtio-net-pci")
BUS = ("-device", "pci-serial,chardev=bus")


def image(board, *names):
    """The paths of the files `names` of a board's image, which tools/image has made."""
    folder = os.path.join(TOP, "build/image", board)
    paths = [os.path.join(folder, name) for name in names]
    if not all(map(os.path.exists, paths)):
        raise Skip("there is no image: as root, tools/image %s makes it" % board)
    return paths


def line_of(site, board, disk):
    """
    The line of QEMU that a board's description names, for `disk`, without what says where its console is: (its words, those of its
    network). What it takes from the boot partition is copied from there.
    """
    with open(os.path.join(TOP, "boards", board, "board.json"), encoding="utf-8") as file:
        board = json.load(file)
    files = {"disk": disk, **from_boot(board, disk, site.folder)}
    line = "\n".join(board["emulation"]["qemu"]).replace("\n-nographic", "").replace("\n-serial\nmon:stdio", "")
    words = re.sub("{([^}]*)}", lambda match: files[match[1]], line).split("\n")
    net = next((at for at, word in enumerate(words) if word in ("-nic", "-netdev")), len(words))
    return words[:net], words[net:]


def fat(site, name, folder, files):
    """A FAT filesystem with `folder`, which has `files`: pairs of a name and a path here. Returns its path."""
    path = site.path(name)
    with open(path, "wb") as out:
        out.truncate(4 << 20)
    for command in (["mkfs.vfat", "-n", "PRESETS", path], ["mmd", "-i", path, "::" + folder],
                    *(["mcopy", "-i", path, source, "::%s/%s" % (folder, inside)] for inside, source in files)):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failure("%s: %s" % (" ".join(command), done.stdout))
    return path


class Board:
    """
    A machine of QEMU. `arguments` are its line; what its serial console says is in `site`/NAME.console. `serial` is a line
    of the simulators that it has as a second serial port, which are the arguments `bus`. `net` are those of its network; with `key`
    and a network of QEMU's own, it has a shell for whoever has that key.
    """

    def __init__(self, site, name, *arguments, serial=None, key=None, net=NET, bus=BUS):
        if not shutil.which(arguments[0]):
            raise Skip("there is no " + arguments[0])
        self.site = site
        self.key = key
        self.port = free_port()
        self.console_path = site.path(name + ".console")
        line = ("-chardev", "serial,id=bus,path=" + os.path.realpath(serial), *bus) if serial else ()
        way_in = ",hostfwd=tcp:127.0.0.1:%d-:22" % self.port if key else ""
        self.process = site.start(name, *arguments, "-display", "none", "-monitor", "none", "-serial", "file:" + self.console_path,
                                  *(word + way_in if word.startswith("user,") else word for word in net), *line)

    def console(self, since=0):
        """What it has said, without the colours, from a place on that was its length before."""
        if not os.path.exists(self.console_path):
            return ""
        with open(self.console_path, errors="replace") as console:
            return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", console.read())[since:]

    def wait_says(self, words, deadline_s, since=0):
        """Until the console has said `words`; returns where."""
        def said():
            at = self.console(since).find(words)
            if at < 0 and not self.process.alive():
                raise Failure("QEMU ended: %s\n%s" % (self.process.log()[-1000:], self.console()[-3000:]))
            return at >= 0 and (at,)
        try:
            return since + wait_for(said, deadline_s, "the console says \"%s\"" % words)[0] + len(words)
        except Failure as failure:
            raise Failure("%s; its end is:\n%s" % (failure, self.console()[-3000:])) from None

    def shell(self, command, input=None, deadline_s=300, may_fail=False):
        """Runs a command on it as root; returns what it printed."""
        done = subprocess.run(["ssh", "-q", "-i", self.key, "-p", str(self.port), "-o", "StrictHostKeyChecking=no", "-o",
                               "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "root@127.0.0.1",
                               command], stdin=input or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=deadline_s)
        told = done.stdout.decode(errors="replace")
        if done.returncode and not may_fail:
            raise Failure("on the board: %s: %d: %s" % (command, done.returncode, told))
        return told

    def put(self, path, where):
        """Copies a file to it."""
        with open(path, "rb") as file:
            self.shell("cat >" + where, input=file)

    def wait_shell(self, deadline_s):
        wait_for(lambda: "there" in self.shell("echo there", may_fail=True), deadline_s, "the board has a shell")
