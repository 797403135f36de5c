#!/usr/bin/python3
"""tools/page-dev: the page from its source in front of a daemon that runs, built and loaded anew when the source changes."""
import http.client
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
PAGE = os.path.join(ROOT, "gateway/web/page")
sys.path.insert(0, os.path.join(HERE, "../system"))

from harness import Gateway, check, free_port, main, wait_for  # noqa: E402
from harness.run import SKIPPED  # noqa: E402

LATE_S = 60


def copied(site):
    """A source that may be changed; what it is built with stays where it is."""
    folder = site.path("page")
    shutil.copytree(PAGE, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    os.symlink(os.path.realpath(os.path.join(PAGE, "node_modules")), os.path.join(folder, "node_modules"))
    return folder


class Dev:
    def __init__(self, site, folder, *arguments):
        self.port = free_port()
        self.process = site.start("page-dev", "node", os.path.join(folder, "dev.mjs"), "--port", str(self.port), *arguments)
        wait_for(self._serves, LATE_S, "the page is served")

    def _serves(self):
        check(self.process.alive(), "page-dev ended", self.process.log())
        try:
            return self.get("/")[0] == 200
        except OSError:
            return False

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LATE_S)

    def get(self, path):
        connection = self.connect()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def script(self):
        """What the browser runs: the page's own, and what it loads besides."""
        page = self.get("/")[1]
        app = next(part.split('"')[0] for part in page.split('src="')[1:] if "/assets/" in part)
        return self.get(app)[1]


def what_is_changed_is_built_and_browsers_are_told(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    folder = copied(site)
    dev = Dev(site, folder, "--socket", gateway.socket)
    status, body = dev.get("/api/v1/session")
    check(status == 200 and "owner" in body, "whoever reaches the socket is the owner", status, body)
    check("/page-dev/" in dev.get("/")[1], "what loads the page anew is in it")
    browser = dev.connect()
    browser.request("GET", "/page-dev/changes")
    changes = browser.getresponse()
    icon = os.path.join(folder, "src/app/icon.tsx")
    with open(icon) as file:
        source = file.read()
    with open(icon, "w") as file:
        file.write(source.replace("class=\"icon\"", "class=\"icon just-changed\""))
    while True:
        line = changes.readline()
        check(line, "the stream of changes ended", dev.process.log())
        if line.strip() == b"event: built":
            break
    check("just-changed" in dev.script(), "what was changed is in the page")
    # A mistake is told where it is worked, and the page before it stays.
    with open(icon, "w") as file:
        file.write("export const = nothing;\n")
    wait_for(lambda: "icon.tsx" in dev.process.log(), LATE_S, "the mistake is told")
    check("just-changed" in dev.script(), "the page before it stays")
    browser.close()


def it_stands_before_a_gateway_elsewhere(site):
    gateway = Gateway(site, [], [], [], web=True).start()
    dev = Dev(site, copied(site), "--url", gateway.url)
    status, body = dev.get("/api/v1/session")
    check(status == 200 and "owner" not in body.replace("no owner", ""), "over the network one logs in", status, body)


def what_it_does_not_know_is_told(site):
    for words, status in ((("--help",), 0), (("--sockets", "x"), 2), (("--port",), 2)):
        done = subprocess.run([os.path.join(ROOT, "tools/page-dev"), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        check(done.returncode == status and "Usage: tools/page-dev" in (done.stderr if status else done.stdout), words, done.returncode, done.stdout, done.stderr)


if __name__ == "__main__":
    if not shutil.which("node") or not os.path.isdir(os.path.join(PAGE, "node_modules/esbuild")):
        print("skipped: what the page is built with is missing: tools/prepare build, npm ci in gateway/web/page")
        sys.exit(SKIPPED)
    main(what_is_changed_is_built_and_browsers_are_told, it_stands_before_a_gateway_elsewhere, what_it_does_not_know_is_told)
