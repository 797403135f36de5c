#!/usr/bin/env python3
"""Holds the schema against what the parser said.

schema_agrees.py mutate FOLDER FILE...  writes changed copies of good files into FOLDER
schema_agrees.py judge SCHEMA VERDICTS  VERDICTS has lines "PATH<tab>good" or "PATH<tab>first sentence"

Exit status 0: they agree; 1: they do not (told); 77: python3-jsonschema is not installed.
"""
import copy
import json
import random
import re
import sys

# What only the parser can know: each sentence that may be told about a file that the schema takes.
PARSER_ONLY = [
    r"that id is taken",  # ids are unique over the whole file
    r"there is no such bus",  # references
    r"there is no profile",
    r"that id is still in use",
    r"there is no such time zone",
    r"the variable \$\{",  # what ${...} stands for
    r"does not exist",  # files
    r"; allowed: [0-9.]+[a-zA-Z]+ to [0-9.]+[a-zA-Z]+$",  # durations and sizes are texts to a schema
    r"^found [0-9]+ bytes; allowed: at most",  # a schema counts characters
    r"four segments have to fit",
    r"belongs to (devices|points) of the driver",  # the driver of a device is that of its bus
    r"is missing: ",  # likewise: required by one driver, not by another
    r"takes two registers",  # the drivers' own checks
    r"a broker's URL begins",
    r'the keys of "enum" are whole numbers',  # beyond 64 bits
    r"allowed: u16, i16, f32",  # an error inside a profile
    r"the profile has no such point",
    r'"min" must be below "max"',
]


def read(path):
    """A file with comments and a comma behind the last item, as the gateway reads it."""
    text = re.sub(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', lambda found: found.group(1) or "", open(path).read(), flags=re.S)
    return json.loads(re.sub(r",(\s*[\]}])", r"\1", text))


def places(value, path=()):
    """Every place of a document that can be changed, as (path of the parent, key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield path, key
        yield from places(item, path + (key,))


def mutate(folder, files):
    rng = random.Random(20261123)
    values = [None, True, 0, -1, 3.5, "", "x", "5s", "5", "1GiB", "40001", [], {}, ["x"], [1], {"id": "a"}, 70000]
    names = ["id", "name", "unit", "reg", "port", "host", "field", "tls", "every", "idd", "report", "password", "write"]
    for number in range(600):
        document = read(rng.choice(files))
        for _ in range(rng.choice([1, 1, 1, 2])):
            path, key = rng.choice(list(places(document)))
            parent = document
            for step in path:
                parent = parent[step]
            action = rng.randrange(4)
            if action == 0:
                del parent[key]
            elif action == 1:
                parent[key] = copy.deepcopy(rng.choice(values))
            elif isinstance(parent, dict):
                parent[rng.choice(names)] = parent[key] if action == 2 else copy.deepcopy(rng.choice(values))
            else:
                parent.append(copy.deepcopy(parent[key]))
        with open(f"{folder}/{number}.json", "w") as out:
            json.dump(document, out)


def judge(schema_file, verdicts_file):
    try:
        import jsonschema
    except ImportError:
        return 77
    schema = json.load(open(schema_file))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = good = refused = 0
    for line in open(verdicts_file):
        path, verdict = line.rstrip("\n").split("\t")
        error = next(iter(validator.iter_errors(read(path))), None)
        if ("/bad/" in path and error is None) or ("/parser_only/" in path and error is not None):
            print(f"{path}: stands in the wrong folder: {error.message if error else verdict}")
        elif verdict == "good":
            good += 1
            if error is None:
                continue
            print(f"{path}: the parser takes it, the schema does not: {error.message[:200]}")
        elif error is not None or any(re.search(known, verdict) for known in PARSER_ONLY):
            refused += 1
            continue
        else:
            print(f"{path}: the schema takes it, the parser does not: {verdict}")
        wrong += 1
    print(f"{good} good, {refused} refused, {wrong} disagree")
    return 1 if wrong or not good else 0


if __name__ == "__main__":
    if sys.argv[1] == "mutate":
        mutate(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(judge(sys.argv[2], sys.argv[3]))
