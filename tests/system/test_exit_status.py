#!/usr/bin/python3
"""What every command ends with: the statuses of docs/cli.md, and none that its own help does not tell."""
import json
import os
import re
import shutil
import subprocess
import unittest.mock

from harness import EXIT_CONFIG, EXIT_FAILED, EXIT_NO_DAEMON, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Broker, Gateway, RtuLine, check, main, sluice, wait_for
from harness.site import program

HOLDING = {"id": "setpoint", "reg": 10, "type": "u16", "write": {"min": 0, "max": 90}}
MISSING = {"id": "none", "reg": 4000, "type": "u16"}
HAS_AN_OWNER = (EXIT_FAILED, "setup")
DEFAULT_CONFIG = "/etc/sluice/sluice.json"


class Plant:
    """A gateway with a line and a broker, files with mistakes, and a socket on which nobody answers."""

    def __init__(self, site):
        self.site = site
        self.broker = Broker(site)
        line = RtuLine(site, "meters", ["1:boiler", "2:pump", "3:dead"])
        line.tell("silence 3")
        self.gateway = Gateway(site, [line.bus()], [line.device("boiler", 1, points=[HOLDING]), line.device("pump", 2, points=[MISSING]),
                                                    line.device("dead", 3, points=[HOLDING])], [self.broker.uplink()], web=True).start()
        self.bad = site.write("bad.json", '{ "version": 1, "gateway": { "id": "Bad" } }')
        self.bad_profile = site.write("bad-profile.json", '{ "vendor": 1 }')
        self.firmware = site.write("node.snu", "no firmware")
        self.nobody = site.path("nobody.sock")
        self.missing = site.path("missing")
        wait_for(lambda: self.gateway.device("boiler")["up"] and self.gateway.device("dead").get("why"), 30, "the devices are known")
        self.gateway.wait_online()

    def damaged_journal(self):
        """A copy of the journal with another byte in the middle of what is written: in a frame, not in the padding behind one."""
        self.gateway.replay("--from", "-1m")
        folder = self.site.path("damaged")
        shutil.copytree(self.gateway.journal, folder)
        segments = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                segments[name] = file.read().rstrip(b"\0")
        name, written = max(segments.items(), key=lambda each: len(each[1]))
        at = next(at for at in range(len(written) // 2, len(written)) if written[at])
        with open(os.path.join(folder, name), "r+b") as file:
            file.seek(at)
            file.write(bytes([written[at] ^ 0xFF]))
        return folder


def offline_rows(plant):
    """Command lines that need no daemon."""
    journal = plant.gateway.journal
    return [
        (EXIT_OK, "check", plant.gateway.config_path), (EXIT_USAGE, "check"), (EXIT_CONFIG, "check", plant.bad),
        (EXIT_SYSTEM, "check", plant.missing), (EXIT_SYSTEM, "check", plant.site.folder), (EXIT_CONFIG, "check", "--json", plant.bad),
        (EXIT_USAGE, "run", "--confg", plant.bad), (EXIT_CONFIG, "run", "--config", plant.bad, "--journal", plant.site.path("elsewhere", "missing")),
        (EXIT_SYSTEM, "run", "--config", plant.gateway.config_path, "--journal", os.path.join(plant.bad, "journal")),
        (EXIT_OK, "replay", "--journal", journal), (EXIT_SYSTEM, "replay", "--journal", plant.missing),
        (EXIT_SYSTEM, "state", "--journal", plant.missing),
        (EXIT_OK, "journal", "stat", journal), (EXIT_OK, "journal", "stat", "--json", journal), (EXIT_OK, "journal", "verify", "--json", journal),
        (EXIT_FAILED, "journal", "verify", plant.damaged_journal()), (EXIT_USAGE, "journal", "stats", journal),
        (EXIT_SYSTEM, "journal", "stat", plant.missing), (EXIT_SYSTEM, "journal", "verify", plant.site.folder),
        (EXIT_OK, "ports", "--json"), (EXIT_USAGE, "ports", "all"),
        (EXIT_OK, "profile", "list"), (EXIT_FAILED, "profile", "list", "no such word"), (EXIT_USAGE, "profile", "show", "no-such-profile"),
        (EXIT_USAGE, "profile", "lst"), (EXIT_CONFIG, "profile", "check", plant.bad_profile), (EXIT_SYSTEM, "profile", "check", plant.missing),
        (EXIT_OK, "points", "export", plant.gateway.config_path, "boiler"), (EXIT_USAGE, "points", "export", plant.gateway.config_path, "boilr"),
        (EXIT_USAGE, "points", "import"), (EXIT_CONFIG, "points", "import", plant.bad), (EXIT_SYSTEM, "points", "import", plant.missing),
        (EXIT_USAGE, "wishes"), (EXIT_SYSTEM, "wishes", plant.missing),
        (EXIT_FAILED, "audit", "-u", "mqtt://127.0.0.1:1", "-g", "plant7", "--for", "1"), (EXIT_USAGE, "audit", "-u", "mqtt://127.0.0.1:1"),
        (EXIT_USAGE, "audit", "-u", "broker", "-g", "plant7"),
        (EXIT_SYSTEM, "audit", "-u", "mqtts://127.0.0.1:1", "-g", "plant7", "--ca", plant.missing, "--for", "1"),
        (EXIT_OK, "schema"), (EXIT_OK, "schema", "--profile"), (EXIT_USAGE, "schema", "all"),
    ]


def asking_rows(plant):
    """The gateway is asked for what it knows."""
    return [
        (EXIT_OK, "status"), (EXIT_USAGE, "status", "all"),
        (EXIT_OK, "tail", "--limit", "1"), (EXIT_OK, "tail", "--limit", "1", "--json"), (EXIT_USAGE, "tail", "--device", "boilr"),
        (EXIT_OK, "replay", "--from", "-1m"), (EXIT_USAGE, "replay", "--from", "soon"), (EXIT_USAGE, "replay", "--device", "boilr"),
        (EXIT_OK, "state"), (EXIT_FAILED, "state", "--at", "-3d"), (EXIT_USAGE, "state", "--device", "boilr"),
        (EXIT_OK, "write", "--wait", "boiler", "setpoint", "20"), (EXIT_FAILED, "write", "--wait", "dead", "setpoint", "20"),
        (EXIT_USAGE, "write", "boiler", "setpoint", "100"), (EXIT_USAGE, "write", "boilr", "setpoint", "20"),
        (EXIT_OK, "config"), (EXIT_OK, "config", "history", "--json"), (EXIT_USAGE, "config", "diff", "99"), (EXIT_USAGE, "config", "revert", "99"),
        (EXIT_FAILED, "config", "confirm"), (EXIT_USAGE, "config", "histry"),
        (EXIT_OK, "forget", "boiler"), (EXIT_USAGE, "forget", "boilr"), (EXIT_USAGE, "forget", "boiler", "--what", "everything"),
        (EXIT_OK, "health"), (EXIT_USAGE, "health", "--wait", "soon"),
        (EXIT_OK, "setup"), (EXIT_OK, "setup", "--json"), (EXIT_USAGE, "setup", "now"),
    ]


def device_rows(plant):
    """Devices are asked, on a line that the gateway polls."""
    no_port = "/dev/no-such-port"
    return [
        (EXIT_OK, "read", "meters", "-a", "1", "-T", "holding", "-r", "0"),
        (EXIT_FAILED, "read", "meters", "-a", "3", "-T", "holding", "-r", "0"), (EXIT_USAGE, "read", "metrs", "-r", "40001"),
        (EXIT_USAGE, "read", "meters"), (EXIT_SYSTEM, "read", no_port, "-r", "40001"),
        (EXIT_OK, "probe", "boiler"), (EXIT_FAILED, "probe", "pump"), (EXIT_USAGE, "probe", "boilr"),
        (EXIT_CONFIG, "probe", "boiler", "--config", plant.bad), (EXIT_SYSTEM, "probe", "boiler", "--config", plant.missing),
        (EXIT_SYSTEM, "probe", "--profile", "eastron-sdm120", no_port), (EXIT_USAGE, "probe", "--profile", "no-such-profile", "meters"),
        (EXIT_CONFIG, "probe", "--profile", plant.bad_profile, "meters"),
        (EXIT_OK, "trace", "meters", "--for", "1"), (EXIT_USAGE, "trace", "metrs"), (EXIT_FAILED, "trace", "10.255.0.1"),
        (EXIT_SYSTEM, "trace", no_port, "--line", "9600 8E1"),
        (EXIT_OK, "scan", "meters", "--units", "1", "--listen", "0", "--quick"),
        (EXIT_FAILED, "scan", "meters", "--units", "3", "--listen", "0"), (EXIT_USAGE, "scan", "boiler"), (EXIT_SYSTEM, "scan", no_port),
        (EXIT_USAGE, "assign", "meters", "--profile", "no-such-profile", "--to", "7"),
        (EXIT_FAILED, "assign", "meters", "--profile", "abb-b2x", "--to", "7"),
        (EXIT_SYSTEM, "assign", "meters", "--profile", plant.missing + ".json", "--to", "7"),
        (EXIT_USAGE, "assign", "metrs", "--profile", "eastron-sdm120", "--to", "7"),
        (EXIT_SYSTEM, "assign", no_port, "--profile", "eastron-sdm120", "--to", "7"),
        (EXIT_FAILED, "node", "status", "pump"), (EXIT_USAGE, "node", "status", "pmp"), (EXIT_USAGE, "node", "stat"),
        (EXIT_CONFIG, "node", "status", "pump", "--config", plant.bad), (EXIT_SYSTEM, "node", "status", no_port),
        (EXIT_SYSTEM, "node", "update", "pump", plant.firmware),
        (EXIT_FAILED, "sunspec", "meters"), (EXIT_USAGE, "sunspec", "metrs"), (EXIT_SYSTEM, "sunspec", no_port),
        (EXIT_USAGE, "profile", "confirm", "boilr", "counter=1"),
    ]


def owner_rows(plant):
    """Brokers, accounts, the machine."""
    return [
        (EXIT_OK, "doctor"), (EXIT_OK, "doctor", "cloud", "--json"), (EXIT_USAGE, "doctor", "clud"),
        (EXIT_CONFIG, "doctor", "--config", plant.bad), (EXIT_SYSTEM, "doctor", "--config", plant.missing),
        (EXIT_USAGE, "drill", "clud"), (EXIT_USAGE, "drill", "--minutes", "soon"), (EXIT_CONFIG, "drill", "--config", plant.bad),
        (EXIT_SYSTEM, "drill", "--config", plant.missing),
        (EXIT_OK, "accounts"), (EXIT_USAGE, "accounts", "remove", "anna"), (EXIT_USAGE, "accounts", "role", "anna", "viewer"),
        (EXIT_USAGE, "accounts", "add", "anna", "chief"),
        (EXIT_USAGE, "password", "anna"),
        (EXIT_OK, "tokens"), (EXIT_USAGE, "tokens", "remove", "scada"), (EXIT_USAGE, "tokens", "add", "scada"),
        (EXIT_OK, "identity"), (EXIT_FAILED, "identity", "replaced"), (EXIT_USAGE, "identity", "moved"),
        (EXIT_OK, "update"), (EXIT_FAILED, "update", "rollback"), (EXIT_USAGE, "update", "now"),
        (EXIT_OK, "network"), (EXIT_USAGE, "network", "set", "no-such0", "dhcp"), (EXIT_USAGE, "network", "set"),
        (EXIT_FAILED, "network", "confirm"),
    ]


def lonely_rows(plant):
    """The same where no daemon answers."""
    rows = [(EXIT_NO_DAEMON, *words) for words in (
        ("status",), ("tail",), ("replay",), ("state",), ("write", "boiler", "setpoint", "20"), ("config",), ("forget", "boiler"),
        ("read", "meters", "-r", "40001"), ("trace", "meters"), ("scan", "meters"), ("sunspec", "meters"), ("health",), ("setup",),
        ("assign", "meters", "--profile", "eastron-sdm120", "--to", "7"), ("profile", "confirm", "boiler", "counter=1"), ("accounts",),
        ("password", "anna"), ("tokens",), ("identity",), ("update",), ("network",),
        ("drill",), ("drill", "--config", plant.gateway.config_path))]
    if not os.path.exists(DEFAULT_CONFIG):
        rows += [(EXIT_NO_DAEMON, *words) for words in (("probe", "boiler"), ("node", "status", "pump"), ("doctor",))]
    return rows


def run(plant, row, socket):
    expected, *words = row
    environment = dict(os.environ, SLUICE_SOCKET=socket)
    done = subprocess.run([program("sluice"), *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=90,
                          check=False)
    told = done.stderr.strip()
    check(done.returncode == expected, "exit status", words, "expected", expected, "is", done.returncode, done.stdout[-300:], told)
    check(expected in (EXIT_OK, EXIT_FAILED) or told, "it says why", words)
    if "--json" in words and expected != EXIT_USAGE:
        text = done.stdout.strip()
        check(all(json.loads(line) for line in text.splitlines()) if words[0] in ("tail", "doctor") else json.loads(text), "JSON", words, text[:300])
    return words, done.returncode


def helps():
    """Command -> what the help of it, and of its own commands, says of exit statuses, and whether it asks the daemon."""
    told = {}
    for name in re.findall(r"^  ([a-z]+) +\S", sluice("--help").stdout, re.MULTILINE):
        pages = [sluice("help", name).stdout]
        pages += [sluice("help", name, word).stdout for word in re.findall(r"^  ([a-z]+)  ", pages[0], re.MULTILINE) if name == "node"]
        text = "\n".join(pages)
        check(all(page.startswith("Usage: sluice %s" % name) for page in pages), "help of", name, pages)
        statuses = {int(digit) for part in re.findall(r"Exit status:(.*?)(?:\n\n|\Z)", text, re.DOTALL) for digit in re.findall(r"(?<![\w.-])([0-5])(?= )", part)}
        told[name] = (statuses, "the daemon's socket" in text)
    return told


def what_needs_no_gateway_ends_so(site):
    plant = Plant(site)
    for row in offline_rows(plant):
        run(plant, row, plant.nobody)


def where_no_gateway_runs_it_ends_so(site):
    plant = Plant(site)
    for row in lonely_rows(plant):
        run(plant, row, plant.nobody)


def what_asks_the_gateway_ends_so(site):
    plant = Plant(site)
    for row in asking_rows(plant):
        run(plant, row, plant.gateway.socket)
    plant.gateway.cli("password", "owner", "--role", "owner", input="three plain words\n")
    run(plant, HAS_AN_OWNER, plant.gateway.socket)


def what_asks_devices_ends_so(site):
    plant = Plant(site)
    for row in device_rows(plant):
        run(plant, row, plant.gateway.socket)
    check(plant.gateway.process.log().count("refuses point none") == 1, "what is known of a point outlives each loan", plant.gateway.process.log()[-3000:])


def what_an_owner_does_ends_so(site):
    plant = Plant(site)
    for row in owner_rows(plant):
        run(plant, row, plant.gateway.socket)


def every_status_is_told_by_the_commands_help(site):
    """The rows are all there are: each command with its mistakes, and none ends with what its help does not tell."""
    names = unittest.mock.MagicMock()
    rows = [row for table in (offline_rows, lonely_rows, asking_rows, device_rows, owner_rows) for row in table(names)] + [HAS_AN_OWNER]
    wrong = {}
    for name, (statuses, asks) in helps().items():
        seen = {row[0] for row in rows if row[1] == name}
        allowed = statuses | {EXIT_OK, EXIT_USAGE} | ({EXIT_NO_DAEMON} if asks else set())
        if not seen <= allowed:
            wrong[name] = sorted(seen - allowed)
        check(EXIT_USAGE in seen and (not asks or EXIT_NO_DAEMON in seen or os.path.exists(DEFAULT_CONFIG)), "the mistakes of all", name, sorted(seen))
    check(not wrong, "its help tells of each status", wrong)


def a_name_that_nothing_has_is_a_mistake_of_the_command_line(site):
    """Whatever it would be the name of; and what was meant is only guessed where it is near."""
    plant = Plant(site)
    unknown = (("tail", "--device"), ("tail", "--point"), ("replay", "--device"), ("state", "--point"), ("write", "{}", "setpoint", "1"), ("write", "boiler", "{}", "1"),
               ("config", "diff"), ("config", "diff", "1"), ("config", "revert"), ("forget",), ("read", "{}", "-r", "40001"), ("probe",),
               ("probe", "meters", "--profile"), ("trace",), ("scan",), ("sunspec",), ("assign", "meters", "--to", "7", "--profile"),
               ("assign", "{}", "--to", "7", "--profile", "eastron-sdm120"), ("node", "status"), ("node", "rollback"), ("profile", "show"),
               ("profile", "confirm", "{}", "counter=1"), ("points", "export", plant.gateway.config_path), ("doctor",), ("drill",),
               ("accounts", "role", "{}", "viewer"), ("accounts", "remove"), ("password",), ("tokens", "remove"), ("network", "set", "{}", "dhcp"),
               ("network", "reset"), ("help",), ())
    for words in unknown:
        line = [word.replace("{}", "zzzzzz") for word in words] + ([] if "{}" in words else ["zzzzzz"])
        done = subprocess.run([program("sluice"), *line], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False,
                              env=dict(os.environ, SLUICE_SOCKET=plant.gateway.socket))
        check(done.returncode == EXIT_USAGE and done.stderr and "id you mean" not in done.stderr, "exit status and words", line,
              done.returncode, done.stderr)
        check(words[:1] != ("network",) or done.stderr.count("\n") == 1, "it is said once", line, done.stderr)
    for word in ("foo", "abc", "xyz", "lost", "devices"):
        check("Did you mean" not in sluice(word).stderr, "far from every command", word, sluice(word).stderr)
    for word, meant in (("statsu", "status"), ("stauts", "status"), ("tial", "tail"), ("acount", "accounts"), ("relay", "replay"), ("job", "")):
        check(("Did you mean %s?" % meant in sluice(word).stderr) == bool(meant), "near a command", word, sluice(word).stderr)


def help_is_had_by_every_way(site):
    for name in helps():
        pages = [sluice(*words) for words in (("help", name), (name, "--help"))]
        check(all(page.returncode == EXIT_OK and page.stdout == pages[0].stdout and not page.stderr for page in pages), "one help", name,
              [page.stdout[:80] for page in pages])
    check(sluice("--help", "status").stdout == sluice("status", "-h").stdout, "the flag before it")
    check("Usage: sluice node update" in sluice("help", "node", "update").stdout, "of a command's command")
    wrong = sluice("help", "nod")
    check(wrong.returncode == EXIT_USAGE and "Did you mean node?" in wrong.stderr, "of none", wrong.stderr)
    early = sluice("--json", "status")
    check(early.returncode == EXIT_USAGE and "sluice status --json" in early.stderr, "a flag before the command", early.stderr)
    bare = subprocess.run([program("sluice")], capture_output=True, text=True, timeout=30, check=False)
    check(bare.returncode == EXIT_USAGE and "Usage: sluice COMMAND" in bare.stderr, "without a word", bare.stderr)


main(what_needs_no_gateway_ends_so, where_no_gateway_runs_it_ends_so, what_asks_the_gateway_ends_so, what_asks_devices_ends_so,
     what_an_owner_does_ends_so, a_name_that_nothing_has_is_a_mistake_of_the_command_line, every_status_is_told_by_the_commands_help, help_is_had_by_every_way)
