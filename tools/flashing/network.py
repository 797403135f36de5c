"""network.conf of a preset: few words, read as the image reads them (first-boot), which takes them one by one and leaves out what makes no sense."""
import ipaddress
import re

from .words import Refused

NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
SPACE = " \t\v\f"  # [[:space:]] of a line


def is_address(value):
    """No zone is one ("fe80::1%eth0"): the image does not know yet what its ports are called."""
    try:
        return "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def is_interface(value):
    address, _, size = value.partition("/")
    return is_address(address) and re.fullmatch("0|[1-9][0-9]{0,2}", size) is not None and int(size) <= ipaddress.ip_address(address).max_prefixlen


def are(is_one):
    return lambda value: all(is_one(word) for word in re.split("[ \t]+", value))


# What the image knows: whether a value is one, and words for it.
KNOWN = {
    "ADDRESS": (is_interface, "an address with the size of its network, as 10.0.7.5/24"),
    "GATEWAY": (is_address, "an address, as 10.0.7.1"),
    "DNS": (are(is_address), "addresses, as 10.0.7.1 10.0.7.2"),
    "NTP": (are(lambda word: bool(re.fullmatch(r"[A-Za-z0-9.:-]+", word))), "names or addresses, as ntp.example.com 10.0.7.1"),
    "HOSTNAME": (NAME.fullmatch, "a name of letters, digits and dashes, as plant7"),
}


def lines_of(content):
    """Number, line, name and value of each line that is no comment; the name is None where it is no NAME=VALUE. UnicodeDecodeError."""
    text = content.decode("utf-8").removeprefix("\ufeff").replace("\r", "")
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(SPACE)
        if line and not line.startswith("#"):
            name, equals, value = line.partition("=")
            yield number, line, name.rstrip(SPACE) if equals else None, value.lstrip(SPACE)


def settings(content):
    """NAME -> value of those that are known and not empty; of two lines of one name the last one counts."""
    found = {name: value for _, _, name, value in lines_of(content) if name in KNOWN}
    return {name: value for name, value in found.items() if value}


def settings_of(folder):
    """Those of a site's folder."""
    path = folder / "network.conf"
    return settings(path.read_bytes()) if path.exists() else {}


def mistake(content):
    """A sentence with what is wrong in it, or None."""
    if b"\0" in content:
        return "it is no plain text: save it as UTF-8"
    try:
        lines = list(lines_of(content))
    except UnicodeDecodeError:
        return "it is not UTF-8"
    for number, line, name, value in lines:
        if name not in KNOWN:
            return "line %d, \"%s\", is not known: there are %s, each as NAME=VALUE" % (number, line, ", ".join(KNOWN))
        is_one, words = KNOWN[name]
        if value and not is_one(value):
            return "line %d, \"%s\": expected is %s" % (number, line, words)
    return mistake_together(settings(content))


def mistake_together(found):
    """The same of values that are sound one by one."""
    if "GATEWAY" not in found:
        return None
    if "ADDRESS" not in found:
        return "GATEWAY=%s is not taken without an ADDRESS: both come by DHCP then; give both, or neither" % found["GATEWAY"]
    gateway, own = ipaddress.ip_address(found["GATEWAY"]), ipaddress.ip_interface(found["ADDRESS"])
    # A router of IPv6 is known by its address on the link, whatever the network is.
    if gateway not in own.network and not (gateway.version == own.version == 6 and gateway.is_link_local):
        return "GATEWAY=%s is not in the network of ADDRESS=%s, so it would never be reached" % (found["GATEWAY"], found["ADDRESS"])
    return None


def check(folder):
    """A site's folder whose network.conf has a mistake is Refused; one without that file is sound."""
    path = folder / "network.conf"
    wrong = mistake(path.read_bytes()) if path.exists() else None
    if wrong:
        raise Refused("%s: network.conf: %s" % (folder.name, wrong))
