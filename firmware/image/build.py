"""Builds images; see tools/image."""
import argparse
import fcntl
import json
import os
import sys

import bundle
import gateway
import sluice
import tiny
from words import TOP, Trouble

OUT = os.path.join(TOP, "build/image")


def gateways():
    """The boards that a gateway's image can be made for, by name."""
    found = {}
    for name in sorted(os.listdir(os.path.join(TOP, "boards"))):
        path = os.path.join(TOP, "boards", name, "board.json")
        if os.path.exists(path):
            with open(path) as file:
                board = json.load(file)
            if "image" in board:
                found[name] = board
    return found


def arguments(boards):
    parser = argparse.ArgumentParser(
        prog="tools/image", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Makes the image of a board, and a bundle that updates a running one.",
        epilog="What it makes is in build/image/BOARD. Boards: tiny, %s." % ", ".join(boards))
    parser.add_argument("board", metavar="BOARD", choices=["tiny", *boards],
                        help="a folder of boards/, or tiny: one that runs in memory, for tests and rescue")
    parser.add_argument("--architecture", choices=["arm64", "amd64"], default="arm64", help="of the tiny one; arm64")
    parser.add_argument("--version", help="the version of the system, as updates compare it; the gateway's unless given")
    parser.add_argument("--keys", metavar="DIR", default=os.path.join(OUT, "keys"),
                        help="sign with these keys instead of those for development; see docs/image.md")
    parser.add_argument("--no-xz", dest="xz", action="store_false", help="leave disk.img.xz out, which takes the longest")
    versions = parser.add_mutually_exclusive_group()
    versions.add_argument("--newest", dest="how", action="store_const", const="newest", default="locked",
                          help="take Debian's packages in the versions it has now, and lock these")
    versions.add_argument("--without-security", dest="how", action="store_const", const="release",
                          help="the same of Debian's release and its updates alone: for a mirror whose list of security fixes is not sound")
    versions.add_argument("--substitute", dest="how", action="store_const", const="substitute",
                          help="do what made the lock once more where a locked version is gone, but leave the lock")
    return parser.parse_args()


def main():
    boards = gateways()
    options = arguments(boards)
    out = os.path.join(OUT, options.board)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(OUT, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make(options, boards, out)
    for name in sorted(os.listdir(out)):
        path = os.path.join(out, name)
        if os.path.isfile(path):
            print("%12d  %s" % (os.path.getsize(path), os.path.relpath(path, TOP)))


def make(options, boards, out):
    """One image at a time: they share the packages that were fetched."""
    try:
        if options.board == "tiny":
            tiny.build(OUT, out, options.architecture, options.how)
        else:
            board = boards[options.board]
            keys = bundle.Keys(options.keys)
            version = options.version or sluice.version()
            gateway.build(OUT, out, board, keys, version, options.how, options.xz)
    except Trouble as trouble:
        sys.exit("tools/image: %s" % trouble)


main()
