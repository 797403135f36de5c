#!/usr/bin/python3
"""What the gateway says of devices that refuse, are gone, or are not what was configured: in the log and the status."""
from harness import EXIT_OK, Gateway, ModbusTcp, check, main, wait_for


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


def says_when_a_missing_device_is_tried_next(site):
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 7)], []).start()
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is up")
    state = gateway.cli("state")
    check(state.returncode == EXIT_OK and "up" in row(state.stdout, "meter"), state.stdout)
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


def row(table, name):
    """The words of the line that begins with the name."""
    return next((line.split() for line in table.splitlines() if line.split()[:1] == [name]), [])


main(names_the_points_that_a_device_refuses, says_when_a_missing_device_is_tried_next)
