#!/usr/bin/python3
"""A broker that is absent, that restarts, and a network between it and the gateway that fails: nothing is missing."""
import time

from harness import (LONG, Audit, Broker, Gateway, ModbusTcp, Proxy, RtuLine, Subscriber, check, finish, main, totals,
                     wait_for)

ABSENT_S = 60 if LONG else 10
RESTARTS = 20 if LONG else 5
FAULTS = 20 if LONG else 6
RIVALS = 5


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


def rival(broker):
    """A client with the gateway's id, connected: the broker has ended the gateway's connection for it."""
    import paho.mqtt.client as mqtt
    newer = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
    client = mqtt.Client(*newer, client_id="plant7")
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    return client


def turns_with_a_rival(site, **uplink):
    """
    A second client that takes the session over again and again costs time and no event, and is told of once: at once
    where the broker says why it hangs up, else after some turns.
    """
    words = "the same client id"
    broker = Broker(site, tls=False)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    sims, buses, devices = field(site)
    gateway = Gateway(site, buses, devices, [broker.uplink(**uplink)]).start()
    gateway.wait_online()
    for _ in range(RIVALS):
        site.wait_values(30)
        wait_for(lambda: gateway.uplink()["delivery_proven"], 60, "something is delivered")
        connects = gateway.uplink()["connects"]
        other = rival(broker)
        wait_for(lambda: gateway.uplink()["connects"] > connects, 90, "the gateway comes back")
        other.disconnect()
        other.loop_stop()
    gateway.wait_online(60)
    check(words in gateway.uplink()["alarm"], "the alarm in the status", gateway.uplink())
    check(words in gateway.cli("status").stdout, "the alarm in the words of the status")
    if LONG:
        wait_for(lambda: not gateway.uplink()["alarm"], 180, "the alarm is over once the connection holds")
    balance = finish(gateway, sims, subscriber, audit, 30 * RIVALS)
    alarms = [event for event in balance.events.values() if event["k"] == "alarm" and event.get("u") == "cloud"]
    check([event.get("why") for event in alarms] in ([None], [None, "over"]), "one alarm, published", alarms)
    check(words in alarms[0]["v"] and "a second gateway with this id" in alarms[0]["v"], "its words", alarms)


def takes_turns_with_another_client_of_the_same_name(site):
    turns_with_a_rival(site)


def takes_turns_with_one_on_mqtt_3_1_1(site):
    turns_with_a_rival(site, version="3.1.1")


def a_broker_that_wants_to_hear_more_often_does(site):
    """A quiet gateway would be thrown out of it: it says how long it keeps who says nothing."""
    broker = Broker(site, more=["max_keepalive 10"])
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="1h")], [broker.uplink()]).start()
    gateway.wait_online()
    taken = [line for line in broker.process.log().splitlines() if "as plant7 (" in line]
    check(len(taken) == 2 and "k30," in taken[0] and "k10," in taken[1], "what it keeps to", taken)
    check(gateway.uplink()["connects"] == 1, "one connection to tell of", gateway.uplink())


main(keeps_everything_while_the_broker_is_absent, survives_restarts_of_the_broker, survives_resets_and_black_holes,
     gets_on_through_a_bad_line, takes_turns_with_another_client_of_the_same_name,
     takes_turns_with_one_on_mqtt_3_1_1, a_broker_that_wants_to_hear_more_often_does)
