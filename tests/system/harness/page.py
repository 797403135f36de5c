"""A visitor of the page: HTTPS that believes the gateway's certificate and nothing else."""
import http.client
import json
import ssl

from .api import Answer


class Page:
    """One connection, made anew when it was lost. `headers` go with each request: a cookie, a token."""

    def __init__(self, gateway, deadline_s=20, **headers):
        self.gateway = gateway
        self.headers = {"Accept_Encoding": "gzip", **headers}
        self.context = ssl.create_default_context(cafile=gateway.certificate)
        self.connection = http.client.HTTPSConnection("127.0.0.1", gateway.https, timeout=deadline_s,
                                                      context=self.context)

    def ask(self, method, path, body=None, **headers):
        """Header names are written with _ in place of -."""
        named = {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            named.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body, named)
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def certificate(self):
        """What this connection was shown, in DER form; it is made if there is none."""
        if not self.connection.sock:
            self.connection.connect()
        return self.connection.sock.getpeercert(True)

    def close(self):
        self.connection.close()
