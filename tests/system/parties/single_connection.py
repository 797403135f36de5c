#!/usr/bin/python3
"""
A Modbus TCP device that takes one connection at a time, as small ones do: PORT. Whoever else connects is hung up on, and so is
who comes before it has noticed that the last one is over.
Unit 1 holds its register numbers; other units are silent. Says "ready" on standard output.
"""
import sys
import threading
import time

from wire import connections, numbers, question, tcp_frame

NOTICES_S = 0.03
taken = threading.Lock()


def serve(peer):
    try:
        while True:
            transaction, unit, function, address, count = question(peer)
            if unit == 1:
                peer.sendall(tcp_frame(transaction, unit, numbers(function, address, count)))
    except OSError:
        pass
    finally:
        peer.close()
        time.sleep(NOTICES_S)
        taken.release()


def main(port):
    for peer in connections(port):
        if taken.acquire(blocking=False):
            threading.Thread(target=serve, args=(peer,), daemon=True).start()
        else:
            peer.close()


main(*sys.argv[1:])
