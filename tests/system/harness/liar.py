"""A broker that lies: what mosquitto says passes on the way to the gateway through whatever `lie` makes of it."""
import select
import socket
import threading

from .listener import Listener

BLOCK = 65536
CONNACK, PUBACK = 2, 4


def packets(stream):
    """Takes the whole packets off the front of `stream`, a bytearray: (type, bytes of all of it)."""
    while len(stream) >= 2:
        length = shift = 0
        size = 1
        while size < len(stream) and size < 5:
            length |= (stream[size] & 0x7F) << shift
            shift += 7
            size += 1
            if not stream[size - 1] & 0x80:
                break
        else:
            return
        if len(stream) < size + length:
            return
        packet = bytes(stream[:size + length])
        del stream[:size + length]
        yield packet[0] >> 4, packet


class Liar:
    """
    `lie(kind, packet)` returns the bytes that go on in place of a packet of the broker; None: the truth. It is called on
    the connection's thread. `say` sends bytes behind whatever went on by then, `hang_up` ends all connections.
    """

    def __init__(self, site, target_port):
        self.target_port = target_port
        self.lie = None
        self.lied = 0
        self.lock = threading.Lock()
        self.nears = []
        self.listener = Listener(site, self._serve)
        self.port = self.listener.port

    @property
    def accepted(self):
        return self.listener.accepted

    def _serve(self, near):
        with near, socket.create_connection(("127.0.0.1", self.target_port), 10) as far:
            with self.lock:
                self.nears.append(near)
            try:
                self._carry(near, far)
            except OSError:
                pass
            with self.lock:
                self.nears.remove(near)

    def _carry(self, near, far):
        stream = bytearray()
        while not self.listener.closing:
            for ready in select.select((near, far), (), (), 0.1)[0]:
                data = ready.recv(BLOCK)
                if not data:
                    return
                if ready is near:
                    far.sendall(data)
                    continue
                stream += data
                for kind, packet in packets(stream):
                    self._pass(near, kind, packet)

    def _pass(self, near, kind, packet):
        lie = self.lie
        told = packet if lie is None else lie(kind, packet)
        self.lied += told != packet
        with self.lock:
            near.sendall(told)

    def say(self, data):
        with self.lock:
            for near in self.nears:
                try:
                    near.sendall(data)
                except OSError:
                    pass
        self.lied += 1

    def hang_up(self):
        with self.lock:
            for near in self.nears:
                try:
                    near.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
