#!/usr/bin/env python3
"""Holds every #include of gateway/ and drivers/ against the direction in which the parts may know each other.

    include_direction.py ROOT          prints each violation; exit status 1 when there is one
    include_direction.py --self-test   plants violations in a temporary tree; each must be found
"""
import fnmatch
import pathlib
import re
import sys
import tempfile

READER_SIDE = ["journal/journal.h", "journal/reader.h", "journal/cursor.h"]

# What a part may include of others: a folder (all of its headers) or single headers. "*" is everything.
PARTS = {
    "gateway/core": [],
    "gateway/journal": ["core"],
    "gateway/field": ["core", "journal/journal.h", "journal/lane.h", "journal/reader.h"],
    "gateway/config": ["core", "field/driver.h"],  # a driver's table of options lives there
    "gateway/tls": ["core"],
    "gateway/uplink": ["core", "tls/tunnel.h", *READER_SIDE],
    "gateway/web": ["core", "config", "journal/lane.h", "tls/carry.h", "tls/digest.h", "tls/drain.h",
                    "tls/inspect.h", "tls/pfx.h", "tls/pump.h", "tls/seal.h", "tls/server.h", "tls/socket.h", "tls/tls.h", *READER_SIDE],
    "gateway/daemon": ["*"],
    "gateway/cli": ["*"],
    "drivers/modbus": ["core", "field/complain.h", "field/driver.h", "field/sink.h", "field/wait.h", "serial/port.h",
                       "serial/port_find.h", "serial/port_place.h", "serial/port_rs485.h"],
    "firmware/node": [],  # its core is plain C: what goes over the line is described there once
    "drivers/serial": ["core", "config/board.h", "field/complain.h", "field/driver.h", "field/sink.h"],
}

# What is compiled for a board without an operating system, and for the host: folder -> (own headers, C's own).
PURE = {
    "firmware/node/core": (["node/core/*", "map_table.h"], ["stdbool.h", "stddef.h", "stdint.h", "string.h"]),
}

# Third-party headers: (name, pattern of the header, files that may include it, how many files may).
LIBRARIES = [
    ("mbedTLS", r"(mbedtls|psa)/", ["gateway/tls/*"], None),
    ("Paho", r"MQTT", ["gateway/uplink/paho.c"], 1),
    ("libmodbus", r"modbus(/|-|\.h)", ["drivers/modbus/*.c"], 1),
    ("libsml", r"sml/", ["drivers/serial/*.c"], 1),
    ("libmicrohttpd", r"microhttpd\.h", ["gateway/web/http.c", "gateway/web/http_request.c"], None),
    ("zlib", r"zlib\.h", ["gateway/core/shelf.c"], 1),
    ("libargon2", r"argon2\.h", ["gateway/web/password.c"], 1),
    ("cJSON", r"(cjson/)?cJSON", ["gateway/cli/*.c", "gateway/config/*.c", "gateway/*/payload*.c"], None),
]

# The seams of the parts that wrap a library: whoever includes them must not get the library with them.
SEAMS = ["gateway/tls/tunnel.h", "gateway/tls/tls.h", "gateway/tls/server.h", "gateway/tls/certificate.h"]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes_of(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def own_include_problem(part, header):
    """Why the part must not include that header of ours; None when it may."""
    folder = header.split("/")[0]
    if folder not in {name.split("/")[1] for name in PARTS} or "/" not in header:
        return f'"{header}" names no part: write "part/file.h"'
    allowed = PARTS[part]
    if folder == part.split("/")[1] or "*" in allowed or folder in allowed or header in allowed:
        return None
    return f'{part} must not know "{header}"; it may know {", ".join(allowed) or "no other part"}'


def library_problem(name, header, users):
    """Why that file must not include that third-party header; notes it as a user when it may."""
    for library, pattern, files, count in LIBRARIES:
        if not re.match(pattern, header):
            continue
        if name in SEAMS or not any(fnmatch.fnmatch(name, allowed) for allowed in files):
            return f'<{header}>: {library} belongs into {", ".join(files)}'
        users.setdefault(library, set()).add(name)
        if count and len(users[library]) > count:
            return f'<{header}>: {library} is known already to {", ".join(sorted(users[library] - {name}))}'
    return None


def pure_problems(root):
    """Headers that a part without hardware and system must not know."""
    for folder, (own, system) in PURE.items():
        for path in sorted(root.glob(folder + "/*.[ch]")):
            for line, is_own, header in includes_of(path):
                allowed = own if is_own else system
                if not any(fnmatch.fnmatch(header, pattern) for pattern in allowed):
                    name = path.relative_to(root).as_posix()
                    yield f"{name}:{line}: {folder} must not know {header}; it may know {', '.join(allowed)}"


def check(root):
    """All violations in the tree, as "file:line: what is wrong"."""
    root = pathlib.Path(root)
    problems, users = [], {}
    for path in sorted([*root.glob("gateway/**/*.[ch]"), *root.glob("drivers/**/*.[ch]")]):
        name = path.relative_to(root).as_posix()
        part = "/".join(name.split("/")[:2])
        if part not in PARTS:
            problems.append(f"{name}:1: no rule says what {part} may include: add one to PARTS")
            continue
        for line, is_own, header in includes_of(path):
            problem = own_include_problem(part, header) if is_own else library_problem(name, header, users)
            if problem:
                problems.append(f"{name}:{line}: {problem}")
    return problems + list(pure_problems(root))


INNOCENT = {
    "gateway/core/event.c": ['"core/event.h"', "<string.h>"],
    "gateway/journal/frame.c": ['"core/codec.h"', '"journal/frame.h"', "<sys/types.h>"],
    "gateway/field/sink.c": ['"journal/lane.h"', '"field/sink.h"'],
    "gateway/tls/tunnel.c": ['"tls/tls.h"', "<mbedtls/ssl.h>", "<psa/crypto.h>"],
    "gateway/uplink/paho.c": ['"tls/tunnel.h"', '"journal/cursor.h"', "<MQTTAsync.h>"],
    "gateway/web/http.c": ["<microhttpd.h>"],
    "gateway/web/password.c": ['"web/password.h"', "<argon2.h>"],
    "gateway/cli/main.c": ['"journal/segment.h"', '"daemon/gateway.h"', "<cjson/cJSON.h>"],
    "drivers/serial/meter.c": ['"core/text.h"', "<sml/sml_message.h>"],
    "firmware/node/core/frame.c": ['"node/core/crc.h"', '"map_table.h"', "<string.h>"],
    "drivers/modbus/link.c": ['"modbus/modbus.h"', '"field/driver.h"', "<modbus.h>"],
}

PLANTED = [
    ("gateway/core/log.c", '"journal/journal.h"'),
    ("gateway/journal/io.c", '"field/sink.h"'),
    ("gateway/field/host.c", '"journal/segment.h"'),
    ("gateway/field/host.c", '"config/config.h"'),
    ("gateway/config/load.c", '"field/sink.h"'),
    ("gateway/tls/pump.c", '"uplink/mqtt.h"'),
    ("gateway/uplink/window.c", '"journal/frame.h"'),
    ("gateway/uplink/window.c", '"tls/tls.h"'),
    ("gateway/uplink/window.c", "<mbedtls/ssl.h>"),
    ("gateway/uplink/window.c", "<MQTTAsync.h>"),
    ("gateway/uplink/mqtt.h", "<MQTTAsync.h>"),
    ("gateway/tls/tunnel.h", "<mbedtls/ssl.h>"),
    ("gateway/web/page.c", "<microhttpd.h>"),
    ("gateway/web/gate.c", "<argon2.h>"),
    ("gateway/daemon/main.c", "<cjson/cJSON.h>"),
    ("gateway/daemon/main.c", '"config.h"'),
    ("gateway/rules/engine.c", '"core/event.h"'),
    ("drivers/modbus/plan.c", "<modbus.h>"),
    ("drivers/serial/line.c", '"journal/journal.h"'),
    ("drivers/serial/line.c", '"modbus/link.h"'),
    ("drivers/serial/line.c", "<modbus/modbus-rtu.h>"),
    ("drivers/serial/line.c", "<sml/sml_file.h>"),
    ("firmware/node/core/slave.c", "<stdio.h>"),
    ("firmware/node/core/slave.c", '"node/soc/soc.h"'),
    ("firmware/node/core/slave.c", '"core/crc32c.h"'),
]


def plant(root, files):
    for name, headers in files.items():
        path = pathlib.Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"#include {header}\n" for header in headers), encoding="utf-8")


def self_test():
    failures = 0
    for name, header in [(None, None), *PLANTED]:
        with tempfile.TemporaryDirectory() as root:
            plant(root, INNOCENT)
            if name:
                plant(root, {name: [header]})
            problems = check(root)
        # Of a library that one file may include, the second in the alphabet is told; either is right.
        if len(problems) != (1 if name else 0):
            failures += 1
            print(f"{name or 'the innocent tree'} with {header}: {problems or 'nothing found'}")
    print(f"{len(PLANTED) + 1 - failures} passed, {failures} failed")
    return failures


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(1 if self_test() else 0)
    found = check(sys.argv[1])
    print("\n".join(found) or "every include points in its direction")
    sys.exit(1 if found else 0)
