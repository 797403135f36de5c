#!/usr/bin/env python3
"""What every folder in boards/ must be: valid by the schema, with a memory map that adds up, and honest about its tests.

boards.py SOURCE            checks all; exit status 77 where python3-jsonschema is not installed
boards.py SOURCE --self-test   plants mistakes in copies of a gateway's and a node's folder; each must be found, and told as what it is
"""
import copy
import json
import os
import re
import shutil
import sys
import tempfile
import xml.etree.ElementTree

BOOT_SIZE_MAX = 16384
GATEWAY_PARTITIONS = ["boot", "root-a", "root-b", "data"]
NODE_MAP = ["boot", "settings", "slot-a", "slot-b"]
WAYS = {"gateway": ["card", "file"], "node": ["openocd", "st-flash", "dfu", "copy"]}
PROGRAMS = {"openocd": "openocd", "st-flash": "st-flash", "dfu": "dfu-util"}
NODE_FILES = ["node.elf", "node.bin", "boot.elf", "boot.bin", "slot-a.img", "slot-a.bin", "slot-b.bin"]
DRAWING_SIZE_MAX = 24 * 1024
IN_C = re.compile(r"#\s*(?:el)?if(?:n?def)?\b.*\bBOARD")


def load(source):
    """Folder -> description of all boards."""
    folder = os.path.join(source, "boards")
    return {name: json.load(open(os.path.join(folder, name, "board.json"))) for name in sorted(os.listdir(folder))
            if os.path.isdir(os.path.join(folder, name))}


def repeated(names):
    return sorted({name for name in names if names.count(name) > 1})


def sectors(flash):
    """(address, size) of everything that is erased at once."""
    at = int(flash["at"], 16)
    kinds = flash.get("sectors") or [{"size": flash["page"], "count": flash["size"] // flash["page"]}]
    for kind in kinds:
        for _ in range(kind["count"]):
            yield at, kind["size"]
            at += kind["size"]


def wrong_map(memory):
    """Sentences about the memory map of a node."""
    flash = memory["flash"]
    begin, end = int(flash["at"], 16), int(flash["at"], 16) + flash["size"]
    pieces = list(sectors(flash))
    edges = {at for at, _ in pieces} | {at + size for at, size in pieces}
    if sum(size for _, size in pieces) != flash["size"]:
        yield "the pages of the flash are not its size"
    parts = sorted((int(part["at"], 16), part["size"], part["name"]) for part in memory["map"])
    names = [name for _, _, name in parts]
    if set(NODE_MAP) - set(names) or repeated(names):
        yield "the map has %s; each of %s is expected once" % (names, NODE_MAP)
    for at, size, name in parts:
        if at < begin or at + size > end:
            yield "%s is not in the flash" % name
        if at not in edges or at + size not in edges:
            yield "%s does not begin and end with a page" % name
    for (at, size, name), (following, _, other) in zip(parts, parts[1:]):
        if at + size > following:
            yield "%s and %s overlap" % (name, other)
    sizes = {name: size for _, size, name in parts}
    if sizes.get("boot", 0) > BOOT_SIZE_MAX:
        yield "the boot loader has more than %d bytes" % BOOT_SIZE_MAX
    if sizes.get("slot-a") != sizes.get("slot-b"):
        yield "the slots differ in size"
    settings = [part for part in parts if part[2] == "settings"]
    for at, size, _ in settings:
        if len([1 for page, _ in pieces if at <= page < at + size]) < 2:
            yield "settings need two pages, so that one is whole while the other is erased"
    ram = int(memory["ram"]["at"], 16)
    if ram < end and ram + memory["ram"]["size"] > begin:
        yield "memory and flash overlap"


def wrong_storage(storage):
    names = [part["name"] for part in storage["partitions"]]
    if [name for name in names if name in GATEWAY_PARTITIONS] != GATEWAY_PARTITIONS:
        yield "the partitions are %s; expected are %s in this order" % (names, GATEWAY_PARTITIONS)
    if repeated(names):
        yield "two partitions of one name: %s" % repeated(names)
    sizes = {part["name"]: part["mb"] for part in storage["partitions"]}
    if sizes.get("root-a") != sizes.get("root-b"):
        yield "root-a and root-b differ in size"
    if [part["name"] for part in storage["partitions"] if part.get("grows")] != [names[-1]]:
        yield "the last partition, and no other, grows"
    if storage["table"] == "mbr" and len(names) > 4:
        yield "an MBR has room for four partitions"


def placeholders(words):
    return re.findall(r"{([^}]*)}", " ".join(words))


def wrong_commands(board):
    """What the commands of flashing and of the emulator speak of must be there."""
    places = ["at:" + part["name"] for part in board["memory"].get("map", [])]
    for way in board["flash"]:
        if way["how"] not in WAYS[board["kind"]]:
            yield "a %s is not flashed by %s" % (board["kind"], way["how"])
        if (way["how"] in PROGRAMS) != ("commands" in way):
            yield "%s: commands are for the programs %s" % (way["how"], ", ".join(PROGRAMS))
        for command in way.get("commands", []):
            if command[0] != PROGRAMS.get(way["how"]):
                yield "%s runs %s" % (way["how"], command[0])
            strange = [name for name in placeholders(command) if name not in NODE_FILES + places]
            if strange:
                yield "%s: nothing is called {%s}" % (way["how"], strange[0])
    allowed = ["disk", "serial"] if board["kind"] == "gateway" else NODE_FILES + places + ["serial"]
    strange = [name for name in placeholders(board["emulation"]["qemu"])
               if name not in allowed and not (board["kind"] == "gateway" and name.startswith("boot:"))]
    if strange:
        yield "the line of QEMU: nothing is called {%s}" % strange[0]
    if bool(board["emulation"]["qemu"]) != bool(board["emulation"]["covers"]):
        yield "emulation without a line of QEMU covers nothing, and with one it covers something"


def wrong_state(board, tests):
    """A board is called booted where a test boots it, and nowhere else."""
    if (board["state"] == "booted") != ("tested_by" in board):
        yield "booted is what the tests in tested_by boot: the one does not stand without the other"
    for name in board.get("tested_by", []):
        if name not in tests:
            yield "there is no test %s" % name
    if board["state"] == "booted" and not board["emulation"]["qemu"]:
        yield "booted without an emulator"


def wrong_german(board):
    """What the page shows has its German, and nothing else has."""
    german = board["de"]
    texts = {port["label"] for port in board["serial"]}
    if texts != set(german["serial"]):
        yield "German for the ports: %s differ" % sorted(texts ^ set(german["serial"]))
    lights = {(led["label"], state) for led in board["leds"] for state in led["means"]}
    told = {(label, state) for label, means in german["leds"].items() for state in means}
    if lights != told:
        yield "German for the lights: %s differ" % sorted(lights ^ told)


def node_pins(board):
    """Every pin of a node that has a use."""
    node, port = board.get("node", {}), board["serial"][0]
    found = [port.get("tx"), port.get("rx"), node.get("rescue"), *(node.get("i2c") or {}).values()]
    found += [port["driver_enable"][5:]] if port["driver_enable"].startswith("gpio:") else []
    for key in ("inputs", "outputs", "low"):
        found += node.get(key, [])
    found += [entry["pin"] for entry in node.get("analog", [])] + [led.get("pin") for led in board["leds"][:1]]
    return [pin for pin in found if pin]


def wrong_lights(board):
    """A node's light shows when its boot loader waits for an update, and the description says so."""
    for led in board["leds"]:
        if ("flashes" in led) != ("flashes" in led["means"]):
            yield "the light %s: what flashing means and how it flashes do not stand without each other" % led["label"]
    pinned = [led for led in board["leds"] if "pin" in led]
    if board["kind"] == "node" and pinned and "flashes" not in pinned[0]:
        yield "the light %s does not flash for the boot loader" % pinned[0]["label"]


def wrong_board(board, tests):
    """Sentences about a description that is valid by the schema."""
    labels = [port["label"].lower() for port in board["serial"]]
    if repeated(labels):
        yield "two serial ports of one label: %s" % repeated(labels)
    if board["kind"] == "node":
        yield from wrong_map(board["memory"])
    else:
        yield from wrong_storage(board["storage"])
        yield from wrong_german(board)
    if board["kind"] == "node" and repeated(node_pins(board)):
        yield "a pin with two uses: %s" % repeated(node_pins(board))
    yield from wrong_lights(board)
    yield from wrong_commands(board)
    yield from wrong_state(board, tests)


def wrong_files(folder, board):
    """The page and the drawing beside the description."""
    page = os.path.join(folder, "README.md")
    if not os.path.isfile(page):
        yield "README.md is missing"
    else:
        text = open(page).read()
        if "wiring.svg" not in text:
            yield "README.md does not show wiring.svg"
        missing = [port["label"] for port in board["serial"] if port["label"] not in text]
        if missing:
            yield "README.md does not speak of the port %s" % missing[0]
        told = text + json.dumps([board["serial"], board["leds"]])
        untold = [pin for pin in node_pins(board) if pin not in told] if board["kind"] == "node" else []
        if untold:
            yield "README.md does not say what is at %s" % untold[0]
        if "**%s" % board["state"].capitalize() not in text:
            yield "README.md does not say plainly: **%s**" % board["state"].capitalize()
    drawing = os.path.join(folder, "wiring.svg")
    if not os.path.isfile(drawing):
        yield "wiring.svg is missing"
        return
    if os.path.getsize(drawing) > DRAWING_SIZE_MAX:
        yield "wiring.svg is larger than %d bytes" % DRAWING_SIZE_MAX
    text = open(drawing).read()
    root = xml.etree.ElementTree.fromstring(text)
    if root.find("{http://www.w3.org/2000/svg}title") is None or root.find("{http://www.w3.org/2000/svg}desc") is None:
        yield "wiring.svg has no title and desc for who cannot see it"
    if re.search(r"<script|href=|url\(|@import", text):
        yield "wiring.svg loads or runs something"
    for word in ("GND", "120 Ω", "prefers-color-scheme: dark"):
        if word not in text:
            yield "wiring.svg: %s is missing" % word


def known_tests(source):
    """The names of all tests: those of the folders, one for each file, and those that CMake names."""
    names = set()
    for folder, kind in (("unit", "unit"), ("system", "system"), ("faults", "faults")):
        for name in os.listdir(os.path.join(source, "tests", folder)):
            match = re.fullmatch(r"test_(\w+)\.(?:c|py)", name)
            if match:
                names.add("%s.%s" % (kind, match[1]))
    for folder, _, files in os.walk(os.path.join(source, "tests")):
        if "CMakeLists.txt" in files:
            names |= set(re.findall(r"add_test\(NAME ([\w.]+)", open(os.path.join(folder, "CMakeLists.txt")).read()))
    return names


def boards_in_code(source, ids):
    """Code that asks which board it runs on."""
    quoted = re.compile(r'"(?:%s)"' % "|".join(map(re.escape, ids)))
    for part in ("gateway", "drivers", "firmware"):
        for folder, _, files in os.walk(os.path.join(source, part)):
            for name in sorted(files):
                if not name.endswith((".c", ".h")) or "node_modules" in folder:
                    continue
                path = os.path.join(folder, name)
                for number, line in enumerate(open(path, errors="replace"), 1):
                    if IN_C.search(line) or quoted.search(line):
                        yield "%s:%d: boards are data: %s" % (os.path.relpath(path, source), number, line.strip())


def faults(source):
    """Every sentence about all boards. Needs jsonschema."""
    import jsonschema

    schema = json.load(open(os.path.join(source, "docs/board.schema.json")))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    boards, tests = load(source), known_tests(source)
    for name, board in boards.items():
        errors = ["%s: %s" % ("/".join(map(str, error.path)), error.message) for error in validator.iter_errors(board)]
        if board.get("id") != name:
            errors.append("its id is %s" % board.get("id"))
        errors = errors or [*wrong_board(board, tests), *wrong_files(os.path.join(source, "boards", name), board)]
        for sentence in errors:
            yield "boards/%s: %s" % (name, sentence)
    yield from boards_in_code(source, list(boards))


def change(path, value):
    """A mistake: puts the value at that path, or takes away what is there where it is None."""
    def plant(board):
        *way, last = path
        for step in way:
            board = board[step]
        if value is None:
            del board[last]
        else:
            board[last] = value
    return plant


def as_it_is(_board):
    """No mistake at all."""


def without_flashes(board):
    """A light that says nothing of a boot loader."""
    del board["leds"][0]["flashes"], board["leds"][0]["means"]["flashes"]


def add(path, at, value):
    """A mistake: one more in the list at that path."""
    def plant(board):
        for step in path:
            board = board[step]
        board.insert(at, value)
    return plant


SCHEMA = None  # in the place of words: the schema finds it
# What each of them has to be told by. Where it is no mistake but the last that is none, there is no word.
MISTAKES = {
    "rpi4": [
        (as_it_is, ""),
        (change(["serial", 1, "label"], "usb"), "two serial ports of one label"),
        (change(["state"], "booted"), "the one does not stand without the other"),
        (change(["tested_by"], ["system.nowhere"]), "there is no test system.nowhere"),
        (change(["storage", "partitions", 2, "mb"], 1), "root-a and root-b differ"),
        (change(["storage", "partitions", 0, "name"], "data"), "in this order"),
        (change(["storage", "partitions", 3, "grows"], None), "the last partition, and no other, grows"),
        (change(["storage", "partitions", 2, "grows"], True), "the last partition, and no other, grows"),
        (add(["storage", "partitions"], 3, {"name": "more", "format": "ext4", "mb": 1}), "room for four partitions"),
        (add(["storage", "partitions"], 3, {"name": "boot", "format": "vfat", "mb": 1}), "two partitions of one name"),
        (change(["flash", 0, "how"], "openocd"), "is not flashed by openocd"),
        (change(["emulation", "covers"], ["all"]), "emulation without a line of QEMU covers nothing"),
        (change(["serial", 0, "port"], None), SCHEMA),
        (change(["de", "serial", "USB"], None), "German for the ports"),
        (change(["de", "leds", "PWR", "blink"], "blinkt"), "German for the lights"),
        (change(["memory", "map"], []), SCHEMA),
        (change(["cpu", "architecture"], "armv7m"), SCHEMA),
        (change(["colour"], "green"), SCHEMA),
    ],
    "stm32vldiscovery": [
        (as_it_is, ""),
        (change(["memory", "map", 1, "at"], "0x08003c00"), "boot and settings overlap"),
        (change(["memory", "map", -1, "at"], "0x08014000"), ""),
        (change(["memory", "map", -1, "at"], "0x08014400"), "slot-b is not in the flash"),
        (change(["memory", "map", 0, "at"], "0x07fffc00"), "boot is not in the flash"),
        (change(["memory", "map", -1, "size"], 49153), "slot-b does not begin and end with a page"),
        (change(["memory", "map", 1], {"name": "settings", "at": "0x08004200", "size": 3584}), "settings does not begin and end with a page"),
        (change(["memory", "map", 0, "size"], 17408), "the boot loader has more than"),
        (change(["memory", "map", 1, "size"], 2048), ""),
        (change(["memory", "map", 1, "size"], 1024), "settings need two pages"),
        (change(["memory", "map", -1, "size"], 48128), "the slots differ in size"),
        (change(["memory", "map", 1], None), "is expected once"),
        (add(["memory", "map"], 4, {"name": "slot-b", "at": "0x0801e000", "size": 1024}), "is expected once"),
        (change(["memory", "ram", "at"], "0x08020000"), ""),
        (change(["memory", "ram", "at"], "0x0801fffc"), "memory and flash overlap"),
        (change(["memory", "ram", "at"], "0x07ffe000"), ""),
        (change(["memory", "ram", "at"], "0x07ffe004"), "memory and flash overlap"),
        (change(["memory", "flash", "page"], 1000), "the pages of the flash are not its size"),
        (change(["flash", 0, "commands", 0, 4], "program {slot-c.bin}"), "nothing is called {slot-c.bin}"),
        (change(["flash", 0, "commands", 0, 0], "st-flash"), "openocd runs st-flash"),
        (change(["flash", 0, "commands"], None), "commands are for the programs"),
        (change(["emulation", "qemu"], []), "booted without an emulator"),
        (change(["emulation", "qemu"], ["{disk}"]), "nothing is called {disk}"),
        (change(["serial", 0, "port"], "/dev/ttyS0"), SCHEMA),
        (change(["node", "rescue"], "PA9"), "a pin with two uses"),
        (change(["node", "inputs", 1], "PB6"), "a pin with two uses"),
        (change(["leds", 0, "flashes"], None), "do not stand without each other"),
        (change(["leds", 0, "means", "flashes"], None), "do not stand without each other"),
        (without_flashes, "does not flash for the boot loader"),
        (change(["leds", 0, "flashes", "count"], 0), SCHEMA),
    ],
}


def overlooked(source):
    """The mistakes that are not found, or found as something else; and what is none, and called one."""
    import jsonschema

    validator = jsonschema.Draft7Validator(json.load(open(os.path.join(source, "docs/board.schema.json"))))
    boards, tests = load(source), known_tests(source)
    for name, mistakes in MISTAKES.items():
        for number, (plant, words) in enumerate(mistakes, 1):
            board = copy.deepcopy(boards[name])
            plant(board)
            valid = validator.is_valid(board)
            said = list(wrong_board(board, tests)) if valid else []
            found = not valid if words is SCHEMA else any(words in sentence for sentence in said) if words else valid and not said
            if not found:
                yield "%s, %d: expected is %s, and told is %s" % (name, number, words or ("the schema's word" if words is SCHEMA else "nothing"), said)


def put(old, new, count=-1):
    """A mistake in a file: a word in the place of another one."""
    return lambda text: text.replace(old, new, count)


def grown(size):
    """The drawing with so many bytes, by a remark at its end."""
    return lambda text: text + "<!--%s-->" % (" " * (size - len(text.encode()) - len("<!---->")))


FILES = {
    "rpi4": [
        ("README.md", None, "README.md is missing"),
        ("README.md", put("wiring.svg", "wiring.png"), "does not show wiring.svg"),
        ("README.md", put("USB", "U S B"), "does not speak of the port USB"),
        ("README.md", put("**Built", "**Booted"), "does not say plainly: **Built"),
        ("wiring.svg", None, "wiring.svg is missing"),
        ("wiring.svg", grown(DRAWING_SIZE_MAX), ""),
        ("wiring.svg", grown(DRAWING_SIZE_MAX + 1), "is larger than"),
        ("wiring.svg", put("title", "text"), "no title and desc"),
        ("wiring.svg", put("desc", "text"), "no title and desc"),
        ("wiring.svg", put("</svg>", "<script/></svg>"), "loads or runs something"),
        ("wiring.svg", put("</svg>", '<image href="x.png"/></svg>'), "loads or runs something"),
        ("wiring.svg", put("GND", "0 V"), "GND is missing"),
    ],
    "stm32vldiscovery": [("README.md", put("PB13", "PB"), "does not say what is at PB13")],
}
CODE = {'#ifdef BOARD_X\n': True, '#  elif defined BOARD\n': True, 'if (strcmp(name, "rpi4") == 0)\n': True, '#if BOARDS\n': True,
        'x = board_of("rpi44");\n': False, '/* rpi4 */\n': False}


def overlooked_in_files(source):
    """The same of what is beside a description, and of code."""
    boards = load(source)
    with tempfile.TemporaryDirectory(prefix="sluice-boards-") as folder:
        for name, mistakes in FILES.items():
            for number, (file, change_text, words) in enumerate(mistakes, 1):
                place = os.path.join(folder, "%s-%d" % (name, number))
                shutil.copytree(os.path.join(source, "boards", name), place)
                path = os.path.join(place, file)
                text = open(path).read()
                os.unlink(path)
                if change_text:
                    with open(path, "w") as out:
                        out.write(change_text(text))
                said = list(wrong_files(place, boards[name]))
                if not (any(words in sentence for sentence in said) if words else not said):
                    yield "%s of %s, %d: expected is %s, and told is %s" % (file, name, number, words or "nothing", said)
        os.makedirs(os.path.join(folder, "drivers/sub"))
        for line, wrong in CODE.items():
            with open(os.path.join(folder, "drivers/sub/one.c"), "w") as out:
                out.write("/* A file. */\n" + line)
            said = list(boards_in_code(folder, list(boards)))
            if (len(said) == 1 and ":2: boards are data" in said[0]) != wrong:
                yield "in code: %s is told as %s" % (line.strip(), said)


def main(arguments):
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        print("python3-jsonschema is not installed")
        return 77
    source = arguments[0]
    sentences = [*overlooked(source), *overlooked_in_files(source)] if "--self-test" in arguments else list(faults(source))
    print("\n".join(sentences) or "nothing is wrong")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
