#!/usr/bin/python3
"""A broker that is absent, that restarts, and a network between it and the gateway that fails: nothing is missing."""
import time

from harness import (LONG, Audit, Broker, Gateway, ModbusTcp, Proxy, RtuLine, Subscriber, check, finish, main, totals,
                     wait_for)

ABSENT_S = 60 if LONG else 10
RESTARTS = 20 if LONG else 5
FAULTS = 20 if LONG else 6


def field(site):
    line = RtuLine(site, "rs485-1", ["1:incomer", "2:pump"])
    hall = ModbusTcp(site, "hall", ["1-2:meter"])
    devices = [line.device("incomer", 1), line.device("pump", 2)]
    devices += [hall.device("meter%d" % unit, unit, every="20ms") for unit in (1, 2)]
    return [line, hall], [line.bus(), hall.bus()], devices


def keeps_everything_while_the_broker_is_absent(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    broker.stop()
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink()]).start()
    begun = time.monotonic()
    error = gateway.wait_error(["nothing listens"])
    check("127.0.0.1" in error, "the error does not name the broker", error)
    wait_for(lambda: time.monotonic() > begun + ABSENT_S, ABSENT_S + 5, "the time of absence")
    status = gateway.status()
    check(status["uplinks"][0]["state"] in ("waiting", "connecting", "refused"), "state", status["uplinks"][0])
    check(status["consumers"]["uplink/cloud"]["pending"] > 50 * ABSENT_S, "the queue", status["consumers"])
    broker.start()
    balance = finish(gateway, sims, subscriber, audit, 50 * ABSENT_S)
    return "%d events" % len(balance.events)


def survives_restarts_of_the_broker(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink()]).start()
    gateway.wait_online()
    for _ in range(RESTARTS):
        site.wait_values(60)
        connects = gateway.uplink()["connects"]
        broker.restart()
        wait_for(lambda: gateway.uplink()["connects"] > connects and gateway.is_online(), 60, "online again")
    balance = finish(gateway, sims, subscriber, audit, 60 * RESTARTS)
    totals("broker-restarts", what="orderly restart of the broker while publishing", count=RESTARTS, lost=0,
           events=len(balance.events), duplicates=balance.duplicates)
    return "%d restarts, %d events, %d duplicates" % (RESTARTS, len(balance.events), balance.duplicates)


def survives_resets_and_black_holes(site):
    """Every second fault is a black hole, and every second of those ends by itself before it is noticed."""
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    proxy = Proxy(site, broker.tls_port)
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink(proxy.port, keep_alive="5s")]).start()
    gateway.wait_online()
    for fault in range(FAULTS):
        site.wait_values(60)
        if fault % 2 == 0:
            connects = gateway.uplink()["connects"]
            check(proxy.reset() > 0, "nothing to reset")
            wait_for(lambda: gateway.uplink()["connects"] > connects, 60, "a new connection after the reset")
        elif fault % 4 == 1:
            proxy.held = True
            wait_for(lambda: not gateway.is_online(), 30, "the black hole is noticed")
            proxy.reset()
            proxy.held = False
        else:
            proxy.held = True
            site.wait_values(60)
            proxy.held = False
        gateway.wait_online(60)
    balance = finish(gateway, sims, subscriber, audit, 60 * FAULTS)
    totals("network-faults", what="reset or black hole between gateway and broker", count=FAULTS, lost=0,
           events=len(balance.events), duplicates=balance.duplicates)
    return "%d faults, %d events, %d duplicates" % (FAULTS, len(balance.events), balance.duplicates)


def gets_on_through_a_bad_line(site):
    """Segments of one byte, then few bytes a second and late."""
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    proxy = Proxy(site, broker.tls_port)
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink(proxy.port)])
    proxy.segment = 1
    gateway.start()
    gateway.wait_online(60)
    acked = gateway.status()["consumers"]["uplink/cloud"]["acked"]
    wait_for(lambda: gateway.status()["consumers"]["uplink/cloud"]["acked"] > acked + 50, 60, "it makes progress")
    proxy.segment, proxy.rate, proxy.delay_s = 0, 20000, 0.05
    site.wait_values(100)
    proxy.rate = proxy.delay_s = 0
    finish(gateway, sims, subscriber, audit, 100)
    check(proxy.accepted, "the proxy was passed by")


def takes_turns_with_another_client_of_the_same_name(site):
    """A second client that takes the session over again and again costs time, and no event."""
    import paho.mqtt.client as mqtt
    broker = Broker(site, tls=False)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink()]).start()
    gateway.wait_online()
    for _ in range(3):
        site.wait_values(30)
        connects = gateway.uplink()["connects"]
        newer = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
        rival = mqtt.Client(*newer, client_id="plant7")
        rival.connect("127.0.0.1", broker.port)
        rival.loop_start()
        wait_for(lambda: gateway.uplink()["connects"] > connects, 60, "the gateway comes back")
        rival.disconnect()
        rival.loop_stop()
    gateway.wait_online(60)
    finish(gateway, sims, subscriber, audit, 90)


main(keeps_everything_while_the_broker_is_absent, survives_restarts_of_the_broker, survives_resets_and_black_holes,
     gets_on_through_a_bad_line, takes_turns_with_another_client_of_the_same_name)
