#!/usr/bin/python3
"""An image is built a second time, from a copy of the sources in another folder: it has the same bytes."""
import glob
import os
import shutil
import subprocess

from harness import LONG, Skip, check, main
from harness.bundles import partition
from harness.emulated import TOP, image

BOARD = "qemu-arm64"
BLOCK = 1 << 20
BUILD_S_MAX = 1500
PARTITIONS = ("boot", "root-a", "root-b", "data")


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=BUILD_S_MAX, **more)
    check(done.returncode == 0, " ".join(command)[:200], done.stdout[-3000:])
    return done.stdout


def copy_sources(site):
    """The sources as they are, with their history, which says what time it is in an image."""
    folder = site.path("elsewhere")
    run("git", "clone", "--quiet", "--shared", "--no-checkout", TOP, folder)
    for name in run("git", "-C", TOP, "ls-files", "-z", "-co", "--exclude-standard").split("\0"):
        source, target = os.path.join(TOP, name), os.path.join(folder, name)
        if name and os.path.lexists(source):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(source, target, follow_symlinks=False)
    # What is fetched is no part of the question.
    os.makedirs(os.path.join(folder, "build/image"))
    for cache in ("build/sysroot", "build/image/pool"):
        os.symlink(os.path.join(TOP, cache), os.path.join(folder, cache))
    return folder


def difference(one, other):
    """The place of the first byte that is not the same in the two files; None where there is none."""
    at = 0
    with open(one, "rb") as left, open(other, "rb") as right:
        while True:
            here, there = left.read(BLOCK), right.read(BLOCK)
            if here != there:
                return at + next((i for i, (a, b) in enumerate(zip(here, there)) if a != b), min(len(here), len(there)))
            if not here:
                return None
            at += len(here)


def where(disk, at):
    """A byte of the disk in words."""
    for number, name in enumerate(PARTITIONS, 1):
        start, size = partition(disk, number)
        if start <= at < start + size:
            return "byte %d of partition %s" % (at - start, name)
    return "byte %d of the disk, outside of its partitions" % at


def is_the_same_again(site):
    if not LONG or os.geteuid():
        raise Skip("it builds a whole image, as root: tools/test --long")
    first, = image(BOARD, "disk.img")
    folder = copy_sources(site)
    run(os.path.join(folder, "tools/image"), "--substitute", "--no-xz", "--keys", os.path.join(TOP, "build/image/keys"), BOARD, cwd=folder)
    for package in glob.glob(os.path.join(folder, "build/package/*.deb")):
        at = difference(os.path.join(TOP, "build/package", os.path.basename(package)), package)
        check(at is None, "%s differs at byte %s" % (os.path.basename(package), at))
    second = os.path.join(folder, "build/image", BOARD, "disk.img")
    at = difference(first, second)
    check(at is None, "the two disks differ at %s" % (at is not None and where(first, at)))
    return "%d bytes" % os.path.getsize(first)


main(is_the_same_again)
