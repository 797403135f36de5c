#!/usr/bin/python3
"""Modbus RTU and TCP, a talker and a scale, over TLS to a broker: with MQTT 5 and with 3.1.1."""
import json
import re
import time

from harness import (Audit, Balance, Broker, Gateway, ModbusTcp, RtuLine, Scale, Subscriber, Talker, check, finish,
                     main, settle, wait_for)

RTU_POINTS = [
    {"id": "triangle", "name": "Triangle", "reg": 2, "type": "i16", "scale": 0.1, "unit": "°C"},
    {"id": "wave", "reg": 4, "type": "f32", "every": "200ms"},
    {"id": "constant", "reg": 10, "type": "u16"},
    {"id": "lowest_bit", "reg": 10, "type": "bool", "bit": 0},
    {"id": "mode", "reg": 11, "type": "u16", "enum": {"0": "off", "1": "auto"}},
]


def plant(site, broker, uplinks):
    """The whole field and a gateway for it: (gateway, simulators)."""
    line = RtuLine(site, "rs485-1", ["1:incomer,regs=40", "7:pump,turnaround=2ms"])
    hall = ModbusTcp(site, "hall", ["1-3:meter,regs=60"])
    talker, scale = Talker(site), Scale(site)
    devices = [line.device("incomer", 1, points=RTU_POINTS, name="Haupteinspeisung", vendor="Acme", model="B7"),
               line.device("pump", 7)]
    devices += [hall.device("meter%d" % unit, unit, every="50ms") for unit in (1, 2, 3)]
    devices += [talker.device(silent_after="2s"), scale.device()]
    gateway = Gateway(site, [line.bus(), hall.bus(), talker.bus(), scale.bus()], devices, uplinks,
                      defaults={"report": {"on_change": True, "at_least": "60s"}})
    return gateway, [line, hall, talker, scale]


def has(payload, *keys):
    missing = [key for key in keys if key not in payload]
    check(not missing, "fields are missing", missing, payload)


def is_recent(milliseconds):
    return isinstance(milliseconds, int) and abs(milliseconds / 1000 - time.time()) < 300


def check_status(messages):
    first = messages[0].json()
    has(first, "schema", "state", "session", "since")
    check(first["schema"] == 1 and first["state"] == "online" and is_recent(first["since"]), "status", first)
    check(isinstance(first["session"], int) and first["session"] > 0, "session", first)


def check_meta(subscriber):
    gateway = subscriber.on("meta")[-1].json()
    has(gateway, "schema", "id", "name", "version", "config", "epoch", "cert_until")
    check(gateway["id"] == "plant7" and gateway["name"] == "Plant 7", "meta", gateway)
    check(re.fullmatch("[0-9a-f]{8}", gateway["epoch"]), "epoch", gateway)
    check(gateway["cert_until"] / 1000 > time.time(), "cert_until", gateway)
    device = subscriber.on("meta/incomer")[-1].json()
    has(device, "schema", "id", "name", "vendor", "model", "points")
    check(device["name"] == "Haupteinspeisung", "name of the device", device)
    check(set(device["points"]) == {"counter", *(point["id"] for point in RTU_POINTS)}, "points", device)
    triangle = device["points"]["triangle"]
    check(triangle["name"] == "Triangle" and triangle["unit"] == "°C" and triangle["ucum"] == "Cel"
          and triangle["type"] == "number" and triangle["max_age"] > 0, "meta of a point", triangle)
    check(device["points"]["counter"]["type"] == "integer", "type", device)
    check(device["points"]["lowest_bit"]["type"] == "boolean", "type", device)
    check(device["points"]["mode"]["enum"] == {"0": "off", "1": "auto"}, "enum", device)


def check_event(event, covers):
    has(event, "n", "k", "t")
    check(covers[0] <= event["n"] <= covers[1], "n outside of covers", event, covers)
    check(is_recent(event["t"]), "t is UTC in ms", event)
    if event["k"] != "reading":
        return
    has(event, "d", "p", "v", "q")
    check(event["q"] in ("good", "uncertain", "bad"), "q", event)
    check((event["v"] is None) == (event["q"] == "bad"), "bad is null, and only bad is", event)
    check(event["q"] == "good" or event["why"], "why is missing", event)


def check_data(messages):
    for message in messages:
        check(not message.retained and message.qos == 1, "data is never retained, and QoS 1", message.topic)
        check(len(message.payload) <= 65536, "a batch above 64 KiB", len(message.payload))
        batch = message.json()
        has(batch, "schema", "gw", "epoch", "uplink", "covers", "events")
        check(batch["schema"] == 1 and batch["gw"] == "plant7" and batch["uplink"] == "cloud", "data", batch)
        numbers = [event["n"] for event in batch["events"]]
        check(numbers == sorted(set(numbers)), "events out of order", numbers)
        for event in batch["events"]:
            check_event(event, batch["covers"])


def check_values(balance):
    """What the registers of unit 1 hold, as people would write it."""
    for event in balance.readings("incomer", "triangle"):
        if event["q"] == "good":
            check(-100 <= event["v"] <= 100 and event["v"] == round(event["v"], 1), "triangle", event)
    for event in balance.readings("incomer", "wave"):
        if event["q"] == "good":
            check(20 <= event["v"] <= 22 and event["v"] * 8 % 1 == 0, "wave", event)
    check(set(balance.good_values("incomer", "constant")) == {0x1000 + 0x100 + 10}, "constant")
    check(set(balance.good_values("incomer", "lowest_bit")) == {False}, "bit 0 of 0x110a")
    check(len(balance.good_values("incomer", "constant")) < 5, "what does not change is not repeated")
    shared = {event["t"] for event in balance.readings("incomer", "counter")}
    triangles = [event["t"] for event in balance.readings("incomer", "triangle") if event["q"] == "good"]
    check(sum(t in shared for t in triangles) > len(triangles) * 0.9, "points of one read share their time",
          triangles[:5])


def check_written_numbers(messages):
    """No 230.10000000000002 anywhere."""
    for message in messages:
        for number in re.findall(rb'"v":(-?[0-9.eE+-]+)', message.payload):
            check(len(number) <= 12, "a number that nobody would write", number.decode(), message.payload.decode())


def check_ledger_topic(gateway, subscriber):
    stored = gateway.status()["journal"]["stored"]
    wait_for(lambda: subscriber.on("ledger") and subscriber.on("ledger")[-1].json()["stored"] >= stored, 15,
             "the ledger is published")
    ledger = subscriber.on("ledger")[-1].json()
    has(ledger, "schema", "epoch", "last", "produced", "stored", "uplinks")
    has(ledger["uplinks"]["cloud"], "acked", "pending", "dropped")


def check_retained(site, broker):
    """What somebody finds who comes later."""
    late = Subscriber(site, broker, name="latecomer")
    wait_for(lambda: late.on("ledger") and late.on("meta/incomer"), 10, "retained messages for a latecomer")
    topics = {message.topic[len("sluice/plant7/"):] for message in late.messages if message.retained}
    check({"status", "meta", "ledger", "meta/incomer", "meta/pump", "meta/meter1", "meta/nmea", "meta/scale"}
          <= topics, "retained", sorted(topics))
    check("data" not in topics, "data is retained")
    return late


def carries_everything(site, version):
    broker = Broker(site)
    subscriber = Subscriber(site, broker, version)
    audit = Audit(site, broker, mqtt="5" if version == 5 else "3.1.1")
    gateway, sims = plant(site, broker, [broker.uplink(version="5" if version == 5 else "3.1.1")])
    gateway.start()
    gateway.wait_online()
    uplink = gateway.uplink()
    check(uplink["mqtt"] == ("5" if version == 5 else "3.1.1"), "MQTT version", uplink)
    check(uplink["tls"].startswith("TLSv1."), "TLS", uplink)
    site.wait_values(400)
    wait_for(lambda: gateway.uplink()["delivery_proven"], 10, "delivery is proven")
    settle(gateway, sims, subscriber)
    check_ledger_topic(gateway, subscriber)
    late = check_retained(site, broker)
    check_status(subscriber.on("status"))
    check_meta(subscriber)
    check_data(subscriber.on("data"))
    check_written_numbers(subscriber.on("data"))
    balance = finish(gateway, sims, subscriber, audit, 400)
    check_values(balance)
    sources = {(witness["d"], witness["p"]) for witness in site.witnesses()}
    check(len(sources) == 7, "a source sent nothing", sorted(sources))
    wait_for(lambda: late.on("status")[-1].json()["state"] == "offline", 10, "the status says offline")
    check(late.on("status")[-1].json()["why"] != "connection lost", "an orderly end", late.on("status")[-1].json())
    return "%d events, %s" % (len(balance.events), uplink["tls"])


def carries_everything_with_mqtt_5(site):
    return carries_everything(site, 5)


def carries_everything_with_mqtt_3_1_1(site):
    return carries_everything(site, 4)


def publishes_single_values_with_marks(site):
    """Two uplinks to one broker: batches under one root, single values under another."""
    broker = Broker(site)
    everything = Subscriber(site, broker, topic="#")
    audit = Audit(site, broker)
    audit_values = Audit(site, broker, uplink="local", root="site")
    gateway, sims = plant(site, broker, [broker.uplink(), broker.uplink(id="local", root="site", layout="values")])
    gateway.start()
    gateway.wait_online()
    gateway.wait_online(name="local")
    site.wait_values(300)
    settle(gateway, sims, everything, ("cloud", "local"))
    wait_for(lambda: audit_values.process.alive() and marks_reach(everything, gateway.replay()[-1]["n"]), 20,
             "the marks reach the newest event")
    values = everything.on("v/incomer/triangle", root="site")
    check(len(values) > 10, "too few values", len(values))
    for message in values:
        value = message.json()
        has(value, "schema", "t", "v", "q", "key")
        check(value["q"] != "good" or value["unit"] == "°C", "unit", value)
        check(re.fullmatch("[0-9a-f]{8}-[0-9]+", value["key"]), "key", value)
    mark = everything.on("mark", root="site")[-1].json()
    has(mark, "schema", "epoch", "uplink", "covers", "count")
    check(mark["uplink"] == "local", "mark", mark)
    for message in everything.on("data", root="site"):
        check(all(event["k"] != "reading" for event in message.json()["events"]), "a reading in a batch",
              message.payload.decode())
    late = Subscriber(site, broker, topic="site/#", name="latecomer")
    wait_for(lambda: late.on("v/incomer/triangle", root="site"), 10, "the newest value is retained")
    newest = late.on("v/incomer/triangle", root="site")[0]
    check(newest.retained and newest.json() == values[-1].json(), "the newest is not what is kept", newest.json(),
          values[-1].json())
    check(not any(message.retained for message in late.on("mark", root="site")), "a mark is retained")
    audit_values.proves(300)
    finish(gateway, sims, everything, audit, 300, ("cloud", "local"))


def marks_reach(subscriber, n):
    marks = subscriber.on("mark", root="site")
    return marks and max(mark.json()["covers"][1] for mark in marks) >= n


def says_that_it_was_lost_when_it_was_killed(site):
    broker = Broker(site)
    subscriber = Subscriber(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()]).start()
    gateway.wait_online()
    wait_for(lambda: subscriber.on("status"), 10, "the status")
    gateway.kill()
    wait_for(lambda: subscriber.on("status")[-1].json()["state"] == "offline", 20, "the will")
    will = subscriber.on("status")[-1].json()
    check(will["why"] == "connection lost" and will["session"] == subscriber.on("status")[0].json()["session"],
          "the will", will)
    gateway.start()
    gateway.wait_online()
    wait_for(lambda: subscriber.on("status")[-1].json()["state"] == "online", 20, "online again")
    check(subscriber.on("status")[-1].json()["session"] != will["session"], "another session")
    meta = subscriber.on("meta")[-1].json()
    check(meta["prev"]["epoch"] == subscriber.on("meta")[0].json()["epoch"] and meta["prev"]["why"],
          "the epoch before", meta)


main(carries_everything_with_mqtt_5, carries_everything_with_mqtt_3_1_1, publishes_single_values_with_marks,
     says_that_it_was_lost_when_it_was_killed)
