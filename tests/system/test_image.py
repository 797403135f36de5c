#!/usr/bin/python3
"""The whole image on an emulated arm64 board with U-Boot: presets, time, updates, ways back, and power cuts during an install."""
import json
import os
import random
import subprocess

from harness import check, main, run, totals
from harness.bundles import Bundles, partition
from harness.cuts import Recording, environment
from harness.emulated import HOST, Board, image
from harness.imaged import Plant, configuration, grown_kib, installs, is_confirmed, is_left, is_sound, needs_long, new_disk, new_key
from harness.ntp import TimeServer

BOARD = "qemu-arm64"
QEMU = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
        "-device", "i6300esb")
IMAGE_BYTES_MAX = 47185920
START_S = 300
# The whole system stands still, and does not start anew by itself: the watchdog in hardware is all that is left.
HANGS = """#!/bin/sh
echo "this version hangs" >/dev/console
echo 0 >/proc/sys/kernel/panic
echo c >/proc/sysrq-trigger
"""
# It has a kernel and an init, which never comes to the watchdog.
HANGS_EARLY = """#!/bin/sh
echo "this version hangs early" >/dev/console
while :; do sleep 60; done
"""
CUTS = 200
BOOTED_CUTS = int(os.environ.get("SLUICE_CUTS_BOOTED", "10"))


def drive(disk):
    return ("-drive", "file=%s,format=raw,if=virtio" % disk)


def updates_and_goes_back(site):
    needs_long()
    packed, = image(BOARD, "disk.img.xz")
    check(os.path.getsize(packed) <= IMAGE_BYTES_MAX, "the image has too many bytes", os.path.getsize(packed))
    plant = Plant(site)
    key = new_key(site)
    bundles = Bundles(site, image(BOARD, "disk.img")[0], BOARD)

    server = TimeServer(site)
    presets = [*configuration(site, plant.broker, "board:RS485-1"), ("network.conf", site.write("network.conf", "NTP=%s\n" % HOST))]
    # Its battery was empty: until the time server has answered no certificate is valid yet.
    board = Board(site, "board", *QEMU, *drive(new_disk(site, BOARD, key, presets)), "-rtc", "base=2020-05-05", serial=plant.node.link, key=key)
    board.wait_says("Setup code:", START_S)
    plant.publishes(60, "a value of the node over TLS")
    version = board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip()
    is_sound(board, "A", version)
    check(grown_kib(board) > 1000000, "the data partition has not grown")
    check("i6300ESB" in board.shell("cat /sys/class/watchdog/watchdog0/identity"), "the watchdog")
    check("169.254.77.77" in board.shell("ip addr"), "the address without DHCP")
    check(board.shell("cut -d : -f 2 /etc/shadow | sort -u").split() in (["!*"], ["*"], ["!*", "*"], ["!", "!*", "*"]),
          "nobody has a password", board.shell("cut -d : -f 2 /etc/shadow | sort -u"))
    told = json.loads(board.shell("sluice status --json"))["clock"]
    check(server.answered and told["trust"] == "synchronised" and told["by"] == "server", "the time server is followed", told)

    good = version + ".1"
    is_confirmed(board, bundles.bundle(good)[0], good, START_S)
    is_left(board, bundles.bundle(version + ".2", replace=[("/usr/lib/systemd/systemd", HANGS_EARLY)])[0], good, START_S, "this version hangs early")

    at = installs(board, bundles.bundle(version + ".3", replace=[("/usr/bin/sluice", "#!/bin/sh\nexit 1\n")])[0])
    at = board.wait_says("version %s.3 was not healthy" % version, START_S, at)
    at = board.wait_says("starting slot B", START_S, at)
    board.wait_shell(START_S)
    is_sound(board, "B", good)

    is_left(board, bundles.bundle(version + ".4", replace=[("/usr/lib/sluice/mark-good", HANGS)])[0], good, START_S, "this version hangs")

    plant.publishes(60, "it publishes again")
    messages = plant.nothing_is_missing(board)
    totals("image", image_bytes=os.path.getsize(packed))
    return "%d bytes packed; %d messages" % (os.path.getsize(packed), messages)


def survives_power_cuts_during_an_install(site):
    needs_long()
    key = new_key(site)
    disk = new_disk(site, BOARD, key)
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
    totals("install_cuts", what="power cuts during an install", count=CUTS, lost=len(lost), board=BOARD, writes=last - first,
           old_one_next=outcomes["A"], new_one_next=outcomes["B"], booted=BOOTED_CUTS)
    check(not lost, "cuts that leave no system to boot", lost)
    check(outcomes["B"], "the new one never came to be next", outcomes)
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


run.TEST_S_MAX = 2400  # five installs and fifteen starts, all of them emulated
main(updates_and_goes_back, survives_power_cuts_during_an_install)
