"""What takes connections for a party that runs within the test."""
import socket
import threading


class Listener:
    """Calls `serve(connection)` on a thread of its own for each connection; `closing` says that it is over."""

    def __init__(self, site, serve, port=0):
        self.serve = serve
        self.closing = False
        self.accepted = 0
        self.socket = socket.create_server(("127.0.0.1", port), backlog=16)
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()
        site.at_end(self.close)

    def _accept(self):
        while not self.closing:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def close(self):
        if self.closing:
            return
        self.closing = True
        self.socket.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept is woken by nothing but this
        self.thread.join()
        self.socket.close()
