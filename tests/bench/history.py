"""How long a chart over ten million events takes."""
import subprocess
import time

from figures import median
from harness import Api, Gateway, program

EVENTS = 10_000_000
ROUNDS = 5


def run(out, site):
    out.note("web: a chart over %d events (about a minute)" % EVENTS)
    gateway = Gateway(site, [], [], [], prefix="history-")
    begun = time.time()
    subprocess.run([program("bench_backlog"), gateway.journal, str(EVENTS)], check=True)
    took_ms = []
    gateway.start()
    api = Api(gateway)
    device = api.ask("GET", "/api/v1/events?limit=1&kind=reading").lines[0]
    query = "/api/v1/series?device=%s&point=%s&from=%d&to=%d&buckets=300" % (
        device["d"], device["p"], begun * 1000, time.time() * 1000)
    for _ in range(ROUNDS):
        asked = time.monotonic()
        answer = api.get(query)
        took_ms.append((time.monotonic() - asked) * 1000)
    gateway.stop()
    out.figure("web", "series_10m_ms", round(median(took_ms), 1), "ms", events=EVENTS, rounds=ROUNDS,
               values=sum(answer["n"]), part_read=answer.get("sampled", 1))
