"""The gateway's own package."""
import os
import re

from packages import SUITE
from words import TOP, read, run


# What its installation runs, which in an image has happened when it is made.
INSTALLERS = ("adduser", "init-system-helpers")


def version():
    """The version that CMake gives the gateway."""
    return re.search(r"project\(sluice VERSION (\S+)", read(TOP, "CMakeLists.txt")).group(1)


def deb(architecture):
    """Builds the package for an architecture, and for the image's Debian whatever this machine's is. Returns its path."""
    out = run(os.path.join(TOP, "tools/package"), "--arch", architecture, "--suite", SUITE, output=True)
    return os.path.join(TOP, out.strip().splitlines()[-1])


def needs(path):
    """The names of the packages with the libraries that it needs; of alternatives the first."""
    depends = run("dpkg-deb", "-f", path, "Depends", output=True)
    found = [re.split(r"[ (|]", one.strip())[0] for one in depends.split(",") if one.strip()]
    return [name for name in found if name not in INSTALLERS]
