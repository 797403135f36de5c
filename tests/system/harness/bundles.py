"""Versions of an image for tests: its own system with a few files changed, signed with the keys for development."""
import json
import os
import shutil
import subprocess

from .emulated import TOP
from .site import Failure


def _run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        raise Failure("%s: %s" % (" ".join(command)[:200], done.stdout[-1000:]))
    return done.stdout


def partition(disk, number):
    """Where a partition of a disk is, in bytes: (start, size)."""
    done = subprocess.run(["sfdisk", "--json", disk], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    part = json.loads(done.stdout)["partitiontable"]["partitions"][number - 1]
    return part["start"] * 512, part["size"] * 512


class Bundles:
    def __init__(self, site, disk, board):
        self.site = site
        self.board = board
        start, size = partition(disk, 2)
        self.slot = site.path("slot.img")
        _run("dd", "if=" + disk, "of=" + self.slot, "bs=1M", "iflag=skip_bytes,count_bytes", "skip=%d" % start, "count=%d" % size,
             "conv=sparse")

    def filesystem(self, version, remove=(), replace=()):
        """The slot's filesystem as another version, without the files `remove`, with pairs (path, text) to `replace`."""
        path = self.site.path("slot-%s.img" % version)
        shutil.copyfile(self.slot, path)
        release = _run("debugfs", "-R", "cat /usr/lib/os-release", path).split("\n", 1)[1]
        lines = ["IMAGE_VERSION=" + version if line.startswith("IMAGE_VERSION") else line for line in release.splitlines()]
        commands = ["rm " + name for name in remove]
        for number, (name, text) in enumerate([("/usr/lib/os-release", "\n".join(lines) + "\n"), *replace]):
            source = self.site.write("replace-%d" % number, text)
            os.chmod(source, 0o755)
            commands += ["cd " + os.path.dirname(name), "rm " + name, "write %s %s" % (source, os.path.basename(name)),
                         "sif %s mode 0100755" % name]
        told = _run("debugfs", "-w", "-f", "-", path, input="\n".join(commands) + "\n")
        if "not found" in told:
            raise Failure("debugfs: " + told)
        return path

    def bundle(self, version, **changes):
        """Its bundle: (bundle, filesystem)."""
        filesystem = self.filesystem(version, **changes)
        folder, out = self.site.path("bundle-" + version), self.site.path(version + ".raucb")
        os.makedirs(folder)
        os.link(filesystem, os.path.join(folder, "rootfs.img"))
        with open(os.path.join(folder, "manifest.raucm"), "w") as manifest:
            manifest.write("[update]\ncompatible=sluice-%s\nversion=%s\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=rootfs.img\n"
                           % (self.board, version))
        keys = os.path.join(TOP, "build/image/keys")
        _run("rauc", "bundle", "--cert=" + os.path.join(keys, "signer.pem"), "--key=" + os.path.join(keys, "signer.key"),
             "--mksquashfs-args=-comp zstd -Xcompression-level 3", folder, out)
        return out, filesystem
