"""An image onto a card, stick or disk: asked before, shown meanwhile, read back afterwards."""
import contextlib
import fcntl
import hashlib
import json
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile

from . import boards, build, disks, network
from .words import MIB, Progress, Refused, need, say

BLOCK = 4 * MIB
SYNC_EVERY = 4  # blocks: what is shown as written is on the medium, so that the time left is true
BLKRRPART, BLKFLSBUF = 0x125F, 0x1261
SECTOR = 512


def plain_size(image):
    """How many bytes the image has when it is unpacked."""
    if not str(image).endswith(".xz"):
        return os.stat(image).st_size
    done = subprocess.run([need("xz", "xz-utils"), "--robot", "--list", str(image)], capture_output=True, text=True, check=False)
    totals = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("totals\t")]
    if done.returncode != 0 or not totals:
        raise Refused("%s is damaged or no xz file: build or fetch it again" % image)
    return int(totals[0][4])


def blocks_of(image):
    """The image, unpacked, block by block."""
    with (lzma.open(image) if str(image).endswith(".xz") else open(image, "rb")) as source:
        while True:
            try:
                block = source.read(BLOCK)
            except (lzma.LZMAError, EOFError) as error:
                raise Refused("%s is damaged (%s): build or fetch it again; what was written is of no use" % (image, error)) from None
            if not block:
                return
            yield block


def ask(board, device, path, image):
    """Whoever overwrites a disk types its name."""
    what = disks.describe(device) if device else "%s (a file%s)" % (path, ", whose content goes" if os.path.exists(path) else "")
    say("%s for %s goes onto\n    %s" % (image, board["name"], what))
    if device and not device["rm"] and device["tran"] not in ("usb", "mmc"):
        say("This is a disk that is built in, no card and no stick.")
    name = os.path.basename(path)
    if not sys.stdin.isatty():
        raise Refused("everything on it would be lost, and nobody is here to be asked: --yes goes without asking")
    sys.stderr.write("Everything on it will be lost. To go on, type %s: " % name)
    sys.stderr.flush()
    if sys.stdin.readline().strip() != name:
        raise Refused("nothing was written")


def open_target(path, device):
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        # A disk that somebody uses, in this or another container, is refused by the kernel.
        return os.open(path, flags | os.O_EXCL if device else flags | os.O_CREAT | os.O_TRUNC, 0o644)
    except PermissionError:
        raise Refused("%s cannot be opened: this needs root (sudo)" % path) from None
    except OSError as error:
        raise Refused("%s cannot be opened: %s" % (path, "it is in use" if error.errno == 16 else error.strerror)) from None


@contextlib.contextmanager
def told(what, at):
    """An error of the card is Refused; `at` is the byte."""
    try:
        yield
    except OSError as error:
        raise Refused("%s failed at %d MiB: %s. The card was pulled out, or is worn out; nothing starts from it until it is written anew" %
                      (what, at // MIB, error.strerror)) from None


def put(fd, block, at):
    view = memoryview(block)
    while view:
        with told("writing", at):
            written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written


def sync(fd, at):
    with told("writing", at):
        os.fdatasync(fd)


def write_all(fd, image, size, held=BLOCK):
    """
    Writes the image but for its first `held` bytes, in whose place there are zeros: without the table and the boot loader no board starts
    from a card that was pulled out half written. Returns those bytes, for `write_first`, and the digest of each block as it was written.
    """
    progress, digests, done, first = Progress("writing", size), [], 0, b""
    for number, block in enumerate(blocks_of(image)):
        if number == 0:
            first = block[:held]
            block = bytes(len(first)) + block[held:]
        put(fd, block, done)
        digests.append(hashlib.blake2b(block).digest())
        done += len(block)
        # The first time after the first block: its zeros are on the medium before anything else, and the old table is gone from then on.
        if number % SYNC_EVERY == 0 or done == size:
            sync(fd, done)
            progress.at(done)
    if done != size:
        raise Refused("%s has %d bytes in place of %d: it is damaged; build or fetch it again" % (image, done, size))
    sync(fd, done)
    return first, digests


def write_first(fd, device, first):
    """The card becomes one that a board starts from, when all else, the presets too, was read back."""
    put(fd, first, 0)
    sync(fd, 0)
    forget(fd, device)
    compare(fd, 0, len(first), hashlib.blake2b(first).digest())


def forget(fd, device):
    """What is read from now on comes from the medium, not from memory."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    if device:
        fcntl.ioctl(fd, BLKFLSBUF)


def compare(fd, at, size, digest):
    block = b""
    while len(block) < size:
        with told("reading back", at):
            piece = os.pread(fd, size - len(block), at + len(block))
        if not piece:
            break
        block += piece
    if hashlib.blake2b(block).digest() != digest:
        raise Refused("what was written is not what is read back, at %d MiB: take another card. Cards that say they are "
                      "larger than they are do that" % (at // MIB))


def read_back(fd, device, size, digests):
    forget(fd, device)
    progress, done = Progress("reading back", size), 0
    for digest in digests:
        wanted = min(BLOCK, size - done)
        compare(fd, done, wanted, digest)
        done += wanted
        progress.at(done)


def boot_offset(image, size):
    """Where the boot partition of an image begins, in bytes."""
    with tempfile.NamedTemporaryFile(prefix="sluice-table-") as begin:
        begin.write(next(blocks_of(image), b""))
        begin.truncate(size)
        begin.flush()
        done = subprocess.run([need("sfdisk", "fdisk"), "--json", begin.name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused("%s has no partitions, so there is none for presets: build or fetch it again" % image)
    table = json.loads(done.stdout)["partitiontable"]
    vfat = {"b", "c", "e", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"}
    for part in table["partitions"]:
        if part.get("name") == "boot" or part["type"] in vfat:
            return part["start"] * table.get("sectorsize", SECTOR)
    raise Refused("%s has no boot partition (FAT), so there is no place for presets" % image)


def copy_presets(fd, device, path, offset, folder):
    """
    What was made for a site into the folder sluice/ of the boot partition, which begins at `offset`, and compares it there. `fd` is the
    card, which nobody mounts as long as it is open.
    """
    names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    where = "%s@@%d" % (path, offset)

    def tool(*words):
        done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
        if done.returncode != 0:
            raise Refused("the presets could not be copied onto the boot partition: %s; nothing starts from the card until it is written anew" %
                          done.stderr.strip())
    subprocess.run(["mmd", "-i", where, "-D", "s", "::sluice"], capture_output=True, check=False)
    tool("mcopy", "-i", where, "-o", "-s", "-Q", *[str(entry) for entry in sorted(folder.iterdir())], "::sluice/")
    sync(fd, offset)
    forget(fd, device)
    with tempfile.TemporaryDirectory(prefix="sluice-presets-") as copy:
        tool("mcopy", "-i", where, "-s", "-n", "::sluice", copy)
        for name in names:
            if (pathlib.Path(copy) / "sluice" / name).read_bytes() != (folder / name).read_bytes():
                raise Refused("%s is not on the boot partition as it should be: take another card" % name)
    return names


def check_presets(folder):
    if not (folder / "sluice.json").is_file():
        raise Refused("%s has no sluice.json: --presets takes the folder of one site, as \"tools/flash presets\" makes it" % folder)
    network.check(folder)


def write(wanted):
    board = boards.find(wanted.board, "gateway")
    image = pathlib.Path(wanted.image) if wanted.image else build.image_of(board)
    if not image.is_file():
        raise Refused("there is no image %s" % image)
    presets = pathlib.Path(wanted.presets) if wanted.presets else None
    size = plain_size(image)
    held = BLOCK
    if presets:
        check_presets(presets)
        need("mcopy", "mtools")
        offset = boot_offset(image, size)
        held = min(held, offset)
    device = disks.look(wanted.device, size)
    if not wanted.yes:
        ask(board, device, wanted.device, image)
    fd = open_target(wanted.device, device)
    try:
        first, digests = write_all(fd, image, size, held)
        read_back(fd, device, size, digests)
        if presets:
            say("presets: %s" % ", ".join(copy_presets(fd, device, wanted.device, offset, presets)))
        write_first(fd, device, first)
        if device:
            try:
                fcntl.ioctl(fd, BLKRRPART)
            except OSError:
                pass  # loop devices without partitions; who plugs the card in again sees them
    except KeyboardInterrupt:
        raise Refused("stopped: what was on %s is gone, and nothing starts from it until it is written anew" % wanted.device) from None
    finally:
        os.close(fd)
    say("Done: written, and read back without a difference. %s" % next(
        (way["words"][:1].upper() + way["words"][1:] + "." for way in board["flash"] if way["how"] == "card"), ""))
