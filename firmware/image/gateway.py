"""The image of a board: a disk with two slots, and a bundle with one."""
import glob
import os
import shutil
import time

import bundle
import disk
import kernel
import root
from words import TOP, Trouble, names, read, run

HERE = os.path.dirname(os.path.abspath(__file__))


def _initramfs(modules, whole_root, board, out):
    """The first root filesystem: busybox, the modules that reach the disk, and initramfs/init."""
    folder = out + ".folder"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("bin", "lib/modules", "proc", "sys", "dev", "root"):
        os.makedirs(os.path.join(folder, name))
    for link in ("sbin", "usr"):
        os.symlink("bin" if link == "sbin" else ".", os.path.join(folder, link))
    shutil.copy(os.path.join(whole_root, "usr/bin/busybox"), os.path.join(folder, "bin"))
    for applet in names(HERE, "initramfs/applets.txt"):
        os.symlink("busybox", os.path.join(folder, "bin", applet))
    order = modules.order(names(HERE, "initramfs/modules.txt") + board["image"]["disk_modules"])
    for path in order:
        shutil.copy(os.path.join(modules.folder, path), os.path.join(folder, "lib/modules"))
    with open(os.path.join(folder, "lib/modules/load"), "w") as load:
        load.writelines(os.path.basename(path) + "\n" for path in order)
    shutil.copy(os.path.join(HERE, "initramfs/init"), folder)
    shutil.copy(os.path.join(HERE, "initramfs/early.sh"), os.path.join(folder, "lib"))
    kernel.pack(folder, out)
    shutil.rmtree(folder)


def _uboot_script(board, out, epoch):
    """The boot script for this board, in U-Boot's own wrapping."""
    image = board["image"]
    start = {"arm64": "booti", "armhf": "bootz"}[image["architecture"]]
    if image.get("device_tree"):
        tree = ("        load ${devtype} ${devnum}:${part} ${fdt_addr_r} /boot/board.dtb\n"
                "        setenv tree ${fdt_addr_r}")
    else:
        tree = "        setenv tree ${fdt_addr}"
    text = read(HERE, "boot/uboot.cmd")
    for name, value in (("ENVIRONMENT_SECTOR", hex(disk.ENVIRONMENT_AT // disk.SECTOR)), ("START", start), ("DEVICE_TREE", tree),
                        ("CONSOLE", " ".join("console=" + one for one in image["consoles"])),
                        ("ARGUMENTS", image.get("arguments", ""))):
        text = text.replace("@%s@" % name, value)
    with open(out + ".cmd", "w") as script:
        script.write(text)
    run("mkimage", "-A", "arm", "-T", "script", "-C", "none", "-n", "Sluice", "-d", out + ".cmd", out,
        environment={"SOURCE_DATE_EPOCH": str(epoch)})
    os.unlink(out + ".cmd")


def _find(places, one):
    """The files that an entry of a board's loaders or boot_files names: of a package, or beside its board.json."""
    root = places["kernel"] if one.get("package") == "kernel" else places["loader"] if "package" in one else places["board"]
    found = sorted(glob.glob(os.path.join(root, one["file"])))
    if not found:
        raise Trouble("%s has no file %s" % (one.get("package", "the board's folder"), one["file"]))
    return found


def _boot_files(places, board, script):
    """What goes onto the boot partition: pairs for disk.vfat."""
    files = [("boot.scr", script), ("sluice", None), ("sluice/README.txt", os.path.join(HERE, "boot/README.txt"))]
    for one in board["image"].get("boot_files", []):
        files += [(one.get("as", os.path.basename(path)), path) for path in _find(places, one)]
    return files


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
        shutil.copy(_find(places, {"package": "kernel", "file": "usr/lib/linux-image-*/" + board["image"]["device_tree"]})[0],
                    os.path.join(tree, "boot/board.dtb"))
    kernel.compressed(os.path.join(places["kernel"], "boot", "vmlinuz-" + modules.version), os.path.join(tree, "boot/vmlinuz"))
    _initramfs(modules, tree, board, os.path.join(tree, "boot/initrd"))
    root.write_build(tree)

    sizes = {name: size for name, _, _, size in disk.partitions(board)}
    slot, data, boot = (os.path.join(work, name) for name in ("rootfs.img", "data.img", "boot.img"))
    disk.ext4(tree, slot, sizes["root-a"], "sluice-root", 2, epoch, journal=False)
    first = os.path.join(work, "data")
    os.makedirs(os.path.join(first, "rauc"))
    with open(os.path.join(first, "rauc/status"), "w") as status:
        status.write("[slot.rootfs.0]\nbundle.compatible=sluice-%s\nbundle.version=%s\nstatus=ok\n" % (board["id"], version))
    disk.ext4(first, data, sizes["data"], "sluice-data", 4, epoch, journal=True)
    script = os.path.join(work, "boot.scr")
    _uboot_script(board, script, epoch)
    disk.vfat(boot, sizes["boot"], _boot_files(places, board, script), epoch)
    image = os.path.join(out, "disk.img")
    disk.assemble(board, image, {"boot": boot, "root-a": slot, "data": data},
                  [(_find(places, one)[0], one["at"]) for one in board["image"].get("loaders", [])])
    bundle.build(os.path.join(out, "bundle.raucb"), board["id"], version, slot, keys,
                 time.strftime("%Y-%m-%d", time.gmtime(epoch)))
    # One of another build must not lie beside this disk.
    if os.path.exists(image + ".xz"):
        os.unlink(image + ".xz")
    if xz:
        run("xz", "-6", "-k", "-f", "-T2", image)
    shutil.rmtree(work)
