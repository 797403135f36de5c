#!/usr/bin/python3
"""The disks of all boards, also of those that no emulator has: what is on them is what the board's description says."""
import glob
import hashlib
import json
import os
import subprocess

from harness import Skip, check, main
from harness.bundles import partition
from harness.emulated import BOOT_AT, TOP, image
from harness.imaged import needs_long

FDT = ("-t", "s")
# The files of the boot partition that the first program needs which the board runs by itself.
FIRST = {"x86_64": ("EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/grubx64.efi", "EFI/debian/grub.cfg"), "rpi3": ("bootcode.bin", "start.elf", "u-boot.bin"),
         "rpi4": ("start4.elf", "u-boot.bin"), "beaglebone-black": ("MLO", "u-boot.img"), "orangepi-zero": (), "qemu-arm64": ()}


def output(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    check(done.returncode == 0, command, done.stderr.decode(errors="replace"))
    return done.stdout


def boards():
    """Description and disk of each board whose image was built."""
    needs_long()
    found = []
    for path in sorted(glob.glob(os.path.join(TOP, "boards/*/board.json"))):
        with open(path) as file:
            board = json.load(file)
        if "image" in board:
            try:
                found.append((board, image(board["id"], "disk.img")[0]))
            except Skip:
                continue
    if not found:
        raise Skip("no image was built")
    return found


def on_boot(disk, name):
    return output("mtype", "-i", "%s@@%d" % (disk, BOOT_AT), "::" + name)


def in_slot(site, disk, path):
    """A file of slot A; its filesystem is cut out of the disk once."""
    slot = site.path(os.path.basename(os.path.dirname(disk)) + ".slot")
    if not os.path.exists(slot):
        start, size = partition(disk, 2)
        output("dd", "if=" + disk, "of=" + slot, "bs=1M", "iflag=skip_bytes,count_bytes", "skip=%d" % start, "count=%d" % size, "conv=sparse")
    return output("debugfs", "-R", "cat " + path, slot)


def is_divided_and_starts_as_described(site):
    for board, disk in boards():
        name = board["id"]
        at = BOOT_AT
        for number, part in enumerate(board["storage"]["partitions"], 1):
            check(partition(disk, number) == (at, part["mb"] << 20), name, part["name"], partition(disk, number))
            at += part["mb"] << 20
        for first in FIRST[name]:  # whoever adds a board says here what it reads first
            check(len(on_boot(disk, first)) > 200, name, first)
        script = on_boot(disk, "EFI/debian/grub.cfg" if board["storage"]["loader"] == "grub" else "boot.scr")
        for console in board["image"]["consoles"]:
            check(b"console=" + console.encode() in script, name, console)
        for loader in board["image"].get("loaders", []):
            with open(disk, "rb") as file:
                file.seek(loader["at"])
                # The chip looks for this mark of its own.
                check(b"eGON.BT0" in file.read(16), name, "the boot loader")
        check(json.loads(in_slot(site, disk, "/usr/share/sluice/boards/%s/board.json" % name)) == board, name, "its description")
        check(len(in_slot(site, disk, "/boot/vmlinuz")) > 3 << 20 and in_slot(site, disk, "/boot/initrd")[:2] == b"\x1f\x8b", name, "the kernel")
        check(b"compatible=sluice-" + name.encode() in in_slot(site, disk, "/etc/rauc/system.conf"), name, "what RAUC takes")
    return ", ".join(board["id"] for board, _ in boards())


def has_the_device_tree_as_described(site):
    count = 0
    for board, disk in boards():
        if "device_tree" not in board["image"]:
            continue
        tree = site.path(board["id"] + ".dtb")
        with open(tree, "wb") as out:
            out.write(in_slot(site, disk, "/boot/board.dtb"))
        told = output("fdtget", *FDT, tree, "/", "compatible").decode().split()
        check(board["detect"]["compatible"][0] in told, board["id"], told)
        for one in board["image"].get("device_tree_set", []):
            for key, value in one["properties"].items():
                kind = FDT if isinstance(value, str) else ("-t", "u")
                wanted = value if isinstance(value, str) else " ".join(map(str, value))
                seen = output("fdtget", *kind, tree, one["node"], key).decode().strip()
                check(seen == wanted, board["id"], one["node"], key, seen)
                count += 1
    return "%d settings" % count


def a_bundle_has_what_the_disk_has(site):
    for board, disk in boards():
        bundle, = image(board["id"], "bundle.raucb")
        told = json.loads(output("rauc", "info", "--keyring=" + os.path.join(TOP, "build/image/keys/keyring.pem"), "--output-format=json", bundle))
        check(told["compatible"] == "sluice-" + board["id"], "the board", told)
        start, size = partition(disk, 2)
        digest = hashlib.sha256()
        with open(disk, "rb") as file:
            file.seek(start)
            for _ in range(size >> 20):
                digest.update(file.read(1 << 20))
        check([one["rootfs"]["checksum"] for one in told["images"]] == [digest.hexdigest()], board["id"], "the slot", told)


main(is_divided_and_starts_as_described, has_the_device_tree_as_described, a_bundle_has_what_the_disk_has)
