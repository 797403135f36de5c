#!/usr/bin/python3
"""
A Modbus TCP server that does not keep to the rules: PORT MODE. Unit 1 holds its register numbers. What it says for other
units is an exception 11: "functionless" as pymodbus from 3.7 on has it (0x80 in place of the function and 0x80), "twice"
right, and once more with the next number; unit 1's answers come twice, too. "late" is silent for them, and repeats the
answer of unit 1 in front of each that follows. "closes" hangs up at each question, "echoes" returns it, "http" answers as a
web server does. Says "ready" on standard output.
"""
import sys
import threading

from wire import connections, numbers, question, tcp_frame


def other_protocol(peer, mode):
    """What else may listen where Modbus TCP is looked for."""
    while True:
        asked = peer.recv(4096)
        if not asked or mode == "closes":
            break
        peer.sendall(asked if mode == "echoes" else b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        if mode == "http":
            break
    peer.close()


def answers(mode, transaction, unit, function, address, count):
    if unit == 1:
        pdu = numbers(function, address, count)
    elif mode == "late":
        return b""
    else:
        pdu = bytes([0x80 if mode == "functionless" else function | 0x80, 11])
    once = tcp_frame(transaction, unit, pdu)
    return once + (tcp_frame(transaction + unit % 2 & 0xFFFF, unit, pdu) if mode == "twice" else b"")


def serve(peer, mode):
    before = b""
    try:
        if mode in ("closes", "echoes", "http"):
            other_protocol(peer, mode)
        while True:
            said = answers(mode, *question(peer))
            peer.sendall(before + said)
            before = said if mode == "late" and said else before
    except OSError:
        peer.close()


def main(port, mode):
    for peer in connections(port):
        threading.Thread(target=serve, args=(peer, mode), daemon=True).start()


main(*sys.argv[1:])
