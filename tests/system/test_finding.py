#!/usr/bin/python3
"""Finding things on Modbus: sluice scan on lines and connections, and beside other masters."""
import concurrent.futures
import json
import os
import re
import sys

from harness import EXIT_FAILED, EXIT_OK, EXIT_USAGE, Gateway, ModbusTcp, RtuLine, check, free_port, main, slowness, sluice, wait_for
from harness.finding import PARTIES, devices, party, patience_ms, scan


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


def no_two_devices_are_told_where_a_server_answers_oddly(site):
    """Twice, late, or without the function: over TCP that is no second device, and no unit that is not there."""
    for mode in ("functionless", "twice", "late"):
        port = free_port()
        party(site, mode, "odd_server.py", str(port), mode)
        lines, errors = scan("127.0.0.1:%d" % port, "--units", "1-5", "--timeout", "300", "--quick")
        found = devices(lines)
        check(list(found) == [1] and found[1]["verdict"] == "present", "the units", mode, found, errors)


def what_is_no_modbus_server_is_told(site):
    for mode in ("closes", "http", "echoes"):
        port = free_port()
        party(site, mode, "odd_server.py", str(port), mode)
        host = "127.0.0.1:%d" % port
        seen = sluice("scan", host, "--units", "1-3", "--timeout", "300", "--socket", "/nonexistent/api.sock")
        read = sluice("read", host, "-r", "40001", "-o", "500")
        probed = sluice("probe", "--profile", "eastron-sdm630", host)
        for done in (seen, read, probed):
            told = done.stdout + done.stderr
            check("input/output" not in told and "the port or connection failed" not in told, "what to do", mode, told)
            check("in the configuration" not in told and "All points" not in told, "nothing is proposed", mode, told)
        check(read.returncode == EXIT_FAILED and probed.returncode == EXIT_FAILED, "exit status", mode, read, probed)
        if mode != "echoes":
            check("spoken at this port" in seen.stderr and "ended before an answer came" in read.stderr and
                  "ended before an answer came" in probed.stderr, "why", mode, seen.stderr, read.stderr, probed.stderr)
        else:
            check("none that belongs to the question" in seen.stdout, "why", seen.stdout)


def a_scan_of_all_settings_finds_devices_that_are_set_differently(site):
    party(site, "meters", "settable_meters.py", site.path("meters.tty"), "units=2@9600,5@2400,7@9600")
    arguments = (site.path("meters.tty"), "--baud", "9600,4800,2400", "--format", "8N1", "--units", "1-8", "--listen", "0",
                 "--timeout", patience_ms())
    first, _ = scan(*arguments)
    check(sorted(devices(first)) == [2, 7], "it ends at the first setting that anybody answers at", first)
    every, _ = scan(*arguments, "--all")
    check({unit: device["line"] for unit, device in devices(every).items()} ==
          {2: "9600 8N1", 5: "2400 8N1", 7: "9600 8N1"}, "each at its own setting", every)
    check(every[-1] == {"kind": "end", "found": 3, "units": "1-8"}, "how many there are, and who was asked", every[-1])


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
    lines, _ = scan(host, "--units", "1-3", "--ask", "holding:40000", "--timeout", "1000")
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


main(a_scan_finds_the_setting_and_the_units_and_stops_there,
     a_scan_tells_two_devices_with_one_unit_from_one,
     a_scan_says_what_devices_say_of_themselves,
     no_two_devices_are_told_where_a_server_answers_oddly, what_is_no_modbus_server_is_told,
     a_scan_of_all_settings_finds_devices_that_are_set_differently,
     two_meters_of_one_unit_are_told_from_others,
     swapped_wires_are_told_from_another_baud,
     a_sunspec_device_is_found_and_configures_itself,
     a_scan_refuses_beside_another_master_and_says_whom_it_asks,
     every_device_that_is_found_is_proposed,
     a_port_without_its_folder_is_told_how_to_write)
