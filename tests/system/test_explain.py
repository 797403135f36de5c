#!/usr/bin/python3
"""Registers without a manual: sluice read --explain, over both kinds of line."""
import json
import os

from harness import (EXIT_CONFIG, EXIT_FAILED, EXIT_OK, EXIT_USAGE, Gateway, ModbusTcp, RtuLine, check, main, sluice,
                     wait_for)

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


def says_what_cannot_be(site):
    _, place = places(site)
    for arguments, word in ((["-r", "1", "--explain"], "bits"), (["-r", "40001", "--expect", "0"], "other than 0"),
                            (["-r", "40001", "--explain", "--id", "x"], "--pick"),
                            (["-r", "40001", "--pick", "999"], "no number 999"),
                            (["-r", "40001", "--expect", "5", "--within", "x"], "a share"),
                            (["-r", "40001", "--pick", "1", "--id", "Not An Id"], "a-z")):
        done = sluice("read", *place, *arguments)
        check(done.returncode == EXIT_USAGE and word in done.stderr, arguments, done.returncode, done.stderr)


main(finds_the_value_on_the_display, shows_how_each_register_moves, what_is_picked_is_read_by_the_gateway,
     says_what_cannot_be)
