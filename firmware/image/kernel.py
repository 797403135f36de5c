"""A kernel's modules, and the archive (cpio, "newc") that it unpacks as its first root filesystem."""
import gzip
import os
import re
import shutil
import stat

from words import Trouble, run

# Of the folder of modules, what modprobe and udev need besides the modules themselves.
INDEXES = ("modules.builtin", "modules.builtin.modinfo", "modules.order")


def version(root):
    """The kernel's version below `root`, where there must be one."""
    versions = os.listdir(os.path.join(root, "usr/lib/modules"))
    if len(versions) != 1:
        raise Trouble("expected is one kernel, not %s" % (", ".join(sorted(versions)) or "none"))
    return versions[0]


def _plain(path):
    return re.sub(r"\.ko(\.xz|\.zst)?$", "", os.path.basename(path)).replace("-", "_")


class Modules:
    """The modules of the kernel below `root`."""

    def __init__(self, root):
        self.version = version(root)
        self.folder = os.path.join(root, "usr/lib/modules", self.version)
        run("depmod", "-b", root, self.version)
        self.needs = {}
        with open(os.path.join(self.folder, "modules.dep")) as lines:
            for line in lines:
                path, needed = line.split(":")
                self.needs[path] = needed.split()
        self.paths = {_plain(path): path for path in self.needs}
        with open(os.path.join(self.folder, "modules.builtin")) as lines:
            self.built_in = {_plain(line.strip()) for line in lines}

    def order(self, wanted):
        """The paths of the modules `wanted` and of what they need, each behind what it needs."""
        order = []

        def add(path):
            if path not in order:
                for needed in reversed(self.needs[path]):
                    add(needed)
                order.append(path)
        for name in wanted:
            name = name.replace("-", "_")
            if name in self.paths:
                add(self.paths[name])
            elif name not in self.built_in:
                raise Trouble("the kernel %s has no module %s" % (self.version, name))
        return order

    def keep(self, wanted, root):
        """Puts only what `wanted` needs into the folder of modules below `root`."""
        target = os.path.join(root, "usr/lib/modules", self.version)
        for path in self.order(wanted):
            os.makedirs(os.path.dirname(os.path.join(target, path)), exist_ok=True)
            shutil.copyfile(os.path.join(self.folder, path), os.path.join(target, path))
        for index in INDEXES:
            if os.path.exists(os.path.join(self.folder, index)):
                shutil.copyfile(os.path.join(self.folder, index), os.path.join(target, index))
        run("depmod", "-b", root, self.version)


def _entry(number, name, mode, data=b"", device=(0, 0)):
    head = "070701" + "".join("%08x" % field for field in (
        number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0))
    entry = head.encode() + name.encode() + b"\0"
    entry += b"\0" * (-len(entry) % 4) + data
    return entry + b"\0" * (-len(entry) % 4)


def pack(folder, path):
    """Packs `folder` to the file `path`: all of it root's and of no time, so that the same files give the same bytes."""
    entries = [_entry(1, "dev", stat.S_IFDIR | 0o755), _entry(2, "dev/console", stat.S_IFCHR | 0o600, device=(5, 1))]
    for at, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            full = os.path.join(at, name)
            inside = os.path.relpath(full, folder)
            if inside == "dev":
                continue
            mode = os.lstat(full).st_mode
            data = b""
            if stat.S_ISLNK(mode):
                data = os.readlink(full).encode()
            elif stat.S_ISREG(mode):
                with open(full, "rb") as file:
                    data = file.read()
            entries.append(_entry(len(entries) + 1, inside, mode, data))
    entries.append(_entry(0, "TRAILER!!!", 0))
    with open(path, "wb") as out:
        out.write(gzip.compress(b"".join(entries), 9, mtime=0))


def compressed(source, target):
    """Copies a kernel, compressed by gzip unless it already is in some way: QEMU and U-Boot start it as it is."""
    with open(source, "rb") as file:
        image = file.read()
    if image[0x38:0x3c] == b"ARM\x64":
        image = gzip.compress(image, 9, mtime=0)
    with open(target, "wb") as out:
        out.write(image)
