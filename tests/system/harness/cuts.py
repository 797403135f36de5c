"""The writes to a disk, recorded by QEMU while a board runs, and the disk as a power cut at any of them leaves it."""
import struct
import subprocess
import zlib

from .site import check

# Linux' Documentation/admin-guide/device-mapper/log-writes.rst: what QEMU's blklogwrites writes, too.
MAGIC = 0x6a736677736872
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
FLUSH, DISCARD = 1, 4
SECTOR = 512
ENVIRONMENT_AT = 0xff000


class Recording:
    """What a board writes goes to a copy of `disk`, and to the log; `disk` is what is cut, later."""

    def __init__(self, site, disk):
        self.site = site
        self.base = disk
        self.written, self.log = site.path("written.img"), site.path("writes.log")
        subprocess.run(["cp", "--sparse=always", disk, self.written], check=True)
        with open(self.log, "wb") as out:
            out.truncate(1 << 20)
        self.entries = []

    def drive(self):
        return ("-blockdev", "driver=file,filename=%s,node-name=disk" % self.written,
                "-blockdev", "driver=file,filename=%s,node-name=log" % self.log,
                "-blockdev", "driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512,log-super-update-interval=1",
                "-device", "virtio-blk-pci,drive=logged")

    def count(self):
        """How many writes and flushes there were so far."""
        with open(self.log, "rb") as log:
            magic, _, count, size = SUPER.unpack(log.read(SUPER.size))
            check(magic == MAGIC and size == SECTOR, "a log of writes")
            at = SECTOR
            del self.entries[:]
            for _ in range(count):
                log.seek(at)
                sector, sectors, flags, _ = ENTRY.unpack(log.read(ENTRY.size))
                self.entries.append((sector, sectors, flags, at + SECTOR))
                at += SECTOR + (0 if flags & DISCARD else sectors * SECTOR)
        return count

    def cuts(self, first, moments, chance):
        """
        For each of `moments`, which rise from `first` on, the path of the disk as a power cut behind so many entries leaves
        it. What was written since the last flush was in the disk's own memory: of that each write is on the medium or not,
        by chance, and one of them is torn. The file is the same one each time.
        """
        with open(self.log, "rb") as log, open(self.base, "r+b", buffering=0) as disk:
            self._apply(log, disk, range(first))
            done = first
            for moment in moments:
                flushed = max((number + 1 for number in range(done, moment) if self.entries[number][2] & FLUSH), default=done)
                self._apply(log, disk, range(done, flushed))
                done = flushed
                undo = self._lose(log, disk, range(done, moment), chance)
                yield moment, self.base
                for at, old in reversed(undo):
                    disk.seek(at)
                    disk.write(old)

    def _apply(self, log, disk, numbers):
        for number in numbers:
            sector, sectors, flags, at = self.entries[number]
            if not flags & DISCARD:
                log.seek(at)
                disk.seek(sector * SECTOR)
                disk.write(log.read(sectors * SECTOR))

    def _lose(self, log, disk, numbers, chance):
        """Writes some of these; returns what was there before: [(byte, bytes)]."""
        undo = []
        torn = chance.choice(numbers) if numbers else None
        for number in numbers:
            sector, sectors, flags, at = self.entries[number]
            if flags & DISCARD or (number != torn and chance.random() < 0.5):
                continue
            if number == torn:
                sectors = chance.randrange(sectors + 1)
            disk.seek(sector * SECTOR)
            undo.append((sector * SECTOR, disk.read(sectors * SECTOR)))
            log.seek(at)
            disk.seek(sector * SECTOR)
            disk.write(log.read(sectors * SECTOR))
        return undo


def environment(disk):
    """What U-Boot's script will read: the order of the slots, and the tries that each has left."""
    with open(disk, "rb") as file:
        file.seek(ENVIRONMENT_AT)
        sector = file.read(SECTOR)
    values = {"BOOT_ORDER": "A B", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "3"}
    if struct.unpack("<I", sector[:4])[0] == zlib.crc32(sector[4:]):
        values.update(line.split("=", 1) for line in sector[4:].split(b"\0\0")[0].decode().split("\0") if "=" in line)
    return values["BOOT_ORDER"].split(), {name: int(values["BOOT_%s_LEFT" % name], 16) for name in "AB"}


