"""What boards/NAME/board.json says of a node's board, as a header and a linker script.

A board is data: nothing else of the firmware knows its name.
"""
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER_ROOM = 512  # in front of a version in a slot; and what its vectors are aligned to
STACK_LEAST = 1024
PLACES = ("node", "slot-a", "slot-b")  # what the program is linked for
FRAMINGS = {"silence": "MAP_SETTING_FRAMING_IS_BY_SILENCE", "length": "MAP_SETTING_FRAMING_IS_BY_LENGTH"}
ANALOG_PORT = 0x10  # a converter's inputs that are no pins: ADC0 ...
LED_PORT = 0x20     # lights that are no pins: LED0 ...


class Wrong(Exception):
    pass


def names():
    """All boards that are nodes."""
    return sorted(path.parent.name for path in ROOT.glob("boards/*/board.json")
                  if json.loads(path.read_text(encoding="utf-8"))["kind"] == "node")


def load(name, emulated=False):
    """The board, with its part "node" as it is on the bench, or in the emulator."""
    path = ROOT / "boards" / name / "board.json"
    if not path.exists():
        raise Wrong("there is no board %s: nodes are %s" % (name, ", ".join(names())))
    board = json.loads(path.read_text(encoding="utf-8"))
    if "node" not in board:
        raise Wrong("%s is no node: nodes are %s" % (name, ", ".join(names())))
    if emulated:
        board["node"].update(board["emulation"].get("node", {}))
    return board


def pin(text):
    """PA8: port 0, pin 8. P0.13: port 0, pin 13. ADC1, LED0: inputs and lights that are no pins."""
    if text is None:
        return "BOARD_NO_PIN"
    for pattern, port in (("P([A-Z])([0-9]+)", None), ("P([0-9])[.]([0-9]+)", None), ("ADC([0-9]+)", ANALOG_PORT),
                          ("LED([0-9]+)", LED_PORT)):
        match = re.fullmatch(pattern, text)
        if match and port is None:
            letter = match.group(1)
            port = ord(letter) - ord("A") if letter.isalpha() else int(letter)
        if match:
            return "0x%04X" % (port << 8 | int(match.groups()[-1]))
    raise Wrong("%s is no pin: PA8, P0.13, ADC1 or LED0" % text)


def pins(texts, count):
    texts = list(texts) + [None] * (count - len(texts))
    if len(texts) > count:
        raise Wrong("there is room for %d pins, not for %s" % (count, ", ".join(texts)))
    return "{%s}" % ", ".join(pin(text) for text in texts)


def analogs(entries, count):
    entries = list(entries) + [{"pin": None, "full_mv": 0}] * (count - len(entries))
    return "{%s}" % ", ".join("{%s, %d}" % (pin(entry["pin"]), entry["full_mv"]) for entry in entries)


def flashes(pattern):
    """Of the boot loader's light, which a board may be without: a light_pattern of core/light.h."""
    pattern = pattern or {"count": 1, "on_ms": 1000, "off_ms": 1000, "pause_ms": 1000}
    return "{%(count)d, %(on_ms)d, %(off_ms)d, %(pause_ms)d}" % pattern


def region(board, name):
    """Address, size and page of a part of the flash; zeros where the board has none."""
    flash = board["memory"]["flash"]
    for entry in board["memory"]["map"]:
        if entry["name"] == name:
            at = int(entry["at"], 16)
            return at, entry["size"], page_at(flash, at)
    return 0, 0, 0


def page_at(flash, at):
    if "page" in flash:
        return flash["page"]
    end = int(flash["at"], 16)
    for sector in flash["sectors"]:
        end += sector["size"] * sector["count"]
        if at < end:
            return sector["size"]
    raise Wrong("0x%08x is behind the flash" % at)


def drive_pin(serial):
    return serial["driver_enable"][5:] if serial["driver_enable"].startswith("gpio:") else None


def header(board):
    """The lines of board.h."""
    node, serial = board["node"], board["serial"][0]
    i2c = node.get("i2c") or {}
    led = next((entry for entry in board["leds"] if "pin" in entry), {})
    yield "/* Made by firmware/node/board.py from boards/%s/board.json: change it there. */" % board["id"]
    yield "#ifndef SLUICE_NODE_BOARD_H"
    yield "#define SLUICE_NODE_BOARD_H"
    yield ""
    yield "#define BOARD_NO_PIN 0xFFFF"
    yield "#define BOARD_LED_PORT 0x%02X" % LED_PORT
    yield '#define BOARD_ID "%s"' % board["id"]
    yield "#define BOARD_CLOCK_HZ %du" % node["clock_hz"]
    yield "#define BOARD_CLOCK_FIXED %d" % node.get("clock_fixed", False)
    yield "#define BOARD_FRAMING %s" % FRAMINGS[node.get("framing", "silence")]
    yield "#define BOARD_SERIAL_AT %su" % (node.get("serial_number_at") or "0x0")
    yield "#define BOARD_LINE_TX %s" % pin(serial.get("tx"))
    yield "#define BOARD_LINE_RX %s" % pin(serial.get("rx"))
    yield "#define BOARD_LINE_DRIVE %s" % pin(drive_pin(serial))
    yield "#define BOARD_RESCUE %s" % pin(node.get("rescue"))
    yield "#define BOARD_HAS_RESCUE %d" % bool(node.get("rescue"))
    yield "#define BOARD_I2C_CLOCK %s" % pin(i2c.get("clock"))
    yield "#define BOARD_I2C_DATA %s" % pin(i2c.get("data"))
    yield "#define BOARD_LED %s" % pin(led.get("pin"))
    yield "#define BOARD_FLASHES %s" % flashes(led.get("flashes"))
    yield "#define BOARD_LOW %s" % pins(node.get("low", []), max(1, len(node.get("low", []))))
    yield "#define BOARD_INPUTS %s" % pins(node.get("inputs", []), 4)
    yield "#define BOARD_OUTPUTS %s" % pins(node.get("outputs", []), 2)
    yield "#define BOARD_ANALOGS %s" % analogs(node.get("analog", []), 2)
    for name, prefix in (("settings", "SETTINGS"), ("slot-a", "SLOT_A"), ("slot-b", "SLOT_B")):
        at, size, page = region(board, name)
        yield "#define BOARD_%s_AT 0x%08Xu" % (prefix, at)
        yield "#define BOARD_%s_SIZE %du" % (prefix, size)
        yield "#define BOARD_%s_PAGE %du" % (prefix, page)
    yield ""
    yield "#endif"


def layout(board, place):
    """The lines of a linker script: for a slot, the boot loader, or standing alone. Alone the vectors are where the processor looks for
    them, and all else is where slot A would be: the settings between the two stay."""
    ram = board["memory"]["ram"]
    slot_at, slot_size, _ = region(board, "slot-a" if place == "node" else place)
    room = 0 if place == "boot" else HEADER_ROOM
    vectors_at = region(board, "boot")[0] if place == "node" else slot_at + room
    vectors_in_ram = 192 if board["cpu"]["architecture"] == "armv6m" else 0
    return """/* Made by firmware/node/board.py from boards/%(id)s/board.json: change it there. */
MEMORY
{
    vectors (rx) : ORIGIN = 0x%(vectors_at)08X, LENGTH = %(room)d
    rom (rx) : ORIGIN = 0x%(rom_at)08X, LENGTH = %(rom_size)d
    ram (rwx) : ORIGIN = %(ram_at)s, LENGTH = %(ram_size)d
}

ENTRY(cortex_reset)

SECTIONS
{
    .vectors : { KEEP(*(.forward)) layout_vectors = .; KEEP(*(.vectors)) layout_vectors_end = .; } > %(vectors)s
    .text : { *(.text*) *(.rodata*) . = ALIGN(4); } > rom
    .vectors_ram (NOLOAD) : { layout_vectors_ram = .; . += %(vectors_in_ram)d; } > ram
    .noinit (NOLOAD) : { KEEP(*(.noinit)) } > ram
    .data : { layout_data = .; *(.data*) . = ALIGN(4); layout_data_end = .; } > ram AT > rom
    layout_data_load = LOADADDR(.data);
    .bss (NOLOAD) : { layout_bss = .; *(.bss*) *(COMMON) . = ALIGN(4); layout_bss_end = .; } > ram
    layout_stack_top = ORIGIN(ram) + LENGTH(ram);
    /DISCARD/ : { *(.ARM.exidx*) *(.ARM.extab*) *(.comment) }
}

ASSERT(layout_stack_top - layout_bss_end >= %(stack)d, "too little memory is left for the stack")
""" % {"id": board["id"], "vectors_at": vectors_at, "room": HEADER_ROOM, "rom_at": slot_at + room,
       "rom_size": slot_size - room, "ram_at": ram["at"], "ram_size": ram["size"],
       "vectors": "vectors" if place == "node" else "rom", "vectors_in_ram": vectors_in_ram, "stack": STACK_LEAST}
