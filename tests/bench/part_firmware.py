"""What gets flashed: how large it is, and how fast it answers."""
import json
import os
import platform
import subprocess
import time

import part_image
from harness import Failure, wait_for
from harness.node import INPUT, Node, node_names, tool

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
POLLS = 2000
REGISTERS = 20
TIMEOUT_S = 3.0


def node_sizes(out):
    """The largest of all boards, with everything in."""
    rows = [json.loads(line) for line in tool("build", "all", "--json").splitlines()]
    for figure in ("code", "data"):
        largest = max(rows, key=lambda row: row[figure + "_bytes"])
        out.figure("firmware", "node_%s_bytes" % figure, largest[figure + "_bytes"], "bytes", board=largest["board"],
                   boards={row["board"]: row[figure + "_bytes"] for row in rows})


def is_answered(node):
    """Whether the reply came, and whole."""
    try:
        return node.exchange(bytes([INPUT, 0, 0, 0, REGISTERS]), TIMEOUT_S) is not None
    except Failure:
        return False


def node_polls(out, site, name):
    """One request behind the other, frames by their length: QEMU does not keep the time between bytes."""
    node = Node(site, name)
    wait_for(node.answers, 20, name + " answers")
    begun = time.monotonic()
    lost = sum(not is_answered(node) for _ in range(POLLS))
    took = time.monotonic() - begun
    node.end()
    out.figure("firmware", "node_polls_" + name.replace("-", "_"), round(POLLS / took, 1), "polls/s", polls=POLLS, registers=REGISTERS,
               errors=lost, errors_percent=round(100 * lost / POLLS, 3), emulated="QEMU")


def package_sizes(out, site):
    """What a package takes when it is unpacked, whatever the size of the disk's blocks."""
    bytes_of, program_of = {}, {}
    for arch in ("amd64", "arm64", "armhf"):
        done = subprocess.run([os.path.join(SOURCE, "tools/package"), "--arch", arch], capture_output=True, text=True)
        if done.returncode:
            raise Failure("tools/package: " + done.stderr)
        folder = site.path(arch)
        subprocess.run(["dpkg-deb", "-x", done.stdout.strip(), folder], check=True)
        files = [os.path.join(above, name) for above, _, names in os.walk(folder) for name in names]
        bytes_of[arch] = sum(os.lstat(file).st_size for file in files)
        program_of[arch] = os.path.getsize(os.path.join(folder, "usr/bin/sluice"))
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "armhf")
    out.figure("firmware", "deb_bytes", bytes_of[here], "bytes", package=here, packages=bytes_of, program=program_of)


def run(out, site):
    out.note("firmware: sizes of the packages and the node, and polls of emulated boards (about three minutes)")
    package_sizes(out, site)
    node_sizes(out)
    for name in node_names():
        node_polls(out, site, name)
    part_image.run(out, site)
