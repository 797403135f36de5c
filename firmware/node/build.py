"""Builds the firmware of nodes: for each board what stands alone, a boot loader, and a version for each slot.

Twice: as it is on the bench, and below emulated/ as the board's emulation wants it (frames by their length, another clock).
Nothing of a build depends on where or when it is made.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import bearssl
import board as boards
import sign

ROOT = boards.ROOT
NODE = ROOT / "firmware" / "node"
OUT = ROOT / "build" / "node"
PREFIX = "arm-none-eabi-"
KEY = OUT / "keys" / "development.pem"
BOOT_SIZE_MAX = 16384

# The folders of soc/ that make up each SoC.
SOCS = {
    "stm32f1": ("shared", "cortex", "systick", "stm32", "stm32f1"),
    "stm32f4": ("shared", "cortex", "systick", "stm32", "stm32f4"),
    "lm3s": ("shared", "cortex", "systick", "sp805", "lm3s"),
    "nrf51": ("shared", "cortex", "nrf51"),
    "mps2": ("shared", "cortex", "systick", "sp805", "mps2"),
}
WARNINGS = ("-Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wcast-align "
            "-Wwrite-strings -Werror").split()
# Signed numbers wrap: see core/bme280.c in CMakeLists.txt.
CODE = "-std=gnu11 -mthumb -Os -g -ffreestanding -ffunction-sections -fdata-sections -fwrapv -fno-strict-aliasing".split()
LINK = "-mthumb -nostartfiles --specs=nano.specs -Wl,--gc-sections,--build-id=none,--fatal-warnings".split()
BOOT = ["-flto"]  # every byte counts there


def version():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"project\(sluice VERSION ([0-9.]+)", text).group(1)


def sources(board, program):
    """Of the program, and of what the programs of that board share."""
    folders = [NODE / "core", *(NODE / "soc" / name for name in SOCS[board["node"]["soc"]])]
    return [path for folder in [NODE / program, *folders] for path in sorted(folder.glob("*.c"))]


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        raise boards.Wrong("%s\n%s" % (" ".join(map(str, words)), done.stderr.strip()))
    return done.stdout


def compile_one(source, board, folder, *more):
    made = folder / ("_".join(["", *more, str(source.relative_to(NODE)).replace("/", "_")])[1:-2] + ".o")
    soc = NODE / "soc" / SOCS[board["node"]["soc"]][-1]
    crypto = ["-isystem", bearssl.folder() / "inc"] if source.parent.name == "boot" else []
    run([PREFIX + "gcc", "-mcpu=" + board["cpu"]["core"], *CODE, *WARNINGS, "-ffile-prefix-map=%s=." % ROOT,
         "-ffile-prefix-map=%s=made" % folder, "-ffile-prefix-map=%s=crypto" % bearssl.cache(), '-DNODE_VERSION="%s"' % version(),
         "-I", NODE.parent, "-I", soc, "-I", folder, *crypto, *more, "-c", source, "-o", made])
    return made


@contextlib.contextmanager
def alone(out):
    """One at a time in that folder: whoever comes second finds what the first one built."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_stamped(folder, wanted):
    """Whether what is there was made of `wanted`; else its stamp goes, since it will be made anew."""
    stamp = folder / "stamp"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return True
    stamp.unlink(missing_ok=True)
    return False


def compile_crypto(core):
    """BearSSL as it is: its warnings are its own. Once for all boards of that core."""
    home, folder = bearssl.folder(), OUT / "crypto" / core
    words = [PREFIX + "gcc", "-mcpu=" + core, *CODE, *BOOT, "-w", "-ffile-prefix-map=%s=crypto" % bearssl.cache(), "-I", home / "inc",
             "-I", home / "src"]
    made = {source: folder / (source.replace("/", "_")[:-2] + ".o") for source in bearssl.SOURCES}
    wanted = "%s %s %s" % (bearssl.SHA256, " ".join(map(str, words)), run([PREFIX + "gcc", "--version"]))
    with alone(folder):
        if not is_stamped(folder, wanted):
            for source, path in made.items():
                run([*words, "-c", home / "src" / source, "-o", path])
            (folder / "stamp").write_text(wanted, encoding="utf-8")
    return list(made.values())


def link(board, place, objects, folder, out, *more):
    script = folder / (place + ".ld")
    script.write_text(boards.layout(board, place), encoding="utf-8")
    elf = out / (place + ".elf")
    run([PREFIX + "gcc", "-mcpu=" + board["cpu"]["core"], *LINK, *more, "-T", script, *objects, "-o", elf])
    run([PREFIX + "objcopy", "-O", "binary", elf, out / (place + ".bin")])


def write_made(board, folder, key):
    point = ", ".join(str(byte) for byte in sign.public_point(key))
    (folder / "boot_key.h").write_text("static const uint8_t boot_key[65] = {%s};\n" % point, encoding="utf-8")
    run(["python3", "-B", NODE / "map.py", ROOT / "drivers" / "profiles" / "sluice-node.json", folder / "map_table.h"])
    (folder / "board.h").write_text("\n".join(boards.header(board)) + "\n", encoding="utf-8")


def link_boot(board, folder, out):
    mine = [compile_one(source, board, folder, *BOOT) for source in sources(board, "boot")]
    link(board, "boot", [*mine, *compile_crypto(board["cpu"]["core"])], folder, out, "-Os", *BOOT)
    size = (out / "boot.bin").stat().st_size
    if size > BOOT_SIZE_MAX:
        raise boards.Wrong("the boot loader of %s has %d bytes; %d are allowed" % (board["id"], size, BOOT_SIZE_MAX))


def sign_all(board, secret, out, **how):
    """The update file of what was built, and slot A as a new node has it."""
    parts = [sign.part(secret, board["id"], slot, (out / ("slot-%s.bin" % name)).read_bytes(), how.get("version") or version(),
                       how.get("oldest", "0.0.0"), how.get("confirm_within_s", sign.CONFIRM_WITHIN_S))
             for slot, name in enumerate("ab")]
    file = out / ("sluice-node-%s-%s.snu" % (board["id"], how.get("version") or version()))
    file.write_bytes(sign.update_file(parts))
    (out / "slot-a.img").write_bytes(sign.slot_image(parts[0]))
    return file


def development_key():
    if not KEY.exists():
        try:
            sign.keygen(KEY)
        except boards.Wrong:  # another build was quicker
            if not KEY.exists():
                raise
    return KEY


def build_variant(name, emulated, out, key):
    board = boards.load(name, emulated)
    with tempfile.TemporaryDirectory(prefix="sluice-node-") as made:
        folder = pathlib.Path(made)
        fresh = folder / "out"
        fresh.mkdir()
        write_made(board, folder, key or KEY)
        objects = [compile_one(source, board, folder) for source in sources(board, "app")]
        for place in boards.PLACES:
            link(board, place, objects, folder, fresh)
        link_boot(board, folder, fresh)
        if not key:
            sign_all(board, KEY, fresh)
        out.mkdir(parents=True, exist_ok=True)
        for path in fresh.iterdir():
            shutil.move(path, out / path.name)


def sizes(elf):
    """Bytes of flash and of memory."""
    text, data, bss = (int(word) for word in run([PREFIX + "size", elf]).splitlines()[1].split()[:3])
    return text + data, data + bss


def stamp_of(name, key):
    """What a build of this board depends on."""
    inputs = [path for path in sorted(NODE.rglob("*")) if path.suffix in (".c", ".h", ".py")]
    inputs += [ROOT / "boards" / name / "board.json", ROOT / "drivers" / "profiles" / "sluice-node.json"]
    digest = hashlib.sha256((version() + run([PREFIX + "gcc", "--version"])).encode() + pathlib.Path(key or KEY).read_bytes())
    for path in inputs:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build(name, out=None, key=None):
    """Both variants of a board, where they are not there yet. Returns (bytes of flash, bytes of memory) of the version for
    slot A. `key`: the public key for the boot loader. Without it the one for development is used, and both versions are signed
    with it."""
    out = pathlib.Path(out) if out else OUT / name
    if not key:
        development_key()
    with alone(out):
        wanted = stamp_of(name, key)
        if not is_stamped(out, wanted):
            build_variant(name, False, out, key)
            build_variant(name, True, out / "emulated", key)
            (out / "stamp").write_text(wanted, encoding="utf-8")
    return sizes(out / "slot-a.elf")


def build_all(wanted, key=None):
    """Name -> sizes, as they are ready."""
    for name in wanted:
        boards.load(name)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = {name: pool.submit(build, name, None, key) for name in wanted}
        for name, future in made.items():
            yield name, future.result()
