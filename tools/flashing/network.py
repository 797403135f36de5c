"""network.conf of a preset: few words, which the image takes one by one, and leaves out where they make no sense."""
import ipaddress
import re

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def is_address(value):
    try:
        return bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def is_interface(value):
    try:
        return "/" in value and bool(ipaddress.ip_interface(value)) and value.rsplit("/", 1)[1].isdigit()
    except ValueError:
        return False


def are(check):
    return lambda value: all(check(word) for word in value.split())


# What the image knows: whether a value is one, and words for it.
KNOWN = {
    "ADDRESS": (is_interface, "an address with the size of its network, as 10.0.7.5/24"),
    "GATEWAY": (is_address, "an address, as 10.0.7.1"),
    "DNS": (are(is_address), "addresses, as 10.0.7.1 10.0.7.2"),
    "NTP": (are(lambda word: bool(re.fullmatch(r"[A-Za-z0-9.:-]+", word))), "names or addresses, as ntp.example.com 10.0.7.1"),
    "HOSTNAME": (NAME.fullmatch, "a name of letters, digits and dashes, as plant7"),
}


def mistake(text):
    """A sentence with what is wrong in it, or None."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"([^=]*?) *= *(.*)", line)
        if not match or match[1] not in KNOWN:
            return "line %d, \"%s\", is not known: there are %s, each as NAME=VALUE" % (number, line, ", ".join(KNOWN))
        name, value = match.groups()
        is_one, words = KNOWN[name]
        if value and not is_one(value):
            return "line %d, \"%s\": expected is %s" % (number, line, words)
        found[name] = value
    if found.get("ADDRESS") and found.get("GATEWAY"):
        network = ipaddress.ip_interface(found["ADDRESS"]).network
        if ipaddress.ip_address(found["GATEWAY"]) not in network:
            return "GATEWAY=%s is not in the network of ADDRESS=%s, so it would never be reached" % (found["GATEWAY"], found["ADDRESS"])
    return None
