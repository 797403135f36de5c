#!/usr/bin/env python3
"""Makes the register map of the node's firmware from the profile that the gateway reads it by: one truth for both.

map.py PROFILE.json OUT.h
"""
import json
import re
import sys
from fractions import Fraction

SIZES = {"u16": 1, "i16": 1, "u32": 2, "u64": 4}
TABLES = {"input": "INPUT", "holding": "HOLDING", "discrete": "DISCRETE", "coil": "COIL"}


class Wrong(Exception):
    pass


def word(text):
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")


def size_of(point):
    if point.get("type") == "string":
        return point["length"]
    return SIZES[point.get("type", "u16")]


def per_unit(point):
    """How many of the register's steps make one of its unit: a whole number, since firmware has no fractions."""
    steps = 1 / Fraction(repr(point.get("scale", 1)))
    if steps.denominator != 1:
        raise Wrong("%s: a step of %s is not a whole part of one" % (point["id"], point["scale"]))
    return int(steps)


def limits(point):
    """The least and the most that the register takes, in its own steps."""
    write = point["write"]
    scale = Fraction(repr(point.get("scale", 1)))
    bounds = [Fraction(repr(write[key])) / scale for key in ("min", "max")]
    if any(bound.denominator != 1 for bound in bounds):
        raise Wrong("%s: its bounds are not full steps" % point["id"])
    return [int(bound) for bound in bounds]


def table_lines(name, points):
    """One enumeration a table: where each point is, and how many registers there are."""
    end = 0
    yield "enum map_%s {" % name.lower()
    for point in sorted(points, key=lambda point: point["reg"]):
        if point["reg"] < end:
            raise Wrong("%s lies on the point before it" % point["id"])
        yield "    MAP_%s_%s = %d," % (name, word(point["id"]), point["reg"])
        end = point["reg"] + size_of(point)
    yield "    MAP_%sS = %d" % (name, end)
    yield "};"
    yield ""


def detail_lines(points):
    """What numbers stand for: no value, parts of a unit, codes."""
    for point in points:
        name = word(point["id"])
        if "na" in point:
            yield "#define MAP_NA_%s 0x%04X" % (name, point["na"] & 0xFFFF)
        if per_unit_known(point):
            yield "#define MAP_PER_%s %d" % (name, per_unit(point))
        for code, text in point.get("enum", {}).items():
            yield "#define MAP_%s_IS_%s %s" % (name, word(text), code)
        if point.get("type") == "string":
            yield "#define MAP_LENGTH_%s %d" % (name, 2 * point["length"])


def per_unit_known(point):
    return "scale" in point and point["scale"] < 1


def setting_lines(profile, holding):
    assign, factory = profile["assign"], profile["factory"]
    baud, form = factory["line"].split()
    bauds = dict(item.split("=") for item in assign["bauds"])
    formats = dict(item.split("=") for item in assign["formats"])
    yield "/* The least and the most that each holding register takes. */"
    yield "#define MAP_LIMITS \\"
    yield "    { \\"
    for point in sorted(holding, key=lambda point: point["reg"]):
        yield "        {%d, %d}, /* %s */ \\" % (*limits(point), point["id"])
    yield "    }"
    yield ""
    yield "/* {code, baud} and {code, data bits, parity, stop bits} of the registers that set the line. */"
    yield "#define MAP_BAUDS {%s}" % ", ".join("{%s, %su}" % (code, rate) for rate, code in bauds.items())
    yield "#define MAP_FORMATS {%s}" % ", ".join(
        "{%s, %s, '%s', %s}" % (code, text[0], text[1], text[2]) for text, code in formats.items())
    yield ""
    yield "#define MAP_FACTORY_UNIT %d" % factory["unit"]
    yield "#define MAP_FACTORY_BAUD %s" % bauds[baud]
    yield "#define MAP_FACTORY_FORMAT %s" % formats[form]
    yield "#define MAP_VENDOR \"%s\"" % profile["vendor"]
    yield "#define MAP_MODEL \"%s\"" % profile["model"]


def check(profile, holding):
    """What the gateway is told of the registers for sluice assign must be what the points say."""
    if profile["numbering"] != "0-based":
        raise Wrong("numbering must be 0-based")
    places = {point["id"]: point["reg"] for point in holding}
    for key, point in (("unit_reg", "setting_unit_number"), ("baud_reg", "setting_baud"), ("format_reg", "setting_format")):
        if profile["assign"][key] != places[point]:
            raise Wrong("assign: %s is not where %s is" % (key, point))
    if sorted(places.values()) != list(range(len(places))):
        raise Wrong("the holding registers have a gap")


def make(profile):
    tables = {key: [point for point in profile["points"] if point.get("table", "holding") == key] for key in TABLES}
    check(profile, tables["holding"])
    yield "/* Made by firmware/node/map.py from the profile of this device: change it there. */"
    yield "#ifndef SLUICE_NODE_MAP_TABLE_H"
    yield "#define SLUICE_NODE_MAP_TABLE_H"
    yield ""
    for key, name in TABLES.items():
        yield from table_lines(name, tables[key])
    yield from detail_lines(profile["points"])
    yield ""
    yield from setting_lines(profile, tables["holding"])
    yield ""
    yield "#endif"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        profile = json.load(file)
    try:
        text = "\n".join(make(profile)) + "\n"
    except (Wrong, KeyError) as why:
        sys.exit("map.py: %s: %s" % (sys.argv[1], why))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
