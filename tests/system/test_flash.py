#!/usr/bin/python3
"""tools/flash: images onto cards, and firmware into nodes."""
import errno
import json
import lzma
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import types
import unittest.mock

from harness import LONG, Skip, check, free_port, main, program, wait_for
from harness.flashing import FLASH, TREE, done, refused, run, site_folder, tool
from harness.node import Node

MIB = 1 << 20
BOOT_MIB, IMAGE_MIB = 8, 20
NODES = {"lm3s6965evb", "microbit", "mps2-an385", "netduinoplus2", "stm32vldiscovery"}

sys.path.insert(0, str(TREE / "tools"))
from flashing import build, card, disks  # noqa: E402
from flashing.words import Progress, Refused  # noqa: E402


def make_image(site):
    """A disk as an image has it: a FAT partition named boot, and another; packed. Returns the path and the bytes."""
    plain = pathlib.Path(site.path("disk.img"))
    size = (IMAGE_MIB * MIB - 12345) // 512 * 512  # no whole number of blocks
    plain.write_bytes(b"".join(os.urandom(4096) + bytes(60 * 1024) for _ in range(size // 65536 + 1))[:size])
    tool("sfdisk", "-q", plain, input="label: dos\nstart=2048, size=%d, type=c\ntype=83\n" % (BOOT_MIB * MIB // 512))
    tool("mformat", "-i", "%s@@%d" % (plain, MIB), "-T", str(BOOT_MIB * MIB // 512), "-h", "16", "-s", "63", "::")
    packed = pathlib.Path(site.path("disk.img.xz"))
    packed.write_bytes(lzma.compress(plain.read_bytes(), preset=0))
    return packed, plain.read_bytes()


class Loop:
    """A loop device: a card for whoever asks the kernel."""

    def __init__(self, site, mib):
        self.file = site.path("card.bin")
        with open(self.file, "wb") as out:
            out.truncate(mib * MIB)
        attached = subprocess.run(["losetup", "--find", "--show", "--partscan", self.file], capture_output=True, text=True, check=False)
        if attached.returncode != 0:
            raise Skip("no loop device here: %s" % attached.stderr.strip())
        self.path = attached.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["losetup", "--detach", self.path], check=False)


def every_board_is_listed(_site):
    answer = done(run("list"))
    ids = [path.parent.name for path in TREE.glob("boards/*/board.json")]
    check(len(ids) > 10 and all(re.search(r"^%s " % re.escape(name), answer.stdout, re.M) for name in ids), "each", answer.stdout)
    check(run().returncode == 2 and run("write").returncode == 2, "called wrongly")
    refused(run("build", "nothing"), "there is no board \"nothing\"", "rpi4")
    refused(run("node", "rpi4"), "there is no node \"rpi4\"", "microbit")


def an_image_goes_onto_a_card_and_is_read_back(site):
    image, content = make_image(site)
    presets = site_folder(site, "plant7", '{"version": 1}')
    (presets / "tls").mkdir()
    (presets / "tls/ca.pem").write_text("a certificate")
    with Loop(site, 32) as loop:
        answer = done(run("write", "rpi4", loop.path, "--image", image, "--presets", presets, "--yes"),
                      "read back without a difference", "100 %", "presets: sluice.json, tls/ca.pem")
        written = pathlib.Path(loop.path).read_bytes()[:len(content)]
        boot = slice(MIB, MIB + BOOT_MIB * MIB)
        check(written[:MIB] == content[:MIB] and written[boot.stop:] == content[boot.stop:], "what is written is the image")
        for name in ("sluice.json", "tls/ca.pem"):
            there = tool("mtype", "-i", "%s@@%d" % (loop.path, MIB), "::sluice/" + name, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
            check(there == (presets / name).read_text(), "a preset", name, there)
        return answer.stderr.splitlines()[0][:60]


def nobody_mounts_a_card_before_its_presets_are_there(site):
    image, _ = make_image(site)
    presets = site_folder(site, "plant7", '{"version": 1}')
    seen, copy_presets = [], card.copy_presets

    def looked_at(fd, device, path, offset, folder):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_EXCL))  # as who mounts it
            seen.append("it was free")
        except OSError as error:
            seen.append(error.errno)
        return copy_presets(fd, device, path, offset, folder)

    with Loop(site, 32) as loop, unittest.mock.patch.object(card, "copy_presets", looked_at):
        card.write(types.SimpleNamespace(board="rpi4", device=loop.path, image=str(image), presets=str(presets), yes=True))
    check(seen == [errno.EBUSY], "it is held", seen)


def what_must_not_be_overwritten_is_not(site):
    image, _ = make_image(site)
    # In a chroot nothing is mounted at /.
    root = subprocess.run(["findmnt", "-no", "SOURCE", "/"], capture_output=True, text=True, check=False).stdout.strip()
    if root.startswith("/dev/"):
        refused(run("write", "rpi4", root, "--image", image, "--yes"), root + " is a")
    refused(run("write", "rpi4", "/dev/nowhere", "--image", image, "--yes"), "there is no /dev/nowhere", "What could be meant")
    refused(run("write", "rpi4", "/dev/null", "--image", image, "--yes"), "neither a disk nor a file")
    refused(run("write", "microbit", site.path("x"), "--image", image, "--yes"), "there is no gateway \"microbit\"")
    refused(run("write", "rpi4", site.path("x"), "--image", site.path("y"), "--yes"), "there is no image")
    refused(run("write", "rpi4", site.path("x"), "--image", image, "--presets", site.path("."), "--yes"), "has no sluice.json")
    with Loop(site, 16) as loop:
        refused(run("write", "rpi4", loop.path, "--image", image, "--yes"), "has 16 MiB, the image needs")
    with Loop(site, 32) as loop:
        where = site.path("mounted")
        os.mkdir(where)
        tool("mkfs.ext4", "-q", loop.path)
        mounted = subprocess.run(["mount", "-t", "ext4", "-o", "ro", loop.path, where], capture_output=True, check=False).returncode == 0
        if mounted:
            try:
                refused(run("write", "rpi4", loop.path, "--image", image, "--yes"), "is in use: " + where, "sudo umount " + where)
            finally:
                subprocess.run(["umount", where], check=True)
        fd = os.open(loop.path, os.O_RDWR | os.O_EXCL)  # somebody whom no table names
        try:
            refused(run("write", "rpi4", loop.path, "--image", image, "--yes"), "it is in use")
        finally:
            os.close(fd)
    return "one was mounted" if mounted else "nothing could be mounted here"


def what_a_disk_is_decides_whether_it_is_written(_site):
    plain = {"name": "sdx", "kname": "sdx", "path": "/dev/sdx", "type": "disk", "size": 64 * MIB, "ro": False, "rm": True, "tran": "usb",
             "vendor": "Maker ", "model": "Reader", "label": None, "fstype": None, "mountpoints": [None]}
    part = {**plain, "name": "sdx1", "kname": "sdx1", "path": "/dev/sdx1", "type": "part", "label": "PHOTOS", "fstype": "vfat"}
    disks.judge({**plain, "children": [part]}, "/dev/sdx", 64 * MIB)
    check(disks.describe({**plain, "children": [part]}) == "/dev/sdx (64 MiB, USB, Maker Reader); on it: sdx1 PHOTOS", "what a person knows it by",
          disks.describe({**plain, "children": [part]}))
    mapped = {**part, "name": "vault", "kname": "dm-7", "type": "crypt", "mountpoints": ["/mnt/vault"]}
    below = {**mapped, "kname": "dm-0", "mountpoints": ["/"], "children": [{**part, "children": [plain]}]}
    with unittest.mock.patch.object(disks, "root_sources", lambda: ["/dev/mapper/root"]), \
            unittest.mock.patch.object(disks, "block_devices", lambda *_: [below]):
        check(disks.is_system(plain), "the machine runs from what lies on it, by some layers")
    for device, words in ((part, "is a partition"), ({**plain, "rm": False, "ro": True}, "slider"), ({**plain, "size": 63 * MIB}, "needs 64 MiB"),
                          ({**plain, "children": [{**part, "mountpoints": ["/"]}]}, "runs from"),
                          ({**plain, "children": [{**part, "mountpoints": ["[SWAP]"]}]}, "is in use: [SWAP]"),
                          ({**plain, "children": [{**part, "children": [mapped]}]}, "is in use: /mnt/vault"),
                          ({**plain, "type": "rom"}, "no board starts from")):
        try:
            disks.judge(device, device["path"], 64 * MIB)
            check(False, "it would be overwritten", device)
        except Refused as why:
            check(words in str(why), "why", words, str(why))


def typed(words, text):
    """Runs it on a terminal of its own, with that typed."""
    terminal, end = pty.openpty()
    process = subprocess.Popen([FLASH, *map(str, words)], stdin=end, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.close(end)
    os.write(terminal, text.encode())
    out, err = process.communicate(timeout=60)
    os.close(terminal)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def whoever_overwrites_a_disk_types_its_name(site):
    image, content = make_image(site)
    target = pathlib.Path(site.path("target.img"))
    target.write_bytes(b"precious")
    words = ("write", "orangepi-zero", target, "--image", image)
    refused(run(*words), "nobody is here to be asked")
    refused(typed(words, "yes\n"), "Everything on it will be lost", "type target.img", "nothing was written")
    check(target.read_bytes() == b"precious", "it is as it was")
    done(typed(words, "target.img\n"), "read back without a difference", "put it into the slot")
    check(target.read_bytes() == content, "it is the image")


def a_damaged_image_and_a_lying_card_are_told(site):
    image, content = make_image(site)
    torn = pathlib.Path(site.path("torn.img.xz"))
    torn.write_bytes(image.read_bytes()[:-4000])
    refused(run("write", "rpi4", site.path("x"), "--image", torn, "--yes"), "damaged")
    wrong = bytearray(image.read_bytes())
    wrong[len(wrong) // 2] ^= 1
    bad = pathlib.Path(site.path("bad.img.xz"))
    bad.write_bytes(wrong)
    refused(run("write", "rpi4", site.path("x"), "--image", bad, "--yes"), "damaged", "no use")
    path = site.path("card.img")
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        first, digests = card.write_all(fd, image, len(content))
        card.read_back(fd, None, len(content), digests)
        os.pwrite(fd, bytes([content[9 * MIB] ^ 1]), 9 * MIB)
        try:
            card.read_back(fd, None, len(content), digests)
            check(False, "one bit differs and nobody sees it")
        except Refused as why:
            check("at 8 MiB" in str(why) and "another card" in str(why), "where", str(why))
        try:
            card.write_all(fd, image, len(content) + MIB)
            check(False, "an image that is shorter than it says is written")
        except Refused as why:
            check("in place of" in str(why), "why", str(why))
        check(first == content[:card.BLOCK] and os.pread(fd, card.BLOCK, 0) == bytes(card.BLOCK), "nothing starts from it")
    finally:
        os.close(fd)


def a_card_that_lies_at_the_very_end_is_told(site):
    """Of the table and the boot loader, and of a preset."""
    image, _ = make_image(site)
    presets = site_folder(site, "plant7", '{"version": 1}')
    wanted = types.SimpleNamespace(board="rpi4", device=site.path("target.img"), image=str(image), presets=str(presets), yes=True)
    put, forget = card.put, card.forget

    def put_elsewhere(fd, block, at):
        put(fd, bytes(len(block)) if at == 0 and any(block[:512]) else block, at)

    def forget_and_change(fd, device):
        forget(fd, device)
        at = os.pread(fd, BOOT_MIB * MIB, MIB).find(b'{"version": 1}')
        if at >= 0:
            os.pwrite(fd, b"[", MIB + at)

    for name, lies, words in (("put", put_elsewhere, "at 0 MiB"), ("forget", forget_and_change, "sluice.json is not on the boot partition")):
        try:
            with unittest.mock.patch.object(card, name, lies):
                card.write(wanted)
            check(False, "nobody sees it", name)
        except Refused as why:
            check(words in str(why) and "take another card" in str(why), "why", str(why))


def what_is_read_back_comes_from_the_medium(site):
    """And not from memory, which remembers what was written: when that is dropped, here, a byte turns out to be another one."""
    image, _ = make_image(site)
    presets = site_folder(site, "plant7", '{"version": 1}')
    wanted = types.SimpleNamespace(board="rpi4", device=site.path("target.img"), image=str(image), presets=str(presets), yes=True)
    drop = os.posix_fadvise
    dropped = []

    def preset_at(fd):
        return MIB + os.pread(fd, BOOT_MIB * MIB, MIB).index(b'{"version": 1}')

    for number, place, words in ((1, lambda _: 9 * MIB, "at 8 MiB"), (2, preset_at, "sluice.json is not on the boot partition"), (3, lambda _: 0, "at 0 MiB")):
        def show_the_medium(fd, at, size, how):
            drop(fd, at, size, how)
            dropped.append((at, size, how))
            if len(dropped) == number:
                where = place(fd)
                os.pwrite(fd, bytes([os.pread(fd, 1, where)[0] ^ 1]), where)

        dropped.clear()
        try:
            with unittest.mock.patch.object(os, "posix_fadvise", show_the_medium):
                card.write(wanted)
            check(False, "nobody sees it", words)
        except Refused as why:
            check(words in str(why) and set(dropped) == {(0, 0, os.POSIX_FADV_DONTNEED)}, "why", str(why), dropped)
    asked, ioctl = [], card.fcntl.ioctl
    with Loop(site, 32) as loop, unittest.mock.patch.object(card.fcntl, "ioctl", lambda fd, what: (asked.append(what), ioctl(fd, what))):
        card.write(types.SimpleNamespace(**{**vars(wanted), "device": loop.path}))
    check(asked.count(card.BLKFLSBUF) == 3, "the kernel is told to forget what it has of a device", asked)


def a_card_that_was_pulled_out_is_told(site):
    image, content = make_image(site)
    path = site.write("card.img", "")
    only_read, only_write, pipe = os.open(path, os.O_RDONLY), os.open(path, os.O_WRONLY), os.pipe()[1]
    for what, words in ((lambda: card.write_all(only_read, image, len(content)), "writing failed at 0 MiB"),
                        (lambda: card.sync(pipe, 9 * MIB), "writing failed at 9 MiB"),
                        (lambda: card.compare(only_write, 4 * MIB, 5, b""), "reading back failed at 4 MiB")):
        try:
            what()
            check(False, "nobody sees it", words)
        except Refused as why:
            check(words in str(why) and "pulled out" in str(why), "it is told", words, str(why))


def a_card_that_was_written_in_part_starts_nothing(site):
    image, _ = make_image(site)
    target = pathlib.Path(site.path("target.img"))
    torn = pathlib.Path(site.path("torn.img.xz"))
    torn.write_bytes(image.read_bytes()[:-4000])
    wanted = types.SimpleNamespace(board="rpi4", device=str(target), image=str(image), presets=None, yes=True)
    whole = card.blocks_of

    def stopped(path):
        yield next(whole(path))
        raise KeyboardInterrupt

    for where, blocks, words in (("at its end", lambda _: whole(torn), "damaged"), ("at once", stopped, "stopped: what was on")):
        target.write_bytes(os.urandom(card.BLOCK))
        try:
            with unittest.mock.patch.object(card, "blocks_of", blocks):
                card.write(wanted)
            check(False, "it was written", where)
        except Refused as why:
            check(words in str(why), "why", where, str(why))
        left = target.read_bytes()
        check(len(left) >= card.BLOCK and not any(left[:card.BLOCK]), "neither the table before nor the new one is there", where)


def a_card_that_was_pulled_out_before_its_presets_were_on_it_starts_nothing(site):
    image, _ = make_image(site)
    target = pathlib.Path(site.path("target.img"))
    presets = site_folder(site, "plant7", '{"version": 1}')
    wanted = types.SimpleNamespace(board="rpi4", device=str(target), image=str(image), presets=str(presets), yes=True)
    copy_presets = card.copy_presets

    def pulled_out(*words):
        copy_presets(*words)
        with card.told("writing", MIB):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def stopped(*words):
        copy_presets(*words)
        raise KeyboardInterrupt

    for copied in (pulled_out, stopped):
        try:
            with unittest.mock.patch.object(card, "copy_presets", copied):
                card.write(wanted)
            check(False, "it was written", copied)
        except Refused as why:
            check("nothing starts from it" in str(why), "why", str(why))
        check(not any(target.read_bytes()[:MIB]), "there is neither table nor boot loader", copied)
    card.write(wanted)
    check(any(target.read_bytes()[:MIB]), "there is when all is on it")


def presets_need_a_boot_partition_before_anything_is_overwritten(site):
    presets = site_folder(site, "plant7", '{"version": 1}')
    target = site.write("target.img", "what was there")
    image = pathlib.Path(site.path("disk.img"))
    image.write_bytes(bytes(9 * MIB))
    words = ("write", "rpi4", target, "--image", image, "--presets", presets, "--yes")
    refused(run(*words), "has no partitions")
    tool("sfdisk", "-q", image, input="label: gpt\nstart=2048, type=L\n")
    refused(run(*words), "has no boot partition")
    check(pathlib.Path(target).read_text() == "what was there", "nothing was written")


def the_time_that_is_left_is_told(_site):
    clock = [0.0]
    progress = Progress("writing", 100 * MIB, now=lambda: clock[0])
    clock[0] = 10.0
    check(progress.line(25 * MIB) == "writing:  25 %, 25 of 100 MiB, 2.5 MiB/s, 30 s left", "a quarter", progress.line(25 * MIB))
    clock[0] = 40.0
    check(progress.line(100 * MIB).endswith("2.5 MiB/s"), "the end", progress.line(100 * MIB))


def a_node_is_flashed_by_the_commands_of_its_board(site):
    for name in sorted(NODES - {"mps2-an385"}):
        answer = done(run("node", name, "--dry-run"))
        check("{" not in answer.stdout and "0x" in answer.stdout, "the commands", answer.stdout)
    refused(run("node", "mps2-an385"), "by hand", "images.txt")
    refused(run("node", "microbit", "--how", "dfu"), "not flashed by dfu, but by openocd")
    answer = done(run("node", "stm32vldiscovery", "--how", "st-flash", "--dry-run"))
    check(answer.stdout.splitlines()[0].endswith("build/node/stm32vldiscovery/boot.bin 0x08000000"), "its map", answer.stdout)
    files = pathlib.Path(site.path("files"))
    files.mkdir()
    empty = site.path("bin")
    os.mkdir(empty)
    alone = {"PATH": empty}
    refused(run("node", "netduinoplus2", "--files", files, env=alone), "dfu-util is not installed: sudo apt install dfu-util", "--how openocd")
    done(run("node", "netduinoplus2", "--dry-run", env=alone), "by dfu-util (it is not installed: sudo apt install dfu-util)")
    if not shutil.which("openocd"):
        return "openocd is not installed"
    refused(run("node", "lm3s6965evb", "--files", files), "boot.elf is not in")
    for name in ("boot.elf", "slot-a.img"):
        (files / name).write_bytes(b"\0" * 64)
    refused(run("node", "lm3s6965evb", "--files", files), "openocd did not write it", "USB cable")
    for name in sorted(NODES):  # the configurations that are named are those of Debian's openocd
        board = json.loads((TREE / "boards" / name / "board.json").read_text())
        for way in board["flash"]:
            if way["how"] == "openocd":
                words = way["commands"][0]
                named = [word for flag, word in zip(words, words[1:]) if flag == "-f"]
                tool("openocd", *[part for file in named for part in ("-f", file)], "-c", "shutdown")
    return "openocd without a board"


def a_card_comes_up_as_its_label_says(site):
    """The whole way: table, label, card, an emulated board that boots from it, and an emulated node at its port RS485-1."""
    image = TREE / "build/image/qemu-arm64/disk.img"
    if not LONG or not image.exists():
        raise Skip("only with SLUICE_LONG, after tools/flash build qemu-arm64")
    for name, text in (("sites.csv", "id,name,ip,router\nemu7,Emulated seven,10.0.2.15/24,10.0.2.2\n"),
                       ("network.conf", "ADDRESS={{ip}}\nGATEWAY={{router}}\nHOSTNAME={{id}}\n"),
                       ("sluice.json", json.dumps({
                           "version": 1, "gateway": {"id": "{{id}}", "name": "{{name}}"}, "web": {"cert": "page.crt", "key": "page.key"},
                           "buses": [{"id": "rs485", "driver": "modbus-rtu", "port": "board:RS485-1", "line": "9600 8E1", "timeout": "3s"}],
                           "devices": [{"id": "node", "bus": "rs485", "unit": 1, "numbering": "0-based", "points": [{"id": "unit", "reg": 0, "type": "u16"}]}]}))):
        path = pathlib.Path(site.path("" if name == "sites.csv" else "template")) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    out, disk = pathlib.Path(site.path("out")), site.path("card.img")
    done(run("presets", site.path("sites.csv"), site.path("template"), out, "--board", "qemu-arm64", "--sluice", program("sluice")))
    done(run("write", "qemu-arm64", disk, "--image", image, "--presets", out / "emu7", "--yes"))
    node = Node(site, "stm32vldiscovery")
    port = free_port()
    board = json.loads((TREE / "boards/qemu-arm64/board.json").read_text())
    words = [word.replace("{disk}", disk) for word in board["emulation"]["qemu"]]
    words[words.index("user,model=virtio-net-pci")] += ",hostfwd=tcp:127.0.0.1:%d-:443" % port
    site.start("board", *words, "-chardev", "serial,path=%s,id=line" % node.link, "-device", "pci-serial,chardev=line")

    def ask(*words):
        answer = subprocess.run(["curl", "--silent", "--insecure", "--max-time", "10", "--cookie-jar", site.path("jar"), "--cookie", site.path("jar"),
                                 "--header", "Content-Type: application/json", *words[1:], "https://127.0.0.1:%d/api/v1/%s" % (port, words[0])],
                                capture_output=True, text=True, check=False).stdout
        return json.loads(answer) if answer else {}
    wait_for(lambda: ask("session"), 300, "the page answers")
    check(ask("session")["gateway"] == {**ask("session")["gateway"], "id": "emu7", "name": "Emulated seven"}, "who it is", ask("session"))
    shown = tool("openssl", "x509", "-noout", "-fingerprint", "-sha256", input=tool(
        "openssl", "s_client", "-connect", "127.0.0.1:%d" % port, input="")).strip().split("=")[-1]
    check(shown in (out / "labels.html").read_text().replace("<br>", ""), "the fingerprint on the label", shown)
    code = (out / "emu7/setup-code").read_text().strip()
    ask("setup", "--data", json.dumps({"code": code, "name": "owner", "password": "three plain words"}))
    check(ask("board")["board"]["id"] == "qemu-arm64", "which board it is", ask("board"))
    labels = {each["port"]: each.get("used_by", "") for each in ask("ports")}
    check("sluiced" in labels.get("board:RS485-1", "") and "board:CONSOLE" in labels, "its ports", labels)
    wait_for(lambda: ask("status")["buses"][0]["devices"][0]["up"], 120, "the node at RS485-1 answers")
    return "label, card, board, node"


def building_and_testing_are_left_to_whoever_does_that(site):
    tree = pathlib.Path(site.path("tree"))
    shutil.copytree(TREE / "boards", tree / "boards")
    shutil.copytree(TREE / "tools/flashing", tree / "tools/flashing")
    shutil.copy(FLASH, tree / "tools/flash")
    own = {"tool": tree / "tools/flash"}
    for name in ("image", "node", "test"):
        (tree / "tools" / name).write_text('#!/bin/sh\necho "%s $*"\n[ "$1" != orangepi-zero ]\n' % name)
        (tree / "tools" / name).chmod(0o755)
    done(run("build", "rpi4", **own), "image rpi4\n", "build/image/rpi4")
    done(run("build", "microbit", **own), "node build microbit\n", "build/node/microbit")
    refused(run("build", "orangepi-zero", **own), "tools/image could not build it")
    path = tree / "boards/qemu-arm64/board.json"
    board = json.loads(path.read_text())
    path.write_text(json.dumps({**board, "tested_by": ["system.one", "faults.two"]}))
    refused(run("test", "qemu-arm64", **own), "there is no image in", "sudo tools/flash build qemu-arm64")
    (tree / "build/image/qemu-arm64").mkdir(parents=True)
    (tree / "build/image/qemu-arm64/disk.img").write_bytes(b"")
    done(run("test", "qemu-arm64", **own), "test --long ^(system[.]one|faults[.]two)$")
    board.pop("tested_by", None)
    path.write_text(json.dumps(board))
    refused(run("test", "qemu-arm64", **own), "no test starts", "--console")
    refused(run("test", "beaglebone-black", **own), "cannot be emulated")


def the_emulator_takes_the_boot_loader_from_the_image(site):
    tree = pathlib.Path(site.path("tree"))
    for part in ("boards", "tools/flashing"):
        shutil.copytree(TREE / part, tree / part)
    shutil.copy(FLASH, tree / "tools/flash")
    path = tree / "boards/qemu-arm64/board.json"
    board = json.loads(path.read_text())
    board["emulation"]["qemu"] = ["qemu-system-aarch64", "-dtb", "{boot:board.dtb}", "-kernel", "{boot:u-boot.bin}"]
    path.write_text(json.dumps(board))
    emulator = tree / "bin/qemu-system-aarch64"
    emulator.parent.mkdir()
    emulator.write_text('#!/bin/sh\nwhile [ "$1" != -kernel ]; do shift; done\ncat "$2"\n')
    emulator.chmod(0o755)
    own = {"tool": tree / "tools/flash", "env": {**os.environ, "PATH": "%s:%s" % (emulator.parent, os.environ["PATH"])}}
    disk = tree / "build/image/qemu-arm64/disk.img"
    disk.parent.mkdir(parents=True)
    with disk.open("wb") as out:
        out.truncate(16 * MIB)
    boot = "%s@@%d" % (disk, 4 * MIB)
    tool("mformat", "-i", boot, "-T", str(8 * MIB // 512), "-h", "16", "-s", "63", "::")
    for name in ("u-boot.bin", "board.dtb"):
        refused(run("test", "qemu-arm64", "--console", **own), "the image has no ", "sudo tools/flash build qemu-arm64")
        tool("mcopy", "-i", boot, "-", "::" + name, input="this is " + name)
    done(run("test", "qemu-arm64", "--console", **own), "this is u-boot.bin")


def the_emulator_gets_the_device_tree_as_described(site):
    tree = pathlib.Path(site.path("board.dtb"))
    board = {"id": "a-board", "emulation": {"qemu": ["-dtb", "{boot:board.dtb}"],
                                            "device_tree_set": [{"node": "/watchdog", "properties": {"status": "disabled"}}]}}
    tool("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, "-", input="/dts-v1/; / { watchdog { status = \"okay\"; }; other { }; };")
    disk = site.path("disk.img")
    with open(disk, "wb") as out:
        out.truncate(16 * MIB)
    boot = "%s@@%d" % (disk, 4 * MIB)
    tool("mformat", "-i", boot, "-T", str(8 * MIB // 512), "-h", "16", "-s", "63", "::")
    tool("mcopy", "-i", boot, tree, "::board.dtb")
    tree.unlink()
    files = build.from_boot(board, disk, site.folder)
    check(tool("fdtget", files["boot:board.dtb"], "/watchdog", "status") == "disabled\n", "what QEMU gets")
    board["emulation"]["device_tree_set"][0]["node"] = "/gone"
    tree.unlink()
    try:
        build.from_boot(board, disk, site.folder)
    except Refused as why:
        check("board.dtb has no /gone" in str(why), "a node that is not there", why)
    else:
        check(False, "a node that is not there was taken")


def images_are_offered_to_raspberry_pi_imager(site):
    tree = pathlib.Path(site.path("tree"))
    for part in ("boards", "tools/flashing"):
        shutil.copytree(TREE / part, tree / part)
    shutil.copy(FLASH, tree / "tools/flash")
    own = {"tool": tree / "tools/flash"}
    refused(run("imager", "--url", "https://example.com", **own), "no image of a card")
    image, content = make_image(site)
    (tree / "build/image/rpi4").mkdir(parents=True)
    shutil.copy(image, tree / "build/image/rpi4/disk.img.xz")
    offered = json.loads(done(run("imager", "--url", "https://example.com/sluice/", **own)).stdout)["os_list"]
    check(len(offered) == 1, "one image", offered)
    entry = offered[0]
    check(entry["url"] == "https://example.com/sluice/rpi4/disk.img.xz", "where", entry)
    check(entry["extract_size"] == len(content) and entry["image_download_size"] == image.stat().st_size, "sizes", entry)
    check(entry["extract_sha256"] == tool("sha256sum", site.path("disk.img")).split()[0], "what it unpacks to", entry)
    check(entry["image_download_sha256"] == tool("sha256sum", image).split()[0], "what is fetched", entry)
    check(entry["devices"] == ["pi4-64bit"], "for which devices", entry)
    refused(run("imager", "--url", "https://example.com", "qemu-arm64", **own), "not started from a card")
    refused(run("build", "rpi4", **own), "this version has no tools/image")


main(every_board_is_listed, an_image_goes_onto_a_card_and_is_read_back, nobody_mounts_a_card_before_its_presets_are_there, what_must_not_be_overwritten_is_not,
     what_a_disk_is_decides_whether_it_is_written,
     whoever_overwrites_a_disk_types_its_name, a_damaged_image_and_a_lying_card_are_told, a_card_that_lies_at_the_very_end_is_told, what_is_read_back_comes_from_the_medium,
     a_card_that_was_pulled_out_is_told,
     a_card_that_was_written_in_part_starts_nothing, a_card_that_was_pulled_out_before_its_presets_were_on_it_starts_nothing,
     presets_need_a_boot_partition_before_anything_is_overwritten, the_time_that_is_left_is_told,
     a_node_is_flashed_by_the_commands_of_its_board, a_card_comes_up_as_its_label_says,
     building_and_testing_are_left_to_whoever_does_that,
     the_emulator_takes_the_boot_loader_from_the_image, the_emulator_gets_the_device_tree_as_described,
     images_are_offered_to_raspberry_pi_imager)
