#!/usr/bin/python3
"""
A Modbus TCP device that takes one connection at a time, as small ones do: PORT. Whoever else connects is hung up on, and so is
who comes before it has noticed that the last one is over.
Unit 1 holds its register numbers; other units are silent. Says "ready" on standard output.
"""
import socket
import struct
import sys
import threading
import time

from wire import receive

NOTICES_S = 0.03
taken = threading.Lock()


def serve(peer):
    try:
        while True:
            transaction, _, size, unit = struct.unpack(">HHHB", receive(peer, 7))
            function, address, count = struct.unpack(">BHH", receive(peer, size - 1)[:5].ljust(5, b"\0"))
            if unit != 1:
                continue
            if function in (3, 4) and 0 < count <= 125:
                pdu = struct.pack(">BB%dH" % count, function, 2 * count, *range(address, address + count))
            else:
                pdu = bytes([function | 0x80, 1])
            peer.sendall(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)
    except OSError:
        pass
    finally:
        peer.close()
        time.sleep(NOTICES_S)
        taken.release()


def main(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen()
    print("ready", flush=True)
    while True:
        peer, _ = listener.accept()
        if taken.acquire(blocking=False):
            threading.Thread(target=serve, args=(peer,), daemon=True).start()
        else:
            peer.close()


main(*sys.argv[1:])
