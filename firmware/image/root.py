"""A root filesystem: Debian's packages, the gateway's own, and the files of root/files."""
import glob
import hashlib
import os
import re
import shutil
import subprocess

import kernel
import packages
import sluice
from words import TOP, Trouble, names, read, run

HERE = os.path.dirname(os.path.abspath(__file__))

# As RAUC calls them. What tells GRUB is a program of the image, see root/grub.
BOOT_LOADERS = {"u-boot": "uboot", "grub": "custom"}


def _copy_tree(source, target):
    """Files as they are, but all of them root's."""
    for at, folders, files in os.walk(source):
        inside = os.path.join(target, os.path.relpath(at, source))
        os.makedirs(inside, exist_ok=True)
        for name in sorted(folders + files):
            path = os.path.join(at, name)
            if os.path.islink(path):
                os.symlink(os.readlink(path), os.path.join(inside, name))
            elif os.path.isfile(path):
                shutil.copy(path, os.path.join(inside, name))
                os.chmod(os.path.join(inside, name), 0o755 if os.access(path, os.X_OK) else 0o644)


def _remove(root, patterns):
    for pattern in patterns:
        for path in glob.glob(os.path.join(root, pattern)):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)


def _applets(root):
    """Names for busybox where there is no such program."""
    for name in names(HERE, "root/applets.txt"):
        if not any(os.path.lexists(os.path.join(root, place, name)) for place in ("usr/bin", "usr/sbin")):
            os.symlink("busybox", os.path.join(root, "usr/bin", name))


def _users(root, epoch):
    """The users that Debian's packages make when they are installed, locked all of them: nobody logs in with a password."""
    for name in ("passwd", "group"):
        shutil.copy(os.path.join(root, "usr/share/base-passwd", name + ".master"), os.path.join(root, "etc", name))
    shutil.rmtree(os.path.join(root, "usr/share/base-passwd"))
    _write(root, "etc/passwd", read(root, "etc/passwd").replace("/bin/bash", "/bin/sh"))
    run("systemd-sysusers", "--root=" + root, environment={"SOURCE_DATE_EPOCH": str(epoch)})
    for name in ("passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock"):
        path = os.path.join(root, "etc", name)
        if os.path.exists(path):
            os.unlink(path)
    check_numbers(root)


def check_numbers(root):
    """Trouble when a user has not the number that it is to have in every image: systemd-sysusers takes another where it is taken."""
    rules = "usr/lib/sysusers.d/sluice-image.conf"
    users, groups = ([line.split(":") for line in read(root, "etc", name).splitlines()] for name in ("passwd", "group"))
    for name, number in re.findall(r"^u (\S+) (\d+) ", read(root, rules), re.MULTILINE):
        others = sorted({entry[0] for entry in users + groups if entry[2] == number} - {name})
        if others:
            raise Trouble("%s is to have the number %s (%s), but that is taken in this image: give another number to %s" % (
                name, number, rules, ", ".join(others)))
        if not all(any(entry[0] == name and entry[2] == number for entry in entries) for entries in (users, groups)):
            raise Trouble("%s has not the number %s in this image, as %s says" % (name, number, rules))


def _write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w") as out:
        out.write(text)


def _link(root, path, target):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    if os.path.lexists(full):
        os.unlink(full)
    os.symlink(target, full)


def declared_links(root):
    """Links that packages have systemd-tmpfiles make when the machine starts; this root is read-only by then."""
    paths = ("/etc/resolv.conf", "/etc/mtab")
    run("systemd-tmpfiles", "--root=" + root, "--create", "--boot", *("--prefix=" + path for path in paths))
    lacking = [path for path in paths if not os.path.islink(root + path)]
    if lacking:
        raise Trouble("no rule below usr/lib/tmpfiles.d makes %s: its package has changed, so make the link in root.py" % " and ".join(lacking))


def rauc_settings(board):
    """Of RAUC, which takes no key that its boot loader has no use for."""
    loader = BOOT_LOADERS[board["storage"]["loader"]]
    settings = read(HERE, "root/rauc.conf").replace("@BOARD@", board["id"]).replace("@BOOT_LOADER@", loader)
    return settings + ("\n[handlers]\nbootloader-custom-backend=/usr/lib/sluice/slots\n" if loader == "custom" else "")


def watchdog_settings(board, text):
    """Of systemd, which does not run a watchdog at all when it is to wait longer than it can."""
    longest = board["watchdog"]["timeout_s_max"]
    return re.sub(r"WatchdogSec=(\d+)s", lambda found: "WatchdogSec=%ds" % min(int(found[1]), longest), text)


def _settle(root, board, version, keyring):
    """What is not a file of a package nor of root/files: links, and what differs from board to board."""
    for folder in ("boot", "data", "dev", "etc/dbus-1/system.d", "proc", "sys", "run", "tmp", "var", "root", "mnt"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for path, target in (("sbin/init", "../lib/systemd/systemd"), ("etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target"),
                         ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
                         ("etc/sluice", "/data/etc/sluice"), ("sbin/reboot", "../bin/systemctl"),
                         ("sbin/poweroff", "../bin/systemctl"), ("sbin/halt", "../bin/systemctl"),
                         ("etc/os-release", "../usr/lib/os-release"), ("root/.ssh", "/data/etc/ssh")):
        _link(root, path, target)
    declared_links(root)
    for path in ("etc/machine-id", "etc/hostname"):
        _write(root, path, "")
    _write(root, "usr/lib/os-release", read(HERE, "root/os-release").replace("@BOARD@", board["id"]).replace(
        "@VERSION@", version))
    _write(root, "etc/rauc/system.conf", rauc_settings(board))
    manager = "usr/lib/systemd/system.conf.d/sluice.conf"
    _write(root, manager, watchdog_settings(board, read(root, manager)))
    shutil.copy(keyring, os.path.join(root, "etc/rauc/keyring.pem"))
    shutil.copy(os.path.join(TOP, "firmware/package/de.pengutronix.rauc.conf"), os.path.join(root, "etc/dbus-1/system.d"))
    _link(root, "usr/share/sluice/board", "boards/" + board["id"])
    shutil.copytree(os.path.join(TOP, "boards", board["id"]), os.path.join(root, "usr/share/sluice/boards", board["id"]),
                    dirs_exist_ok=True)


def _authorities(root):
    """The certificate authorities of the public network, in one file as programs look for it."""
    folder = os.path.join(root, "usr/share/ca-certificates/mozilla")
    os.makedirs(os.path.join(root, "etc/ssl/certs"), exist_ok=True)
    with open(os.path.join(root, "etc/ssl/certs/ca-certificates.crt"), "w") as out:
        for name in sorted(os.listdir(folder)):
            out.write(read(folder, name))
    shutil.rmtree(os.path.join(root, "usr/share/ca-certificates"))


def _services(root):
    """Which units start is in a preset file; without it none does."""
    run("systemctl", "--root=" + root, "--quiet", "preset-all")


def _check_libraries(root):
    """Trouble when a program or library lacks one that it needs: a package too many has been left out."""
    files = [os.path.join(at, name) for at, _, inside in os.walk(os.path.join(root, "usr")) for name in inside]
    there = {os.path.basename(path) for path in files}
    lacking = []
    for path in files:
        if os.path.islink(path) or path.endswith((".ko", ".o")):
            continue
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", path, output=True))
        lacking += ["%s needs %s" % (os.path.relpath(path, root), name) for name in needed if name not in there]
    if lacking:
        raise Trouble("libraries are missing, for a package of them is in root/leave.txt:\n  " + "\n  ".join(lacking))


def build(folder, root, board, version, keyring, epoch, how):
    """
    Fills the empty folder `root` for `board`. Returns the kernel's modules; the kernel's package is unpacked beside it, in
    ROOT.kernel, and those of the boot loader in ROOT.loader.
    """
    image = board["image"]
    deb = sluice.deb(image["architecture"])
    archive = packages.Archive(image["architecture"], folder)
    loader = sorted({one["package"] for one in image.get("loaders", []) + image.get("boot_files", [])
                     if one.get("package", "kernel") != "kernel"})
    chosen = packages.locked(
        archive, [*names(HERE, "root/packages.txt"), *image.get("boot_packages", []), *sluice.needs(deb)], [image["kernel"], *loader],
        os.path.join(HERE, "lock", "%s-%s.txt" % (packages.SUITE, board["id"])), how)
    leave = names(HERE, "root/leave.txt") + loader
    kernels = [package for package in chosen if package[0].startswith("linux-image-")]
    used = [package for package in chosen if package[0] not in leave]
    packages.unpack(kernels, root + ".kernel", unread=())
    packages.unpack([package for package in chosen if package[0] in loader], root + ".loader", unread=())
    packages.unpack([package for package in used if package not in kernels], root)
    packages.unpack([("sluice", version, deb)], root)
    with open(root + ".copyrights", "wb") as out, subprocess.Popen(["xz", "-9"], stdin=subprocess.PIPE, stdout=out) as packer:
        packages.copyrights(used, packer.stdin)
    _write(root, "usr/share/sluice/packages", "".join("%s %s\n" % package[:2] for package in used))
    shutil.move(root + ".copyrights", os.path.join(root, "usr/share/sluice/copyrights.xz"))

    _remove(root, names(HERE, "root/without.txt"))
    _check_libraries(root)
    _copy_tree(os.path.join(HERE, "root/files"), root)
    _copy_tree(os.path.join(HERE, "root", board["storage"]["loader"]), root)
    _applets(root)
    _settle(root, board, version, keyring)
    _users(root, epoch)
    _authorities(root)
    _services(root)
    modules = kernel.Modules(root + ".kernel")
    modules.keep(names(HERE, "modules.txt") + image.get("modules", []), root)
    return modules


def write_build(root):
    """
    Names this build in usr/share/sluice/build, by everything in `root`, which is complete now: what has the same version and another
    build is another system, and goes on trial when it comes as an update.
    """
    whole = hashlib.sha256()
    for at, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(at, name)
            state = os.lstat(path)
            whole.update(b"%s\0%o %d:%d\0" % (os.fsencode(os.path.relpath(path, root)), state.st_mode, state.st_uid, state.st_gid))
            if os.path.islink(path):
                whole.update(os.fsencode(os.readlink(path)))
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    whole.update(hashlib.file_digest(file, "sha256").digest())
    _write(root, "usr/share/sluice/build", whole.hexdigest()[:16] + "\n")
