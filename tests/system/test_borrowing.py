#!/usr/bin/python3
"""A bus that the gateway polls is borrowed by whoever looks for something on it, and given back."""
import fcntl
import json
import os
import re
import shlex
import signal

from harness import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Gateway, RtuLine, check, free_port, main, program, sluice, wait_for
from harness.finding import Plant, devices, party, scan, wait_for_states


def a_scan_borrows_the_bus_of_a_running_gateway(site):
    # As a scan proposes it: it has no points yet, and is not read.
    plant = Plant(site, [{"id": "bare", "bus": "field", "unit": 3, "numbering": "40001", "points": []}])
    scanning = site.start("scan", program("sluice"), "scan", "--json", "--socket", plant.gateway.socket, plant.line.link,
                          "--line", "19200 8E1", "--units", "1-20", "--listen", "2")
    lent = wait_for(plant.lent, 20, "the status says that the bus is lent")
    check("sluice scan" in lent["to"] and str(scanning.pid) in lent["to"], "to whom", lent)
    wait_for(lambda: plant.gateway.device("boiler").get("why") == "lent", 10, "the device is told down")
    refused = plant.gateway.cli("scan", plant.line.link, "--line", "19200 8E1", "--units", "1", "--listen", "0")
    check(refused.returncode == EXIT_SYSTEM and str(scanning.pid) in refused.stderr, "a second scan", refused.stderr)
    check(scanning.popen.wait(60) == EXIT_OK, "exit status", scanning.log())
    lines = [json.loads(line) for line in scanning.log().splitlines() if line.startswith("{")]
    check(sorted(devices(lines)) == [1, 9], "the units", lines)
    check("lets go" in scanning.log(), "it says so", scanning.log())
    plant.wait_up()
    check(not plant.lent(), "the lease", plant.lent())
    # It does not say who it is, and need not.
    check(plant.gateway.device("boiler")["exceptions"] == 0, "a refusal of our own question", plant.gateway.device("boiler"))
    wait_for_states(plant.gateway, "boiler")
    check("why" not in plant.gateway.device("bare"), "what is never read does not stay lent", plant.gateway.device("bare"))
    check("bare                 no points" in plant.gateway.cli("status").stdout, "sluice status", plant.gateway.cli("status").stdout)
    check(plant.gateway.cli("health").stdout.count("1 of 1 device answers") == 1, "sluice health", plant.gateway.cli("health").stdout)
    plant.gateway.stop()


def a_scan_takes_the_id_of_a_bus_and_says_what_comes_next(site):
    plant = Plant(site)
    done = plant.gateway.cli("scan", "field", "--units", "1,9", "--listen", "0")
    check(done.returncode == EXIT_OK and "lets go" in done.stderr and "19200 8E1" in done.stderr, "the bus", done.stderr)
    check("19200 8E1  unit 9 answers" in done.stdout, "what is there", done.stdout)
    told = done.stdout.split("Next, in the configuration:")[1]
    check('{ "id": "device-9", "bus": "field", "unit": 9, "numbering": "40001", "points": [] }' in told, "the new one", told)
    check('"buses"' not in told, "the bus is there already", told)
    asked = re.search(r"sluice (read .* --explain)", told).group(1)
    check("the gateway polls bus field again" in done.stderr, "it is given back", done.stderr)
    check(plant.line.link in asked and '--line "19200 8E1"' in asked, "the next command", asked)
    read = plant.gateway.cli(*shlex.split(asked), "--samples", "1")
    check(read.returncode == EXIT_OK and "The likeliest" in read.stdout, "it works", read.stdout, read.stderr)
    plant.wait_up()
    none = plant.gateway.cli("scan", "field", "--units", "1", "--listen", "0")
    check("The gateway polls all of them already, as bus field." in none.stdout, "nothing is new", none.stdout)
    plant.wait_up()
    plant.gateway.stop()
    alone = sluice("scan", plant.line.link, "--line", "19200 8E1", "--units", "9", "--listen", "0")
    check('{ "id": "line-1", "driver": "modbus-rtu", "port": "%s", "line": "19200 8E1" }' % plant.line.link in alone.stdout and
          '"bus": "line-1", "unit": 9' in alone.stdout, "without a gateway", alone.stdout)


def a_port_that_the_gateway_has_is_borrowed_by_its_socket(site):
    """Whoever asks the wrong socket is told; Ctrl-C gives the line back at once."""
    plant = Plant(site)
    place = (plant.line.link, "-l", "19200 8E1", "-a", "9", "-r", "40001")
    busy = sluice("read", *place, "--socket", "/nonexistent/api.sock")
    check(busy.returncode == EXIT_SYSTEM and "--socket" in busy.stderr and "the line is borrowed" in busy.stderr, "busy",
          busy.stderr)
    check(plant.gateway.cli("read", *place).returncode == EXIT_OK, "borrowed")
    plant.wait_up()
    for number, command in enumerate((["read", *place, "--explain", "--samples", "16", "--interval", "60000"],
                                      ["probe", "--profile", "eastron-sdm630", "--line", "19200 8E1", "--unit", "33",
                                       plant.line.link])):
        reading = site.start("reading%d" % number, program("sluice"), command[0], "--socket", plant.gateway.socket, *command[1:])
        wait_for(lambda: plant.gateway.device("boiler").get("why") == "lent", 20, "the bus is lent")
        reading.signal(signal.SIGINT)
        check(reading.popen.wait(5) == EXIT_FAILED and "stopped" in reading.log(), "it ends", command[0], reading.log())
        plant.wait_up(8)
    plant.gateway.stop()


def a_port_is_known_by_every_name_that_it_has(site):
    plant = Plant(site)
    free = RtuLine(site, "free", ["4:a,regs=20"], 19200)
    other = site.path("other-name")
    os.symlink(os.path.realpath(plant.line.link), other)
    for port, unit, lent in ((other, 9, True), (free.link, 4, False)):
        done = plant.gateway.cli("scan", port, "--line", "19200 8E1", "--units", str(unit), "--listen", "0")
        check(done.returncode == EXIT_OK and "unit %d" % unit in done.stdout, "the scan", done.stdout, done.stderr)
        check(("lets go" in done.stderr) == lent, "whether the gateway lets go", port, done.stderr)
    plant.wait_up()
    plant.gateway.stop()


def nothing_is_borrowed_for_what_cannot_be(site):
    """Each value that each command which borrows takes is checked before a line is taken from its polls."""
    plant = Plant(site)
    image = site.write("node.snu", "no image")
    commands = (("read", "field", "--reg", "40001"), ("read", "field", "--reg", "40001", "--explain", "--pick", "1"),
                ("scan", "field", "--units", "9", "--listen", "0"), ("sunspec", "field"),
                ("probe", "--profile", "eastron-sdm120", "field"), ("assign", "field", "--profile", "eastron-sdm120", "--to", "7"),
                ("assign", "field", "--profile", "eastron-sdm120", "--start", "7"), ("node", "status", plant.line.link),
                ("node", "confirm", plant.line.link), ("node", "rollback", plant.line.link), ("node", "update", plant.line.link, image))
    seen = 0
    for words in commands:
        name = words[:2] if words[0] == "node" else words[:1]
        for flag in re.findall(r"^ +(?:-\w, )?--([a-z-]+) [A-Z]", sluice(*name, "--help").stdout, re.M):
            if flag in ("socket", "config"):
                continue
            done = plant.gateway.cli(*words, "--" + flag, "?!")
            check(done.returncode != EXIT_OK and done.stderr, "it is refused", words, flag, done.returncode, done.stdout)
            seen += 1
    check(seen > 45, "how many values there are", seen)
    profile = site.write("bare.json", "{}")
    for wrong in (("--pick", "1", "--profile", profile), ("--type", "f23"), ("--line", "9600 8X1"), ("--count", "5000"), ("--expect", "abc"), ("--expect", "0"),
                  ("--pick", "99"), ("--explain", "--type", "bool", "--table", "coil"), ("--within", "2%"), ("--unit", "248"),
                  ("--pick", "1", "--id", "x", "--profile", "./nowhere/own.json")):
        done = plant.gateway.cli("read", "field", "--reg", "40001", *wrong)
        check(done.returncode in (EXIT_USAGE, EXIT_SYSTEM, EXIT_CONFIG), wrong, done.returncode, done.stderr)
    plant.wait_up()
    check("is lent" not in plant.gateway.process.log(), "the line was never lent", plant.gateway.process.log()[-800:])
    plant.gateway.stop()


def scan_for_long(site, plant):
    """A scan that goes on until it is ended, once it has borrowed the bus."""
    scanning = site.start("scan", program("sluice"), "scan", "--socket", plant.gateway.socket, plant.line.link,
                          "--line", "19200 8E1", "--units", "10-247", "--listen", "0")
    wait_for(lambda: plant.gateway.device("boiler").get("why") == "lent", 20, "the bus is lent")
    return scanning


def a_bus_that_is_lent_stays_so_when_its_configuration_changes(site):
    plant = Plant(site)
    scanning = scan_for_long(site, plant)
    plant.gateway.tell(lambda settings: settings["devices"][0].update(every="150ms"))
    wait_for(lambda: "is applied" in plant.gateway.process.log(), 20, "the file is applied")
    lent = plant.lent()
    check(lent and str(scanning.pid) in lent["to"], "the new bus is not lent", lent, plant.gateway.process.log()[-500:])
    asked = plant.line.stats()["requests"]
    wait_for(lambda: plant.line.stats()["requests"] > asked + 20, 20, "the scan goes on")
    check(plant.gateway.device("boiler")["requests"] == 0, "the gateway asks", plant.gateway.device("boiler"))
    scanning.signal(signal.SIGINT)
    plant.wait_up(8)
    plant.gateway.stop()


def a_scan_that_listens_for_longer_than_a_lease_keeps_the_bus(site):
    plant = Plant(site)
    done = plant.gateway.cli("scan", plant.line.link, "--line", "19200 8E1", "--units", "9", "--listen", "17")
    check(done.returncode == EXIT_OK, "the scan", done.stdout, done.stderr)
    plant.wait_up()
    words = plant.gateway.process.log()
    check(words.count("is lent, its devices") == 1, "how often it was lent", words[-800:])
    plant.gateway.stop()


def a_scan_that_is_killed_gives_the_bus_back(site):
    plant = Plant(site)
    scanning = scan_for_long(site, plant)
    scanning.kill()
    plant.wait_up(30)
    check(not plant.lent(), "the lease", plant.lent())
    plant.gateway.stop()


def a_scan_that_is_interrupted_gives_the_bus_back_at_once(site):
    plant = Plant(site)
    scanning = scan_for_long(site, plant)
    scanning.signal(signal.SIGINT)
    check(scanning.popen.wait(10) == EXIT_FAILED, "exit status", scanning.log())
    plant.wait_up(8)
    plant.gateway.stop()


def a_port_that_another_program_has_is_not_touched(site):
    line = RtuLine(site, "field", ["1:a,regs=20"])
    with open(line.link, "rb+", buffering=0) as port:
        fcntl.flock(port, fcntl.LOCK_EX)
        lines, errors = scan(line.link, "--line", "115200 8E1", "--units", "1", status=EXIT_SYSTEM)
        check("(process %d)" % os.getpid() in errors, "who has it", errors)
        for command in (("assign", "--profile", "eastron-sdm120", "--to", "7"), ("trace", "--line", "9600 8N1")):
            done = sluice(*command, line.link, "--socket", "/nonexistent/api.sock")
            check(done.returncode == EXIT_SYSTEM and "(process %d)" % os.getpid() in done.stderr, "who has it", command,
                  done.returncode, done.stderr)
        check(line.stats()["requests"] == 0, "it was asked", line.stats())


def a_connection_is_borrowed_of_a_device_that_takes_one_only(site):
    port = free_port()
    party(site, "device", "single_connection.py", str(port))
    host = "127.0.0.1:%d" % port
    gateway = Gateway(site, [{"id": "hall", "driver": "modbus-tcp", "host": host}],
                      [{"id": "meter", "bus": "hall", "unit": 1, "numbering": "0-based",
                        "points": [{"id": "p", "reg": 3, "every": "200ms"}]}], []).start()
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is read")
    arguments = ("scan", host, "--units", "1-2", "--timeout", "300", "--quick")
    beside = gateway.cli(*arguments)
    check(beside.returncode == EXIT_FAILED and "as bus hall" in beside.stderr and "--borrow" in beside.stderr,
          "beside the gateway nobody answers, and why", beside.stdout, beside.stderr)
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is still read")
    alone = gateway.cli(*arguments, "--borrow", "--json")
    found = devices([json.loads(line) for line in alone.stdout.splitlines()])
    check(alone.returncode == EXIT_OK and list(found) == [1], "the scan", alone.stdout, alone.stderr)
    check("lets go" in alone.stderr, "it is told", alone.stderr)
    wait_for(lambda: gateway.device("meter")["up"], 20, "it is read again")
    wait_for_states(gateway, "meter")
    gateway.stop()


main(a_scan_borrows_the_bus_of_a_running_gateway,
     a_scan_takes_the_id_of_a_bus_and_says_what_comes_next,
     a_port_that_the_gateway_has_is_borrowed_by_its_socket,
     a_port_is_known_by_every_name_that_it_has, nothing_is_borrowed_for_what_cannot_be,
     a_bus_that_is_lent_stays_so_when_its_configuration_changes,
     a_scan_that_listens_for_longer_than_a_lease_keeps_the_bus,
     a_scan_that_is_killed_gives_the_bus_back,
     a_scan_that_is_interrupted_gives_the_bus_back_at_once,
     a_port_that_another_program_has_is_not_touched,
     a_connection_is_borrowed_of_a_device_that_takes_one_only)
