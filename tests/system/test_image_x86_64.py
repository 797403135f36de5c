#!/usr/bin/python3
"""The image of a PC, on an emulated one with UEFI and GRUB: presets, an update and the way back."""
from harness import check, main, wait_for
from harness.bundles import Bundles
from harness.cuts import ENVIRONMENT_AT
from harness.emulated import Board, image, line_of
from harness.imaged import Plant, configuration, is_confirmed, is_left, is_sound, needs_long, new_disk, new_key

BOARD = "x86_64"
COM2 = ("-serial", "chardev:bus")
START_S = 900


def start(site, name, disk, key, node):
    words, net = line_of(site, BOARD, disk)
    return Board(site, name, *words, serial=node.link, key=key, net=net, bus=COM2)


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
    check(int(board.shell("df -k /data | sed -n '$s/ [ ]*/ /gp' | cut -d ' ' -f 2")) > 500000, "the data partition has not grown")
    check("iTCO_wdt" in board.shell("cat /sys/class/watchdog/watchdog0/identity"), "the watchdog")
    check(slots(board) == ["BOOT_ORDER=A B", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"], "it has its tries back", slots(board))
    check("serial-console" not in board.shell("ls /etc/sluice/"), "what is for GRUB is none of the gateway's files")

    good = version + ".1"
    is_confirmed(board, bundles.bundle(good)[0], good, START_S, "starting slot B (tries left: A 3, B 2; order B A)")
    is_left(board, bundles.bundle(version + ".2", remove=["/usr/lib/systemd/systemd"])[0], good, START_S)
    wait_for(lambda: slots(board) == ["BOOT_ORDER=A B", "BOOT_A_LEFT=0", "BOOT_B_LEFT=3"], 120, "the one that does not start stays left")
    plant.publishes(60, "it publishes again")
    return "%d messages" % plant.nothing_is_missing(board)


def slots(board):
    """What is in the sector that GRUB reads."""
    sector = board.shell("dd if=/dev/sluice/disk bs=512 skip=%d count=1 2>/dev/null" % (ENVIRONMENT_AT // 512))
    check(sector.startswith("# GRUB Environment Block\n") and len(sector) == 512, "the sector", sector)
    return sector.split("\n")[1:4]


main(updates_and_goes_back)
