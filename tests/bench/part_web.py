"""The page: its bytes, how long until the first value, how smooth a long list scrolls; and the routes behind it."""
import json
import os
import subprocess

import history
import viewers
import web_gate
import web_slow
from harness import Api, Gateway, ModbusTcp, Failure, wait_for

BROWSER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../browser")
PASSWORD = "a few words are better"
LINES, DEVICES_EACH, POINTS_EACH = 5, 200, 10


def node(program, *arguments, deadline_s=600, **environment):
    """What one of the programs in tests/browser prints last, as JSON."""
    done = subprocess.run(["node", os.path.join(BROWSER, program), *arguments], stdout=subprocess.PIPE, text=True, timeout=deadline_s,
                          env={**os.environ, **environment})
    if done.returncode:
        raise Failure("%s: %s" % (program, done.stdout[-500:]))
    return json.loads(done.stdout.splitlines()[-1])


def owned(gateway):
    api = Api(gateway)
    answer = api.ask("POST", "/api/v1/setup", {"code": api.get("/api/v1/setup")["code"], "name": "owner", "password": PASSWORD},
                     {"Content-Type": "application/json"})
    if answer.status != 200:
        raise Failure("setup: %d: %s" % (answer.status, answer.text))
    return gateway


def plant(site, lines, devices, points):
    fields = [ModbusTcp(site, "hall%d" % i, ["1-%d:hall%d,regs=40" % (devices, i)]) for i in range(lines)]
    registers = [{"id": "r%d" % i, "reg": 2 + i, "type": "u16", "unit": "V", "every": "1s"} for i in range(points)]
    configured = [{"id": "meter-%d-%d" % (i, unit), "name": "Meter %d of hall %d" % (unit, i), "bus": field.name, "unit": unit,
                   "numbering": "0-based", "points": registers} for i, field in enumerate(fields) for unit in range(1, devices + 1)]
    gateway = owned(Gateway(site, [field.bus() for field in fields], configured, [], commit="250ms", web=True).start())
    wait_for(lambda: all(device["up"] for device in gateway.devices()), 60, "every device answers")
    return gateway


def seen(out, gateway, wanted, **settings):
    figures = node("measure.mjs", *wanted, SLUICE_PAGE=gateway.url, SLUICE_PASSWORD=PASSWORD)
    for figure, value in figures.items():
        out.figure("web", figure, value, "ms", **settings)


def run(out, site):
    out.note("web: the page in Chromium (about a minute)")
    out.figure("web", "page_bytes", node("check_bytes.mjs", "--json")["page_bytes"], "bytes")
    web_gate.run(out, site)
    web_slow.run(out)
    viewers.run(out, site)
    history.run(out, site)
    small = plant(site, 1, 20, POINTS_EACH)
    seen(out, small, ["first"], points=20 * POINTS_EACH, tls="P-256, loopback")
    small.stop()
    with type(site)("bench-web-list") as other:
        seen(out, plant(other, LINES, DEVICES_EACH, POINTS_EACH), ["list"], devices=LINES * DEVICES_EACH, points=LINES * DEVICES_EACH * POINTS_EACH)
