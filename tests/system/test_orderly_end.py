#!/usr/bin/python3
"""Orderly ends of the daemon at random moments: an answer that is under way is waited for, so that nothing at all is missing."""
import os
import random
import time

from harness import LONG, Audit, Balance, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check, main, settle

ENDS = 60 if LONG else 12


def an_orderly_end_loses_nothing(site):
    seed = int(os.environ.get("SLUICE_SEED") or random.randrange(10 ** 9))
    print("seed", seed, flush=True)
    dice = random.Random(seed)
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall, line = ModbusTcp(site, "hall", ["1-2:meter"]), RtuLine(site, "line", ["1:pump", "2:fan"])
    devices = [hall.device("meter%d" % unit, unit, every="20ms") for unit in (1, 2)]
    devices += [line.device("pump", 1, every="30ms"), line.device("fan", 2, every="50ms")]
    gateway = Gateway(site, [hall.bus(), line.bus()], devices, [broker.uplink()])
    for _ in range(ENDS):
        gateway.start()
        time.sleep(dice.uniform(0, 0.7))  # at any moment
        gateway.stop()
    gateway.start()
    gateway.wait_online()
    site.wait_values(50)
    settle(gateway, [hall, line], subscriber)
    witnesses = site.witnesses()
    balance = Balance(subscriber.messages)
    missing = balance.missing(witnesses)
    check(not missing, "missing", len(missing), missing[:5])
    report = audit.balance()
    check(report["missing"] == 0 and report["excused"] == 0 and report["never_sent"] == 0, "the audit", report)
    gateway.stop()
    return "seed %d, %d ends, %d values" % (seed, ENDS, len(witnesses))


main(an_orderly_end_loses_nothing)
