#!/usr/bin/env python3
"""Plants known mistakes in a copy of a part, one at a time, and expects the part's enumerator of power cuts to find each.

A test that cannot fail proves nothing. A plant is an exact piece of the part's source and what it is replaced by; when the
piece is no longer there, the plant has to be brought up to date, and this program fails until it is.

    planted_bugs.py [--plants MODULE] --database compile_commands.json --source gateway/journal [--only NAME] -- LINK COMMAND

The link command makes the enumerator; the object file of the changed source is put in the place of the word @.
"""

import argparse
import concurrent.futures
import importlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import plants

RUNS = 3
# One that finds nothing ends by itself; with the thread sanitizer, and beside other tests, it takes minutes until then.
ENUMERATOR_S_MAX = 1000
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}


class Failed(Exception):
    pass


def mutate(source, plant, folder):
    text = (source / plant.file).read_text()
    for piece, replacement in plant.changes:
        if text.count(piece) != 1:
            raise Failed(f"{plant.file} holds this {text.count(piece)} times, not once:\n{piece}")
        text = text.replace(piece, replacement)
    mutated = folder / plant.file
    mutated.write_text(text)
    return mutated


def compile_object(database, source, mutated, name):
    for entry in database:
        if pathlib.Path(entry["file"]) == source / name:
            break
    else:
        raise Failed(f"the compilation database does not know {name}")
    words = shlex.split(entry["command"])
    made = mutated.with_suffix(".o")
    words[words.index("-o") + 1] = str(made)
    words[words.index("-c") + 1] = str(mutated)
    # A mistake often leaves something unused behind: that is not what is looked for here.
    run(words + ["-w", f"-I{source}"], entry["directory"])
    return made


def run(words, folder):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(" ".join(words) + "\n" + done.stderr)


def is_caught(plant, database, arguments):
    """Returns whether the enumerator found it, and what it said."""
    with tempfile.TemporaryDirectory(prefix="sluice-plant-") as name:
        folder = pathlib.Path(name)
        mutated = mutate(arguments.source, plant, folder)
        made = compile_object(database, arguments.source, mutated, plant.file)
        program = folder / "enumerator"
        link = [str(made) if word == "@" else word for word in arguments.link]
        run(link + ["-o", str(program)], folder)
        # What threads do beside each other differs from run to run: some mistakes show in most of them, not in all.
        for _ in range(RUNS):
            found, said = ask(program, plant)
            if found:
                break
        return found, said


def ask(program, plant):
    """Whether one run of the enumerator found it, and what it said."""
    try:
        done = subprocess.run([program, "--stop", *plant.arguments], capture_output=True,
                              text=True, timeout=ENUMERATOR_S_MAX, env=ENVIRONMENT, check=False)
    except subprocess.TimeoutExpired:
        return False, f"nothing found in {ENUMERATOR_S_MAX} s"
    said = done.stderr.strip().splitlines()
    if done.returncode == 0 or not done.stdout.startswith("{"):
        return False, f"exit code {done.returncode} {' '.join(said[:3])}"
    return json.loads(done.stdout)["lost"] > 0, said[0] if said else ""


def attempt(name, database, arguments):
    try:
        return is_caught(arguments.plants.PLANTS[name], database, arguments)
    except Failed as why:
        return False, str(why)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--database", type=pathlib.Path, required=True)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--only")
    parser.add_argument("--plants", type=importlib.import_module, default=plants)
    parser.add_argument("link", nargs="+")
    arguments = parser.parse_args()
    database = json.loads(arguments.database.read_text())
    names = [arguments.only] if arguments.only else list(arguments.plants.PLANTS)
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda name: attempt(name, database, arguments), names)
        for name, (found, said) in zip(names, results):
            print(f"{'caught' if found else 'MISSED'}  {name}: {said}", flush=True)
            caught += found
    line = json.dumps({"what": "planted bugs", "count": len(names), "lost": len(names) - caught})
    print(line)
    if os.environ.get("SLUICE_TOTALS"):
        path = pathlib.Path(os.environ["SLUICE_TOTALS"]) / ("planted_bugs_%s.json" % arguments.plants.__name__)
        path.write_text(line + "\n", encoding="utf-8")
    return 0 if caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
