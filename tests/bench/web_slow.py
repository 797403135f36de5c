"""How long somebody waits for an answer while others hold their connections to the page open."""
import os
import time

from scene import status_mb
from harness import Api, Gateway, Page, Site, wait_for

SLOW_VISITORS = 256
SLOW_S = 20


def owner(gateway):
    """A visitor with the owner's rights."""
    token = Api(gateway).ask("POST", "/api/v1/tokens", {"name": "bench", "role": "owner"}).json["token"]
    return Page(gateway, Authorization="Bearer " + token)


def timed(ask):
    begun = time.monotonic()
    answer = ask()
    if answer.status != 200:
        raise RuntimeError("the answer was %d" % answer.status)
    return (time.monotonic() - begun) * 1000


def p99(times):
    return round(sorted(times)[int(len(times) * 0.99)], 2)


def attack(out, site):
    out.note("web: the owner while %d visitors hold their connections open (about a minute)" % SLOW_VISITORS)
    gateway = Gateway(site, [], [], [], web=True).start()
    known = owner(gateway)
    quiet = [timed(lambda: known.get("/api/v1/status")) for _ in range(200)]
    before_mb = status_mb(gateway.process.pid, "RssAnon")
    slow = site.start("slow", "/usr/bin/python3", "-B", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../system/parties/slow_visitors.py"), str(gateway.https), str(SLOW_VISITORS), "/")
    wait_for(lambda: "all have come" in slow.log(), 60, "the slow visitors")
    kept, made, peak_mb = [], [], 0
    end = time.monotonic() + SLOW_S
    while time.monotonic() < end:
        kept.append(timed(lambda: known.get("/api/v1/status")))
        newcomer = Page(gateway, **known.headers)
        made.append(timed(lambda: newcomer.get("/api/v1/status")))
        newcomer.close()
        peak_mb = max(peak_mb, status_mb(gateway.process.pid, "RssAnon"))
        time.sleep(0.02)
    visitors = gateway.status()["web"]["visitors"]
    slow.end()
    gateway.stop()
    out.figure("web", "slow_attack_ms", p99(kept + made), "ms", visitors=SLOW_VISITORS, requests=len(kept + made),
               on_an_open_connection_ms=p99(kept), with_a_new_connection_ms=p99(made), worst_ms=round(max(kept + made), 1),
               without_them_ms=p99(quiet), strangers_in=visitors["strangers"],
               memory_growth_mb=round(peak_mb - before_mb, 1), quarters="handshake, headers, body, unread answers")


def run(out):
    with Site("bench-web-slow") as site:
        attack(out, site)
