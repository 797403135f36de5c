"""What people who watch the values cost the gateway."""
import os
import selectors
import socket
import ssl
import threading
import time

from figures import median
from harness import Api, wait_for
from scene import REGISTERS, status_mb, tcp_field, tcp_gateway

VIEWERS = 50
POINTS = 200
WINDOW_S = 10
ROUNDS = 3


class Crowd:
    """So many viewers of all values over HTTPS; what they get is counted and thrown away."""

    def __init__(self, gateway, token, count):
        self.streams = [self._watch(gateway, token) for _ in range(count)]
        self.bytes = 0
        self.ended = False
        self.selector = selectors.DefaultSelector()
        for stream in self.streams:
            stream.setblocking(False)
            self.selector.register(stream, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    @staticmethod
    def _watch(gateway, token):
        context = ssl.create_default_context(cafile=gateway.certificate)
        context.check_hostname = False
        stream = context.wrap_socket(socket.create_connection(("127.0.0.1", gateway.https)))
        stream.sendall(("GET /api/v1/live?values=all&with=status,events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\n\r\n"
                        % (gateway.https, token)).encode())
        head = stream.recv(4096)
        if b" 200 " not in head.splitlines()[0]:
            raise RuntimeError(head)
        return stream

    def _read(self):
        while not self.ended:
            for key, _ in self.selector.select(0.2):
                try:
                    while True:
                        self.bytes += len(key.fileobj.recv(65536))
                except ssl.SSLWantReadError:
                    pass

    def close(self):
        self.ended = True
        self.thread.join()
        for stream in self.streams:
            stream.close()


def cpu_s(pid):
    """By the scheduler's own account: ticks would miss most of what is so short."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as account:
            total += int(account.read().split()[0])
    return total / 1e9


def share(pid):
    before, begun = cpu_s(pid), time.monotonic()
    time.sleep(WINDOW_S)
    return (cpu_s(pid) - before) / (time.monotonic() - begun)


def run(out, site):
    out.note("web: %d viewers of %d points (about a minute and a half)" % (VIEWERS, POINTS))
    field = tcp_field(site, POINTS // REGISTERS)
    gateway = tcp_gateway(site, field, None, "1s", devices=POINTS // REGISTERS, buses=1,
                          report={"on_change": False}, web=True).start()
    token = Api(gateway).ask("POST", "/api/v1/tokens", {"name": "viewers", "role": "viewer"}).json["token"]
    pid = gateway.process.pid
    wait_for(lambda: gateway.status()["journal"]["stored"] > 3 * POINTS, 30, "values are stored")
    before = status_mb(pid, "VmRSS")
    watched, alone, most, received = [], [], before, []
    for _ in range(ROUNDS):
        alone.append(share(pid))
        crowd = Crowd(gateway, token, VIEWERS)
        time.sleep(2)
        size = crowd.bytes
        watched.append(share(pid))
        most = max(most, status_mb(pid, "VmRSS"))
        received.append((crowd.bytes - size) / WINDOW_S / VIEWERS)
        crowd.close()
    gateway.stop()
    settings = {"viewers": VIEWERS, "points": POINTS, "every": "1s", "rounds": ROUNDS,
                "bytes_s_of_each": round(median(received))}
    out.figure("web", "viewers_50_cpu", round(100 * (median(watched) - median(alone)), 2), "% of a core", **settings,
               without_viewers=round(100 * median(alone), 2))
    out.figure("web", "viewers_50_rss", round(most - before, 2), "MB", **settings, without_viewers=round(before, 2))
