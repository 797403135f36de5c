"""An HTTP proxy as companies have them: CONNECT, with a login or not, and with what else it may answer."""
import base64
import select
import socket

from .listener import Listener

BLOCK = 65536


class WebProxy:
    """
    `login` is USER:PASSWORD that it wants. `answer` is sent in place of its own, and the connection ended behind it; b""
    never answers. `drip` sends its answer byte by byte. `asked` has the places it was asked for, `opened` counts the ways.
    """

    def __init__(self, site, login=None):
        self.login = login
        self.answer = None
        self.drip = False
        self.asked = []
        self.opened = 0
        self.cuts = 0
        self.listener = Listener(site, self._serve)
        self.port = self.listener.port

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    def _head(self, near):
        head = b""
        while b"\r\n\r\n" not in head:
            some = near.recv(BLOCK)
            if not some:
                return None
            head += some
        return head.decode().split("\r\n")

    def _allowed(self, head):
        wanted = base64.b64encode(self.login.encode()).decode() if self.login else None
        return not wanted or "Proxy-Authorization: Basic " + wanted in head

    def _say(self, near, answer):
        if not self.drip:
            near.sendall(answer)
            return
        for byte in answer:
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near.sendall(bytes((byte,)))

    def _serve(self, near):
        with near:
            try:
                head = self._head(near)
                if not head:
                    return
                method, place, _ = head[0].split(" ")
                self.asked.append(place)
                if self.answer is not None:
                    near.sendall(self.answer)
                    if not self.answer:
                        near.recv(1)  # until the other side gives up
                elif method != "CONNECT" or not self._allowed(head):
                    self._say(near, b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n")
                else:
                    self._pass(near, place)
            except OSError:
                pass

    def _pass(self, near, place):
        host, port = place.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as far:
            self._say(near, b"HTTP/1.1 200 Connection established\r\nVia: 1.1 a proxy\r\n\r\n")
            self.opened += 1
            cuts = self.cuts
            while not self.listener.closing and cuts == self.cuts:
                for ready in select.select((near, far), (), (), 0.1)[0]:
                    data = ready.recv(BLOCK)
                    if not data:
                        return
                    (far if ready is near else near).sendall(data)

    def cut(self):
        """Ends all ways; new ones can be had."""
        self.cuts += 1

    def close(self):
        self.listener.close()
