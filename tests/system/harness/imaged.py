"""Boards that run a gateway's image: a disk with presets, what is around them, and what a sound system is."""
import json
import os
import subprocess

from .broker import Broker, Subscriber
from .emulated import BOOT_AT, HOST, image
from .node import Node, profile
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
    """It runs from that slot, nothing failed, and nothing of it can be written."""
    check("Booted from: rootfs.%d (%s)" % ("AB".index(slot), slot) in board.shell("rauc status | sed 's/\\x1b[^m]*m//g'"), "the slot",
          slot, board.shell("rauc status"))
    check("IMAGE_VERSION=" + version in board.shell("cat /usr/lib/os-release"), "the version", version)
    check(not board.shell("systemctl --failed --no-legend").strip(), "units failed", board.shell("systemctl --failed --no-legend"))
    check("Read-only" in board.shell("touch /usr/bin/x", may_fail=True), "the slot can be written to")
