#!/usr/bin/python3
"""Commands: from a broker or the command line to a register and back; once, in time, or not at all."""
import json
import time

from harness import (EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check,
                     main, program, sluice, wait_for)

POINTS = (
    {"id": "mode", "reg": 10, "type": "u16", "enum": {"0": "off", "1": "auto"}, "write": {}},
    {"id": "setpoint", "reg": 12, "type": "i16", "scale": 0.1, "write": {"min": 5, "max": 90, "step": 0.5}},
    {"id": "flow", "reg": 14, "type": "f32", "order": "CDAB", "write": {}},
    {"id": "pump", "reg": 3, "table": "coil", "write": {}},
    {"id": "alarm", "reg": 18, "bit": 4, "write": {}},
    {"id": "label", "reg": 20, "type": "string", "length": 4, "write": {}},
)


class Plant:
    def __init__(self, site, line=False, **uplink):
        self.site = site
        self.broker = Broker(site, tls=False)
        self.subscriber = Subscriber(site, self.broker)
        kind = RtuLine if line else ModbusTcp
        self.field = kind(site, "hall", ["1:boiler,regs=40"])
        self.gateway = Gateway(site, [self.field.bus()], [self.field.device("boiler", 1, points=POINTS)],
                               [self.broker.uplink(**{"commands": True, **uplink})]).start()
        self.gateway.wait_online()
        wait_for(lambda: self.gateway.device("boiler")["up"], 20, "the device answers")

    def send(self, command_id, point, value, expires_s=30, retain=False, **more):
        command = {"id": command_id, "op": "write", "d": "boiler", "p": point, "v": value,
                   "expires": int((time.time() + expires_s) * 1000), **more}
        self.subscriber.client.publish("sluice/plant7/cmd", json.dumps(command), qos=1,
                                       retain=retain).wait_for_publish(10)

    def answers(self, command_id):
        return [answer for answer in (message.json() for message in list(self.subscriber.messages)
                                      if message.topic == "sluice/plant7/result")
                if answer["id"] == command_id]

    def result(self, command_id, count=1, deadline_s=20):
        """The last of `count` answers that are final."""
        def final():
            return [answer for answer in self.answers(command_id) if "ok" in answer]
        wait_for(lambda: len(final()) >= count, deadline_s, "result %d of command %s" % (count, command_id))
        return final()[-1]

    def events(self, kind, command_id):
        return [event for event in self.gateway.replay("--kind", kind) if event.get("id") == command_id]

    def register(self, number):
        """As another client reads it."""
        done = sluice("read", "127.0.0.1:%d" % self.field.port, "--table", "holding", "--reg", str(number), "--json")
        check(done.returncode == EXIT_OK, "sluice read", done.stdout, done.stderr)
        return json.loads(done.stdout.splitlines()[0])["v"]

    def value(self, point):
        return [json.loads(line) for line in self.gateway.cli("state", "--json").stdout.splitlines()
                if '"p":"%s"' % point in line][-1]["v"]


def writes_every_kind_of_point(plant):
    for number, (point, value, told) in enumerate((
            ("mode", "auto", 1), ("mode", 0, 0), ("setpoint", 21.5, 21.5), ("flow", -1.25, -1.25), ("pump", True, True),
            ("pump", False, False), ("alarm", True, True), ("alarm", False, False), ("label", "Kessel", "Kessel"))):
        name = "w%d" % number
        plant.send(name, point, value)
        result = plant.result(name)
        check(result["ok"] and result["v"] == told, "the result", point, value, result)
        check(plant.answers(name)[0].get("accepted"), "what came first", plant.answers(name))
        check("key" in result and "t" in result, "the result has no key or time", result)
        event = plant.events("result", name)
        check(len(event) == 1 and event[0]["by"] == "mqtt:cloud" and event[0]["v"] == told, "the event", event)
        check(plant.events("command", name)[0]["n"] == event[0]["command"] < event[0]["n"], "what is stored first", event)
        wait_for(lambda: plant.value(point) == told, 10, "the point shows what was written")


def a_command_from_a_broker_reaches_a_register_and_its_result_comes_back(site):
    plant = Plant(site)
    writes_every_kind_of_point(plant)
    check(plant.register(12) == 215, "the register", plant.register(12))
    rows = plant.gateway.cli("replay", "--kind", "command,result", "--format", "csv").stdout.splitlines()
    check(any(",command,boiler,setpoint,21.5," in row for row in rows) and
          any(",result,boiler,setpoint,21.5," in row for row in rows), "the table", rows)
    meta = next(message.json() for message in plant.subscriber.messages if message.topic == "sluice/plant7/meta/boiler")
    check(meta["points"]["setpoint"]["write"] == {"min": 5, "max": 90, "step": 0.5} and
          meta["points"]["mode"]["write"] == {} and "write" not in meta["points"]["counter"], "meta", meta)
    plant.gateway.stop()


def a_command_reaches_a_device_on_a_serial_line(site):
    plant = Plant(site, line=True)
    writes_every_kind_of_point(plant)
    plant.gateway.stop()


def a_command_that_is_sent_again_is_not_executed_again(site):
    plant = Plant(site)
    plant.send("once", "mode", 1)
    first = plant.result("once")
    plant.gateway.cli("write", "--wait", "boiler", "mode", "off")
    plant.send("once", "mode", 1)
    check(plant.result("once", 2) == first, "another result", plant.answers("once"))
    check(plant.register(10) == 0, "it was executed again", plant.register(10))
    plant.gateway.kill()
    plant.gateway.start()
    plant.gateway.wait_online()
    plant.send("once", "mode", 1)
    check(plant.result("once", 3)["key"] == first["key"], "another result after a kill", plant.answers("once"))
    check(plant.register(10) == 0, "it was executed again after a kill", plant.register(10))
    plant.gateway.stop()


def a_command_that_waited_for_too_long_is_not_executed(site):
    plant = Plant(site)
    before = plant.register(10)
    plant.gateway.kill()
    plant.send("stale", "mode", 1, expires_s=1)
    time.sleep(1.1)  # its time passes; the broker keeps it
    plant.gateway.start()
    result = plant.result("stale")
    check(not result["ok"] and result["why"] == "expired", "the result", result)
    check(plant.register(10) == before, "it was executed", plant.register(10))
    plant.gateway.stop()


def a_kill_between_a_command_and_its_result_leaves_it_unknown_and_unrepeated(site):
    plant = Plant(site)
    before = plant.register(10)
    plant.field.tell("silence 1")
    plant.send("cut", "mode", 1)
    wait_for(lambda: plant.answers("cut"), 10, "it is accepted")
    plant.gateway.kill()
    check(not any("ok" in answer for answer in plant.answers("cut")), "it had a result already")
    plant.field.tell("revive 1")
    plant.gateway.start()
    result = plant.result("cut")
    check(not result["ok"] and result["why"] == "interrupted", "the result", result)
    plant.send("cut", "mode", 1)
    check(plant.result("cut", 2)["why"] == "interrupted", "the second result", plant.answers("cut"))
    check(plant.register(10) == before, "it was executed", plant.register(10))
    check(len(plant.events("result", "cut")) == 1, "results", plant.events("result", "cut"))
    plant.gateway.stop()


def what_is_wrong_is_told_in_words(site):
    plant = Plant(site)
    for name, point, value, words in (("limit", "setpoint", 95, "5 to 90"), ("step", "setpoint", 20.2, "steps of 0.5"),
                                      ("text", "mode", "on", "0 (off), 1 (auto)"), ("read", "counter", 1, "not marked"),
                                      ("nix", "nix", 1, "no such point")):
        plant.send(name, point, value)
        result = plant.result(name)
        check(not result["ok"] and words in result["help"], "the words", result)
    plant.send("kept", "mode", 1, retain=True)
    plant.result("kept")  # the first delivery is not known as retained
    plant.gateway.kill()
    plant.gateway.start()
    plant.gateway.wait_online()
    plant.field.tell("stuck 1")
    plant.send("stuck", "mode", 0)
    result = plant.result("stuck")
    check(result["why"] == "read back differs" and result["v"] == 1, "what the device did not take", result)
    plant.field.tell("heal 1", "exception 1 4")
    plant.send("refused", "mode", 0)
    check(plant.result("refused")["why"] == "exception 4", "the exception", plant.answers("refused"))
    plant.field.tell("heal 1", "lacks 1 22")
    plant.send("mask", "alarm", True)
    check(plant.result("mask")["why"] == "exception 1", "a device without function 22", plant.answers("mask"))
    plant.gateway.stop()


def an_uplink_takes_commands_only_where_it_may(site):
    plant = Plant(site, commands=False)
    before = plant.register(10)
    plant.send("no", "mode", 1)
    done = plant.gateway.cli("write", "--wait", "boiler", "flow", "2.5")  # behind it
    check(done.returncode == EXIT_OK and "2.5" in done.stdout, "sluice write", done.stdout, done.stderr)
    check(plant.register(10) == before and not plant.answers("no"), "it was taken", plant.answers("no"))
    plant.gateway.stop()


def the_command_line_waits_and_tells(site):
    plant = Plant(site)
    for arguments, status, words in (
            (("boiler", "mode", "auto"), EXIT_OK, "accepted, id "), (("--wait", "boiler", "mode", "1"), EXIT_OK, "is 1"),
            (("--wait", "boiler", "setpoint", "100"), EXIT_USAGE, "5 to 90"),
            (("--wait", "boiler", "counter", "1"), EXIT_USAGE, "not writable"),
            (("--wait", "boiler", "nix", "1"), EXIT_USAGE, "no such point"),
            (("boiler", "setpiont", "1"), EXIT_USAGE, 'did you mean "setpoint"?'),
            (("bioler", "setpoint", "1"), EXIT_USAGE, 'did you mean "boiler"?'),
            (("boiler", "setpoint", "-5"), EXIT_USAGE, "5 to 90"),
            (("--wait", "--ttl", "soon", "boiler", "mode", "1"), EXIT_USAGE, "--ttl"),
            (("--wait", "--ttl", "2h", "boiler", "mode", "1"), EXIT_USAGE, "1h at most"),
            (("--wait", "--json", "boiler", "pump", "true"), EXIT_OK, '"ok":true,"v":true')):
        done = plant.gateway.cli("write", *arguments)
        check(done.returncode == status and words in done.stdout + done.stderr, "sluice write", arguments,
              done.returncode, done.stdout, done.stderr)
    plant.field.tell("silence 1")
    done = plant.gateway.cli("write", "--wait", "boiler", "mode", "off")
    check(done.returncode == EXIT_FAILED and "timeout" in done.stderr, "of a silent device", done.stderr)
    plant.gateway.stop()


def a_daemon_that_dies_under_a_command_leaves_words(site):
    plant = Plant(site)
    plant.field.tell("silence 1")
    waiting = site.start("write", program("sluice"), "write", "--wait", "--socket", plant.gateway.socket, "boiler", "mode",
                         "off")
    wait_for(lambda: plant.gateway.replay("--kind", "command"), 20, "the command is stored")
    plant.gateway.kill()
    check(waiting.popen.wait(20) == EXIT_SYSTEM, "exit status", waiting.log())
    check("broke off" in waiting.log() and "nobody knows" in waiting.log(), "the words", waiting.log())


main(a_command_from_a_broker_reaches_a_register_and_its_result_comes_back,
     a_command_reaches_a_device_on_a_serial_line,
     a_command_that_is_sent_again_is_not_executed_again,
     a_command_that_waited_for_too_long_is_not_executed,
     a_kill_between_a_command_and_its_result_leaves_it_unknown_and_unrepeated,
     what_is_wrong_is_told_in_words,
     an_uplink_takes_commands_only_where_it_may,
     the_command_line_waits_and_tells,
     a_daemon_that_dies_under_a_command_leaves_words)
