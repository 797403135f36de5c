"""A TCP proxy between the gateway and a broker that does what networks do."""
import select
import socket
import struct
import threading
import time

from .listener import Listener
from .site import free_port

BLOCK = 65536
TICK_S = 0.05


class Proxy:
    """
    Set at any moment: `held` (a black hole: nothing passes either way, connections stay and new ones are taken),
    `delay_s` (each block), `rate` (bytes a second each way, 0: any), `segment` (bytes a write, 0: any).
    """

    def __init__(self, site, target_port):
        self.target_port = target_port
        self.held = False
        self.delay_s = 0
        self.rate = 0
        self.segment = 0
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = Listener(site, self._serve, free_port())
        self.port = self.listener.port
        site.at_end(self.close)

    @property
    def accepted(self):
        return self.listener.accepted

    @property
    def closing(self):
        return self.listener.closing

    def _serve(self, near):
        while self.held and not self.closing:
            time.sleep(TICK_S)
        try:
            far = socket.create_connection(("127.0.0.1", self.target_port), 5)
        except OSError:
            self._abort(near)
            return
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.pairs.append((near, far))
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()
        with self.lock:
            if (near, far) in self.pairs:
                self.pairs.remove((near, far))
        near.close()
        far.close()

    def _pump(self, source, sink):
        try:
            while not self.closing:
                if self.held:
                    time.sleep(TICK_S)
                    continue
                if not select.select([source], [], [], TICK_S)[0]:
                    continue
                data = source.recv(BLOCK)
                if not data:
                    break
                self._pass(sink, data)
        except (OSError, ValueError):
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _pass(self, sink, data):
        if self.delay_s:
            time.sleep(self.delay_s)
        while self.held and not self.closing:
            time.sleep(TICK_S)
        step = self.segment or (max(1, int(self.rate * TICK_S)) if self.rate else len(data))
        for at in range(0, len(data), step):
            piece = data[at:at + step]
            sink.sendall(piece)
            if self.rate:
                time.sleep(len(piece) / self.rate)

    @staticmethod
    def _abort(end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()
        except OSError:
            pass

    def reset(self):
        """Every connection ends by a reset, on both sides."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                self._abort(end)
        return len(pairs)

    def close(self):
        self.listener.close()
        self.reset()
