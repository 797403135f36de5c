#!/usr/bin/python3
"""What chooses the slot at each start: the scripts of U-Boot and GRUB as a shell reads them, and the program that RAUC tells GRUB by."""
import glob
import json
import os
import re
import subprocess
import sys

from harness import check, main

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
IMAGE = os.path.join(TOP, "firmware/image")
SLOTS = os.path.join(IMAGE, "root/grub/usr/lib/sluice/slots")
SECTOR, SECTOR_AT = 512, 0xff000
sys.path.insert(0, IMAGE)
import gateway  # noqa: E402
import root  # noqa: E402
from words import read  # noqa: E402

# Commands of the boot loaders. What is saved is in the file $SAVED, lines NAME=VALUE; where it is damaged it has no such line.
UBOOT = """
setenv() { name=$1; shift; eval "$name=\\"\\$*\\""; }
disk() { [ "$1" != read ] || [ -e "$SAVED" ]; }
load() { from=${2#0:}; [ "$from" != "$BROKEN" ]; }
env() { case $1 in
import) [ "$2" = -c ] && . "$SAVED" ;;
export) printf 'BOOT_ORDER="%s"\\nBOOT_A_LEFT=%s\\nBOOT_B_LEFT=%s\\n' "$BOOT_ORDER" "$BOOT_A_LEFT" "$BOOT_B_LEFT" >"$SAVED" ;;
esac; }
reset() { echo restarts; exit; }
booti() { echo "starts $bootargs from $from"; exit; }
bootz() { booti; }
setexpr() { :; }
devtype=disk devnum=0 ramdisk_addr_r=0x1000
"""
GRUB = """
regexp() { disk=hd0; }
file() { [ "$1" = "(hd0)0x7f8+1" ] && echo "$SAVED" || echo "$COUNTS"; }
load_env() { [ -e "$(file "$2")" ] && . "$(file "$2")"; }
save_env() { printf 'COUNTED=%s\\nCOUNTED_A_LEFT=%s\\nCOUNTED_B_LEFT=%s\\n' "$COUNTED" "$COUNTED_A_LEFT" "$COUNTED_B_LEFT" >"$(file "$2")"; }
linux() { bootargs=$*; [ "$1" != "(hd0,gpt$BROKEN)/boot/vmlinuz" ]; }
initrd() { from=${1#*gpt}; from=${from%%)*}; [ "$bootargs" != "${bootargs#"(hd0,gpt$from)/boot/vmlinuz "}" ]; }
boot() { echo "starts $bootargs from $from"; exit; }
reboot() { echo restarts; exit; }
sleep() { :; }
root='hd0,gpt1' prefix=/EFI/debian
"""


def boards():
    for path in sorted(glob.glob(os.path.join(TOP, "boards/*/board.json"))):
        board = json.loads(read(path))
        if "image" in board:
            yield board


class Loader:
    """The script of a board, as a shell runs it."""

    def __init__(self, site, board):
        self.folder = site.path(board["id"])
        os.makedirs(self.folder)
        self.kind = board["storage"]["loader"]
        files = dict(gateway.LOADERS[self.kind](board, self.folder, 0)[0])
        script = files["EFI/debian/grub.cfg"] if self.kind == "grub" else files["boot.scr"] + ".cmd"
        self.text = read(script)
        self.saved, self.counts = (os.path.join(self.folder, name) for name in ("saved", "counts"))

    def starts(self, order=None, left="33", broken=""):
        """Runs it with what is saved, or nothing. Returns (what it does, the tries left) then."""
        for path in (self.saved, self.counts):
            if os.path.exists(path):
                os.unlink(path)
        if order:
            self.is_written(order, left, "1a")
        return self.again(broken)

    def is_written(self, order, left, name):
        """What Linux does; GRUB knows one writing from another by its name."""
        with open(self.saved, "w") as out:
            out.write('BOOT_ORDER="%s"\nBOOT_A_LEFT=%s\nBOOT_B_LEFT=%s\nBOOT_WRITTEN=%s\n' % (order, *left, name))

    def again(self, broken=""):
        # A shell wants something between "then" and "elif", and sets without a word for it.
        text = re.sub(r"then\n\s*#.*\n(\s*el)", r"then\n:\n\1", self.text).replace('in "${BOOT_ORDER}"', "in ${BOOT_ORDER}")
        if self.kind == "grub":
            text = re.sub(r"^(\s*)set (\w+=)", r"\1\2", text, flags=re.MULTILINE)
        done = subprocess.run(["sh", "-u", "-c", (GRUB if self.kind == "grub" else UBOOT) + text], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              env={"SAVED": self.saved, "COUNTS": self.counts, "BROKEN": broken, "PATH": os.environ["PATH"],
                                   "fdt_addr": "0", "fdt_addr_r": "0", "kernel_addr_r": "0", "kernel_comp_addr_r": "0", "filesize": "0", "tree": "0"})
        said = done.stdout.strip().splitlines()[-1]
        slot = re.search(r"starts .*rauc.slot=([AB]) ", said)
        check(done.returncode == 0 and (slot or "restarts" in said), "the script", done.stdout)
        check(not slot or said.endswith(" from %d" % (2 + "AB".index(slot[1]))), "the partition of the slot", said)
        if self.kind == "u-boot":
            values = dict(re.findall(r'^(\w+)="?([^"\n]*)', read(self.saved), re.MULTILINE))
            return slot[1] if slot else "restarts", values["BOOT_A_LEFT"] + values["BOOT_B_LEFT"]
        values = dict(re.findall(r"^(\w+)=(.*)", read(self.counts), re.MULTILINE))
        left = values["COUNTED_A_LEFT"] + values["COUNTED_B_LEFT"]
        check(not slot or " sluice.slots=%s:%s:%s " % (values["COUNTED"], *left) in said, "Linux is told", said, values)
        return slot[1] if slot else "restarts", left


def the_slot_that_is_next_is_started_and_its_try_counted(site):
    kinds = set()
    for board in boards():
        loader = Loader(site, board)
        kinds.add(loader.kind)
        check("@" not in loader.text.replace("@@", ""), "all is filled in", board["id"], loader.text)
        for order, left, wanted in (("A B", "33", ("A", "23")), ("B A", "33", ("B", "32")), ("B A", "31", ("B", "30")), ("B A", "30", ("A", "20")),
                                    ("A B", "02", ("B", "01")), ("A B", "10", ("A", "00")), ("B", "33", ("B", "32")), ("A B", "00", ("restarts", "33"))):
            check(loader.starts(order, left) == wanted, board["id"], order, left, wanted, loader.starts(order, left))
        check(loader.starts("A B", "33", broken="2") == ("restarts", "23"), "a slot without a kernel", board["id"])
    check(kinds == {"grub", "u-boot"}, "boot loaders", kinds)


def a_damaged_sector_means_a_then_b_with_three_tries_each(site):
    for board in boards():
        loader = Loader(site, board)
        seen = [loader.starts()] + [loader.again() for _ in range(7)]
        check([slot for slot, _ in seen] == ["A", "A", "A", "B", "B", "B", "restarts", "A"], board["id"], seen)


def a_slot_that_was_left_is_better_than_none(site):
    """RAUC takes what it leaves out of U-Boot's order. When the other one does not start any more, it comes again, behind that."""
    for board in boards():
        loader = Loader(site, board)
        orders = [("A B", "30", "2", "B"), ("B A", "03", "3", "A")] + [("A", "30", "2", "B"), ("B", "03", "3", "A")] * (loader.kind == "u-boot")
        for order, left, broken, other in orders:
            seen = [loader.starts(order, left, broken)] + [loader.again(broken) for _ in range(7)]
            check([slot for slot, _ in seen] == ["restarts"] * 7 + [other], board["id"], order, left, seen)
        if loader.kind == "u-boot":
            loader.is_written("", "33", "1a")
            check([loader.again(), loader.again()] == [("restarts", "33"), ("A", "23")], "an order that is empty", board["id"])


def what_linux_writes_is_counted_from_anew(site):
    for board in boards():
        loader = Loader(site, board)
        check([loader.starts("B A", "33"), loader.again(), loader.again(), loader.again()] == [("B", "32"), ("B", "31"), ("B", "30"), ("A", "20")],
              "three tries", board["id"])
        loader.is_written("B A", "30", "2b")
        check([loader.again(), loader.again()] == [("A", "20"), ("A", "10")], "the other one stays left", board["id"])
        loader.is_written("A B", "33", "3c")
        check(loader.again() == ("A", "23"), "with its tries back", board["id"])


class Disk:
    """A disk, and the program that tells GRUB, as GRUB has started it."""

    def __init__(self, site):
        self.path = site.path("disk")
        with open(self.path, "wb") as out:
            out.truncate(2 * SECTOR_AT)
        self.command_line = site.write("cmdline", "quiet\n")
        text = read(SLOTS).replace("/dev/sluice/disk", self.path).replace("/proc/cmdline", self.command_line)
        self.script = site.write("slots-of-the-image", text)

    def is_started(self, left):
        """GRUB says how many tries are left of what is in the sector now."""
        name = self.values()[3].partition("=")[2]
        with open(self.command_line, "w") as out:
            out.write("ro rauc.slot=A sluice.slots=%s:%s:%s panic=5\n" % (name, *left))

    def sector(self):
        with open(self.path, "rb") as disk:
            disk.seek(SECTOR_AT)
            return disk.read(SECTOR)

    def put(self, sector):
        with open(self.path, "r+b") as disk:
            disk.seek(SECTOR_AT)
            disk.write(sector)

    def slots(self, *arguments):
        done = subprocess.run(["sh", self.script, *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else done.returncode

    def values(self):
        sector = self.sector().decode()
        check(sector.startswith("# GRUB Environment Block\n") and sector.endswith("\n" + "#" * (SECTOR - sector.rindex("\n") - 1)), "as GRUB reads it", sector)
        return sector.split("\n", 1)[1].rstrip("#").splitlines()


def rauc_asks_and_tells_grub(site):
    disk = Disk(site)
    check([disk.slots("get-primary"), disk.slots("get-state", "A"), disk.slots("get-state", "B")] == ["A", "good", "good"], "a damaged sector")
    names = set()
    for words, wanted in ((("set-primary", "B"), ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]),
                          (("set-state", "B", "bad"), ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=0"])):
        check(disk.slots(*words) == "" and disk.values()[:3] == wanted, words, disk.values())
        names.add(disk.values()[3])
    check(len(names) == 2 and all(re.fullmatch("BOOT_WRITTEN=[0-9a-f]{8}", name) for name in names), "each has a name", names)
    check([disk.slots("get-primary"), disk.slots("get-state", "B")] == ["A", "bad"], "it is left")
    disk.slots("set-state", "A", "bad")
    check(disk.slots("get-primary") == 1, "none is left")
    with open(disk.path, "rb") as file:
        whole = file.read()
    check(len(whole) == 2 * SECTOR_AT and not whole.replace(disk.sector(), b"").strip(b"\0"), "nothing else was written")


def what_grub_has_counted_is_known(site):
    disk = Disk(site)
    disk.slots("set-primary", "B")
    disk.is_started("20")
    check([disk.slots("get-primary"), disk.slots("get-state", "B"), disk.slots("get-state", "A")] == ["A", "bad", "good"], "of this sector")
    check(disk.slots("set-state", "A", "good") == "" and disk.values()[:3] == ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=0"],
          "the one that does not start stays left", disk.values())
    check(disk.slots("set-primary", "B") == "" and disk.slots("get-state", "B") == "good", "another one is in its place")


def what_is_no_value_is_none(site):
    disk = Disk(site)
    disk.slots("set-primary", "B")
    whole = disk.sector()
    for damaged in (whole.replace(b"GRUB", b"GRUP"), whole.replace(b"B A", b"rm *"), b"\xa5" * SECTOR):
        disk.put(damaged)
        check(disk.slots("get-primary") == "A", damaged, disk.slots("get-primary"))
    disk.put(whole.replace(b"B_LEFT=3", b"B_LEFT=9"))
    check(disk.slots("get-state", "B") == "good" and disk.slots("set-primary", "A") == "" and "BOOT_B_LEFT=3" in disk.values(), "too many tries")
    for wrong in ((), ("set-state", "A"), ("set-state", "C", "good"), ("set-primary",), ("get-state", "A", "good"), ("get-primary", "A")):
        check(disk.slots(*wrong) == 2, "it is called wrongly", wrong, disk.slots(*wrong))


def rauc_takes_its_settings_of_every_board(site):
    """The program itself reads them, as far as to what it looks for behind them: the bus, or its own root on this machine."""
    for board in boards():
        settings = root.rauc_settings(board).replace("/data/rauc", site.folder).replace("/run/rauc", site.folder)
        path = site.write(board["id"] + ".conf", settings)
        done = subprocess.run(["rauc", "--conf", path, "service"], capture_output=True, text=True, timeout=30, check=False,
                              env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + site.path("no-bus")})
        said = done.stdout + done.stderr
        check("Connection to the system bus can't be made" in said or "Could not find any root device" in said, "what RAUC says", board["id"], said)


main(the_slot_that_is_next_is_started_and_its_try_counted, a_damaged_sector_means_a_then_b_with_three_tries_each,
     a_slot_that_was_left_is_better_than_none, what_linux_writes_is_counted_from_anew, rauc_asks_and_tells_grub, what_grub_has_counted_is_known, what_is_no_value_is_none,
     rauc_takes_its_settings_of_every_board)
