#!/usr/bin/env python3
"""Writes the vectors of a Modbus profile: for each point, registers and the value that they stand for.

make_vectors.py PROFILE.json > vectors/PROFILE.txt

The values are worked out here from the profile's own keys, in exact fractions and by nothing of the gateway's code. Read
what comes out against the device's document before it is committed; where the document has an example, put that in.
"""
import json
import struct
import sys
from fractions import Fraction

FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
SIZES = {"bool": 2, "u8": 2, "i8": 2, "u16": 2, "i16": 2, "u32": 4, "i32": 4, "f32": 4, "u64": 8, "i64": 8, "f64": 8}
# Each byte of the pattern differs from the others, so that no wrong order goes unnoticed.
RAW = {"u8": 0x5B, "i8": -37, "u16": 0x08FD, "i16": -1234, "u32": 0x0001E2A7, "i32": -1234567, "u64": 0x0000000102F3A4B5,
       "i64": -98765432109, "f32": 230.125, "f64": 1234.0625}
LETTERS = {"ABCD": {2: "AB", 4: "ABCD", 8: "ABCDEFGH"}, "CDAB": {2: "AB", 4: "CDAB", 8: "GHEFCDAB"},
           "BADC": {2: "AB", 4: "BADC", 8: "BADCFEHG"}, "DCBA": {2: "AB", 4: "DCBA", 8: "HGFEDCBA"}}
DECIMALS = 2  # what a register that scales says


def fraction(number):
    """The decimal that is written in the file, not the double nearest to it."""
    return Fraction(repr(number))


def plain(value):
    """A fraction as people write it."""
    if value.denominator == 1:
        return str(value.numerator)
    for decimals in range(1, 31):
        scaled = value * 10**decimals
        if scaled.denominator == 1:
            digits = str(abs(scaled.numerator)).rjust(decimals + 1, "0")
            return ("-" if value < 0 else "") + digits[:-decimals] + "." + digits[-decimals:]
    return repr(float(value))


def in_order(data, letters):
    return bytes(data[ord(letter) - ord("A")] for letter in letters)


def encode(kind, raw, letters):
    if kind in ("f32", "f64"):
        data = struct.pack(">f" if kind == "f32" else ">d", raw)
    else:
        data = (raw % (1 << 8 * SIZES[kind])).to_bytes(SIZES[kind], "big")
    return in_order(data, letters)


def scaled(point, raw):
    value = Fraction(raw) * fraction(point.get("scale", 1))
    if point.get("scale_by"):
        value = value * 10**DECIMALS if point["scale_by"] == "power" else value / 10**DECIMALS
    return value + fraction(point.get("offset", 0))


def text_vector(point):
    text = "A1.20"[:point["length"]]
    step = 2 if point["type"] == "wide-string" else 1
    data = b"".join(bytes(step - 1) + letter.encode() for letter in text)
    return data.ljust(2 * point["length"], b"\0"), '"%s"' % text


def vectors(point, device_order):
    """(registers from the point's first on, value) one after another."""
    kind = point.get("type", "u16")
    if kind in ("string", "wide-string"):
        yield text_vector(point)
        return
    letters = point.get("order") or LETTERS[device_order][SIZES[kind]]
    if "bit" in point and "bits" not in point:
        for value in (True, False):
            register = 1 << point["bit"] if value else 0xFFFF ^ 1 << point["bit"]
            yield encode("u16", register, letters), "true" if value else "false"
        return
    if "bits" in point:
        low, width = point["bit"], point["bits"]
        value = 0x2D & ((1 << width) - 1)
        rest = ((1 << 8 * SIZES[kind]) - 1) ^ (((1 << width) - 1) << low)
        yield encode(kind, rest | value << low, letters), plain(scaled(point, value))
        return
    raw = next((int(key) for key in reversed(list(point.get("enum", {})))), RAW[kind])
    yield encode(kind, raw, letters), plain(scaled(point, raw))
    missing = point.get("na", [])
    for sentinel in missing if isinstance(missing, list) else [missing]:
        yield encode(kind, sentinel, letters), "not available"


def lines(profile):
    for point in profile["points"]:
        table = point.get("table", "holding")
        if FUNCTIONS[table] <= 2:
            yield point["id"], table, point["reg"], "1", "true"
            yield point["id"], table, point["reg"], "0", "false"
            continue
        for data, value in vectors(point, profile.get("order", "ABCD")):
            first = point["reg"]
            if "scale_reg" in point:
                says = (0x0700 if point["scale_by"] == "decimals-low" else 0) + DECIMALS
                between = abs(point["scale_reg"] - first) - (len(data) // 2 if point["scale_reg"] > first else 1)
                other = says.to_bytes(2, "big")
                data = data + bytes(2 * between) + other if point["scale_reg"] > first else other + bytes(2 * between) + data
                first = min(first, point["scale_reg"])
            yield point["id"], table, first, data.hex(), value


def main():
    profile = json.load(open(sys.argv[1]))
    print("# point, table, first register on the wire, registers (a bit for coils and discrete inputs), value")
    for line in lines(profile):
        print(*line, sep="\t")


if __name__ == "__main__":
    main()
