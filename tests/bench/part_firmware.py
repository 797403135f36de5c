"""What gets flashed: how large it is, and how fast it answers."""
import json
import time

from harness import Failure, wait_for
from harness.node import INPUT, Node, node_names, tool

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


def run(out, site):
    out.note("firmware: sizes of the node, and polls of emulated boards (about a minute)")
    node_sizes(out)
    for name in node_names():
        node_polls(out, site, name)
