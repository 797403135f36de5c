#!/usr/bin/python3
"""
kill -9 of the daemon at random moments, in its start, too. What may be missing is at most the commit interval before
each kill, and it is told; everything that was stored is delivered; the epochs form a chain.
"""
import os
import random
import time

from harness import (LONG, PUBLISHED, Audit, Balance, Broker, Gateway, ModbusTcp, Subscriber, check, check_ledger, main,
                     settle, totals)

KILLS = 100 if LONG else 12
COMMIT_MS = 250
SYNC_MS = 250  # the sync that was under way, and the time from a reply's last byte to the journal


def kill_at_random_moments(gateway, seed):
    """Returns the Unix times of the kills in ms."""
    dice = random.Random(seed)
    kills = []
    for turn in range(KILLS):
        gateway.start(wait=turn % 4 == 3)
        time.sleep(dice.uniform(0, 2.0) ** 2 / 2)
        gateway.kill()
        kills.append(time.time() * 1000)
    return kills


def check_missing(missing, kills):
    for witness in missing:
        before = [kill - witness["t"] for kill in kills if kill >= witness["t"]]
        check(before and min(before) <= COMMIT_MS + SYNC_MS, "missing, and too long before a kill to be permitted",
              witness, min(before, default=None))


def check_chain(events):
    """Each epoch but the first begins by naming the one before it and that one's last number."""
    order = list(dict.fromkeys(event["epoch"] for event in events))
    numbers = [event["n"] for event in events]
    check(numbers == sorted(set(numbers)), "n does not rise")
    last = {event["epoch"]: event["n"] for event in events}
    named = [event for event in events if event["k"] == "lifecycle" and event["v"].startswith("epoch ")]
    check([event["epoch"] for event in named] == order[-len(named):] and len(named) >= len(order) - 1,
          "the epochs that name another", [event["v"] for event in named], order)
    for event in named[1:]:
        _, previous, number, _ = event["v"].split(" ", 3)
        at = order.index(event["epoch"])
        check(previous == order[at - 1] and int(number) >= last[previous], "the chain is broken", event["v"], order,
              last[previous])
    return order


def loses_at_most_the_commit_interval(site):
    seed = int(os.environ.get("SLUICE_SEED") or random.randrange(10 ** 9))
    print("seed", seed, flush=True)
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    # No serial line: a kill between request and reply leaves replies there in doubt, which are discarded on purpose.
    hall, yard = ModbusTcp(site, "hall", ["1-2:meter"]), ModbusTcp(site, "yard", ["1-2:feeder"])
    devices = [hall.device("meter%d" % unit, unit, every="20ms") for unit in (1, 2)]
    devices += [yard.device("feeder%d" % unit, unit, every="50ms") for unit in (1, 2)]
    gateway = Gateway(site, [hall.bus(), yard.bus()], devices, [broker.uplink()], commit="%dms" % COMMIT_MS)
    kills = kill_at_random_moments(gateway, seed)
    gateway.start()
    gateway.wait_online()
    site.wait_values(50)
    settle(gateway, [hall, yard], subscriber)
    check_ledger(gateway.status())

    balance = Balance(subscriber.messages)
    witnesses = site.witnesses()
    missing = balance.missing(witnesses)
    check_missing(missing, kills)
    check(not balance.strange and not balance.holes(), "keys or covers", balance.strange[:2], balance.holes()[:3])
    check(not balance.never_sent(witnesses), "never sent", balance.never_sent(witnesses)[:3])

    stored = gateway.replay()
    epochs = check_chain(stored)
    undelivered = [event for event in stored
                   if event["k"] in PUBLISHED and (event["epoch"], event["n"]) not in balance.events]
    check(not undelivered, "stored and not delivered", undelivered[:3])
    crashes = [event for event in stored if event["k"] == "gap" and event["why"] == "crash"]
    check(len(crashes) == len(epochs) - 1 and len(crashes) >= KILLS / 4, "crashes told", len(crashes), len(epochs))
    check(all(COMMIT_MS <= event["extent_ms"] <= COMMIT_MS + 1000 for event in crashes), "their extent", crashes[:2])
    report = audit.balance()
    check(report["missing"] == 0 and report["never_sent"] == 0 and report["holes"] == 0, "the audit", report)
    check(report["excused"] == len(missing), "the audit excuses others", report, len(missing))
    gateway.stop()
    gateway.verify()
    totals("kills", what="kill -9 of the daemon", count=KILLS, lost=0, stored=len(stored), seed=seed,
           not_yet_stored=len(missing))
    return "seed %d, %d kills, %d epochs, %d events, %d values were not yet stored" % (
        seed, KILLS, len(epochs), len(stored), len(missing))


main(loses_at_most_the_commit_interval)
