#!/usr/bin/python3
"""Finding things on Modbus: sluice scan on lines and connections, beside other masters and beside the gateway."""
import concurrent.futures
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys

from harness import (EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Gateway, ModbusTcp, RtuLine, check, free_port, main, program, slowness,
                     sluice, wait_for)

HERE = os.path.dirname(os.path.abspath(__file__))
PARTIES = os.path.join(HERE, "parties")
os.environ["SLUICE_PROFILES"] = os.path.join(HERE, "..", "..", "drivers", "profiles")


def patience_ms():
    """What a party that is a Python program needs for an answer."""
    return str(int(60 * slowness()))


def scan(*arguments, status=EXIT_OK, socket="/nonexistent/api.sock"):
    """The lines of `sluice scan --json`."""
    done = sluice("scan", "--json", "--socket", socket, *arguments)
    check(done.returncode == status, "exit status of sluice scan", done.returncode, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def devices(lines):
    return {line["unit"]: line for line in lines if line["kind"] == "device"}


def a_scan_finds_the_setting_and_the_units_and_stops_there(site):
    line = RtuLine(site, "field", ["2:a,regs=20", "7:b,exception=2", "14:c,regs=20"], 19200, "--check-baud")
    lines, errors = scan(line.link, "--baud", "9600,19200,38400", "--format", "8E1", "--units", "1-16", "--listen", "1")
    found = devices(lines)
    check(lines[0]["kind"] == "line" and lines[0]["heard"] == "silence", "what was heard first", lines[0])
    check(sorted(found) == [2, 7, 14], "the units", found)
    check(all(device["line"] == "19200 8E1" and device["verdict"] == "present" for device in found.values()),
          "the setting", found)
    check(found[7]["exception"] == 2, "an exception is an answer", found[7])
    check(line.stats()["violations"] == 0, "silences", line.stats())


def a_scan_tells_two_devices_with_one_unit_from_one(site):
    line = RtuLine(site, "field", ["2:a,regs=20", "5:b,regs=20,corrupt=2/3"], 19200)
    lines, errors = scan(line.link, "--line", "19200 8E1", "--units", "1-8", "--listen", "0")
    found = devices(lines)
    check(found[2]["verdict"] == "present" and found[5]["verdict"] == "shared", "the verdicts", found)
    check(sorted(found) == [2, 5], "the units", found)


def a_scan_says_what_devices_say_of_themselves(site):
    port = free_port()
    server = site.start("pymodbus", sys.executable, os.path.join(PARTIES, "pymodbus_server.py"), str(port), "3", site.path("counted"))
    wait_for(lambda: "ready" in server.log(), 20, "the server is ready")
    wait_for(lambda: sluice("read", "127.0.0.1:%d" % port, "-T", "holding", "-r", "3").returncode == EXIT_OK, 20,
             "it answers")
    lines, errors = scan("127.0.0.1:%d" % port, "--units", "1-3", "--timeout", "3000")
    found = devices(lines)
    check(sorted(found) == [1, 2, 3], "the units", found)
    for device in found.values():
        said = device["identification"]
        check(said["vendor"] == "Eastron" and said["product_code"] == "SDM120" and said["revision"] == "1.07",
              "the identification", said)
        check(device["profile"] == "eastron-sdm120", "the profile", device)


def party(site, name, script, *arguments):
    process = site.start(name, sys.executable, os.path.join(PARTIES, script), *arguments)
    wait_for(lambda: "ready" in process.log(), 20, name + " is ready")
    return process


def a_scan_of_all_settings_finds_devices_that_are_set_differently(site):
    party(site, "meters", "settable_meters.py", site.path("meters.tty"), "units=2@9600,5@2400,7@9600")
    arguments = (site.path("meters.tty"), "--baud", "9600,4800,2400", "--format", "8N1", "--units", "1-8", "--listen", "0",
                 "--timeout", patience_ms())
    first, _ = scan(*arguments)
    check(sorted(devices(first)) == [2, 7], "it ends at the first setting that anybody answers at", first)
    every, _ = scan(*arguments, "--all")
    check({unit: device["line"] for unit, device in devices(every).items()} ==
          {2: "9600 8N1", 5: "2400 8N1", 7: "9600 8N1"}, "each at its own setting", every)
    check(every[-1] == {"kind": "end", "found": 3}, "how many there are", every[-1])


def two_meters_of_one_unit_are_told_from_others(site):
    """Both drive the line at the same time, as two new ones do."""
    party(site, "meters", "settable_meters.py", site.path("meters.tty"), "units=1,4,4,6", "baud=9600")
    lines, _ = scan(site.path("meters.tty"), "--line", "9600 8N1", "--units", "1-8", "--listen", "0", "--timeout", patience_ms())
    check({unit: device["verdict"] for unit, device in devices(lines).items()} ==
          {1: "present", 4: "shared", 6: "present"}, "the verdicts", lines)
    words = sluice("scan", site.path("meters.tty"), "--line", "9600 8N1", "--units", "4", "--listen", "0", "--socket",
                   "/nonexistent/api.sock").stdout
    check("unit 4" in words, "alone, too", words)


def swapped_wires_are_told_from_another_baud(site):
    """What a receiver hears of a master and four units, bit by bit."""
    def hear(wires, sent, heard, verdict):
        name = "%s-%d-%d" % (wires, sent, heard)
        line = party(site, name, "bad_line.py", site.path(name), str(sent), str(heard), wires)
        # What it makes of the unit does not matter: no reply can be read there.
        done = sluice("scan", "--json", "--socket", "/nonexistent/api.sock", site.path(name), "--line", "%d 8N1" % heard,
                      "--units", "200", "--timeout", patience_ms(), "--listen", str(int(2 + 2 * slowness())))
        seen = json.loads(done.stdout.splitlines()[0])
        check(seen["heard"] == verdict, "what was heard of %s" % name, seen, done.stderr)
        line.kill()
    cases = (("swapped", 9600, 9600, "swapped"), ("swapped", 19200, 19200, "swapped"), ("straight", 9600, 19200, "wrong baud"),
             ("straight", 19200, 9600, "wrong baud"), ("straight", 9600, 9600, "master"))
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        list(pool.map(lambda case: hear(*case), cases))


def a_sunspec_device_is_found_and_configures_itself(site):
    """From an address to values: scan, sunspec, a gateway."""
    port = free_port()
    party(site, "inverter", "sunspec_server.py", str(port))
    host = "127.0.0.1:%d" % port
    wait_for(lambda: sluice("read", host, "-T", "holding", "-r", "40000").returncode == EXIT_OK, 20, "it answers")
    # Debian 13's pymodbus answers twice for units that it does not have.
    lines, _ = scan(host, "--units", "1", "--ask", "holding:40000", "--timeout", "1000")
    found = devices(lines)
    check(list(found) == [1] and found[1]["sunspec"] == {"register": 40000, "vendor": "Acme", "model": "Sun 5"}, "the scan",
          lines)
    words = sluice("scan", host, "--units", "1", "--ask", "holding:40000", "--socket", "/nonexistent/api.sock").stdout
    check("sluice sunspec writes its profile" in words, "the next step", words)
    walked = sluice("sunspec", host, "--unit", "1")
    check(walked.returncode == EXIT_OK, "the walk", walked.stderr)
    own = site.path("profiles")
    os.mkdir(own)
    with open(os.path.join(own, "roof.json"), "w") as out:
        out.write(walked.stdout)
    shipped, os.environ["SLUICE_PROFILES"] = os.environ["SLUICE_PROFILES"], own
    try:
        gateway = Gateway(site, [{"id": "net", "driver": "modbus-tcp", "host": host}],
                          [{"id": "roof", "bus": "net", "unit": 1, "profile": "roof", "every": "200ms"}], []).start()
    finally:
        os.environ["SLUICE_PROFILES"] = shipped
    wanted = {"active_power_total": 4217, "voltage_l1_n": 230.1, "current": 18.3, "frequency": 49.98,
              "energy_produced": 1234.567, "temperature_cabinet": 41.5, "operating_state": 4}

    def values():
        return {event["p"]: event["v"] for event in gateway.replay("--from", "-1h", "--kind", "reading")
                if event["q"] == "good"}

    wait_for(lambda: wanted.keys() <= values().keys(), 20, "its values")
    check(wanted.items() <= values().items(), "its values", values())
    gateway.stop()


def a_scan_refuses_beside_another_master_and_says_whom_it_asks(site):
    line = RtuLine(site, "field", ["3:a,regs=20"], 9600, "--format", "8N1")
    tee = site.start("tee", sys.executable, os.path.join(PARTIES, "line_tee.py"), line.link, site.path("master"), site.path("spy"))
    wait_for(lambda: "ready" in tee.log(), 20, "the tee is ready")
    site.start("mbpoll", "mbpoll", "-m", "rtu", "-a", "3", "-b", "9600", "-P", "none", "-t", "4", "-r", "7",
                        "-c", "2", "-l", "200", site.path("master"))
    wait_for(lambda: line.stats()["replies"] > 1, 20, "mbpoll reads")
    lines, errors = scan(site.path("spy"), "--line", "9600 8N1", "--units", "1", status=EXIT_FAILED)
    heard = lines[0]
    check(heard["heard"] == "master" and len(lines) == 1, "what was heard", lines)
    check([(unit["unit"], unit["function"]) for unit in heard["units"]] == [(3, 3)], "whom it asks", heard)
    check(heard["requests"] > 3 and heard["replies"] > 3, "how often", heard)
    check("--force" in errors, "the words", errors)
    forced = sluice("scan", "--json", site.path("spy"), "--line", "9600 8N1", "--units", "1", "--force")
    check('"kind":"end"' in forced.stdout, "with --force it goes on", forced.stdout, forced.stderr)


class Plant:
    """A gateway that polls a device on a line."""

    def __init__(self, site, more=()):
        self.site = site
        self.line = RtuLine(site, "field", ["1:boiler,regs=20", "9:new,regs=20"], 19200)
        self.gateway = Gateway(site, [self.line.bus()], [self.line.device("boiler", 1), *more], []).start()
        self.wait_up()

    def wait_up(self, deadline_s=20):
        wait_for(lambda: self.gateway.device("boiler")["up"], deadline_s, "the device is read")

    def lent(self):
        return self.gateway.status()["buses"][0].get("lent")


def wait_for_states(gateway, device):
    """Until it is stored that the device was lent and came back: the status knows that before it is durable."""
    def stored():
        states = [(event["v"], event.get("why")) for event in gateway.replay("--kind", "state", "--device", device)]
        return states[-2:] == [(False, "lent"), (True, None)]
    wait_for(stored, 10, "the states of " + device)


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


def every_device_that_is_found_is_proposed(site):
    """With the port's whole name, wherever the command is called; of two settings only one fits a line."""
    line = RtuLine(site, "field", ["2:a,regs=20", "5:b,regs=20"], 19200)
    folder, name = os.path.split(line.link)
    done = sluice("scan", "./" + name, "--line", "19200 8E1", "--units", "1-6", "--listen", "0", folder=folder)
    told = done.stdout.split("Next, in the configuration:")[1]
    check('"port": "%s"' % line.link in told and "sluice read %s --unit 2" % line.link in told, "the port", told)
    entries = re.findall(r'\{ "id": "device-\d+".*\}', told)
    check([json.loads(entry)["unit"] for entry in entries] == [2, 5], "the devices", told)
    check(told.count("},\n") == 1, "what stands between entries of a list", told)
    party(site, "meters", "settable_meters.py", site.path("meters.tty"), "units=2@9600,5@2400,7@9600")
    mixed = sluice("scan", site.path("meters.tty"), "--baud", "9600,2400", "--format", "8N1", "--units", "2-7", "--all",
                   "--listen", "0", "--quick", "--timeout", patience_ms()).stdout
    check('"device-2"' in mixed and '"device-7"' in mixed and '"device-5"' not in mixed and
          "1 more answers at another setting" in mixed, "another setting", mixed)
    hall = ModbusTcp(site, "hall", ["1:chiller"])
    gateway = Gateway(site, [hall.bus()], [hall.device("chiller", 1)], []).start()
    beside = gateway.cli("scan", "127.0.0.1:%d" % hall.port, "--units", "1")
    check("asking 1 unit at" in beside.stderr and "polls all of them already, as bus hall." in beside.stdout,
          "beside the gateway", beside.stdout, beside.stderr)
    gateway.stop()


def a_port_without_its_folder_is_told_how_to_write(site):
    line = RtuLine(site, "field", ["2:a,regs=20"], 19200)
    folder, name = os.path.split(line.link)
    os.symlink(line.link, os.path.join(folder, "ttymb"))
    for command in (("scan",), ("assign", "--profile", "eastron-sdm120", "--to", "7"), ("read", "--reg", "40001")):
        for file in (name, "ttymb"):
            done = sluice(*command, "--socket", "/nonexistent/api.sock", file, folder=folder)
            check(done.returncode == EXIT_USAGE and "write ./" + file in done.stderr, command, done.stderr)
    for host in ("10.0.0.1:502", "Plc.example"):
        done = sluice("assign", "--profile", "eastron-sdm120", "--to", "7", host)
        check(done.returncode == EXIT_USAGE and "serial port" in done.stderr and "/dev/ttyUSB0" in done.stderr, host,
              done.stderr)


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
    # What cannot be asked takes no line from its polls.
    for wrong in (("--type", "f23"), ("--line", "9600 8X1"), ("--count", "5000")):
        done = plant.gateway.cli("read", other, "--reg", "40001", *wrong)
        check(done.returncode == EXIT_USAGE and "lets go" not in done.stderr, wrong, done.returncode, done.stderr)
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


def frames(process):
    return [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]


def a_bus_that_the_gateway_polls_is_heard_and_goes_on(site):
    plant = Plant(site)
    for name in ("field", plant.line.link):
        trace = site.start("trace-" + str(len(name)), program("sluice"), "trace", "--json", "--hex", "--socket",
                           plant.gateway.socket, name)
        heard = wait_for(lambda: len(frames(trace)) > 9 and frames(trace), 20, "frames are heard")
        check(all(frame["sound"] and frame["unit"] == 1 for frame in heard), "all are sound", heard)
        asked = next(index for index, frame in enumerate(heard) if frame["way"] == "request" and "gap_us" in frame)
        request, reply = heard[asked], heard[asked + 1]
        check(request["name"] == "read holding registers" and request["address"] == 0 and request["count"] == 2,
              "the request", request)
        check(reply["way"] == "reply" and reply["answers"] and len(reply["values"]) == 2 and reply["address"] == 0,
              "the reply", reply)
        check(len(request["hex"]) == 16 and reply["took_us"] > 0 and request["gap_us"] > 1000, "times", request, reply)
        trace.signal(signal.SIGTERM)
        trace.popen.wait(20)
    plant.line.tell("corrupt 1 1/1")
    wait_for(lambda: "that are no frame" in plant.gateway.cli("trace", "field", "--for", "1").stdout, 20, "damage is shown")
    plant.line.tell("heal 1")
    plant.wait_up(30)
    plant.gateway.stop()


def frames_over_modbus_tcp_are_heard(site):
    field = ModbusTcp(site, "hall", ["1:boiler,regs=20"])
    gateway = Gateway(site, [field.bus()], [field.device("boiler", 1)], []).start()
    wait_for(lambda: gateway.device("boiler")["up"], 20, "the device is read")
    done = gateway.cli("trace", "hall", "--for", "1")
    check(done.returncode == EXIT_OK, "exit status", done.stderr)
    check("-> unit 1  read holding registers at 0, 2 of them" in done.stdout and
          "<- unit 1  read holding registers at 0: 0 " in done.stdout, "the words", done.stdout)
    missing = gateway.cli("trace", "hill")
    check(missing.returncode == EXIT_USAGE and "did you mean \"hall\"?" in missing.stderr, "another name", missing.stderr)
    gateway.stop()


def a_line_of_others_is_heard_and_its_setting_found(site):
    line = RtuLine(site, "field", ["3:a,regs=20"], 9600, "--format", "8N1")
    tee = site.start("tee", sys.executable, os.path.join(PARTIES, "line_tee.py"), line.link, site.path("master"),
                     site.path("spy"))
    wait_for(lambda: "ready" in tee.log(), 20, "the tee is ready")
    site.start("mbpoll", "mbpoll", "-m", "rtu", "-a", "3", "-b", "9600", "-P", "none", "-t", "4", "-r", "7", "-c", "2",
               "-l", "200", site.path("master"))
    wait_for(lambda: line.stats()["replies"] > 1, 20, "mbpoll reads")
    done = sluice("trace", site.path("spy"), "--for", "4", "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_OK and "frames are heard at 9600 8N1" in done.stderr, "the setting", done.stderr)
    check("-> unit 3  read holding registers at 6, 2 of them" in done.stdout and
          "<- unit 3  read holding registers at 6: 4870 4871" in done.stdout, "the words", done.stdout)


def a_line_on_which_nobody_speaks_is_told(site):
    line = RtuLine(site, "field", ["3:a,regs=20"], 9600)
    done = sluice("trace", line.link, "--line", "9600 8E1", "--for", "1", "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_FAILED and not done.stdout and "nothing was heard at 9600 8E1" in done.stderr, "a port",
          done.returncode, done.stderr)
    hall = ModbusTcp(site, "hall", ["1:chiller"])
    gateway = Gateway(site, [hall.bus()], [hall.device("chiller", 1, "1h")], []).start()
    wait_for(lambda: gateway.device("chiller")["up"], 20, "all is read at the start")
    done = gateway.cli("trace", "hall", "--for", "1")
    check(done.returncode == EXIT_FAILED and "nothing was heard of that bus" in done.stderr, "a bus", done.returncode,
          done.stdout, done.stderr)
    gateway.stop()


def a_device_of_another_model_is_not_written_to_and_the_bus_goes_back(site):
    plant = Plant(site)
    done = plant.gateway.cli("assign", plant.line.link, "--profile", "peacefair-pzem-016", "--to", "7", "--line", "19200 8E1")
    check(done.returncode == EXIT_FAILED and "the profile is not of this device" in done.stderr, "the words", done.stderr)
    check("lets go" in done.stderr, "the bus was borrowed", done.stderr)
    plant.wait_up()
    check(not plant.lent(), "the lease", plant.lent())
    plant.gateway.stop()


def meters(site, *keys):
    """Meters whose unit and baud can be set, and a function that runs `sluice assign` on their line."""
    process = site.start("meters-%d" % len(site.processes), sys.executable, os.path.join(PARTIES, "settable_meters.py"), site.path("meters.tty"),
                         *keys)
    wait_for(lambda: "ready" in process.log(), 20, "the meters are ready")

    def assign(*arguments, given=None, profile="eastron-sdm120"):
        return subprocess.run([program("sluice"), "assign", site.path("meters.tty"), "--profile", profile, "--socket",
"/nonexistent/api.sock", *arguments], input=given or "",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)
    return process, assign


def a_new_meter_gets_its_unit_and_baud_and_answers_there(site):
    process, assign = meters(site)
    done = assign("--to", "7", "--baud", "9600", "--json")
    check(done.returncode == EXIT_OK, "exit status", done.returncode, done.stderr)
    check(json.loads(done.stdout) == {"kind": "assigned", "from": 1, "to": 7, "line": "9600 8N1", "verified": True},
          "the line", done.stdout)
    check(process.log().splitlines()[-1] == "unit 7 at 9600 8N1", "the meter", process.log())
    again = assign("--to", "8")
    check(again.returncode == EXIT_FAILED and "nobody answers at unit 1" in again.stderr, "the old place", again.stderr)
    check("button" not in again.stderr, "what is to be done is told of a device that is there", again.stderr)
    moved = assign("--to", "8", "--unit", "7", "--line", "9600 8N1")
    check("button" in moved.stderr, "before it is written to", moved.stderr)
    check(moved.returncode == EXIT_OK and process.log().splitlines()[-1] == "unit 8 at 9600 8N1", "again", moved.stderr)


def a_meter_gets_its_parity_and_says_before_it_is_written_how_sure_that_is(site):
    process, assign = meters(site)
    done = assign("--to", "7", "--baud", "9600", "--format", "8E1", "--json")
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["line"] == "9600 8E1", "the line", done.stdout, done.stderr)
    check(process.log().splitlines()[-1] == "unit 7 at 9600 8E1", "the meter", process.log())
    check("nobody has compared" not in done.stderr, "it is sure of an SDM120", done.stderr)
    again = assign("--to", "7", "--unit", "7", "--line", "9600 8E1", "--format", "8N2", profile="eastron-sdm230")
    check(again.returncode == EXIT_OK and process.log().splitlines()[-1] == "unit 7 at 9600 8N2", "again", again.stderr)
    check("nobody has compared these registers" in again.stderr and "40019" in again.stderr, "it is not of an SDM230",
          again.stderr)
    none = assign("--to", "7", "--unit", "7", "--line", "9600 8N2", "--format", "7E1")
    check(none.returncode == EXIT_USAGE and "no such format" in none.stderr, "another format", none.stderr)
    unknown = assign("--to", "7", "--format", "8E1", profile="peacefair-pzem-016")
    check(unknown.returncode == EXIT_USAGE and "does not say by which register" in unknown.stderr, "no register",
          unknown.stderr)


def a_device_with_two_registers_for_its_format_is_followed_through_both(site):
    process, assign = meters(site, "map=wirenboard", "baud=9600", "format=8N2", "units=1")
    done = assign("--to", "33", "--baud", "115200", "--format", "8E1", profile="wiren-board-wb-mr6lv")
    check(done.returncode == EXIT_OK and "answers at 115200 8E1" in done.stdout, "the words", done.stdout, done.stderr)
    check(process.log().splitlines()[1:] == ["unit 33 at 9600 8N2", "unit 33 at 9600 8E2", "unit 33 at 9600 8E1",
                                             "unit 33 at 115200 8E1"], "its way", process.log())


def nothing_is_assigned_where_two_answer_or_somebody_is_there(site):
    process, assign = meters(site, "units=1,5")
    taken = assign("--to", "5")
    check(taken.returncode == EXIT_FAILED and "somebody answers at unit 5" in taken.stderr, "a taken unit", taken.stderr)
    process.kill()
    os.unlink(site.path("meters.tty"))
    process, assign = meters(site, "units=1,1")
    two = assign("--to", "7")
    check(two.returncode == EXIT_FAILED and "two devices" in two.stderr, "two at the old unit", two.stderr)
    check("unit 7" not in process.log(), "it was written", process.log())


def a_meter_that_is_locked_says_what_to_do(site):
    process, assign = meters(site, "locked=1")
    refused = assign("--to", "7")
    check(refused.returncode == EXIT_FAILED and "refuses" in refused.stderr and "button" in refused.stderr, "the words",
          refused.stderr)
    process.signal(signal.SIGUSR2)
    wait_for(lambda: assign("--to", "7").returncode == EXIT_OK, 20, "it takes it when it is unlocked")


def a_row_of_meters_is_numbered_one_after_the_other(site):
    process, assign = meters(site)
    done = assign("--start", "10", "--count", "2", given="\n\nq\n")
    check("unit 1 is unit 10 now" in done.stdout, "the first", done.stdout, done.stderr)
    check("nobody answers at unit 1" in done.stderr, "nobody has connected the second", done.stderr)
    check(done.stderr.count("unit 11 (2 of 2)") == 2, "it is asked for again", done.stderr)


def what_a_meter_takes_on_at_its_restart_is_told(site):
    process, assign = meters(site, "restart=1")
    done = assign("--to", "9", "--json")
    check(done.returncode == EXIT_OK and not json.loads(done.stdout)["verified"], "it is told", done.stdout, done.stderr)
    process.signal(signal.SIGUSR1)
    wait_for(lambda: "unit 9 at 2400 8N1" in process.log(), 10, "the meter has restarted")
    moved = assign("--to", "9", "--unit", "9", "--force")
    check(moved.returncode == EXIT_OK, "it is there", moved.stdout, moved.stderr)


main(a_scan_finds_the_setting_and_the_units_and_stops_there,
     a_scan_tells_two_devices_with_one_unit_from_one,
     a_scan_says_what_devices_say_of_themselves,
     a_scan_of_all_settings_finds_devices_that_are_set_differently,
     two_meters_of_one_unit_are_told_from_others,
     swapped_wires_are_told_from_another_baud,
     a_sunspec_device_is_found_and_configures_itself,
     a_scan_refuses_beside_another_master_and_says_whom_it_asks,
     a_scan_borrows_the_bus_of_a_running_gateway,
     a_scan_takes_the_id_of_a_bus_and_says_what_comes_next,
     every_device_that_is_found_is_proposed,
     a_port_without_its_folder_is_told_how_to_write,
     a_port_that_the_gateway_has_is_borrowed_by_its_socket,
     a_port_is_known_by_every_name_that_it_has,
     a_bus_that_is_lent_stays_so_when_its_configuration_changes,
     a_scan_that_listens_for_longer_than_a_lease_keeps_the_bus,
     a_scan_that_is_killed_gives_the_bus_back,
     a_scan_that_is_interrupted_gives_the_bus_back_at_once,
     a_port_that_another_program_has_is_not_touched,
     a_connection_is_borrowed_of_a_device_that_takes_one_only,
     a_bus_that_the_gateway_polls_is_heard_and_goes_on,
     frames_over_modbus_tcp_are_heard,
     a_line_of_others_is_heard_and_its_setting_found,
     a_line_on_which_nobody_speaks_is_told,
     a_device_of_another_model_is_not_written_to_and_the_bus_goes_back,
     a_new_meter_gets_its_unit_and_baud_and_answers_there,
     a_meter_gets_its_parity_and_says_before_it_is_written_how_sure_that_is,
     a_device_with_two_registers_for_its_format_is_followed_through_both,
     nothing_is_assigned_where_two_answer_or_somebody_is_there,
     a_meter_that_is_locked_says_what_to_do,
     a_row_of_meters_is_numbered_one_after_the_other,
     what_a_meter_takes_on_at_its_restart_is_told)
