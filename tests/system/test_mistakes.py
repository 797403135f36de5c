#!/usr/bin/python3
"""Names that are not there, and a gateway that does not run: the command line says which there are, and what to do."""
import os
import shutil
import signal
import subprocess

from harness import (EXIT_FAILED, EXIT_NO_DAEMON, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Broker, Gateway, ModbusTcp, RtuLine, Scale,
                     check, free_port, main, sluice, wait_for)
from harness.site import Skip, program

PASSWORD = "three plain words\n"


def run(socket, *words, input=""):
    environment = dict(os.environ, SLUICE_SOCKET=socket)
    return subprocess.run([program("sluice"), *words], input=input, capture_output=True, text=True, env=environment, timeout=60, check=False)


def refuses(socket, status, words, *told):
    done = run(socket, *words)
    check(done.returncode == status, "exit status", words, done.returncode, done.stderr)
    for part in told:
        check(part in done.stderr, "its words", words, part, done.stderr)
    check("geheim" not in done.stderr, "a password is told to nobody", words, done.stderr)
    check("resolved" not in done.stderr, "a name that is no host's is not looked for in the network", words, done.stderr)


def plant(site):
    hall, line, scale = ModbusTcp(site, "hall", ["1:pump"]), RtuLine(site, "meters", ["1:boiler"]), Scale(site)
    gateway = Gateway(site, [hall.bus(), line.bus(), scale.bus()], [hall.device("pump", 1), line.device("boiler", 1), scale.device()], []).start()
    wait_for(lambda: all(device["up"] for device in gateway.devices()), 20, "the devices answer")
    return gateway


def a_bus_that_is_not_there_is_told_with_those_that_are(site):
    socket = plant(site).socket
    for words in (("scan",), ("read", "-r", "40001"), ("assign", "--profile", "eastron-sdm120", "--to", "7"), ("trace",), ("sunspec",),
                  ("probe", "--profile", "eastron-sdm120")):
        refuses(socket, EXIT_USAGE, (*words, "metrs"), "no bus \"metrs\"", "did you mean \"meters\"?")
        refuses(socket, EXIT_USAGE, (*words, "roof"), "no bus \"roof\"", "there are: hall, meters")
        refuses(socket, EXIT_USAGE, (*words, "boiler"), "boiler is a device", "its bus, meters")
        if words[0] != "trace":
            refuses(socket, EXIT_USAGE, (*words, "scale-line"), "no Modbus")


def what_is_no_port_and_no_host_is_told(site):
    nobody = site.path("nobody.sock")
    for words in (("scan", "--listen", "0"), ("read", "-r", "40001"), ("assign", "--profile", "eastron-sdm120", "--to", "7"),
                  ("trace", "--line", "9600 8N1"), ("sunspec",), ("probe", "--profile", "eastron-sdm120")):
        for file in ("/dev/null", site.folder):
            refuses(nobody, EXIT_SYSTEM, (*words, file), "it is no serial port", "sluice ports")
        refuses(nobody, EXIT_SYSTEM, (*words, "./nowhere"), "it is not there: plug the adapter in", "sluice ports")
        for operand, host in (("http://10.0.0.7/index.html", "10.0.0.7"), ("10.0.0.7/24", "10.0.0.7"), ("tcp://plc:502", "plc:502"),
                              ("http://10.0.7.20:80/", "10.0.7.20"), ("https://admin:geheim@plc:8443?page=1", "plc"), ("HTTP://[fe80::1]:80/", "[fe80::1]"),
                              ("http://[fe80::1]/", "[fe80::1]")):
            refuses(nobody, EXIT_USAGE, (*words, operand), ": name the host alone: %s\n" % host)
        for operand, path in (("file:///dev/ttyUSB3", "/dev/ttyUSB3"), ("http://", "/dev/ttyUSB0"), ("http://admin:geheim@/", "/dev/ttyUSB0")):
            refuses(nobody, EXIT_USAGE, (*words, operand), ": name a port by its path alone: %s\n" % path)


def without_a_gateway_it_says_how_to_get_one(site):
    nobody = site.path("nobody.sock")
    for words in (("scan", "meters"), ("read", "meters", "-r", "40001"), ("assign", "meters", "--profile", "eastron-sdm120", "--to", "7"),
                  ("trace", "meters"), ("sunspec", "meters"), ("probe", "--profile", "eastron-sdm120", "meters")):
        refuses(nobody, EXIT_NO_DAEMON, words, "no gateway is running at " + nobody, "start it", "sluice ports")
    refuses(nobody, EXIT_NO_DAEMON, ("status",), "no gateway is running at " + nobody, "start it", "SLUICE_SOCKET")
    if not os.path.exists("/etc/sluice/sluice.json"):
        for words in (("probe", "boiler"), ("node", "status", "boiler"), ("doctor",)):
            refuses(nobody, EXIT_NO_DAEMON, words, "no gateway is running at " + nobody, "--config")


def who_may_not_reach_the_gateway_is_told_so(site):
    if os.getuid():
        raise Skip("needs root, to be another user")
    gateway = Gateway(site, [], [], []).start()
    os.chmod(site.folder, 0o755)
    copy = shutil.copy(program("sluice"), site.path("sluice"))
    words = [("status",), ("scan", "meters"), ("doctor", "--config", site.path("none.json"))]
    if not os.path.exists("/etc/sluice/sluice.json"):
        words.append(("probe", "boiler"))
    for line in words:
        done = subprocess.run([copy, *line], env=dict(os.environ, SLUICE_SOCKET=gateway.socket), capture_output=True, text=True, timeout=60,
                              user=65534, group=65534, extra_groups=[], check=False)
        if line[0] == "doctor":
            check(done.returncode == 5 and "cannot be read" in done.stderr, "a file that is named needs no gateway", done.stderr)
        else:
            check(done.returncode == EXIT_NO_DAEMON and "may not reach" in done.stderr and "group sluice" in done.stderr, "why", line, done.stderr)
            check("no gateway is running" not in done.stderr, "it does run", line, done.stderr)


def a_bus_is_named_by_its_id_wherever_a_port_is(site):
    socket = plant(site).socket
    for bus in ("meters", "hall"):
        done = run(socket, "read", bus, "-a", "1", "-T", "holding", "-r", "0", "-c", "2", "--json")
        check(done.returncode == EXIT_OK and len(done.stdout.splitlines()) == 2, "read", bus, done.stdout, done.stderr)
        done = run(socket, "probe", "--profile", "eastron-sdm120", bus, "--json")
        check("\"device\"" in done.stdout or "does not answer" in done.stderr, "probe", bus, done.stdout, done.stderr)
        done = run(socket, "sunspec", bus)
        check(done.returncode == EXIT_FAILED and "marker" in done.stderr, "sunspec", bus, done.stderr)


def the_configuration_is_that_of_the_gateway_that_runs(site):
    gateway = plant(site)
    check(run(gateway.socket, "probe", "boiler").returncode == EXIT_OK, "probe finds the device")
    refuses(gateway.socket, EXIT_USAGE, ("probe", "boilr"), gateway.config_path, "did you mean \"boiler\"?")
    refuses(gateway.socket, EXIT_USAGE, ("node", "status", "pmp"), gateway.config_path, "did you mean \"pump\"?", "--unit")
    refuses(gateway.socket, EXIT_USAGE, ("probe", "scale"), "only Modbus")
    refuses(gateway.socket, EXIT_USAGE, ("profile", "confirm", "boilr", "counter=1"), "no device \"boilr\"", "did you mean \"boiler\"?")
    refuses(gateway.socket, EXIT_USAGE, ("status", "--jsn"), "--jsn", "Did you mean --json?", "--help")
    refuses(gateway.socket, EXIT_USAGE, ("status", "--xyzzy"), "--xyzzy", "Try sluice status --help")
    other = site.write("other.json", open(gateway.config_path, encoding="utf-8").read().replace("boiler", "kettle"))
    refuses(gateway.socket, EXIT_USAGE, ("probe", "boiler", "--config", other), other, "there are: pump, kettle, scale")


def accounts_and_tokens_are_told_with_those_that_are(site):
    socket = plant(site).socket
    refuses(socket, EXIT_USAGE, ("password", "anna"), "no account \"anna\"", "--role owner")
    check(run(socket, "password", "anna", "--role", "owner", input=PASSWORD).returncode == EXIT_OK, "an account")
    refuses(socket, EXIT_USAGE, ("password", "ana"), "no account \"ana\"", "did you mean \"anna\"?", "--role")
    refuses(socket, EXIT_USAGE, ("accounts", "role", "ana", "viewer"), "did you mean \"anna\"?")
    refuses(socket, EXIT_USAGE, ("accounts", "remove", "ana"), "did you mean \"anna\"?")
    check(run(socket, "tokens", "add", "scada", "viewer").returncode == EXIT_OK, "a token")
    refuses(socket, EXIT_USAGE, ("tokens", "remove", "scda"), "no token \"scda\"", "did you mean \"scada\"?")


def a_folder_without_a_journal_is_none_without_faults(site):
    for words in (("journal", "verify", site.folder), ("journal", "stat", site.folder), ("replay", "--journal", site.folder),
                  ("state", "--journal", site.folder)):
        done = run(site.path("nobody.sock"), *words)
        check(done.returncode == 5 and "there is no journal in" in done.stderr and not done.stdout, "none", words, done.stdout, done.stderr)


def what_keeps_an_audit_waiting_is_told_once(site):
    done = sluice("audit", "--url", "mqtt://127.0.0.1:%d" % free_port(), "--gateway", "plant7", "--for", "4")
    check(done.returncode == EXIT_FAILED and done.stderr.count("nothing listens") == 1, "although it is tried every second",
          done.returncode, done.stderr)


def an_audit_of_a_gateway_that_is_not_there_is_told_who_is(site):
    broker, hall = Broker(site, tls=False), ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [{"id": "cloud", "url": "mqtt://127.0.0.1:%d" % broker.port, "linger": "100ms"}]).start()
    gateway.wait_online()
    url = "mqtt://127.0.0.1:%d" % broker.port
    for words, told in ((("-g", "plnt7", "--for", "1"), 'a gateway "plnt7" (--gateway) below "sluice"; did you mean "plant7"?'),
                        (("-g", "boiler-room", "--for", "6"), '"boiler-room" (--gateway) below "sluice"; there are: plant7'),
                        (("-g", "boiler-room", "--for", "6", "--mqtt", "3.1.1"), "there are: plant7"),
                        (("-g", "plant7", "-r", "acme", "--for", "1"), 'no other is seen below "acme" (--root)')):
        done = sluice("audit", "-u", url, *words)
        check(done.returncode == EXIT_FAILED and done.stderr.count(told) == 1, "who is there", words, done.returncode, done.stderr, done.stdout)
    done = sluice("audit", "-u", url, "-g", "plant7", "--uplink", "claud", "--for", "3")
    check(done.returncode == EXIT_FAILED and done.stderr.count('gateway plant7 has no uplink "claud" (--uplink); did you mean "cloud"?') == 1,
          "which uplinks there are", done.returncode, done.stderr, done.stdout)
    process = site.start("audit", program("sluice"), "audit", "-u", url, "-g", "plnt7")
    wait_for(lambda: "did you mean" in process.log(), 20, "it does not wait for an end that nobody set")
    process.signal(signal.SIGINT)
    check(process.popen.wait(20) == EXIT_FAILED, "not proven", process.log())
    proven = sluice("audit", "-u", url, "-g", "plant7", "--for", "5")
    check("uplink cloud: " in proven.stdout and "of uplink cloud" in proven.stdout, "whose proof it is, and the ledger", proven.stdout)
    check("comes from" not in proven.stderr and "has no" not in proven.stderr, "of one that is there nothing is told", proven.stderr)


main(a_bus_that_is_not_there_is_told_with_those_that_are, what_is_no_port_and_no_host_is_told,
     without_a_gateway_it_says_how_to_get_one, who_may_not_reach_the_gateway_is_told_so,
     a_bus_is_named_by_its_id_wherever_a_port_is, the_configuration_is_that_of_the_gateway_that_runs,
     accounts_and_tokens_are_told_with_those_that_are, a_folder_without_a_journal_is_none_without_faults,
     what_keeps_an_audit_waiting_is_told_once, an_audit_of_a_gateway_that_is_not_there_is_told_who_is)
