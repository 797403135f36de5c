#!/usr/bin/env python3
"""Holds the tree to what is said of it: what stands at its top, by which presets it is built, with which warnings.

    house.py ROOT COMPILE_COMMANDS               prints what is not so; exit status 1 when there is something
    house.py --self-test ROOT COMPILE_COMMANDS   plants one fault after the other; each must be found
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

TOP = {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE", "firmware", "gateway", "drivers", "boards", "tests", "tools", "docs"}
PRESETS = {  # variable -> what it must hold
    "release": {},
    "debug": {"SLUICE_WERROR": "ON"},
    "asan": {"SLUICE_WERROR": "ON", "SLUICE_SANITIZE": "address,undefined"},
    "tsan": {"SLUICE_WERROR": "ON", "SLUICE_SANITIZE": "thread"},
}
FLAGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-std=gnu11")
CMAKE_LEAST = "3.25"


def top_problems(names):
    """Of files that tools look for there, which begin with a dot, there may be any."""
    shown = {name for name in names if not name.startswith(".")}
    yield from ("%s has no place at the top" % name for name in sorted(shown - TOP))
    yield from ("%s is missing at the top" % name for name in sorted(TOP - shown))


def variables_of(presets, name):
    """The cache variables of a preset, with those that it inherits."""
    preset = presets[name]
    inherited = variables_of(presets, preset["inherits"]) if "inherits" in preset else {}
    return {**inherited, **preset.get("cacheVariables", {})}


def preset_problems(text):
    presets = {preset["name"]: preset for preset in json.loads(text)["configurePresets"]}
    for name, wanted in PRESETS.items():
        if name not in presets:
            yield "there is no preset %s" % name
            continue
        variables = variables_of(presets, name)
        for variable, value in wanted.items():
            if not variables.get(variable, "").startswith(value):
                yield "the preset %s has %s = %s; it takes %s" % (name, variable, variables.get(variable), value)


def command_problems(root, commands):
    """Of the product; tests and tools have the same flags, or their own."""
    own = [entry for entry in commands if re.match("(gateway|drivers)/", pathlib.PurePath(entry["file"]).relative_to(root).as_posix())]
    if not own:
        yield "nothing of the gateway is compiled"
    for entry in own:
        missing = [flag for flag in FLAGS if flag not in entry["command"].split()]
        if missing:
            yield "%s is compiled without %s" % (entry["file"], " ".join(missing))


def cmake_problems(text):
    found = re.search(r"cmake_minimum_required\(VERSION ([0-9.]+)\)", text)
    if not found or found.group(1) != CMAKE_LEAST:
        yield "CMake %s is what there is on the oldest system; CMakeLists.txt asks for %s" % (CMAKE_LEAST, found and found.group(1))


def names_at_the_top(root):
    """What is under version control; where nothing is (an archive of the source), what is there but for what was built."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
        return {name.split("/")[0] for name in listed.stdout.split("\0") if name}
    return {path.name for path in root.iterdir()} - {"build", "debian"}


def self_test(root, commands):
    def text(name):
        return (root / name).read_text(encoding="utf-8")

    def planted(change, planted_commands):
        change(planted_commands[next(at for at, entry in enumerate(planted_commands) if "/gateway/" in entry["file"])])
        return list(command_problems(root, planted_commands))

    presets = text("CMakePresets.json")
    found = {"a folder more": list(top_problems(TOP | {"src"})), "a file less": list(top_problems(TOP - {"LICENSE"})),
             "warnings that are none": list(preset_problems(presets.replace('"SLUICE_WERROR": "ON"', '"SLUICE_WERROR": "OFF"'))),
             "no sanitizer": list(preset_problems(presets.replace('"SLUICE_SANITIZE": "thread"', '"SLUICE_SANITIZE": ""'))),
             "no preset": list(preset_problems(presets.replace('"name": "tsan"', '"name": "races"'))),
             "a newer CMake": list(cmake_problems(text("CMakeLists.txt").replace("VERSION " + CMAKE_LEAST, "VERSION 3.28"))),
             "nothing compiled": list(command_problems(root, []))}
    for flag in FLAGS:
        found[flag] = planted(lambda entry: entry.update(command=entry["command"].replace(flag, "")), copy.deepcopy(commands))
    innocent = [*top_problems(TOP | {".ci"}), *preset_problems(presets), *cmake_problems(text("CMakeLists.txt"))]
    failed = [name for name, problems in found.items() if not problems] + innocent
    print("\n".join("not found: " + name for name in failed) or "each is found")
    return 1 if failed else 0


def main():
    root, commands = pathlib.Path(sys.argv[-2]), json.loads(pathlib.Path(sys.argv[-1]).read_text(encoding="utf-8"))
    if sys.argv[1] == "--self-test":
        return self_test(root, commands)
    problems = [*top_problems(names_at_the_top(root)), *preset_problems((root / "CMakePresets.json").read_text(encoding="utf-8")),
                *cmake_problems((root / "CMakeLists.txt").read_text(encoding="utf-8")), *command_problems(root, commands)]
    print("\n".join(problems) or "everything is as it is said to be")
    return 1 if problems else 0


sys.exit(main())
