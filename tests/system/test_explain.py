#!/usr/bin/python3
"""
What a device really has: registers without a manual (sluice read --explain), the points of a profile (sluice probe),
and readings that a person compares with the display (sluice profile confirm).
"""
import json
import os

from harness import (EXIT_CONFIG, EXIT_FAILED, EXIT_OK, EXIT_USAGE, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check,
                     main, program, sluice, wait_for)

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
QUICK = ["--interval", "20"]


def places(site):
    """How a line on a port and one over the network are named on the command line."""
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    return [line.link, "-l", "115200 8E1", "-a", "7"], ["127.0.0.1:%d" % hall.port, "-a", "7"]


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def finds_the_value_on_the_display(site):
    """27 in registers 4 and 5 (ABCD), whatever stands around them, and nothing where it is not."""
    for place in places(site):
        done = sluice("read", *place, "-T", "holding", "-r", "0", "-c", "90", "--expect", "27", "--within", "5%", "-J",
                      *QUICK)
        check(done.returncode == EXIT_OK, "sluice read --expect", done.stderr)
        found = [(guess["reg"], guess["type"], guess["order"], guess["scale"]) for guess in lines(done)]
        check((4, "f32", "ABCD", 1) in found[:2], "it is among the first", found)
        scaled = sluice("read", *place, "-r", "40001", "-c", "40", "--expect", "590", "--within", "3", "-J", *QUICK)
        check({(guess["reg"], guess["scale"]) for guess in lines(scaled)} >= {(40011, 0.1)}, "a tenth of a register",
              scaled.stdout)
        nothing = sluice("read", *place, "-r", "40001", "-c", "20", "--expect", "3.3e-7", *QUICK)
        check(nothing.returncode == EXIT_FAILED and "other registers" in nothing.stderr, "nothing", nothing.stderr)


def shows_how_each_register_moves(site):
    for place in places(site):
        done = sluice("read", *place, "-T", "holding", "-r", "0", "-c", "8", "--explain", "-J", "-n", "4", *QUICK)
        check(done.returncode == EXIT_OK, "sluice read --explain", done.stderr)
        seen = {(guess["reg"], guess["type"], guess["order"]): guess for guess in lines(done)}
        counter = seen[0, "u32", "ABCD"]
        check(counter["motion"] == "counts" and counter["plausible"], "the counter", counter)
        check([value - counter["values"][0] for value in counter["values"]] == [0, 1, 2, 3], "each read once", counter)
        check(not seen[0, "u32", "CDAB"]["plausible"], "the wrong order", seen[0, "u32", "CDAB"])
        check(seen[6, "u16", "AB"]["values"] == [0x1706] * 4 and seen[6, "u16", "AB"]["motion"] == "steady", "steady")
        words = sluice("read", *place, "-T", "holding", "-r", "0", "-c", "44", "--explain", *QUICK).stdout
        check("0x1706" in words and "bits 12 10 9 8 2 1" in words and "BCD 1706" in words, "side by side", words)
        check("4 registers of these the device does not have" in words, "what is not there", words[-2000:])


def what_is_picked_is_read_by_the_gateway(site):
    """From a number on the screen to a profile of the user's own, and to values."""
    _, place = places(site)
    profile = site.path("own.json")
    asked = [*place, "-r", "40001", "-c", "40"]
    picked = sluice("read", *asked, "--pick", "115", "--id", "voltage_l1_n")
    check(picked.returncode == EXIT_OK and json.loads(picked.stdout)["reg"] == 40005, "one line", picked.stdout)
    os.environ["SLUICE_PROFILES"] = site.folder
    for arguments in (["--pick", "115", "--id", "level"],
                      ["--pick", "261", "--id", "flow", "--expect", "590", "--within", "1%", *QUICK]):
        done = sluice("read", *asked, *arguments, "--profile", profile)
        check(done.returncode == EXIT_OK, "appended", done.stderr)
        check('has the point "%s" now' % arguments[arguments.index("--id") + 1] in done.stderr and
              '"profile": "own"' in done.stderr, "it is told", done.stderr)
    check("$schema" not in open(profile).read(), "it names no file that is not there")
    again = sluice("read", *asked, "--pick", "115", "--id", "level", "--profile", profile)
    check(again.returncode == EXIT_CONFIG and "already" in again.stderr, "an id twice", again.stderr)
    check(sluice("profile", "check", profile).returncode == EXIT_OK, "it is a profile")
    host = place[0]
    gateway = Gateway(site, [{"id": "hall", "driver": "modbus-tcp", "host": host}],
                      [{"id": "meter", "bus": "hall", "unit": 7, "profile": "own", "every": "100ms"}], []).start()

    def values():
        rows = map(json.loads, gateway.cli("state", "--json").stdout.splitlines())
        return {row["p"]: row["v"] for row in rows if row.get("p")}
    wait_for(lambda: values().get("flow") == 589.8 and 26 <= values().get("level", 0) <= 28, 20, "both are read")
    gateway.stop()
    del os.environ["SLUICE_PROFILES"]


def reads_on_over_damaged_answers(site):
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40,corrupt=1/3"])
    done = sluice("read", line.link, "-l", "115200 8E1", "-a", "7", "-T", "holding", "-r", "0", "-c", "8", "--explain", "-J", "-n", "9",
                  *QUICK)
    check(done.returncode == EXIT_OK, "sluice read --explain", done.stderr)
    values = next(guess["values"] for guess in lines(done) if guess["reg"] == 6 and guess["type"] == "u16")
    check(values == [0x1706] * 9, "each is right", values)


def a_port_that_is_pulled_out_is_told(site):
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    reading = site.start("reading", program("sluice"), "read", line.link, "-l", "115200 8E1", "-a", "7", "-T", "holding", "-r", "0",
                         "-c", "8", "--explain", "-n", "16", "-i", "500")
    wait_for(lambda: line.stats()["requests"] > 0, 20, "it is asked")
    line.tell("unplug")
    check(reading.popen.wait(30) == EXIT_FAILED and "look at the adapter and its plug" in reading.log(), "what to do", reading.log())


def says_what_cannot_be(site):
    _, place = places(site)
    for arguments, word in ((["-r", "1", "--explain"], "holding register 1 is --reg 40001"), (["-r", "0"], "--table holding --reg 0 is --reg 40001"),
                            (["-r", "25000"], "--table"), (["-r", "40001", "--samples", "4"], "go with --explain"), (["-T", "coil", "-r", "0", "--explain"], "bits"), (["-r", "40001", "--expect", "0"], "other than 0"),
                            (["-r", "40001", "--explain", "--id", "x"], "--pick"), (["-r", "40001", "-t", "f32", "--pick", "1"], "leave them out"),
                            (["-r", "40001", "--pick", "999"], "no number 999"),
                            (["-r", "40001", "--expect", "5", "--within", "x"], "a share"),
                            (["-r", "40001", "--expect", "5", "--within", "inf"], "a share"),
                            (["-r", "40001", "--pick", "1", "--id", "Not An Id"], "a-z")):
        done = sluice("read", *place, *arguments)
        check(done.returncode == EXIT_USAGE and word in done.stderr, arguments, done.returncode, done.stderr)


PROFILE = {"vendor": "Acme", "model": "M", "confidence": "medium", "numbering": "0-based", "drivers": ["modbus-tcp"],
           "points": [
               {"id": "counter", "reg": 0, "type": "u32", "state": "total_increasing"},
               {"id": "level", "reg": 4, "type": "f32", "unit": "V"},
               {"id": "odd", "reg": 6, "type": "u16", "max": 100},
               {"id": "nothing", "reg": 7, "type": "u16", "na": [0x1707]},
               {"id": "beyond", "reg": 39, "type": "f32"},
               {"id": "more", "reg": 8, "type": "u16", "scale": 0.1, "read": False},
               {"id": "absent", "reg": 500, "type": "u16", "read": False}]}


TEXT = {"id": "label", "reg": 4, "type": "string", "length": 2}


def profiled(site, *more):
    """A gateway that polls a device by a profile which fits it in part."""
    os.environ["SLUICE_PROFILES"] = site.path("profiles")
    site.at_end(lambda: os.environ.pop("SLUICE_PROFILES", None))
    os.makedirs(site.path("profiles"))
    site.write("profiles/acme-m.json", json.dumps({**PROFILE, "points": PROFILE["points"] + list(more)}, indent=1))
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    device = {"id": "meter", "bus": "hall", "unit": 7, "profile": "acme-m", "every": "100ms"}
    return hall, Gateway(site, [hall.bus()], [device], []).start()


def finds_which_points_a_device_has(site):
    hall, gateway = profiled(site)
    wanted = {"counter": ("has", True), "level": ("has", True), "odd": ("implausible", True),
              "nothing": ("not available", True), "beyond": ("has not", True), "more": ("has", False),
              "absent": ("has not", False)}
    by_name = ["--profile", "acme-m", "--unit", "7", "127.0.0.1:%d" % hall.port]
    for arguments in (["--config", gateway.config_path, "meter"], by_name):
        done = sluice("probe", *arguments, "--json")
        check(done.returncode == EXIT_FAILED, "a point that is read is missing", done.returncode, done.stderr)
        found = {point["id"]: (point["verdict"], point["read"]) for point in json.loads(done.stdout)["points"]}
        check(found == wanted, "what is found", found)
        words = sluice("probe", *arguments).stdout
        check('"only": ["counter", "level", "odd", "nothing"]' in words and '"also": ["more"]' in words, "what is offered",
              words)
        check("exception 2" in next(line for line in words.splitlines() if line.startswith("beyond")), "why", words)
    gateway.tell(lambda settings: settings["devices"][0].update(only=["counter", "level"], also=["more"]))
    done = sluice("probe", "--config", gateway.config_path, "meter")
    check(done.returncode == EXIT_OK and "All points that are read are there" in done.stdout, "as offered", done.stdout)
    hall.quiet()
    silent = sluice("probe", *by_name)
    check(silent.returncode == EXIT_FAILED and "does not answer" in silent.stderr, "a device that is not there",
          silent.stderr)
    gateway.stop()


def borrows_a_line_that_the_gateway_polls(site):
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    gateway = Gateway(site, [line.bus()], [line.device("pump", 7)], []).start()
    wait_for(lambda: gateway.device("pump")["up"], 20, "it is polled")
    place = [line.link, "-l", "115200 8E1", "-a", "7", "-T", "holding", "-r", "6"]
    plain = gateway.cli("read", *place, "-J")
    check(plain.returncode == EXIT_OK and json.loads(plain.stdout)["v"] == 0x1706, "read once", plain.stderr)
    done = gateway.cli("read", *place, "--explain", "-J", "-i", "300")
    check(done.returncode == EXIT_OK and "lets go of it" in done.stderr, "borrowed", done.stderr)
    check(lines(done)[0]["values"] == [0x1706] * 3, "read", lines(done)[0])
    probed = gateway.cli("probe", "--config", gateway.config_path, "pump", "--json")
    check(probed.returncode == EXIT_OK and json.loads(probed.stdout)["points"][0]["verdict"] == "has", "probed",
          probed.stderr)
    for done in (plain, probed):
        check(done.stderr.endswith("the gateway polls bus rs485-1 again\n"), "what is told at the end", done.stderr)
    wait_for(lambda: gateway.device("pump")["up"], 20, "and given back")
    gateway.stop()


def probes_a_line_on_a_port(site):
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    os.environ["SLUICE_PROFILES"] = site.folder
    site.at_end(lambda: os.environ.pop("SLUICE_PROFILES", None))
    site.write("acme-m.json", json.dumps({**PROFILE, "factory": {"line": "115200 8E1", "unit": 7}}))
    done = sluice("probe", "--profile", "acme-m", line.link, "--json")
    found = {point["id"]: point["verdict"] for point in json.loads(done.stdout)["points"]}
    check(found["level"] == "has" and found["beyond"] == "has not", "with the line and unit of the profile", found)
    unknown = sluice("probe", "--profile", "acme-n", line.link)
    check(unknown.returncode == EXIT_USAGE and "acme-m" in unknown.stderr, "a name that is near", unknown.stderr)


def a_reading_that_is_on_the_display_confirms_its_profile(site):
    hall, gateway = profiled(site, TEXT)
    broker = Broker(site)
    subscriber = Subscriber(site, broker)
    gateway.tell(lambda settings: settings.update(uplinks=[broker.uplink()]))
    gateway.wait_online()
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is read")
    check(gateway.device("meter")["unverified"], "it is unverified", gateway.device("meter"))
    wait_for(lambda: meta(subscriber).get("unverified"), 20, "also in meta")
    for point, status, told in (("levl", EXIT_USAGE, 'device meter has no point "levl"; did you mean "level"?'), ("nothing", EXIT_FAILED, "has no value now, not available")):
        done = gateway.cli("profile", "confirm", "meter", point + "=31")
        check(done.returncode == status and told in done.stderr, "what cannot be compared", done.stderr)
    differs = gateway.cli("profile", "confirm", "meter", "level=31")
    check(differs.returncode == EXIT_FAILED and "not confirmed" in differs.stderr, "another value", differs.stderr)
    text = gateway.cli("profile", "confirm", "meter", "label=0")
    check(text.returncode == EXIT_FAILED and "not confirmed" in text.stderr, "a text is no zero", text.stdout, text.stderr)
    check("confirmed" not in open(site.path("profiles/acme-m.json")).read(), "nothing was written")
    done = gateway.cli("profile", "confirm", "meter", "level=27", "more=590", "--within", "10%")
    check(done.returncode == EXIT_FAILED and "nothing was read of point more" in done.stderr, "not read", done.stderr)
    done = gateway.cli("profile", "confirm", "meter", "level=27", "--within", "10%", "--by", "Anna")
    check(done.returncode == EXIT_OK, "confirmed", done.stdout, done.stderr)
    kept = json.load(open(site.path("profiles/acme-m.json")))
    check(kept.pop("confirmed").items() >= {"device": "meter", "points": ["level"], "by": "Anna"}.items() and
          kept == {**PROFILE, "points": PROFILE["points"] + [TEXT]}, "the rest is as it was", kept)
    check("confirmed   20" in sluice("profile", "show", "acme-m").stdout, "shown")
    listed = json.loads(sluice("profile", "list", "--search", "acme-m", "--json").stdout)
    check(listed[0]["unverified"] is False, "listed", listed)
    gateway.hup()
    wait_for(lambda: "unverified" not in gateway.device("meter"), 20, "the mark is gone")
    wait_for(lambda: "unverified" not in meta(subscriber), 20, "also in meta")
    gateway.stop()


def a_sure_profile_is_not_confirmed(site):
    hall, gateway = profiled(site)
    wait_for(lambda: any(event["k"] == "reading" and event["p"] == "level" for event in gateway.replay()), 20, "it is read")
    with open(site.path("profiles/acme-m.json"), "w") as out:
        json.dump({**PROFILE, "confidence": "high"}, out)
    before = open(site.path("profiles/acme-m.json")).read()
    sure = gateway.cli("profile", "confirm", "meter", "level=27", "--within", "10%")
    check(sure.returncode == EXIT_OK and "nothing to confirm" in sure.stdout, "a sure one", sure.stdout, sure.stderr)
    check(open(site.path("profiles/acme-m.json")).read() == before, "nothing was written")
    gateway.stop()


def meta(subscriber):
    """The newest meta of the device; empty before the first."""
    messages = subscriber.on("meta/meter")
    return messages[-1].json() if messages else {"unverified": None}


main(finds_the_value_on_the_display, shows_how_each_register_moves, reads_on_over_damaged_answers, a_port_that_is_pulled_out_is_told,
     what_is_picked_is_read_by_the_gateway,
     says_what_cannot_be, finds_which_points_a_device_has, probes_a_line_on_a_port,
     borrows_a_line_that_the_gateway_polls,
     a_reading_that_is_on_the_display_confirms_its_profile,
     a_sure_profile_is_not_confirmed)
