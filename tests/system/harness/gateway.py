"""The daemon and the command line, as a user runs them."""
import json
import os
import signal
import subprocess

from .site import Failure, check, free_port, program, slowness, wait_for

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_NO_DAEMON, EXIT_SYSTEM = range(6)


class Gateway:
    """
    One sluiced with its configuration file, journal and socket in the site's folder; a second one has a `prefix`. With
    `web` it has its page on ports of the loopback that nobody else has, with these settings on top where it is a
    dictionary; else it has none.
    """

    def __init__(self, site, buses, devices, uplinks, commit="50ms", gateway=None, journal=None, prefix="",
                 web=None, **more):
        self.site = site
        self.prefix = prefix
        self.config_path = site.path(prefix + "sluice.json")
        self.journal = site.path(prefix + "journal")
        self.state = site.path(prefix + "state")
        self.socket = site.path(prefix + "api.sock")
        self.process = None
        os.makedirs(self.journal, exist_ok=True)
        self.settings = {"version": 1, "gateway": {"id": "plant7", "name": "Plant 7", **(gateway or {})},
                         "journal": {"commit": commit, "keep": "256MiB", **(journal or {})},
                         "buses": list(buses), "devices": list(devices), "uplinks": list(uplinks), "web": self._web(web), **more}
        self.certificate = os.path.join(self.state, "web", "tls.crt")
        self.write()

    def _web(self, web):
        if not web:
            return {"enabled": False}
        self.https, self.http = free_port(), free_port()
        return {"listen": ["127.0.0.1"], "https": self.https, "http": self.http, **(web if isinstance(web, dict) else {})}

    @property
    def url(self):
        """Where its page is."""
        return "https://127.0.0.1:%d" % self.https

    def write(self):
        """The settings, as they now are, to the file."""
        with open(self.config_path, "w") as out:
            json.dump(self.settings, out, indent=1)

    def start(self, wait=True, arguments=(), before=()):
        """`before` is a program that becomes the daemon."""
        self.process = self.site.start(self.prefix + "sluiced", *before, program("sluiced"), "--config", self.config_path, "--journal",
                                       self.journal, "--state", self.state, "--socket", self.socket, *arguments,
                                       environment={"SLUICE_LOG": os.environ.get("SLUICE_LOG", "info")})
        if wait:
            wait_for(self._answers, 20, "the status answers")
        return self

    def _answers(self):
        check(self.process.alive(), "sluiced ended at its start", self.process.log()[-2000:])
        return self.cli("status", "--json").returncode == EXIT_OK

    def kill(self):
        self.process.kill()

    def stop(self):
        """SIGTERM; it must end by itself, and well."""
        check(self.process.alive(), "sluiced was not running any more", self.process.log()[-3000:])
        status = self.process.end(30)
        check(status == EXIT_OK, "exit status of sluiced", status, self.process.log()[-3000:])

    def hup(self):
        self.process.signal(signal.SIGHUP)

    def cli(self, command, *arguments, socket=True, **more):
        """Runs `sluice COMMAND ...` against this daemon."""
        return sluice(command, *(("--socket", self.socket) if socket else ()), *arguments, **more)

    def tell(self, change):
        """Changes the settings by `change(settings)`, writes them and sends SIGHUP."""
        change(self.settings)
        self.write()
        self.hup()

    def status(self):
        done = self.cli("status", "--json")
        if done.returncode != EXIT_OK:
            raise Failure("sluice status: %d: %s" % (done.returncode, done.stderr))
        return json.loads(done.stdout)

    def uplink(self, name="cloud"):
        return next(uplink for uplink in self.status()["uplinks"] if uplink["id"] == name)

    def devices(self):
        return [device for bus in self.status()["buses"] for device in bus["devices"]]

    def device(self, name):
        for device in self.devices():
            if device["id"] == name:
                return device
        raise Failure("the status has no device " + name)

    def is_online(self, name="cloud"):
        return self.uplink(name)["state"] == "online"

    def wait_online(self, deadline_s=20, name="cloud"):
        wait_for(lambda: self.is_online(name), deadline_s, "uplink %s is online" % name)

    def wait_error(self, words, deadline_s=20, name="cloud"):
        """Until the uplink's error has one of `words`; returns it."""
        def seen():
            error = self.uplink(name)["error"]
            return any(word in error for word in words) and error
        try:
            return wait_for(seen, deadline_s, "an error with %s" % " or ".join(words))
        except Failure as failure:
            raise Failure("%s; it says: %s" % (failure, self.uplink(name)["error"])) from None

    def is_drained(self, names=("cloud",)):
        """Everything stored is acknowledged, and nothing waits to be stored."""
        status = self.status()
        if status["journal"]["waiting"]:
            return False
        ledgers = [status["consumers"].get("uplink/" + name) for name in names]
        return all(ledger and ledger["pending"] == 0 for ledger in ledgers)

    def wait_drained(self, deadline_s=60, names=("cloud",)):
        wait_for(lambda: self.is_drained(names), deadline_s, "everything stored is acknowledged")

    def verify(self):
        """The journal's folder has no fault."""
        done = sluice("journal", "verify", self.journal)
        check(done.returncode == EXIT_OK, "sluice journal verify", done.stdout, done.stderr)

    def replay(self, *arguments):
        done = self.cli("replay", *arguments)
        check(done.returncode == EXIT_OK, "sluice replay", done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]


def sluice(command, *arguments, deadline_s=60, input="", folder=None):
    """`input` is what stands on its standard input, `folder` where it is called."""
    return subprocess.run([program("sluice"), command, *arguments], input=input, stdout=subprocess.PIPE, cwd=folder,
                          stderr=subprocess.PIPE, text=True, timeout=deadline_s * slowness())


def check_ledger(status):
    """The ledger adds up: of the journal, and of each consumer."""
    journal = status["journal"]
    for name, ledger in status["consumers"].items():
        total = ledger["acked"] + ledger["pending"] + sum(ledger["dropped"].values())
        check(total <= journal["newest"], "a consumer's ledger has more than was stored", name, ledger, journal)
    check(journal["produced"] == journal["stored"] + journal["refused"] + journal["waiting"],
          "the journal's ledger does not add up", journal)
