#!/usr/bin/python3
"""The image of a PC, on an emulated one with UEFI and GRUB: presets, an update and the way back, secure boot, a damaged disk."""
import hashlib
import re

from harness import check, main, wait_for
from harness.bundles import Bundles, partition
from harness.cuts import ENVIRONMENT_AT
from harness.emulated import Board, image, line_of
from harness.imaged import Plant, configuration, copy, debugfs, grown_kib, is_confirmed, is_left, is_sound, needs_long, new_disk, new_key

BOARD = "x86_64"
COM2 = ("-serial", "chardev:bus")
START_S = 900


def start(site, name, disk, key, node, change=lambda words: words):
    """Starts it with the line of QEMU of its description, as `change` makes it."""
    words, net = line_of(site, BOARD, disk)
    return Board(site, name, *change(words), serial=node.link, key=key, net=net, bus=COM2)


def console(site):
    """The preset for a console at COM1, where a test can read it."""
    return ("serial-console", site.write("serial-console", ""))


def updates_and_goes_back(site):
    needs_long()
    plant = Plant(site)
    key = new_key(site)
    original, = image(BOARD, "disk.img")
    bundles = Bundles(site, original, BOARD)
    disk = new_disk(site, BOARD, key, [*configuration(site, plant.broker, "board:COM2"), console(site)])

    board = start(site, "board", disk, key, plant.node)
    at = board.wait_says("starting slot A (tries left: A 2, B 3; order A B)", START_S)
    board.wait_says("Setup code:", START_S, at)
    plant.publishes(60, "a value of the node over TLS")
    version = board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip()
    is_sound(board, "A", version)
    check(grown_kib(board) > 500000, "the data partition has not grown")
    check("iTCO_wdt" in board.shell("cat /sys/class/watchdog/watchdog0/identity"), "the watchdog")
    check(slots(board) == ["BOOT_ORDER=A B", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"], "it has its tries back", slots(board))
    check("serial-console" not in board.shell("ls /etc/sluice/"), "what is for GRUB is none of the gateway's files")

    good = version + ".1"
    is_confirmed(board, bundles.bundle(good)[0], good, START_S, "starting slot B (tries left: A 3, B 2; order B A)")
    is_left(board, bundles.bundle(version + ".2", remove=["/usr/lib/systemd/systemd"])[0], good, START_S)
    wait_for(lambda: slots(board) == ["BOOT_ORDER=A B", "BOOT_A_LEFT=0", "BOOT_B_LEFT=3"], 120, "the one that does not start stays left")
    plant.publishes(60, "it publishes again")
    return "%d messages" % plant.nothing_is_missing(board)


# What a PC has that is sold with Windows: UEFI starts what Microsoft has signed, and nothing else.
SECURE = {"q35": "q35,smm=on", "OVMF_CODE_4M.fd": "OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd": "OVMF_VARS_4M.ms.fd"}


def secured(words):
    text = "\n".join(words)
    for plain, secure in SECURE.items():
        check(plain in text, "the line of QEMU", plain, words)
        text = text.replace(plain, secure)
    return [*text.split("\n"), "-global", "driver=cfi.pflash01,property=secure,value=on"]


def starts_with_secure_boot_and_refuses_a_changed_kernel(site):
    needs_long()
    plant = Plant(site)
    key = new_key(site)
    disk = new_disk(site, BOARD, key, [*configuration(site, plant.broker, "board:COM2"), console(site)])
    fill_slot_b(site, disk, kernel=lambda image: image[:-4096] + bytes(4096))
    next_is_b(disk)

    board = start(site, "board", disk, key, plant.node, secured)
    at = 0
    for left in "210":
        at = board.wait_says("starting slot B (tries left: A 3, B %s" % left, START_S, at)
        at = board.wait_says("bad shim signature", START_S, at)
    board.wait_says("starting slot A (tries left: A 2, B 0", START_S, at)
    plant.publishes(START_S, "a value of the node over TLS")
    is_sound(board, "A", board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip())
    check("Secure boot enabled" in board.shell("dmesg"), "the kernel knows of it", board.shell("dmesg | grep -i secure", may_fail=True))
    check("[integrity]" in board.shell("mount -t securityfs s /sys/kernel/security; cat /sys/kernel/security/lockdown"), "it is locked")
    check("iTCO_wdt" in board.shell("cat /sys/class/watchdog/watchdog0/identity"), "drivers are taken")
    return "%d messages" % plant.nothing_is_missing(board)


def a_sector_that_cannot_be_read_is_left(site):
    """It is one of the gateway's own program: the system starts, and would stay without a gateway."""
    needs_long()
    plant = Plant(site)
    key = new_key(site)
    disk = new_disk(site, BOARD, key, [*configuration(site, plant.broker, "board:COM2"), console(site)])
    slot = fill_slot_b(site, disk)
    block = int(debugfs(slot, "blocks /usr/bin/sluice").split()[0])
    sector = (partition(disk, 2)[0] + block * 4096) // 512

    def damaged(words):
        fails = ("driver=raw,file.driver=blkdebug,file.image.filename=%s,file.inject-error.0.event=read_aio,"
                 "file.inject-error.0.sector=%d" % (disk, sector))
        text = "\n".join(words).replace("file=%s,format=raw" % disk, fails)
        check(fails in text, "the line of QEMU", words)
        return text.split("\n")

    board = start(site, "sound", disk, key, plant.node)
    board.wait_says("Setup code:", START_S)
    plant.publishes(START_S, "a value of the node over TLS")
    board.shell("systemctl stop sluice; sync")
    board.process.kill()
    board = start(site, "board", disk, key, plant.node, damaged)
    at = board.wait_says("starting slot A (tries left: A 2, B 3; order A B)", START_S)
    to = board.wait_says("is damaged on the disk: going back to the version before", START_S, at)
    check("Setup code:" not in board.console()[at:to], "the gateway cannot have run", board.console()[at:to])
    board.wait_says("starting slot B (tries left: A 0, B 2", START_S, to)
    plant.publishes(START_S, "a value of the node over TLS")
    is_sound(board, "B", board.shell("sed -n s/IMAGE_VERSION=//p /usr/lib/os-release").strip())
    return "%d messages" % plant.nothing_is_missing(board)


def fill_slot_b(site, disk, kernel=None):
    """Puts what is in slot A, with another `kernel`, into slot B as RAUC would, which notes its sum. Returns the path of the filesystem."""
    slot, data = site.path("slot-b.img"), site.path("data.img")
    at, size = partition(disk, 2)
    copy(disk, slot, at, 0, size)
    if kernel:
        path = site.path("vmlinuz")
        debugfs(slot, "dump /boot/vmlinuz " + path)
        with open(path, "r+b") as file:
            changed = kernel(file.read())
            file.seek(0)
            file.write(changed)
        debugfs(slot, "cd /boot", "rm vmlinuz", "write %s vmlinuz" % path, write=True)
    copy(slot, disk, 0, partition(disk, 3)[0], size)
    with open(slot, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    at, size = partition(disk, 4)
    copy(disk, data, at, 0, size)
    status = debugfs(data, "cat /rauc/status")
    status += "\n" + re.sub("sha256=.*", "sha256=" + digest, status.replace("rootfs.0", "rootfs.1"))
    debugfs(data, "cd /rauc", "rm status", "write %s status" % site.write("status", status + "\n"), write=True)
    copy(data, disk, 0, at, size)
    return slot


def next_is_b(disk):
    """In the sector that GRUB reads."""
    with open(disk, "r+b") as file:
        file.seek(ENVIRONMENT_AT)
        sector = file.read(512)
        check(b"BOOT_ORDER=A B\n" in sector, "the sector", sector)
        file.seek(ENVIRONMENT_AT)
        file.write(sector.replace(b"BOOT_ORDER=A B\n", b"BOOT_ORDER=B A\n"))


def slots(board):
    """What is in the sector that GRUB reads."""
    sector = board.shell("dd if=/dev/sluice/disk bs=512 skip=%d count=1 2>/dev/null" % (ENVIRONMENT_AT // 512))
    check(sector.startswith("# GRUB Environment Block\n") and len(sector) == 512, "the sector", sector)
    return sector.split("\n")[1:4]


main(updates_and_goes_back, starts_with_secure_boot_and_refuses_a_changed_kernel, a_sector_that_cannot_be_read_is_left)
