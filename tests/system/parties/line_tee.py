#!/usr/bin/python3
"""
A line that a second party can listen to: LINE MASTER SPY. What a master says at the pty MASTER goes to the serial
port LINE and back, and both ways to the pty SPY, where nobody is heard. Says "ready" on standard output.
"""
import os
import pty
import select
import sys
import tty


def terminal(link):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    os.symlink(os.ttyname(theirs), link)
    return ours, theirs  # `theirs` stays open, so that ours never hangs up


def main(line, master, spy):
    port = os.open(line, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    master, kept_master = terminal(master)
    spy, kept_spy = terminal(spy)
    os.set_blocking(spy, False)
    print("ready", flush=True)
    while True:
        for source in select.select([port, master, spy], [], [])[0]:
            data = os.read(source, 4096)
            if source == spy:
                continue
            os.write(port if source == master else master, data)
            try:
                os.write(spy, data)
            except BlockingIOError:
                pass  # nobody listens


main(*sys.argv[1:])
