"""A time server on this machine's loopback, for boards in QEMU that take their time from HOST."""
import socket
import struct
import threading
import time

from .site import Skip

PORT = 123
SINCE_1900_S = 2208988800
REPLY = struct.Struct(">BBbbII4sQQQQ")
LEAP_NONE_VERSION_4_SERVER = 0x24


def _stamp(seconds):
    return int((seconds + SINCE_1900_S) * (1 << 32))


class TimeServer(threading.Thread):
    """Answers as long as the test runs (RFC 5905, the part that a client of one server needs)."""

    def __init__(self, site):
        super().__init__(daemon=True)
        self.answered = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind(("127.0.0.1", PORT))
        except OSError as error:
            raise Skip("port %d of the loopback: %s" % (PORT, error)) from None
        site.at_end(self.end)
        self.start()

    def run(self):
        while True:
            request, client = self.socket.recvfrom(512)
            if len(request) < REPLY.size:
                return
            now = _stamp(time.time())
            self.socket.sendto(REPLY.pack(LEAP_NONE_VERSION_4_SERVER, 1, request[2], -20, 0, 16, b"TEST", now,
                                          struct.unpack(">Q", request[40:48])[0], now, _stamp(time.time())), client)
            self.answered += 1

    def end(self):
        """An empty datagram is its end."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", PORT))
        self.join()
        self.socket.close()
