"""The image of a board: a disk with two slots, and a bundle with one."""
import glob
import os
import shutil
import time

import bundle
import disk
import kernel
import packages
import root
from words import TOP, Trouble, names, read, run

HERE = os.path.dirname(os.path.abspath(__file__))


def _initramfs(modules, whole_root, board, out):
    """The first root filesystem: busybox, the modules of the watchdog and those that reach the disk, and initramfs/init."""
    folder = out + ".folder"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "lib/modules", "proc", "sys", "dev", "root"):
        os.makedirs(os.path.join(folder, name))
    for link in ("sbin", "usr"):
        os.symlink("bin" if link == "sbin" else ".", os.path.join(folder, link))
    shutil.copy(os.path.join(whole_root, "usr/bin/busybox"), os.path.join(folder, "bin"))
    for applet in names(HERE, "initramfs/applets.txt"):
        os.symlink("busybox", os.path.join(folder, "bin", applet))
    wanted = board["image"].get("watchdog_modules", []) + names(HERE, "initramfs/modules.txt") + board["image"]["disk_modules"]
    order = modules.order(wanted)
    for path in order:
        shutil.copy(os.path.join(modules.folder, path), os.path.join(folder, "lib/modules"))
    with open(os.path.join(folder, "lib/modules/load"), "w") as load:
        load.writelines(os.path.basename(path) + "\n" for path in order)
    shutil.copy(os.path.join(HERE, "initramfs/init"), folder)
    shutil.copy(os.path.join(HERE, "initramfs/early.sh"), os.path.join(folder, "lib"))
    kernel.pack(folder, out)
    shutil.rmtree(folder)


# For a kernel that does not unpack itself.
UNPACKING = """# Where it is unpacked: behind the place of the initramfs, where the board has none of its own for it. Less than 128 MiB from where memory
# begins, since a device tree may lie there.
if test "x${kernel_comp_addr_r}" = "x"; then
    setexpr kernel_comp_addr_r ${ramdisk_addr_r} + 0x1000000
fi
setenv kernel_comp_size 0x4000000
"""


def _filled(board, name, **values):
    """The file boot/NAME, which the boot loader reads, for this board."""
    text = read(HERE, "boot", name)
    for key, value in (("environment_sector", hex(disk.ENVIRONMENT_AT // disk.SECTOR)), ("arguments", board["image"].get("arguments", "")),
                       ("console", " ".join("console=" + one for one in board["image"]["consoles"])), *values.items()):
        text = text.replace("@%s@" % key.upper(), value)
    return text


def _write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


def _uboot(board, work, epoch):
    """The boot script, in U-Boot's own wrapping: pairs for disk.vfat, and for disk.assemble."""
    image = board["image"]
    start = {"arm64": "booti", "armhf": "bootz"}[image["architecture"]]
    if image.get("device_tree"):
        tree = ("        load ${devtype} ${devnum}:${part} ${fdt_addr_r} /boot/board.dtb\n"
                "        setenv tree ${fdt_addr_r}")
    else:
        tree = "        setenv tree ${fdt_addr}"
    script = os.path.join(work, "boot.scr")
    plain = _write(script + ".cmd", _filled(board, "uboot.cmd", start=start, device_tree=tree,
                                            unpacking=UNPACKING if start == "booti" else ""))
    run("mkimage", "-A", "arm", "-T", "script", "-C", "none", "-n", "Sluice", "-d", plain, script,
        environment={"SOURCE_DATE_EPOCH": str(epoch)})
    return [("boot.scr", script)], []


def _grub(board, work, _epoch):
    """
    Its configuration where Debian's GRUB looks for it, beside it the file in which it counts tries, and the sector by which it is told
    which slot is next: pairs for disk.vfat, and for disk.assemble.
    """
    def block(name, text):
        return _write(os.path.join(work, name), ("# GRUB Environment Block\n" + text).ljust(disk.SECTOR, "#"))

    return [("EFI/debian/grub.cfg", _write(os.path.join(work, "grub.cfg"), _filled(board, "grub.cfg"))),
            ("EFI/debian/slots", block("slots", ""))], [
                (block("sector", "BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\nBOOT_WRITTEN=0\n"), disk.ENVIRONMENT_AT)]


LOADERS = {"u-boot": _uboot, "grub": _grub}


def _find(places, one):
    """The files that an entry of a board's loaders or boot_files names: of a package, or beside its board.json."""
    root = places["kernel"] if one.get("package") == "kernel" else places["loader"] if "package" in one else places["board"]
    found = sorted(glob.glob(os.path.join(root, one["file"])))
    if not found:
        raise Trouble("%s has no file %s" % (one.get("package", "the board's folder"), one["file"]))
    return found


def _device_tree(places, image, out):
    """The kernel's device tree for this board, with what the board's description sets in it."""
    shutil.copy(_find(places, {"package": "kernel", "file": "usr/lib/linux-image-*/" + image["device_tree"]})[0], out)
    for one in image.get("device_tree_set", []):
        if one.get("new"):
            run("fdtput", "-c", out, one["node"])
        for name, value in sorted(one["properties"].items()):
            words = ["-t", "s", out, one["node"], name, value] if isinstance(value, str) else [
                "-t", "u", out, one["node"], name, *map(str, value)]
            run("fdtput", *words)


def _boot_files(places, board, files):
    """What goes onto the boot partition: pairs for disk.vfat, each folder before what is in it."""
    files = [*files, ("sluice/README.txt", os.path.join(HERE, "boot/README.txt"))]
    for one in board["image"].get("boot_files", []):
        files += [(one.get("as", os.path.basename(path)), path) for path in _find(places, one)]
    folders = {"/".join(inside.split("/")[:depth]) for inside, _ in files for depth in range(1, inside.count("/") + 1)}
    return [(folder, None) for folder in sorted(folders)] + files


def build(folder, out, board, keys, version, how, xz):
    """Makes OUT/disk.img, disk.img.xz and bundle.raucb."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or run("git", "-C", TOP, "log", "-1", "--format=%ct", output=True))
    work = os.path.join(out, "work")
    shutil.rmtree(work, ignore_errors=True)
    tree = os.path.join(work, "root")
    os.makedirs(tree)
    modules = root.build(folder, tree, board, version, keys.keyring, epoch, how)
    places = {"kernel": tree + ".kernel", "loader": tree + ".loader", "board": os.path.join(TOP, "boards", board["id"])}
    if "device_tree" in board["image"]:
        _device_tree(places, board["image"], os.path.join(tree, "boot/board.dtb"))
    kernel.compressed(os.path.join(places["kernel"], "boot", "vmlinuz-" + modules.version), os.path.join(tree, "boot/vmlinuz"))
    _initramfs(modules, tree, board, os.path.join(tree, "boot/initrd"))
    root.write_build(tree)

    sizes = {name: size for name, _, _, size in disk.partitions(board)}
    slot, data, boot = (os.path.join(work, name) for name in ("rootfs.img", "data.img", "boot.img"))
    disk.ext4(tree, slot, sizes["root-a"], "sluice-root", 2, epoch, journal=False)
    first = os.path.join(work, "data")
    os.makedirs(os.path.join(first, "rauc"))
    with open(os.path.join(first, "rauc/status"), "w") as status:
        status.write("[slot.rootfs.0]\nbundle.compatible=sluice-%s\nbundle.version=%s\nstatus=ok\nsha256=%s\nsize=%d\n" % (
            board["id"], version, packages.sha256(slot), os.path.getsize(slot)))
    disk.ext4(first, data, sizes["data"], "sluice-data", 4, epoch, journal=True)
    files, sectors = LOADERS[board["storage"]["loader"]](board, work, epoch)
    disk.vfat(boot, sizes["boot"], _boot_files(places, board, files), epoch)
    image = os.path.join(work, "disk.img")
    disk.assemble(board, image, {"boot": boot, "root-a": slot, "data": data},
                  sectors + [(_find(places, one)[0], one["at"]) for one in board["image"].get("loaders", [])])
    bundle.build(os.path.join(out, "bundle.raucb"), board["id"], version, slot, keys,
                 time.strftime("%Y-%m-%d", time.gmtime(epoch)))
    if xz:
        run("xz", "-6", "-k", "-T2", image)
    hand_out(work, out)
    shutil.rmtree(work)


def hand_out(work, out):
    """
    The disk, and it packed where that was made, into the place of those of another build: what lies there is a whole one, whenever a
    build ends, and never one beside another.
    """
    packed = os.path.join(out, "disk.img.xz")
    if os.path.exists(packed):
        os.unlink(packed)
    os.replace(os.path.join(work, "disk.img"), os.path.join(out, "disk.img"))
    if os.path.exists(os.path.join(work, "disk.img.xz")):
        os.replace(os.path.join(work, "disk.img.xz"), packed)
