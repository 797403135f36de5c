#!/usr/bin/python3
"""What a user does wrong, and what a machine lacks: words that say what to do, the exit codes of the help."""
import os
import random
import re
import socket
import threading

from harness import (EXIT_CONFIG, EXIT_NO_DAEMON, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Audit, Broker, Gateway, ModbusTcp,
                     RtuLine, Subscriber, check, finish, main, program, sluice, wait_for)

COMMANDS = ("check", "run", "status", "tail", "journal", "replay", "state", "read", "audit", "schema",
            "points")


def plant(site, **more):
    broker = Broker(site, tls=False)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()], **more)
    return subscriber, audit, hall, gateway


def every_command_has_a_help(site):
    told = sluice("--help").stdout
    for command in COMMANDS:
        check("\n  %s " % command in told, "sluice --help leaves it out", command)
        done = sluice(command, "--help")
        check(done.returncode == EXIT_OK and "Usage: sluice %s" % command in done.stdout, "its help", command,
              done.stdout, done.stderr)
        wrong = sluice(command, "--no-such-flag")
        check(wrong.returncode == EXIT_USAGE and "--help" in wrong.stderr, "a wrong flag", command, wrong.stderr)
    done = sluice("staus")
    check(done.returncode == EXIT_USAGE and "status" in done.stderr, "a mistyped command", done.stderr)
    for number in "012345":
        check(re.search(r"\b%s [a-z]" % number, told), "an exit status that the help leaves out", number)


def commands_without_a_daemon_say_so(site):
    for command in ("status", "tail", "replay", "state"):
        done = sluice(command, "--socket", site.path("nowhere.sock"))
        check(done.returncode == EXIT_NO_DAEMON, "exit status", command, done.returncode)
        check("nowhere.sock" in done.stderr and "running" in done.stderr, "words", command, done.stderr)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(site.path("stale.sock"))
    stale.close()
    check(sluice("status", "--socket", site.path("stale.sock")).returncode == EXIT_NO_DAEMON, "a stale socket")


def the_socket_of_the_environment_is_asked(site):
    _, _, _, gateway = plant(site)
    gateway.start()
    environment = {"SLUICE_SOCKET": gateway.socket}
    for command in (("status",), ("replay", "--to", "now"), ("state",), ("forget", "meter"),
                    ("write", "meter", "counter", "1"), ("profile", "confirm", "meter", "counter=1")):
        asked = site.start("asked-" + command[0], program("sluice"), *command, environment=environment)
        asked.popen.wait(20)
        check(asked.popen.returncode != EXIT_NO_DAEMON, "it asks another", command, asked.log())
        given = site.start("given-" + command[0], program("sluice"), *command, "-s", site.path("nowhere.sock"),
                           environment=environment)
        check(given.popen.wait(20) == EXIT_NO_DAEMON and "nowhere.sock" in given.log(), "the flag comes first", command,
              given.log())
    second = site.start("second", program("sluiced"), "--config", gateway.config_path, "--journal", site.path("other"), "--state", site.path("other-state"),
                        environment=environment)
    wait_for(lambda: gateway.socket in second.log(), 20, "the daemon takes it, too")
    second.end()
    gateway.stop()


def a_configuration_that_cannot_be_read_is_told(site):
    process = site.start("sluiced", program("sluiced"), "--config", site.path("nowhere", "sluice.json"))
    check(process.popen.wait(20) == EXIT_CONFIG, "exit status", process.popen.returncode)
    check("nowhere/sluice.json" in process.log(), "words", process.log())
    usage = site.start("bare", program("sluiced"), "sluice.json")
    check(usage.popen.wait(20) == EXIT_USAGE and "did you mean --config sluice.json?" in usage.log(), "a bare file",
          usage.log())
    usage = site.start("usage", program("sluiced"), "--confg", "x")
    check(usage.popen.wait(20) == EXIT_USAGE and "--help" in usage.log(), "a wrong flag", usage.log())


def a_journal_folder_that_cannot_be_used_is_told(site):
    """A file in its place, and a path that root cannot make either."""
    _, _, _, gateway = plant(site)
    site.write("file", "")
    for path in (site.path("file"), site.path("file", "below"), "/proc/nowhere/journal"):
        gateway.journal = path
        gateway.start(wait=False)
        check(gateway.process.popen.wait(20) == EXIT_SYSTEM, "exit status", path, gateway.process.popen.returncode)
        check(path in gateway.process.log() and "writable" in gateway.process.log(), "words", gateway.process.log())


def a_second_daemon_on_one_journal_is_refused(site):
    subscriber, audit, hall, gateway = plant(site)
    gateway.start()
    second = site.start("second", program("sluiced"), "--config", gateway.config_path, "--journal", gateway.journal,
                        "--socket", site.path("second.sock"))
    check(second.popen.wait(20) == EXIT_SYSTEM, "exit status", second.popen.returncode)
    check("another sluiced" in second.log(), "words", second.log())
    site.wait_values(20)
    finish(gateway, [hall], subscriber, audit, 20)


def a_socket_that_is_taken_is_told(site):
    """By a living daemon, by a folder, below a file: the gateway works, and says that the CLI will not reach it."""
    subscriber, audit, hall, gateway = plant(site)
    gateway.start()
    others = [gateway.socket, site.folder, os.path.join(gateway.config_path, "api.sock"), "/" + "x" * 120]
    for number, path in enumerate(others):
        other = site.start("other%d" % number, program("sluiced"), "--config", gateway.config_path, "--journal",
                           site.path("journal%d" % number), "--state", site.path("state%d" % number), "--socket", path)
        os.makedirs(site.path("journal%d" % number), exist_ok=True)
        wait_for(lambda: not other.alive() or path in other.log(), 20, "words about the socket " + path)
        check(path in other.log() and "socket" in other.log(), "words", other.log())
        other.end()
    check(gateway.cli("status").returncode == EXIT_OK, "the first daemon lost its socket")
    site.wait_values(20)
    finish_of_the_first(gateway, hall, subscriber, audit)


def finish_of_the_first(gateway, hall, subscriber, audit):
    """The others polled the same field and published under the same name: only the first one's ledger counts."""
    hall.quiet()
    wait_for(lambda: not gateway.device("meter")["up"], 30, "the device is down")
    gateway.wait_drained()
    gateway.stop()
    gateway.verify()


def a_port_that_is_missing_is_told_and_found_when_it_comes(site):
    subscriber, audit, hall, gateway = plant(site)
    link = site.path("rs485-1.tty")
    gateway.settings["buses"].append({"id": "rs485-1", "driver": "modbus-rtu", "port": link, "line": "115200 8E1"})
    gateway.settings["devices"].append({"id": "incomer", "bus": "rs485-1", "unit": 1, "numbering": "0-based",
                                        "points": [{"id": "counter", "reg": 0, "type": "u32", "every": "100ms"}]})
    gateway.write()
    gateway.start()
    wait_for(lambda: gateway.device("incomer").get("why") == "port missing", 20, "told: port missing")
    check("plug" in gateway.device("incomer")["help"], "what to do", gateway.device("incomer"))
    check(link in gateway.process.log() or "rs485-1" in gateway.process.log(), "the log", gateway.process.log())
    line = RtuLine(site, "rs485-1", ["1:incomer"])
    wait_for(lambda: gateway.device("incomer")["up"], 40, "the port is found by itself")
    site.wait_values(30)
    finish(gateway, [line, hall], subscriber, audit, 30)


def nonsense_in_the_socket_disturbs_nothing(site):
    subscriber, audit, hall, gateway = plant(site)
    gateway.start()
    gateway.wait_online()
    dice = random.Random(7)
    requests = [b"GET / HTTP/1.1\r\n\r\n", b"GET /api/v1/status HTTP/9.9\r\n\r\n", b"\r\n" * 1000,
                b"GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /api/v1/status HTTP/1.1\r\n"
                b"Host: x\r\nContent-Length: 99999999999999999999\r\n\r\n", b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n",
                b"GET /api/v1/events?from=%00&to=%ff%fe&limit=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/events?limit=99999999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/state?at=99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/state?at=-9999999d HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/events?kind=nonsense&device=" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                b"GET /api/v1/status HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
                b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300000]
    requests += [dice.randbytes(dice.randrange(1, 4000)) for _ in range(200)]
    for request in requests:
        poke(gateway.socket, request)
    idle = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for client in idle:
        try:
            client.connect(gateway.socket)
            client.sendall(b"GET /api/v1/ev")
        except OSError:
            pass
    for client in idle:
        client.close()
    wait_for(lambda: gateway.cli("status").returncode == EXIT_OK, 20, "the status still answers")
    done = gateway.cli("replay", "--from", "the day before")
    check(done.returncode != EXIT_OK and "expected" in done.stderr, "a time that is none", done.stderr)
    site.wait_values(20)
    finish(gateway, [hall], subscriber, audit, 20)


def poke(path, request):
    """Sends, reads what comes, hangs up."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.3)
        try:
            client.connect(path)
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass


def a_broker_that_is_none_is_told(site):
    """Something that answers every connection with nonsense, and something that never answers."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    site.at_end(lambda: [listener.close() for listener in listeners])
    ports = [listener.getsockname()[1] for listener in listeners]

    def babble():
        while True:
            try:
                client, _ = listeners[0].accept()
                client.sendall(random.Random(1).randbytes(500))
                client.close()
            except OSError:
                return
    threading.Thread(target=babble, daemon=True).start()
    subscriber, audit, hall, gateway = plant(site)
    gateway.settings["uplinks"] += [{"id": "babbler", "url": "mqtt://127.0.0.1:%d" % ports[0]},
                                    {"id": "mute", "url": "mqtt://127.0.0.1:%d" % ports[1]},
                                    {"id": "nameless", "url": "mqtt://no-such-host.invalid"}]
    gateway.write()
    gateway.start()
    gateway.wait_online()
    errors = [gateway.wait_error([" "], 60, name) for name in ("babbler", "mute", "nameless")]
    check("no-such-host.invalid" in errors[2], "a name that cannot be resolved", errors[2])
    check(len(set(errors)) == 3, "three causes, three messages", errors)
    site.wait_values(20)
    finish(gateway, [hall], subscriber, audit, 20)
    return errors


main(every_command_has_a_help, commands_without_a_daemon_say_so, the_socket_of_the_environment_is_asked,
     a_configuration_that_cannot_be_read_is_told,
     a_journal_folder_that_cannot_be_used_is_told, a_second_daemon_on_one_journal_is_refused,
     a_socket_that_is_taken_is_told, a_port_that_is_missing_is_told_and_found_when_it_comes,
     nonsense_in_the_socket_disturbs_nothing, a_broker_that_is_none_is_told)
