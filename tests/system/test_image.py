#!/usr/bin/python3
"""The whole image on an emulated arm64 board with U-Boot: presets, updates, ways back, and power cuts during an install."""
import json
import os
import random
import subprocess

from harness import LONG, Audit, Balance, Broker, Skip, Subscriber, check, main, totals, wait_for
from harness.bundles import Bundles, partition
from harness.cuts import Recording, environment
from harness.emulated import HOST, Board, image
from harness.node import Node, profile

BOARD = "qemu-arm64"
QEMU = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
        "-device", "i6300esb")
DISK_BYTES = 2 << 30
BOOT_AT = 4 << 20
IMAGE_BYTES_MAX = 47185920
START_S = 300
CUTS = 200
BOOTED_CUTS = int(os.environ.get("SLUICE_CUTS_BOOTED", "10"))


def needs_long():
    if not LONG:
        raise Skip("it takes a quarter of an hour: tools/test --long")


def preset(disk, inside, source):
    done = subprocess.run(["mcopy", "-i", "%s@@%d" % (disk, BOOT_AT), source, "::sluice/" + inside], capture_output=True, text=True)
    check(done.returncode == 0, "mcopy", done.stderr)


def new_disk(site, key, files=()):
    """A disk as somebody has just written it to a card that is larger, with presets."""
    original, = image(BOARD, "disk.img")
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


def configuration(site, broker):
    answered = {name: profile()["frames_answered"][name] for name in ("id", "reg", "table", "type")}
    certificate, key = broker.client
    text = json.dumps({
        "version": 1, "gateway": {"id": "plant7", "name": "Plant 7"}, "journal": {"keep": "64MiB"},
        "buses": [{"id": "rs485-1", "driver": "modbus-rtu", "port": "board:RS485-1", "line": "9600 8E1", "timeout": "3s"}],
        "devices": [{"id": "node", "bus": "rs485-1", "unit": 1, "numbering": "0-based", "points": [{**answered, "every": "1s"}]}],
        "uplinks": [{"id": "cloud", "url": "mqtts://%s:%d" % (HOST, broker.tls_port),
                     "tls": {"ca": "ca.pem", "cert": "gw.pem", "key": "gw.key"}}]})
    return [("sluice.json", site.write("guest.json", text)), ("ca.pem", broker.authority.path), ("gw.pem", certificate),
            ("gw.key", key)]


def drive(disk):
    return ("-drive", "file=%s,format=raw,if=virtio" % disk)


def installs(board, bundle, more=""):
    board.put(bundle, "/data/next.raucb")
    said = board.shell("sluice update install %s /data/next.raucb; rm /data/next.raucb" % more, deadline_s=400)
    check("is installed" in said, "sluice update install", said)
    at = len(board.console())
    # An emulated processor may take longer to begin with it than the daemon waits; a person would press again, too.
    wait_for(lambda: "restarts" in board.shell("sluice update restart", may_fail=True), 90, "the board restarts")
    return at


def is_sound(board, slot, version):
    """It runs from that slot, nothing failed, and nothing of it can be written."""
    check("Booted from: rootfs.%d (%s)" % ("AB".index(slot), slot) in board.shell("rauc status | sed 's/\\x1b[^m]*m//g'"), "the slot",
          slot, board.shell("rauc status"))
    check("IMAGE_VERSION=" + version in board.shell("cat /usr/lib/os-release"), "the version", version)
    check(not board.shell("systemctl --failed --no-legend").strip(), "units failed", board.shell("systemctl --failed --no-legend"))
    check("Read-only" in board.shell("touch /usr/bin/x", may_fail=True), "the slot can be written to")


def updates_and_goes_back(site):
    needs_long()
    packed, = image(BOARD, "disk.img.xz")
    check(os.path.getsize(packed) <= IMAGE_BYTES_MAX, "the image has too many bytes", os.path.getsize(packed))
    node = Node(site, "stm32vldiscovery")
    broker = Broker(site, server=lambda authority: authority.issue("server", "IP:127.0.0.1,IP:" + HOST))
    subscriber = Subscriber(site, broker)
    audit = Audit(site, broker)
    key = new_key(site)
    bundles = Bundles(site, image(BOARD, "disk.img")[0], BOARD)

    board = Board(site, "board", *QEMU, *drive(new_disk(site, key, configuration(site, broker))), serial=node.link, key=key)
    board.wait_says("Setup code:", START_S)
    wait_for(lambda: Balance(subscriber.messages).good_values("node", "frames_answered"), 60, "a value of the node over TLS")
    version = board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip()
    is_sound(board, "A", version)
    check(int(board.shell("df -k /data | sed -n '$s/ [ ]*/ /gp' | cut -d ' ' -f 2")) > 1000000, "the data partition has not grown")
    check("i6300ESB" in board.shell("cat /sys/class/watchdog/watchdog0/identity"), "the watchdog")
    check("169.254.77.77" in board.shell("ip addr"), "the address without DHCP")
    check(board.shell("cut -d : -f 2 /etc/shadow | sort -u").split() in (["!*"], ["*"], ["!*", "*"], ["!", "!*", "*"]),
          "nobody has a password", board.shell("cut -d : -f 2 /etc/shadow | sort -u"))
    identity = board.shell("cat /etc/machine-id /etc/hostname")

    good = version + ".1"
    at = installs(board, bundles.bundle(good)[0])
    at = board.wait_says("starting slot B", START_S, at)
    board.wait_says("version %s is confirmed" % good, START_S, at)
    is_sound(board, "B", good)
    check(board.shell("cat /etc/machine-id /etc/hostname") == identity, "it is still the same machine")

    at = installs(board, bundles.bundle(version + ".2", remove=["/usr/lib/systemd/systemd"])[0])
    for left in "210":
        at = board.wait_says("starting slot A (tries left: A %s" % left, START_S, at)
    board.wait_says("starting slot B", START_S, at)
    board.wait_shell(START_S)
    is_sound(board, "B", good)

    at = installs(board, bundles.bundle(version + ".3", replace=[("/usr/bin/sluice", "#!/bin/sh\nexit 1\n")])[0])
    at = board.wait_says("version %s.3 was not healthy" % version, START_S, at)
    at = board.wait_says("starting slot B", START_S, at)
    board.wait_shell(START_S)
    is_sound(board, "B", good)

    seen = len(subscriber.on("data"))
    wait_for(lambda: len(subscriber.on("data")) > seen, 60, "it publishes again")
    board.shell("systemctl stop sluice")
    Balance(subscriber.messages).check()
    audit.proves(truth_at_least=0)
    totals("image", image_bytes=os.path.getsize(packed))
    return "%d bytes packed; %d messages" % (os.path.getsize(packed), len(subscriber.on("data")))


def survives_power_cuts_during_an_install(site):
    needs_long()
    key = new_key(site)
    disk = new_disk(site, key)
    bundles = Bundles(site, disk, BOARD)
    bundle, filesystem = bundles.bundle("9.0.0")
    recording = Recording(site, disk)
    board = Board(site, "recorded", *QEMU, *recording.drive(), key=key)
    board.wait_says("Setup code:", START_S)
    board.put(bundle, "/data/next.raucb")
    board.shell("sync")
    first = recording.count()
    check("succeeded" in board.shell("rauc install /data/next.raucb; sync", deadline_s=400), "rauc install")
    board.process.kill()

    chance = random.Random(int(os.environ.get("SLUICE_SEED", "7")))
    contents = {"A": bundles.slot, "B": filesystem}
    starts = {"A": partition(disk, 2)[0], "B": partition(disk, 3)[0]}
    last = recording.count()
    check(last > first + 20, "the install wrote something", first, last)
    # The last writes decide which slot is next: a quarter of the cuts is among them.
    moments = sorted([chance.randrange(first, last + 1) for _ in range(CUTS * 3 // 4)] +
                     [chance.randrange(last - 40, last + 1) for _ in range(CUTS // 4)])
    lost, outcomes = [], {"A": 0, "B": 0}
    for number, (cut, replayed) in enumerate(recording.cuts(first, moments, chance)):
        order, left = environment(replayed)
        slot = next((name for name in order if left[name] > 0), "A")
        outcomes[slot] += 1
        if not same(replayed, starts[slot], contents[slot]):
            lost.append((cut, slot))
        elif number % (CUTS // BOOTED_CUTS) == CUTS // BOOTED_CUTS - 1:
            boots(site, replayed, slot, number)
    check(not lost, "cuts that leave no system to boot", lost)
    check(outcomes["B"], "the new one never came to be next", outcomes)
    totals("install_cuts", install_cuts=CUTS, lost=len(lost), booted=BOOTED_CUTS)
    return "%d cuts in %d writes: %d times the old one is next, %d times the new one; %d booted" % (
        CUTS, last - first, outcomes["A"], outcomes["B"], BOOTED_CUTS)


def same(disk, at, path):
    """Whether the disk has the file's contents from that byte on."""
    block = 1 << 20
    with open(disk, "rb") as left, open(path, "rb") as right:
        left.seek(at)
        while piece := right.read(block):
            if left.read(len(piece)) != piece:
                return False
    return True


def boots(site, replayed, slot, number):
    name = "cut-%d" % number
    copy = site.path(name + ".img")
    subprocess.run(["cp", "--sparse=always", replayed, copy], check=True)
    board = Board(site, name, *QEMU, *drive(copy))
    board.wait_says("starting slot " + slot, START_S)
    board.wait_says("Setup code:", START_S)
    board.process.kill()
    os.unlink(copy)


main(updates_and_goes_back, survives_power_cuts_during_an_install)
