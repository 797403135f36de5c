"""What every shipped profile must be: valid by the schema, and in the words of the vocabulary.

profiles.py SOURCE            checks all; exit status 77 where python3-jsonschema is not installed
"""
import json
import os
import re
import sys

VALUE_KEYS = ("class", "state", "unit", "ucum")
STATE_KINDS = ("state", "text")


def pattern(point_id):
    """The vocabulary's entry of an id: phases, tariffs and numbers become #."""
    point_id = re.sub(r"_l[123]_l[123](?=_|$)", "_l#_l#", point_id)
    point_id = re.sub(r"_l[123](?=_|$)", "_l#", point_id)
    point_id = re.sub(r"_t\d(?=_|$)", "_t#", point_id)
    return re.sub(r"_\d+(?=_|$)", "_#", point_id)


def load(source):
    """Name -> profile of all that are shipped, of Modbus devices alone, and the vocabulary by id."""
    folder = os.path.join(source, "drivers/profiles")
    every = {name[:-5]: json.load(open(os.path.join(folder, name)))
             for name in sorted(os.listdir(folder)) if name.endswith(".json")}
    words = json.load(open(os.path.join(folder, "vocabulary/points.json")))["points"]
    return every, {word["id"]: word for word in words}


def is_modbus(profile):
    return any(driver.startswith("modbus") for driver in profile.get("drivers", ["serial"]))


def strange_words(profile, words):
    """Sentences about points whose id, unit or meaning is not that of the vocabulary."""
    for point in profile["points"]:
        word = words.get(pattern(point["id"]))
        if not word:
            yield "%s: the vocabulary has no %s" % (point["id"], pattern(point["id"]))
            continue
        for key in VALUE_KEYS:
            if point.get(key) != word.get(key):
                yield "%s: %s is %s, the vocabulary says %s" % (point["id"], key, point.get(key), word.get(key))
        if ("unit" in word) != (word["kind"] == "quantity"):
            yield "%s: a %s %s a unit" % (word["id"], word["kind"], "has" if "unit" in word else "without")


def strange_units(words):
    """A unit has one UCUM code, and the other way round."""
    pairs = {(word["unit"], word["ucum"]) for word in words.values() if "unit" in word}
    for unit, ucum in sorted(pairs):
        if len([1 for pair in pairs if pair[0] == unit]) > 1:
            yield "the unit %s has more than one UCUM code" % unit
        if not re.fullmatch(r"[!-~]+", ucum):
            yield "%s: %s is no UCUM code" % (unit, ucum)


def faults(source):
    """Name -> sentences, and the sentences about the vocabulary. Needs jsonschema."""
    import jsonschema
    every, words = load(source)
    schema = json.load(open(os.path.join(source, "docs/profile.schema.json")))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    told = {}
    for name, profile in every.items():
        told[name] = ["%s: %s" % ("/".join(map(str, error.absolute_path)), error.message[:200])
                      for error in validator.iter_errors(profile)]
        if is_modbus(profile):
            told[name] += strange_words(profile, words)
    used = {pattern(point["id"]) for profile in every.values() if is_modbus(profile) for point in profile["points"]}
    return told, list(strange_units(words)) + ["no profile uses %s" % word for word in words if word not in used]


def main():
    try:
        told, about_words = faults(sys.argv[1])
    except ImportError:
        return 77
    for name, sentences in told.items():
        for sentence in sentences:
            print("%s: %s" % (name, sentence))
    for sentence in about_words:
        print("vocabulary: %s" % sentence)
    return 1 if about_words or any(told.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
