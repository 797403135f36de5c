#!/usr/bin/python3
"""What the gateway says of devices that refuse, are gone, or are not what was configured: in the log and the status."""
import json
import os
import socket
import sys

from harness import (EXIT_FAILED, EXIT_OK, EXIT_USAGE, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check, free_port,
                     main, sluice, wait_for)

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parties", "pymodbus_server.py")


def names_the_points_that_a_device_refuses(site):
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    points = [{"id": "near", "reg": 12}, {"id": "beyond", "reg": 900}, {"id": "behind", "reg": 901, "type": "f32"}]
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 7, points=points)], []).start()
    wait_for(lambda: len(gateway.device("meter")["learnt"].get("points", [])) == 2, 20, "both are in the status")
    refused = {point["id"]: point for point in gateway.device("meter")["learnt"]["points"]}
    check(refused["beyond"]["reg"] == 900 and refused["beyond"]["function"] == 3 and
          refused["beyond"]["why"] == "exception 2", "what is said of a point", refused)
    check(gateway.device("meter")["learnt"]["refused"] == 2, "their number", gateway.device("meter"))
    words = gateway.cli("status").stdout
    check("refuses beyond (register 900, function 3): exception 2, the device has no such register" in words, words)
    log = gateway.process.log()
    for point, register in (("beyond", 900), ("behind", 901)):
        told = [line for line in log.splitlines() if "refuses point %s (" % point in line]
        check(len(told) == 1, "one warning for each", point, told)
        check("device meter" in told[0] and "register %d, function 3" % register in told[0] and "exception 2" in told[0]
              and "\"reg\"" in told[0], "its words", told)
    check("refuses point near" not in log, "the others are not blamed")
    hall.tell("regs 7 1000")
    gateway.stop()


LATE = "later than its time-out: raise its \"timeout\""


def is_told_late(gateway):
    """`slow` is down, and it is said how late it answers; `dead` and `quick` are not called late. Time-outs are 300 ms."""
    late = wait_for(lambda: not gateway.device("slow")["up"] and gateway.device("slow").get("late_ms"), 40, "it is told")
    check(late > 300, "how late", late)
    check(gateway.device("slow")["why"] == "timeout", "why it is down", gateway.device("slow"))
    check(LATE in gateway.cli("status").stdout, "the status", gateway.cli("status").stdout)
    wait_for(lambda: gateway.device("dead")["timeouts"] > 3, 40, "the one that is dead is asked")
    check("late_ms" not in gateway.device("dead") and "late_ms" not in gateway.device("quick"), "the others",
          gateway.device("dead"), gateway.device("quick"))


def is_in_time_again(gateway):
    wait_for(lambda: gateway.device("slow")["up"] and "late_ms" not in gateway.device("slow"), 90, "it is in time again")


def a_device_that_answers_too_late_is_told_from_one_that_does_not(site):
    line = RtuLine(site, "field", ["1:slow,delay=900ms", "2:dead", "3:quick"], 19200)
    devices = [line.device(name, unit, "200ms") for unit, name in ((1, "slow"), (2, "dead"), (3, "quick"))]
    line.tell("silence 2")
    gateway = Gateway(site, [line.bus(timeout="300ms")], devices, []).start()
    is_told_late(gateway)
    wait_for(lambda: "it answers" in gateway.process.log() and "device dead (unit 2) is down" in gateway.process.log(), 30, "the log")
    line.tell("delay 1 0")
    is_in_time_again(gateway)
    gateway.stop()


def a_device_that_answers_too_late_over_tcp_is_told_by_its_numbers(site):
    hall = ModbusTcp(site, "hall", ["1:slow,delay=700ms", "3:quick"])
    dead = ModbusTcp(site, "attic", ["2:dead"])
    dead.tell("silence 2")
    gateway = Gateway(site, [hall.bus(timeout="300ms"), dead.bus(timeout="300ms")],
                      [hall.device("slow", 1, "200ms"), hall.device("quick", 3, "200ms"), dead.device("dead", 2, "200ms")], []).start()
    is_told_late(gateway)
    hall.tell("delay 1 0")
    is_in_time_again(gateway)
    gateway.stop()


def a_device_that_was_late_and_answers_no_more_is_not_told_as_late(site):
    hall = ModbusTcp(site, "hall", ["1:slow,delay=700ms"])
    gateway = Gateway(site, [hall.bus(timeout="300ms")], [hall.device("slow", 1, "200ms")], []).start()
    wait_for(lambda: gateway.device("slow").get("late_ms"), 40, "it is told")
    hall.tell("silence 1")
    wait_for(lambda: "late_ms" not in gateway.device("slow"), 90, "it is told no more")
    check(not gateway.device("slow")["up"] and gateway.device("slow")["why"] == "timeout", "it is down", gateway.device("slow"))
    words = gateway.cli("status").stdout
    check("no answer came in time" in words and LATE not in words, "what to do", words)
    gateway.stop()


def says_when_a_missing_device_is_tried_next(site):
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 7)], []).start()
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is up")
    wait_for(lambda: "up" in row(gateway.cli("state").stdout, "meter"), 20, "the state is stored and says so")
    hall.tell("refuse on", "close")
    wait_for(lambda: not gateway.device("meter")["up"], 20, "it is down")
    wait_for(lambda: gateway.device("meter").get("next_probe_ms", 0) > 500, 40, "the next try is told")
    wait_for(lambda: "next try in" in gateway.cli("status").stdout, 40, "also in words")
    wait_for(lambda: "DOWN" in row(gateway.cli("state").stdout, "meter"), 10, "the state says that it is down")
    check("good" not in row(gateway.cli("state").stdout, "meter"), "nothing is good about that",
          gateway.cli("state").stdout)
    hall.tell("refuse off")
    wait_for(lambda: gateway.device("meter")["up"], 60, "it is back")
    check("next_probe_ms" not in gateway.device("meter"), "and is not tried")
    gateway.stop()


class Pymodbus:
    """A device that says who it is; another one in its place after `replace`."""

    def __init__(self, site, identity):
        self.site = site
        self.port = free_port()
        self.start(identity)

    def start(self, identity):
        self.process = self.site.start("pymodbus", sys.executable, SERVER, str(self.port), "1", self.site.truth,
                                       "meter", "socket", json.dumps(identity))
        wait_for(self.answers, 20, "pymodbus listens")

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def replace(self, gateway, identity):
        self.process.kill()
        wait_for(lambda: not gateway.device("meter")["up"], 40, "the old device is gone")
        self.start(identity)
        wait_for(lambda: gateway.device("meter")["up"], 90, "the new device answers")


def metering(site, identity, **more):
    """A gateway with an uplink that polls a counter of a device of pymodbus."""
    server = Pymodbus(site, identity)
    broker = Broker(site)
    subscriber = Subscriber(site, broker)
    device = {"id": "meter", "bus": "hall", "unit": 1, "numbering": "0-based", "points": [
        {"id": "energy", "reg": 0, "type": "u32", "every": "100ms", "unit": "kWh", "state": "total_increasing"},
        {"id": "near", "reg": 5, "every": "100ms"}], **more}
    bus = {"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:%d" % server.port}
    gateway = Gateway(site, [bus], [device], [broker.uplink()]).start()
    gateway.wait_online()
    return server, subscriber, gateway


def events(subscriber):
    return [event for message in subscriber.on("data") for event in message.json()["events"]]


def alarms(subscriber):
    return [event for event in events(subscriber) if event["k"] == "alarm" and event.get("d") == "meter"]


def identity(gateway):
    return gateway.device("meter")["learnt"].get("identity")


SERIAL = {"identity_reg": 40, "identity_type": "u32"}


def a_replaced_meter_raises_an_alarm_and_marks_its_counter(site):
    server, subscriber, gateway = metering(site, {"serial": 4711}, **SERIAL)
    wait_for(lambda: identity(gateway) == {"serial": "4711"}, 20, "the serial number is known")
    check("is serial 4711" in gateway.cli("status").stdout, "in words", gateway.cli("status").stdout)
    site.wait_values(20)
    server.replace(gateway, {"serial": 4712})
    wait_for(lambda: alarms(subscriber), 30, "an alarm")
    wait_for(lambda: identity(gateway) == {"serial": "4712"}, 20, "the new one is known")
    alarm = alarms(subscriber)[0]
    check("serial number 4711 before, serial number 4712 now" in alarm["v"] and "energy" in alarm["v"], "its words", alarm)
    marked = wait_for(lambda: [event for event in events(subscriber) if event.get("p") == "energy" and "of the" in
                               event.get("why", "")][1:] and events(subscriber), 30, "both are marked")
    energy = [event for event in marked if event.get("p") == "energy"]
    at = next(i for i, event in enumerate(energy) if event.get("why") == "last of the old device")
    last, first = energy[at:at + 2]
    check(first["why"] == "first of the new device" and last["q"] == first["q"] == "good", "the marks", last, first)
    before = [event["v"] for event in energy[:at] if event["v"] is not None]
    check(last["v"] == before[-1] > first["v"] and first["v"] <= 3, "their values", before[-3:], last, first)
    check(last["t"] < alarm["t"] and first["t"] > last["t"], "their times", last, alarm, first)
    check(not [event for event in energy[at - 3:at] if event["v"] is not None and event["v"] < last["v"] - 5],
          "nothing of the new one goes before", energy[at - 3:at + 3])
    gateway.stop()


def who_a_device_is_outlives_a_restart(site):
    """By function 43, with the gateway off while the device is replaced."""
    server, subscriber, gateway = metering(site, {"VendorName": "Acme Ltd", "ProductCode": "EM5"})
    wait_for(lambda: (identity(gateway) or {}).get("vendor") == "Acme Ltd", 20, "it is identified")
    gateway.stop()
    gateway.start()
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is read")
    check(identity(gateway)["product_code"] == "EM5" and not alarms(subscriber), "it is known at once", identity(gateway))
    gateway.stop()
    server.process.kill()
    server.start({"VendorName": "Acme Ltd", "ProductCode": "EM6"})
    gateway.start()
    wait_for(lambda: alarms(subscriber), 30, "an alarm")
    check("Acme Ltd EM5 before, Acme Ltd EM6 now" in alarms(subscriber)[0]["v"], "its words", alarms(subscriber))
    wait_for(lambda: any(event.get("why") == "first of the new device" for event in events(subscriber)), 20,
             "its counter begins")
    gateway.stop()


def what_a_counter_ended_at_outlives_a_restart(site):
    """The old meter is pulled while the gateway runs, which is then switched off until the new one is there."""
    server, subscriber, gateway = metering(site, {"serial": 4711}, **SERIAL)
    wait_for(lambda: identity(gateway) == {"serial": "4711"}, 20, "the serial number is known")
    site.wait_values(20)
    server.process.kill()
    wait_for(lambda: not gateway.device("meter")["up"], 30, "it is gone")
    gateway.stop()
    gateway.start()
    wait_for(lambda: gateway.replay("--device", "meter", "--kind", "state")[-1]["v"] is False, 20, "it is still gone")
    gateway.stop()
    server.start({"serial": 4712})
    gateway.start()
    wait_for(lambda: alarms(subscriber), 60, "an alarm")
    energy = wait_for(lambda: [event for event in events(subscriber) if event.get("p") == "energy" and "of the" in
                               event.get("why", "")][1:] and
                      [event for event in events(subscriber) if event.get("p") == "energy"], 30, "both are marked")
    at = next(i for i, event in enumerate(energy) if event.get("why") == "last of the old device")
    last, first = energy[at:at + 2]
    read = [event for event in energy[:at] if event["v"] is not None][-1]
    check((last["v"], last["t"], last["q"]) == (read["v"], read["t"], "good"), "how the old one ended", read, last)
    check(first["why"] == "first of the new device" and first["v"] < last["v"], "how the new one begins", last, first)
    check("ended at energy %d kWh" % last["v"] in alarms(subscriber)[0]["v"], "the alarm", alarms(subscriber))
    gateway.stop()


def a_device_of_another_model_than_its_profile_is_told(site):
    """By what it says of itself, and where a profile is known that fits it. Its registers fit neither, which is told until then."""
    server = Pymodbus(site, {"VendorName": "Eastron", "ProductCode": "SDM120"})
    hall = {"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:%d" % server.port}
    device = {"id": "meter", "bus": "hall", "unit": 1, "profile": "eastron-sdm630"}
    gateway = Gateway(site, [hall], [device], []).start()
    wait_for(lambda: "says" in gateway.device("meter").get("doubt", ""), 40, "it is told")
    words = gateway.device("meter")["doubt"]
    check(words == "says it is Eastron SDM120; profile eastron-sdm630 is for Eastron SDM630; the profile eastron-sdm120 fits",
          "the words", words)
    check("ANOTHER MODEL? It says it is Eastron SDM120; " in gateway.cli("status").stdout, "in the status",
          gateway.cli("status").stdout)
    gateway.tell(lambda settings: settings["devices"][0].update(profile="eastron-sdm120"))
    wait_for(lambda: gateway.device("meter")["profile"] == "eastron-sdm120", 20, "the profile is another")
    wait_for(lambda: "says" not in gateway.device("meter").get("doubt", ""), 40, "that is right")
    check(gateway.process.log().count("device meter says it is Eastron SDM120") == 1, "once", gateway.process.log())
    gateway.stop()


def a_missing_device_is_looked_for_where_it_is_reached(site):
    """What to do depends on whether there is a line here, a device server, or a network."""
    line, hall = RtuLine(site, "rs485-1", ["3:pump,regs=40"]), ModbusTcp(site, "hall", ["7:meter,regs=40"])
    gateway = Gateway(site, [line.bus(), hall.bus()], [line.device("pump", 3), hall.device("meter", 7)], []).start()
    wait_for(lambda: gateway.device("pump")["up"] and gateway.device("meter")["up"], 20, "both are up")
    line.tell("silence 3")
    hall.tell("silence 7")
    wait_for(lambda: not gateway.device("pump")["up"] and not gateway.device("meter")["up"], 40, "both are down")
    pump, meter = gateway.device("pump")["help"], gateway.device("meter")["help"]
    check("wiring" in pump and "sluice scan " + line.link in pump, "on a line", pump)
    check("wiring" not in meter and "is the unit right?" in meter and "sluice scan 127.0.0.1:%d" % hall.port in meter,
          "over TCP", meter)
    check("sluice scan " + line.link in gateway.process.log(), "in the log", gateway.process.log())
    asked = sluice("read", "127.0.0.1:%d" % hall.port, "-a", "9", "-T", "holding", "-r", "0")
    check("wiring" not in asked.stderr and "sluice scan 127.0.0.1:%d" % hall.port in asked.stderr, "sluice read", asked.stderr)
    gateway.stop()


def what_was_learnt_is_forgotten(site):
    server, subscriber, gateway = metering(site, {"serial": 4711}, **SERIAL)
    gateway.tell(lambda settings: settings["devices"][0]["points"].append({"id": "beyond", "reg": 900}))
    wait_for(lambda: gateway.device("meter")["learnt"].get("points") and identity(gateway), 20, "something is learnt")
    exceptions = gateway.device("meter")["exceptions"]
    done = gateway.cli("forget", "meter", "--what", "blocks")
    check(done.returncode == EXIT_OK, "sluice forget", done.stderr)
    wait_for(lambda: gateway.device("meter")["exceptions"] > exceptions, 20, "it is found out again")
    check(identity(gateway) == {"serial": "4711"}, "who it is has not been forgotten", identity(gateway))
    stored = gateway.replay("--from", "-1h", "--device", "meter", "--kind", "config")
    check(any("refused" in event["v"] for event in stored) or stored, "as config events", stored)
    server.process.kill()
    wait_for(lambda: not gateway.device("meter")["up"], 40, "it is gone")
    check(gateway.cli("forget", "meter", "--what", "identity").returncode == EXIT_OK, "also while it is gone")
    wait_for(lambda: identity(gateway) is None, 20, "nobody knows who it is")
    wait_for(lambda: "id." not in gateway.replay("--from", "-1h", "--device", "meter", "--kind", "config")[-1]["v"], 20,
             "nor later, once that is stored")
    server.start({"serial": 4712})
    wait_for(lambda: identity(gateway) == {"serial": "4712"}, 90, "it is asked again")
    check(not alarms(subscriber), "that is no alarm", alarms(subscriber))
    for arguments, code, word in ((["nobody"], EXIT_USAGE, "there is no device \"nobody\"; there are: meter"),
                                  (["metre"], EXIT_USAGE, "did you mean \"meter\"?"),
                                  (["meter", "--what", "everything"], EXIT_USAGE, "blocks, identity or all")):
        done = gateway.cli("forget", *arguments)
        check(done.returncode == code and word in done.stderr, arguments, done.returncode, done.stderr)
    for _ in range(2):
        check(gateway.cli("forget", "meter").returncode == EXIT_OK, "forgetting twice is no error")
    gateway.stop()


def a_device_without_an_identity_is_asked_once(site):
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    gateway = Gateway(site, [line.bus()], [line.device("pump", 7)], []).start()
    wait_for(lambda: gateway.device("pump")["replies"] > 5, 20, "it is read")
    wait_for(lambda: line.stats()["exceptions"] == 2, 20, "it was asked for the regular and the basic objects")
    line.tell("silence 7")
    wait_for(lambda: not gateway.device("pump")["up"], 20, "it is down")
    line.tell("heal 7")
    wait_for(lambda: gateway.device("pump")["up"], 30, "it is up")
    replies = gateway.device("pump")["replies"]
    wait_for(lambda: gateway.device("pump")["replies"] > replies + 5, 20, "it is read")
    check(line.stats()["exceptions"] == 2, "and not asked again", line.stats())
    gateway.stop()


def row(table, name):
    """The words of the line that begins with the name."""
    return next((line.split() for line in table.splitlines() if line.split()[:1] == [name]), [])


main(names_the_points_that_a_device_refuses, a_device_that_answers_too_late_is_told_from_one_that_does_not,
     a_device_that_answers_too_late_over_tcp_is_told_by_its_numbers, a_device_that_was_late_and_answers_no_more_is_not_told_as_late,
     says_when_a_missing_device_is_tried_next,
     a_replaced_meter_raises_an_alarm_and_marks_its_counter, who_a_device_is_outlives_a_restart,
     what_a_counter_ended_at_outlives_a_restart,
     a_device_of_another_model_than_its_profile_is_told, a_missing_device_is_looked_for_where_it_is_reached,
     what_was_learnt_is_forgotten, a_device_without_an_identity_is_asked_once)
