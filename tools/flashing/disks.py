"""What a device is that somebody wants to overwrite, and whether that may be."""
import json
import os
import stat
import subprocess

from .words import MIB, Refused, need

COLUMNS = "NAME,KNAME,PATH,SIZE,TYPE,RO,RM,TRAN,VENDOR,MODEL,SERIAL,FSTYPE,LABEL,MOUNTPOINTS"
# What the machine runs from; on any of them nothing is written, whatever else is said.
SYSTEM = ("/", "/boot", "/boot/efi", "/usr", "/var", "/home", "/etc")


def block_devices(*arguments):
    done = subprocess.run([need("lsblk", "util-linux"), "--json", "--bytes", "--output", COLUMNS, *arguments],
                          capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["blockdevices"] if done.returncode == 0 and done.stdout else []


def with_children(device):
    """The device and all that lies on it: partitions, and what is made of those (RAID, LVM, encryption)."""
    yield device
    for child in device.get("children", []):
        yield from with_children(child)


def mounts_of(device):
    return sorted({place for each in with_children(device) for place in each["mountpoints"] if place})


def is_system(device):
    """Whether the machine runs from it, also where several layers lie between."""
    under = {each["kname"] for source in root_sources() for top in block_devices("--inverse", source) for each in with_children(top)}
    return device["kname"] in under or any(place in SYSTEM for place in mounts_of(device))


def root_sources():
    """The devices below the machine's own folders."""
    found = []
    for place in SYSTEM:
        done = subprocess.run(["findmnt", "--noheadings", "--output", "SOURCE", "--target", place], capture_output=True,
                              text=True, check=False)
        source = done.stdout.strip().split("[")[0]
        if source.startswith("/dev/") and source not in found:
            found.append(source)
    return found


def size_words(size):
    return "%.1f GB" % (size / 1e9) if size >= 1e9 else "%d MiB" % (size // MIB)


def describe(device):
    """What a person knows it by."""
    what = " ".join(word.strip() for word in (device["vendor"] or "", device["model"] or "") if word.strip())
    how = {"usb": "USB", "mmc": "card", "sata": "SATA", "nvme": "NVMe"}.get(device["tran"] or "", device["tran"] or device["type"])
    parts = ["%s %s" % (part["name"], part["label"] or part["fstype"] or "") for part in with_children(device) if part is not device]
    return "%s (%s, %s%s)%s" % (device["path"], size_words(device["size"]), how, ", " + what if what else "",
                               "; on it: " + ", ".join(part.strip() for part in parts) if parts else "; nothing is on it")


def others():
    """The devices that could be meant, for a sentence."""
    found = [device for device in block_devices() if device["type"] == "disk" and device["size"] and not is_system(device)
             and not mounts_of(device) and not device["kname"].startswith(("zram", "ram"))]
    return "; ".join(describe(device) for device in found) or "there is none: is the card reader plugged in?"


def look(path, size):
    """The device at that path, which may take `size` bytes; or Refused. None for a plain file."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if path.startswith("/dev/"):
            raise Refused("there is no %s. What could be meant: %s" % (path, others())) from None
        return None  # a file that is made
    if stat.S_ISREG(mode):
        return None
    if not stat.S_ISBLK(mode):
        raise Refused("%s is neither a disk nor a file" % path)
    found = block_devices(os.path.realpath(path))
    if not found:
        raise Refused("lsblk does not know %s, so nobody can say what is on it" % path)
    judge(found[0], path, size)
    return found[0]


def judge(device, path, size):
    if device["type"] == "part":
        raise Refused("%s is a partition: an image is a whole disk, with partitions of its own. Name the disk" % path)
    if is_system(device):
        raise Refused("%s is a disk that this machine runs from. What could be meant: %s" % (path, others()))
    mounts = mounts_of(device)
    if mounts:
        raise Refused("%s is in use: %s. Unmount it first: sudo umount %s" % (path, ", ".join(mounts), " ".join(
            place for place in mounts if place.startswith("/")) or "..."))
    if device["type"] not in ("disk", "loop"):
        raise Refused("%s is a %s, which no board starts from" % (path, device["type"]))
    if device["ro"]:
        raise Refused("%s cannot be written: on an SD card the small slider at the side locks it" % path)
    if device["size"] < size:
        raise Refused("%s has %s, the image needs %s" % (path, size_words(device["size"]), size_words(size)))
