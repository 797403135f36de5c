#!/usr/bin/python3
"""
A device server, as they are on DIN rails: PORT TTY modbus|raw. One connection at a time: the next one waits until that is over. Of
seven in a row it hangs up on two at once, as those do that have not noticed yet that the last one is over.
`modbus`: Modbus TCP in front, RTU behind; for a unit that does not answer in time it answers itself, with exception 11.
`raw`: the bytes of the line are handed on as they are. Says "ready" on standard output.
"""
import os
import select
import socket
import struct
import sys
import termios
import time
import tty

from wire import connections, crc, receive

REPLY_S = 1.0   # from the request's end
GAP_S = 0.03    # a reply is over when the line is quiet for so long
HANGS_UP = (5, 6)  # of seven


def ask(line, frame):
    """The reply's bytes; none came where there are none."""
    termios.tcflush(line, termios.TCIFLUSH)
    os.write(line, frame + crc(frame))
    data, end = b"", time.monotonic() + REPLY_S
    while True:
        left = GAP_S if data else end - time.monotonic()
        if left <= 0 or not select.select([line], [], [], left)[0]:
            return data
        data += os.read(line, 300)


def serve_modbus(peer, line):
    while True:
        transaction, _, size = struct.unpack(">HHH", receive(peer, 6))
        frame = receive(peer, size)
        reply = ask(line, frame)
        if len(reply) < 5 or crc(reply[:-2]) != reply[-2:] or reply[0] != frame[0]:
            reply = bytes([frame[0], frame[1] | 0x80, 11]) + b"\0\0"
        peer.sendall(struct.pack(">HHH", transaction, 0, len(reply) - 2) + reply[:-2])


def serve_raw(peer, line):
    while True:
        ready = select.select([peer, line], [], [])[0]
        if line in ready:
            peer.sendall(os.read(line, 300))
        if peer in ready:
            data = peer.recv(300)
            if not data:
                return
            os.write(line, data)


def main(port, path, kind):
    line = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    for number, peer in enumerate(connections(port), 1):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if number % 7 not in HANGS_UP:
                {"modbus": serve_modbus, "raw": serve_raw}[kind](peer, line)
        except OSError:
            pass
        peer.close()


main(*sys.argv[1:])
