"""The HTTP API over the daemon's unix socket, with Debian's own Python and nothing of ours."""
import http.client
import json
import socket
import time

from .site import Failure, check, slowness


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


class Api:
    """Of one gateway, or whatever has a `socket`."""

    def __init__(self, gateway):
        self.path = gateway.socket

    def ask(self, method, path, body=None, headers=None, deadline_s=30):
        """`body`: bytes, or what becomes JSON."""
        connection = _Connection(self.path, deadline_s)
        try:
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **more):
        """What answers with 200, as JSON."""
        answer = self.ask("GET", path, **more)
        check(answer.status == 200, "GET " + path, answer.status, answer.text[:500])
        return answer.json

    def stream(self, path, headers=None, deadline_s=30, receive_bytes=None):
        return Stream(self.path, path, headers or {}, deadline_s, receive_bytes)


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, socket_path, path, headers, deadline_s, receive_bytes):
        self.connection = _Connection(socket_path, deadline_s)
        self.connection.connect()
        if receive_bytes:
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.connection.request("GET", path, headers=headers)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.id = None
        if self.response.status != 200:
            raise Failure("GET %s: %d: %s" % (path, self.response.status, self.response.read()[:500]))

    def next(self):
        """The next event: its name and its data. The id stays in `id`."""
        name, data = None, None
        while True:
            line = self.response.readline()
            if not line:
                raise Failure("the stream ended")
            line = line.decode().rstrip("\n")
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "id":
                self.id = value
            elif key == "data":
                data = json.loads(value)
            elif not line and data is not None:
                return name, data

    def wait(self, name, wanted=lambda data: True, deadline_s=60):
        """The data of the next event of that name that is wanted; the others, as beats that never end, are passed over."""
        begun, others = time.monotonic(), {}
        while True:
            seen, data = self.next()
            if seen == name and wanted(data):
                return data
            others[seen] = others.get(seen, 0) + 1
            waited_s = time.monotonic() - begun
            if waited_s > deadline_s and waited_s > deadline_s * slowness():
                raise Failure("no such event %s within %g s, but: %s" % (name, waited_s, others))

    def close(self):
        self.connection.close()
        self.response.close()
