"""Boards that run a gateway's image: a disk with presets, what is around them, and what a sound system is."""
import json
import os
import subprocess

from .broker import Broker, Subscriber
from .bundles import partition
from .cuts import environment
from .emulated import BOOT_AT, HOST, Board, image, line_of
from .node import Node, profile
from .ntp import TimeServer
from .proof import Audit, Balance
from .site import LONG, Skip, check, wait_for

DISK_BYTES = 2 << 30


def needs_long():
    if not LONG:
        raise Skip("it takes a quarter of an hour: tools/test --long")


def preset(disk, inside, source):
    done = subprocess.run(["mcopy", "-i", "%s@@%d" % (disk, BOOT_AT), source, "::sluice/" + inside], capture_output=True, text=True)
    check(done.returncode == 0, "mcopy", done.stderr)


def new_disk(site, board, key, files=()):
    """The board's disk as somebody has just written it to a card that is larger, with presets."""
    original, = image(board, "disk.img")
    disk = site.path("disk.img")
    subprocess.run(["cp", "--sparse=always", original, disk], check=True)
    os.truncate(disk, DISK_BYTES)
    for inside, source in [("authorized_keys", key + ".pub"), *files]:
        preset(disk, inside, source)
    return disk


def debugfs(path, *commands, write=False):
    """What these commands of debugfs print of a filesystem."""
    done = subprocess.run(["debugfs", *(["-w"] if write else []), "-f", "-", path], input="\n".join(commands) + "\n", capture_output=True,
                          text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("debugfs:"))


def copy(source, target, at, to, size):
    """Copies so many bytes from `at` in one file to `to` in another."""
    subprocess.run(["dd", "if=" + source, "of=" + target, "bs=1M", "iflag=skip_bytes,count_bytes", "oflag=seek_bytes", "skip=%d" % at, "seek=%d" % to,
                    "count=%d" % size, "conv=notrunc", "status=none"], check=True)


def new_key(site):
    key = site.path("key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return key


def configuration(site, broker, port):
    """Presets of a gateway that polls a node at `port` and publishes to a broker on this machine."""
    answered = {name: profile()["frames_answered"][name] for name in ("id", "reg", "table", "type")}
    certificate, key = broker.client
    text = json.dumps({
        "version": 1, "gateway": {"id": "plant7", "name": "Plant 7"}, "journal": {"keep": "64MiB"},
        "buses": [{"id": "rs485-1", "driver": "modbus-rtu", "port": port, "line": "9600 8E1", "timeout": "3s"}],
        "devices": [{"id": "node", "bus": "rs485-1", "unit": 1, "numbering": "0-based", "points": [{**answered, "every": "1s"}]}],
        "uplinks": [{"id": "cloud", "url": "mqtts://%s:%d" % (HOST, broker.tls_port),
                     "tls": {"ca": "ca.pem", "cert": "gw.pem", "key": "gw.key"}}]})
    return [("sluice.json", site.write("guest.json", text)), ("ca.pem", broker.authority.path), ("gw.pem", certificate),
            ("gw.key", key)]


class Plant:
    """What is around a board: a node on a line, a broker on this machine, and who counts what comes."""

    def __init__(self, site):
        self.node = Node(site, "stm32vldiscovery")
        self.broker = Broker(site, server=lambda authority: authority.issue("server", "IP:127.0.0.1,IP:" + HOST))
        self.subscriber = Subscriber(site, self.broker)
        self.audit = Audit(site, self.broker)

    def publishes(self, deadline_s, what):
        """Waits for a value of the node that was not there before."""
        seen = len(Balance(self.subscriber.messages).good_values("node", "frames_answered"))
        wait_for(lambda: len(Balance(self.subscriber.messages).good_values("node", "frames_answered")) > seen, deadline_s, what)

    def nothing_is_missing(self, board):
        """Ends the gateway, and holds what came against what it says it sent. Returns how many messages of values there were."""
        board.shell("systemctl stop sluice")
        Balance(self.subscriber.messages).check()
        self.audit.proves(truth_at_least=0)
        return len(self.subscriber.on("data"))


def shows_its_setup_code(site, name, port, start_s):
    """
    Starts the image of a board that has no network in QEMU, and so no shell: it says on its console that it has taken its presets and
    what the setup code is, and what it has written is on its disk. Returns (board, disk).
    """
    broker = Broker(site)
    disk = new_disk(site, name, new_key(site), configuration(site, broker, port))
    words, net = line_of(site, name, disk)
    board = Board(site, "board", *words, net=net)
    at = board.wait_says("starting slot A (tries left: A 2, B 3; order A B)", start_s)
    at = board.wait_says("the presets of the boot partition are taken", start_s, at)
    board.wait_says("Setup code:", start_s, at)
    wait_for(lambda: environment(disk)[1]["A"] == 3, start_s, "it has its tries back")
    board.process.kill()
    at, size = partition(disk, 4)
    check(size > 500 << 20, "the data partition has not grown", size)
    data = site.path("data.img")
    copy(disk, data, at, 0, size)
    # What was written last may be in the filesystem's own journal alone.
    subprocess.run(["e2fsck", "-f", "-y", data], capture_output=True, check=False)
    with open(site.path("guest.json"), encoding="utf-8") as file:
        check(debugfs(data, "cat /etc/sluice/sluice.json") == file.read(), "the configuration is not that of the presets")
    check("segment-" in debugfs(data, "ls -p /sluice/journal"), "there is no journal", debugfs(data, "ls -p /sluice/journal"))
    return board, disk


def starts_and_publishes(site, name, port, bus, start_s):
    """
    Starts the image of a board that has no clock of its own, with a node at `port`, which are QEMU's arguments `bus`, and a time server.
    It takes its presets, publishes and is sound. Returns (board, how many messages of values came).
    """
    plant = Plant(site)
    key = new_key(site)
    server = TimeServer(site)
    presets = [*configuration(site, plant.broker, port), ("network.conf", site.write("network.conf", "NTP=%s\n" % HOST))]
    disk = new_disk(site, name, key, presets)
    words, net = line_of(site, name, disk)
    board = Board(site, "board", *words, serial=plant.node.link, key=key, net=net, bus=bus)
    at = board.wait_says("starting slot A (tries left: A 2, B 3; order A B)", start_s)
    board.wait_says("Setup code:", start_s, at)
    plant.publishes(start_s, "a value of the node over TLS")
    # Where a board's clock runs too fast in QEMU, a unit may have given up on another that it waits for: each is started once more.
    gave_up = board.shell("systemctl --failed --no-legend --plain | cut -d ' ' -f 1").split()
    if gave_up:
        board.shell("systemctl reset-failed; systemctl start " + " ".join(gave_up), may_fail=True)
    is_sound(board, "A", board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip())
    check(server.answered, "the time server was asked")
    check(grown_kib(board) > 500000, "the data partition has not grown", grown_kib(board))
    check("BOOT_A_LEFT=3" in board.shell("fw_printenv"), "it has its tries back", board.shell("fw_printenv"))
    return board, plant.nothing_is_missing(board)


def grown_kib(board):
    return int(board.shell("df -k /data | sed -n '$s/ [ ]*/ /gp' | cut -d ' ' -f 2"))


def installs(board, bundle, more=""):
    """Installs a bundle and has the board restart; returns how much its console had said before that."""
    board.put(bundle, "/data/next.raucb")
    said = board.shell("sluice update install %s /data/next.raucb; rm /data/next.raucb" % more, deadline_s=400)
    check("is installed" in said, "sluice update install", said)
    at = len(board.console())
    # An emulated processor may take longer to begin with it than the daemon waits; a person would press again, too.
    wait_for(lambda: "restarts" in board.shell("sluice update restart", may_fail=True), 90, "the board restarts")
    return at


def is_confirmed(board, bundle, version, start_s, starts="starting slot B"):
    """What slot A installs starts in B, and stays."""
    identity = board.shell("cat /etc/machine-id /etc/hostname")
    at = installs(board, bundle)
    at = board.wait_says(starts, start_s, at)
    board.wait_says("version %s is confirmed" % version, start_s, at)
    is_sound(board, "B", version)
    check(board.shell("cat /etc/machine-id /etc/hostname") == identity, "it is still the same machine")


def is_left(board, bundle, good, start_s, says=""):
    """What slot B installs is started three times in A, which `says` so much, and then the good version again."""
    at = installs(board, bundle)
    for left in "210":
        at = board.wait_says("starting slot A (tries left: A %s" % left, start_s, at)
        at = board.wait_says(says, start_s, at)
    board.wait_says("starting slot B", start_s, at)
    board.wait_shell(start_s)
    is_sound(board, "B", good)


def is_sound(board, slot, version):
    """It runs from that slot, nothing failed, systemd feeds the watchdog, and nothing of it can be written."""
    check("Booted from: rootfs.%d (%s)" % ("AB".index(slot), slot) in board.shell("rauc status | sed 's/\\x1b[^m]*m//g'"), "the slot",
          slot, board.shell("rauc status"))
    check("IMAGE_VERSION=" + version in board.shell("cat /usr/lib/os-release"), "the version", version)
    check(not board.shell("systemctl --failed --no-legend").strip(), "units failed", board.shell("systemctl --failed --no-legend"))
    check("Failed to set watchdog" not in board.shell("dmesg"), "the watchdog", board.shell("dmesg | grep -i watchdog"))
    check("Read-only" in board.shell("touch /usr/bin/x", may_fail=True), "the slot can be written to")
