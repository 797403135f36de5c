"""The balance at a test's end: drawn by `sluice audit`, and once more from a subscriber that is not ours."""
import json
import signal

from .field import TIMEOUT_MS
from .gateway import EXIT_FAILED, EXIT_OK, check_ledger
from .site import check, program, wait_for

# The kinds that are published; events of others are covered by the messages, and no more.
PUBLISHED = ("reading", "state", "alarm", "result", "gap", "clock", "lifecycle")

# Longer than any reply that is still on the wire when the field is told to be quiet.
QUIET_MS = TIMEOUT_MS + 700


class Audit:
    """`sluice audit` from before the first event to the end, under a session of its own."""

    def __init__(self, site, broker, uplink="cloud", root="sluice", mqtt="5"):
        self.site = site
        self.process = site.start(
            "audit-" + uplink, program("sluice"), "audit", "--url", "mqtt://127.0.0.1:%d" % broker.port, "--gateway",
            "plant7", "--root", root, "--uplink", uplink, "--client-id", "audit-" + uplink, "--mqtt", mqtt, "--truth",
            site.truth, "--json", pipe=True)
        wait_for(lambda: "listening" in self.process.log(), 20, "the audit listens")

    def balance(self):
        """Ends it, when it has read all that the broker has for it, and returns what it printed."""
        wait_for(self.process.is_idle, 60, "the audit has read everything")
        self.process.signal(signal.SIGTERM)
        out, _ = self.process.popen.communicate(timeout=60)
        check(self.process.popen.returncode in (EXIT_OK, EXIT_FAILED), "sluice audit",
              self.process.popen.returncode, self.process.log())
        report = json.loads(out)
        check(report["proven"] == (self.process.popen.returncode == EXIT_OK), "its exit status differs", report)
        return report

    def proves(self, truth_at_least=1, missing=0):
        """Ends it; everything must be there but so many values."""
        report = self.balance()
        check(report["proven"] or report["missing"], "not proven", report)
        check(report["missing"] == missing, "missing", report)
        check(not (report["never_sent"] or report["holes"] or report["marks_short"] or report["broken"]), "the audit",
              report)
        check(report["truth"] >= truth_at_least, "the witnesses saw too little for a proof", report)
        return report


class Balance:
    """The same from the messages of a Subscriber, by other means. Only of one uplink."""

    def __init__(self, messages, uplink="cloud", gateway="plant7", root="sluice"):
        self.events = {}
        self.duplicates = 0
        self.covers = []
        self.order = []
        self.strange = []
        self.told = {}  # gaps without a number: stretches that were gone before they could be sent
        for message in list(messages):
            if message.topic != "%s/%s/data" % (root, gateway):
                continue
            batch = message.json()
            if batch["uplink"] != uplink:
                continue
            self.covers.append((tuple(batch["covers"]), batch["epoch"]))
            for event in batch["events"]:
                if "n" not in event:
                    self.told[tuple(event["lost"])] = event
                    continue
                key = (batch["epoch"], event["n"])
                if key not in self.events:
                    self.events[key] = event
                    self.order.append(key)
                elif self.events[key] == event:
                    self.duplicates += 1
                else:
                    self.strange.append((key, self.events[key], event))

    def epochs(self):
        """In the order of arrival."""
        return list(dict.fromkeys(epoch for epoch, _ in self.order))

    def of(self, kind):
        return [{**event, "epoch": key[0]} for key, event in self.events.items() if event["k"] == kind]

    def readings(self, device, point):
        return [event for event in self.of("reading") if event.get("d") == device and event.get("p") == point]

    def good_values(self, device, point):
        return [event["v"] for event in self.readings(device, point) if event["q"] == "good"]

    def covered_to(self):
        return max((pair[1] for pair, _ in self.covers), default=0)

    def holes(self):
        """Numbers between the first and the last covered one that no message covers, as pairs."""
        holes, end = [], None
        for first, last in sorted(pair for pair, _ in self.covers):
            if end is not None and first > end + 1:
                holes.append((end + 1, first - 1))
            end = last if end is None else max(end, last)
        return holes

    def missing(self, witnesses):
        """What witnesses sent and did not arrive, but what was late: as the audit has it."""
        arrived = {}
        for event in self.of("reading"):
            if event["q"] == "good":
                arrived.setdefault((event["d"], event["p"]), set()).add(round(event["v"], 6))
        return [witness for witness in witnesses if not witness.get("late")
                and round(witness["v"], 6) not in arrived.get((witness["d"], witness["p"]), ())]

    def never_sent(self, witnesses):
        """What arrived and no witness sent in time, of the points that have witnesses."""
        sent = {}
        for witness in witnesses:
            values = sent.setdefault((witness["d"], witness["p"]), set())
            if not witness.get("late"):
                values.add(round(witness["v"], 6))
        return [event for event in self.of("reading") if event["q"] == "good" and (event["d"], event["p"]) in sent
                and round(event["v"], 6) not in sent[event["d"], event["p"]]]

    def check(self, witnesses=(), permitted=lambda witness: False):
        check(not self.strange, "one key, two events", self.strange[:3])
        check(self.covers and min(pair[0] for pair, _ in self.covers) == 1, "the first event is missing")
        check(not self.holes(), "holes in covers", self.holes()[:5])
        missing = [witness for witness in self.missing(witnesses) if not witness.get("edge") and not permitted(witness)]
        check(not missing, "missing", missing[:5])
        check(not self.never_sent(witnesses), "never sent", self.never_sent(witnesses)[:5])


def settle(gateway, sims, subscriber, uplinks=("cloud",), deadline_s=60):
    """
    Quiets the field and waits until all it has said is stored, acknowledged and received, so that the balance
    can be drawn. The daemon must run.
    """
    for sim in sims:
        sim.quiet()
    wait_for(lambda: all(device.get("age_ms", QUIET_MS) >= QUIET_MS for device in gateway.devices()), deadline_s,
             "no device is heard any more, now that the field is quiet")
    gateway.wait_drained(deadline_s, uplinks)
    newest = gateway.replay()[-1]["n"]
    wait_for(lambda: Balance(subscriber.messages).covered_to() >= newest, deadline_s,
             "event %d reaches the subscriber" % newest)


def finish(gateway, sims, subscriber, audit, truth_at_least=1, uplinks=("cloud",), deadline_s=60,
           permitted=lambda witness: False):
    """
    The end of a test where nothing may be missing but what is `permitted`: replies that the gateway had reason not to
    believe. Returns the subscriber's balance.
    """
    settle(gateway, sims, subscriber, uplinks, deadline_s)
    check_ledger(gateway.status())
    witnesses = gateway.site.witnesses()
    balance = Balance(subscriber.messages)
    balance.check(witnesses, permitted)
    audit.proves(truth_at_least, len(balance.missing(witnesses)))
    gateway.stop()
    gateway.verify()
    return balance
