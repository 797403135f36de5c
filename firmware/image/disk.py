"""Filesystems, and the disk that they make."""
import os
import subprocess

from words import TOP, Trouble, run

SECTOR = 512
MIB = 1 << 20
# In front of the first partition: the boot loader of some boards, and the sector in which U-Boot and Linux keep which
# slot is next.
FIRST = 4 * MIB
ENVIRONMENT_AT = 0xff000
DISK_NUMBER = "534c4943"
TYPES = {"gpt": {"vfat": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ext4": "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
         "mbr": {"vfat": "0c", "ext4": "83"}}


def _uuid(number):
    return "%s-0000-4000-8000-%012d" % (DISK_NUMBER, number)


def ext4(folder, image, size, name, number, epoch, journal):
    """
    Makes a filesystem of `folder` in the file `image`. Without a journal it is for a slot, which nobody ever writes to.
    The same files give the same bytes: all its times are `epoch`, and its numbers hang on `number`.
    """
    # What grows keeps this for good: a small one gets an inode for every 4 KiB, which would be a sixteenth of a card of any size, and be
    # written all over in the first hours.
    inodes = ("-i", "65536") if journal else ()
    with open(image, "wb") as out:
        out.truncate(size)
    features = "metadata_csum,64bit" if journal else "^has_journal,^metadata_csum,^64bit,^resize_inode,^orphan_file"
    fixed = {"E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch), "E2FSPROGS_UUID": _uuid(number)}
    run("mke2fs", "-q", "-t", "ext4", "-d", folder, "-O", features.replace(",^orphan_file", ""), "-U", _uuid(number), "-L", name,
        "-m", "0", "-b", "4096", "-E", "hash_seed=%s,root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0" % _uuid(number + 100),
        "-I", "256", *inodes, image, environment=fixed)
    # mke2fs takes over when a file was last changed and looked at on this machine.
    commands = []
    for at, folders, files in os.walk(folder):
        for name in [""] if at == folder else []:
            commands += _times("/", epoch)
        for name in sorted(folders + files):
            commands += _times("/" + os.path.relpath(os.path.join(at, name), folder), epoch)
    done = subprocess.run(["debugfs", "-w", "-f", "-", image], input="\n".join(commands) + "\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, **fixed}, check=False)
    wrong = [line for line in done.stdout.splitlines() if not line.startswith(("debugfs", "lost+found"))]
    if done.returncode or wrong:
        raise Trouble("debugfs: %s" % "\n".join(wrong[:5]))


def _times(path, epoch):
    return ['sif "%s" %s @%d' % (path, field, epoch) for field in ("atime", "ctime", "mtime", "crtime")]


def vfat(image, size, files, epoch):
    """A FAT filesystem with `files`: pairs of a path in it and a path here, or None for a folder."""
    with open(image, "wb") as out:
        out.truncate(size)
    fixed = {"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC"}
    run("mkfs.vfat", "-F", "32" if size >= 64 * MIB else "16", "-n", "SLUICE", "-i", DISK_NUMBER, "--invariant", image)
    for inside, source in files:
        if source is None:
            run("mmd", "-i", image, "::" + inside, environment=fixed)
        else:
            run("mcopy", "-i", image, source, "::" + inside, environment=fixed)


def partitions(board):
    """Its partitions: [(name, format, start, size)], in bytes."""
    found, start = [], FIRST
    for part in board["storage"]["partitions"]:
        found.append((part["name"], part["format"], start, part["mb"] * MIB))
        start += part["mb"] * MIB
    return found


def assemble(board, image, contents, loaders):
    """
    Writes the disk `image`: a table, the partitions with `contents` (a path by name; one without stays empty), and
    `loaders`, pairs of a path and the byte where it goes.
    """
    table = board["storage"]["table"]
    parts = partitions(board)
    label = "label: %s\nlabel-id: %s\nfirst-lba: 34\n" % (
        ("gpt", _uuid(0)) if table == "gpt" else ("dos", "0x" + DISK_NUMBER))
    if table != "gpt":
        label = label.replace("first-lba: 34\n", "")
    for number, (name, form, start, size) in enumerate(parts, 1):
        label += "start=%d, size=%d, type=%s" % (start // SECTOR, size // SECTOR, TYPES[table][form])
        label += ', uuid=%s, name="%s"\n' % (_uuid(number), name) if table == "gpt" else (
            ", bootable\n" if number == 1 else "\n")
    total = parts[-1][2] + parts[-1][3] + MIB
    with open(image, "wb") as out:
        out.truncate(total)
    done = subprocess.run(["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", image], input=label, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise Trouble("sfdisk: %s" % done.stdout)
    for name, _, start, size in parts:
        if name in contents:
            _place(image, contents[name], start, size)
    for path, at in loaders:
        _place(image, path, at, (FIRST if at >= ENVIRONMENT_AT else ENVIRONMENT_AT) - at)


def _place(image, path, at, room):
    if os.path.getsize(path) > room:
        raise Trouble("%s has %d bytes, and there is room for %d" % (os.path.relpath(path, TOP), os.path.getsize(path), room))
    run("dd", "if=" + path, "of=" + image, "bs=64K", "oflag=seek_bytes", "seek=%d" % at, "conv=notrunc,sparse")
