#!/usr/bin/python3
"""Devices and lines that fail: the others keep their schedule, and no value is published that nobody sent."""
import time

from harness import (LONG, Audit, Balance, Broker, Gateway, ModbusTcp, RtuLine, Scale, Subscriber, Talker, check,
                     doubted, finish, main, patient, totals, wait_for)

PERIOD_S = 20 if LONG else 4


def constant(unit):
    """A register that says whose it is: another unit's reply, or another register's, is seen."""
    return 0x1000 + 0x100 * unit + 12


CONSTANT = {"id": "constant", "reg": 12, "type": "u16", "every": "100ms", "report": {"on_change": False}}


def rates(site, names, seconds=PERIOD_S):
    """Values a second of each device over a period, by what the simulators sent."""
    begin = time.time() * 1000
    wait_for(lambda: time.time() * 1000 > begin + 1000 * seconds, seconds + 5, "the period of measuring")
    end = begin + 1000 * seconds
    sent = [witness["d"] for witness in site.witnesses() if begin <= witness["t"] < end]
    return {name: sent.count(name) / seconds for name in names}


def check_constants(balance, units):
    for name, unit in units.items():
        values = set(balance.good_values(name, "constant"))
        check(values == {constant(unit)}, "a value of another register", name, sorted(values))


def a_silent_slave_costs_the_others_nothing(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    line = RtuLine(site, "rs485-1", ["%d:unit%d" % (unit, unit) for unit in (1, 2, 3, 4)])
    names = ["unit1", "unit2", "unit3", "unit4"]
    devices = [line.device(name, number) for number, name in enumerate(names, 1)]
    gateway = Gateway(site, [line.bus(timeout=patient(100))], devices, [broker.uplink()]).start()
    gateway.wait_online()
    site.wait_values(40)
    before = rates(site, names)
    silent_ms = time.time() * 1000
    line.tell("silence 2")
    wait_for(lambda: not gateway.device("unit2")["up"], 20, "unit 2 is down")
    check(gateway.device("unit2")["why"] == "timeout", "why", gateway.device("unit2"))
    # Its probes become rare; the first few still cost a time-out each.
    wait_for(lambda: gateway.device("unit2").get("next_probe_ms", 0) > 1000, 30, "probes are backed off")
    during = rates(site, names)
    line.tell("revive 2")
    wait_for(lambda: gateway.device("unit2")["up"], 40, "unit 2 is back by itself")
    back_ms = time.time() * 1000
    site.wait_values(40)
    for name in ("unit1", "unit3", "unit4"):
        check(during[name] >= 0.85 * before[name], "the schedule of the others suffers", name, before, during)
    # What it answers while an answer to an earlier request may still come is not believed without proof.
    balance = finish(gateway, [line], subscriber, audit, 100,
                     permitted=doubted(["unit2"], silent_ms, back_ms))
    states = [(event["v"], event.get("why")) for event in balance.of("state") if event.get("d") == "unit2"]
    check((False, "timeout") in states and states.index((False, "timeout")) < len(states) - 1
          and any(up for up, _ in states[states.index((False, "timeout")):]), "down and up as events", states)
    bad = [event for event in balance.readings("unit2", "counter") if event["q"] == "bad"]
    check(bad and all(event["v"] is None for event in bad), "bad values while it is silent", bad[:3])
    return "before %s, during %s" % (before, during)


def late_and_foreign_replies_are_never_published(site):
    """Replies after the time-out, of another unit, of another function, too short, spoilt; and the echo of requests."""
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    line = RtuLine(site, "rs485-1", ["%d:unit%d,regs=40" % (unit, unit) for unit in (1, 2, 3)], 115200, "--late-after",
                   "100ms")
    units = {"unit1": 1, "unit2": 2, "unit3": 3}
    devices = [line.device(name, unit, "60ms", [CONSTANT]) for name, unit in units.items()]
    gateway = Gateway(site, [line.bus(timeout="100ms")], devices, [broker.uplink()]).start()
    gateway.wait_online()
    faults = ["delay 1 110ms 3", "delay 2 150ms 3", "delay 1 250ms 2", "delay 3 105ms 1", "corrupt 2 1/3 unit",
              "corrupt 3 1/3 function", "corrupt 1 1/3 length", "corrupt 1 1/4 bits", "corrupt 2 1/4 short",
              "dribble 3 20ms", "noise once 40", "echo on"] * (4 if LONG else 1)
    for fault in faults:
        line.tell(fault, "wait line requests 12", "heal *", "echo off")
        wait_for(lambda: all(gateway.device(name)["up"] for name in units), 60, "all are back after " + fault)
        site.wait_values(20)
    stats = line.stats()
    # Good replies may be dropped beside bad ones, since they cannot be told apart for certain.
    balance = finish(gateway, [line], subscriber, audit, 200, permitted=lambda witness: True)
    witnesses = site.witnesses()
    dropped = len(balance.missing(witnesses))
    check(dropped < len(witnesses) * 0.6, "too much is not believed", dropped, len(witnesses))
    check_constants(balance, units)
    check(stats["late"] > 0 and stats["corrupted"] > 0, "the faults did not happen", stats)
    check(any(witness.get("late") for witness in site.witnesses()), "no late reply")
    totals("late-and-foreign-replies", what="late, foreign, spoilt and echoed replies on RTU",
           count=stats["late"] + stats["corrupted"], lost=0, published=0)
    return "%d late, %d spoilt, %d of %d good ones not believed" % (stats["late"], stats["corrupted"], dropped,
                                                                    len(witnesses))


def foreign_replies_over_tcp_are_never_published(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1-3:unit,regs=40"], "--late-after", "300ms")
    units = {"unit1": 1, "unit2": 2, "unit3": 3}
    devices = [hall.device(name, unit, "50ms", [CONSTANT]) for name, unit in units.items()]
    gateway = Gateway(site, [hall.bus(timeout="300ms")], devices, [broker.uplink()]).start()
    gateway.wait_online()
    begin_ms = time.time() * 1000
    for fault in ["delay 1 350ms 3", "corrupt 1 1/3 transaction", "corrupt 2 1/3 unit", "corrupt 3 1/3 protocol",
                  "corrupt 1 1/3 length", "corrupt 2 1/3 function", "delay 2 600ms 2", "exception 3 6 5", "close",
                  "reset"]:
        hall.tell(fault)
        site.wait_values(30, 90)
        hall.tell("heal *")
    hall.tell("refuse on", "reset")
    wait_for(lambda: gateway.device("unit1").get("why") == "connection refused", 30, "told: connection refused")
    hall.tell("refuse off")
    wait_for(lambda: all(gateway.device(name)["up"] for name in units), 60, "all are back")
    back_ms = time.time() * 1000
    site.wait_values(30)
    # Behind a request that got no proper reply a short read is thrown away, and the simulator counts it, too.
    balance = finish(gateway, [hall], subscriber, audit, 200, permitted=doubted(units, begin_ms, back_ms))
    witnesses = site.witnesses()
    dropped = len(balance.missing(witnesses))
    check(dropped < len(witnesses) * 0.2, "too much is not believed", dropped, len(witnesses))
    check_constants(balance, units)


def when_descriptors_run_out_it_is_buses_that_go_without(site):
    hall = ModbusTcp(site, "hall", ["1-80:unit,regs=20"])
    buses = [{**hall.bus(), "id": "hall%d" % unit} for unit in range(1, 81)]
    devices = [{**hall.device("unit%d" % unit, unit, "100ms"), "bus": "hall%d" % unit} for unit in range(1, 81)]
    gateway = Gateway(site, buses, devices, []).start(before=["prlimit", "--nofile=64:64"])
    wait_for(lambda: "(LimitNOFILE)" in gateway.process.log(), 20, "told, with what to do about it")
    wait_for(lambda: any(device["up"] for device in gateway.devices()), 20, "there are buses that work")
    check(not all(device["up"] for device in gateway.devices()), "there are such that do not")
    check("out of memory" not in gateway.process.log(), "memory is not what is short", gateway.process.log()[-2000:])
    gateway.stop()


def a_noisy_line_beside_a_quiet_one(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    noisy = RtuLine(site, "noisy", ["1:loud1,regs=40", "2:loud2,regs=40"])
    quiet = RtuLine(site, "quiet", ["1:calm1", "2:calm2"])
    devices = [noisy.device("loud1", 1, points=[CONSTANT]), noisy.device("loud2", 2, points=[CONSTANT]),
               quiet.device("calm1", 1), quiet.device("calm2", 2)]
    gateway = Gateway(site, [noisy.bus(timeout="100ms"), quiet.bus(timeout=patient(100))], devices,
                      [broker.uplink()]).start()
    gateway.wait_online()
    site.wait_values(40)
    before = rates(site, ["calm1", "calm2"])
    noise_ms = time.time() * 1000
    noisy.tell("noise on", "corrupt 1 1/5")
    during = rates(site, ["calm1", "calm2"])
    noisy.tell("noise off", "heal *")
    wait_for(lambda: gateway.device("loud1")["up"] and gateway.device("loud2")["up"], 40, "the noisy line is back")
    quiet_ms = time.time() * 1000
    site.wait_values(20)
    calm = gateway.device("calm1")
    check(calm["corrupt"] == 0 and calm["timeouts"] == 0, "the quiet line was disturbed", calm)
    loud = gateway.device("loud1")
    check(loud["corrupt"] + loud["timeouts"] > 0, "the noise was not heard", loud)
    for name in before:
        check(during[name] >= 0.9 * before[name], "the quiet line lost time", before, during)
    balance = finish(gateway, [noisy, quiet], subscriber, audit, 50,
                     permitted=doubted(["loud1", "loud2"], noise_ms, quiet_ms))
    check_constants(balance, {"loud1": 1, "loud2": 2})


def lines_with_noise_and_halves(site):
    """A talker whose lines are spoilt or stop half way, and a scale that has no value now and then."""
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    talker, scale = Talker(site), Scale(site)
    gateway = Gateway(site, [talker.bus(), scale.bus()], [talker.device(silent_after="2s"), scale.device()],
                      [broker.uplink()]).start()
    gateway.wait_online()
    site.wait_values(5)
    talker.tell("half")
    scale.tell("half")
    site.wait_values(3)
    talker.tell("noise on", "corrupt 1/3")
    scale.tell("noise on", "corrupt 1/3")
    site.wait_values(6)
    talker.tell("noise off", "corrupt off")
    scale.tell("noise off", "corrupt off")

    def received(why):
        weights = Balance(subscriber.messages).readings("scale", "weight")
        return any(event["q"] == "bad" and event["why"] == why for event in weights)
    for state, why in (("overload", "out of range"), ("busy", "exception 6")):
        scale.tell("state " + state)
        wait_for(lambda: received(why), 20, "a scale in state %s: %s" % (state, why))
    scale.tell("state stable")
    site.wait_values(8)
    finish(gateway, [talker, scale], subscriber, audit, 15)


def an_adapter_that_is_pulled_out_comes_back(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    line = RtuLine(site, "rs485-1", ["1:incomer"])
    other = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [line.bus(), other.bus()], [line.device("incomer", 1), other.device("meter", 1)],
                      [broker.uplink()]).start()
    gateway.wait_online()
    pulled_ms = time.time() * 1000
    for _ in range(2):
        site.wait_values(20)
        line.tell("unplug")
        wait_for(lambda: gateway.device("incomer").get("why") == "port missing", 20, "told: port missing")
        line.tell("plug")
        wait_for(lambda: gateway.device("incomer")["up"], 40, "the line is back by itself")
    back_ms = time.time() * 1000
    check(gateway.device("meter")["timeouts"] == 0, "the other bus suffered", gateway.device("meter"))
    site.wait_values(20)
    finish(gateway, [line, other], subscriber, audit, 40, permitted=doubted(["incomer"], pulled_ms, back_ms))


def a_second_gateway_is_told_who_has_the_port(site):
    line = RtuLine(site, "rs485-1", ["1:incomer"])
    first, second = (Gateway(site, [line.bus()], [line.device("incomer", 1)], [], prefix=prefix)
                     for prefix in ("", "second-"))
    first.start()
    wait_for(lambda: first.device("incomer")["up"], 20, "the first reads")
    second.start()
    words = "sluiced (process %d) has it" % first.process.pid
    wait_for(lambda: words in second.process.log(), 20, "the second says who has it")
    check(not second.device("incomer")["up"], "two read from one line", second.device("incomer"))
    check(second.process.log().count(words) == 1, "told more than once", second.process.log()[-2000:])
    check(first.device("incomer")["timeouts"] == 0, "the first suffered", first.device("incomer"))
    first.stop()
    wait_for(lambda: second.device("incomer")["up"], 40, "the second takes over")
    second.stop()


main(a_silent_slave_costs_the_others_nothing, late_and_foreign_replies_are_never_published,
     foreign_replies_over_tcp_are_never_published, when_descriptors_run_out_it_is_buses_that_go_without, a_noisy_line_beside_a_quiet_one, lines_with_noise_and_halves,
     an_adapter_that_is_pulled_out_comes_back, a_second_gateway_is_told_who_has_the_port)
