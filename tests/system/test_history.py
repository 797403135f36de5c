#!/usr/bin/python3
"""replay, state, tail and journal verify: they say what the subscriber got."""
import csv
import io
import json
import os
import re
import subprocess
import time

from harness import (EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, PUBLISHED, Audit, Balance, Broker, Gateway, ModbusTcp,
                     RtuLine, Subscriber, check, main, program, settle, sluice, wait_for)

EVENT_KEYS = ("n", "k", "d", "p", "t", "v", "q", "why", "lost", "count", "extent_ms", "u")


def plant(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    line = RtuLine(site, "rs485-1", ["1:incomer,regs=40"])
    hall = ModbusTcp(site, "hall", ["1-2:meter"])
    points = [{"id": "triangle", "reg": 2, "type": "i16", "scale": 0.1, "unit": "°C", "every": "100ms"},
              {"id": "constant", "reg": 10, "type": "u16", "enum": {"4362": "steady"}}]
    devices = [line.device("incomer", 1, points=points), hall.device("meter1", 1), hall.device("meter2", 2, "50ms")]
    gateway = Gateway(site, [line.bus(), hall.bus()], devices, [broker.uplink()]).start()
    gateway.wait_online()
    return subscriber, audit, [line, hall], gateway


def same(event):
    return {key: event[key] for key in EVENT_KEYS if key in event}


def last_values(events, at):
    """Each point's newest reading before `at`, and each device's newest state."""
    newest = {}
    for event in events:
        if event["k"] in ("reading", "state") and event["t"] < at and "d" in event:
            newest[event["d"], event.get("p", "")] = event
    return newest


def says_what_the_subscriber_got(site):
    subscriber, audit, sims, gateway = plant(site)
    site.wait_values(60)
    middle = int(time.time() * 1000)
    sims[0].tell("silence *")
    site.wait_values(60)
    settle(gateway, sims, subscriber)

    events = gateway.replay()
    balance = Balance(subscriber.messages)
    received = {key: same(event) for key, event in balance.events.items()}
    stored = {(event["epoch"], event["n"]): same(event) for event in events if event["k"] in PUBLISHED}
    check(stored == received, "replay and the subscriber differ",
          [(key, stored.get(key), received.get(key)) for key in sorted(set(stored) | set(received), key=lambda k: k[1])
           if stored.get(key) != received.get(key)][:3])

    check_parts(gateway, events, middle)
    check_csv(gateway, events)
    check_times(gateway)
    for at in (middle, max(event["t"] for event in events) + 1):
        check_state(gateway, events, at)
    before = gateway.cli("state", "--json", "--at", "2020-01-01")
    check(before.returncode == EXIT_FAILED and before.stderr.startswith("sluice state: the journal does not reach back") and "it begins at 20" in before.stderr, "before the journal began",
          before.returncode, before.stdout[:200], before.stderr)
    check_names(gateway.cli, ("replay", "tail", "state"))
    audit.proves(100)
    gateway.verify()
    gateway.stop()
    gateway.verify()
    check_offline(gateway, events)
    check_names(lambda command, *more: sluice(command, "--journal", gateway.journal, *more), ("replay", "state"))


def check_names(ask, commands):
    """Who mistypes a device or a point is told, and gets the exit status of wrong usage."""
    for command in commands:
        for names, words in ((("--device", "incmer"), 'did you mean "incomer"?'),
                             (("--device", "incomer", "--point", "tirangle"), 'did you mean "triangle"?'),
                             (("--point", "triangel"), 'did you mean "triangle"?'),
                             (("--device", "xxxxxxxx"), "there are: "),
                             (("--device", "meter1", "--point", "triangle"), '"triangle"')):
            done = ask(command, *names)
            check(done.returncode == EXIT_USAGE and words in done.stderr and "bus:" not in done.stderr and not done.stdout, "a mistyped name", command,
                  names, done.returncode, done.stderr, done.stdout[:200])


def check_parts(gateway, events, middle):
    """Spans and filters. What the gateway has told of itself since then does not count."""
    def known(*arguments):
        return [event for event in gateway.replay(*arguments) if event["n"] <= events[-1]["n"]]
    part = known("--from", str(middle))
    check(part == [event for event in events if event["t"] >= middle], "--from", len(part))
    part = known("--to", str(middle), "--device", "meter2")
    check(part == [event for event in events if event["t"] < middle and event.get("d") == "meter2"], "--to, --device",
          len(part))
    part = known("--kind", "state,lifecycle")
    check(part == [event for event in events if event["k"] in ("state", "lifecycle")], "--kind", part[:3])
    part = known("--device", "incomer", "--point", "triangle")
    check(part == [event for event in events if event.get("p") == "triangle"], "--point", len(part))


def check_times(gateway):
    """A time of day is local, and what cannot be is told by its flag."""
    zone = {**os.environ, "TZ": "UTC-5:30"}
    past = time.time() - 3600
    done = subprocess.run([program("sluice"), "replay", "--from", "now", "--to", time.strftime("%H:%M:%S", time.gmtime(
        past + 5.5 * 3600))], env=zone, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    check(time.strftime("(%Y-%m-%dT%H:%M:%S.000Z)", time.gmtime(past)) in done.stderr, "a local time", done.stderr)
    for arguments, words in ((("--from", "now", "--to", "-1h"), "--from now ("), (("--from", "soon"), "--from soon is no time"),
                             (("--to", "never"), "--to never is no time")):
        for place in (("--socket", gateway.socket), ("--journal", gateway.journal)):
            done = sluice("replay", *place, *arguments)
            check(done.returncode == EXIT_USAGE and words in done.stderr and not done.stdout, "a span that is none",
                  arguments, done.returncode, done.stderr)


def check_csv(gateway, events):
    done = gateway.cli("replay", "--format", "csv", "--device", "meter1", "--kind", "reading")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    readings = [event for event in events if event.get("d") == "meter1" and event["k"] == "reading"]
    check([row["value"] for row in rows] == ["" if event["v"] is None else str(event["v"]) for event in readings],
          "values as CSV", rows[:3])
    check([row["key"] for row in rows] == ["%s-%d" % (event["epoch"], event["n"]) for event in readings], "keys as CSV")


def stored(line):
    """A line of sluice state without what is there for people."""
    return {key: value for key, value in json.loads(line).items() if key not in ("unit", "text")}


def check_state(gateway, events, at):
    done = gateway.cli("state", "--json", "--at", str(at))
    check(done.returncode == EXIT_OK, "sluice state", done.returncode, done.stderr)
    found = {(event["d"], event.get("p", "")): event for event in map(stored, done.stdout.splitlines())
             if "d" in event}
    expected = last_values(events, at)
    check(found == expected, "the state at a moment", at,
          [(key, found.get(key), expected.get(key)) for key in set(found) | set(expected)
           if found.get(key) != expected.get(key)][:3])
    done = gateway.cli("state", "--json", "--at", str(at), "--device", "incomer", "--point", "triangle")
    check([stored(line) for line in done.stdout.splitlines()] == [expected["incomer", "triangle"]], "of one point",
          done.stdout, done.stderr)
    table = gateway.cli("state", "--at", str(at)).stdout
    check("incomer/triangle" in table, "as a table", table)
    if expected["incomer", "triangle"]["v"] is not None:
        check_words(gateway, expected, table, at)


def check_words(gateway, expected, table, at):
    """Units, and what numbers stand for."""
    value = expected["incomer", "triangle"]["v"]
    shown = next(line.split() for line in table.splitlines() if line.startswith("incomer/triangle"))
    check(shown[1:3] == [str(value), "°C"], "value and unit", shown)
    shown = next(line for line in table.splitlines() if line.startswith("incomer/constant"))
    check("steady (4362)" in shown, "what the number stands for", shown)
    done = gateway.cli("state", "--json", "--at", str(at), "--device", "incomer", "--point", "constant")
    words = json.loads(done.stdout)
    check(words["text"] == "steady" and "unit" not in words, "as JSON", words)


def check_offline(gateway, events):
    """The same from the folder, without a daemon."""
    done = sluice("replay", "--journal", gateway.journal)
    stored = [json.loads(line) for line in done.stdout.splitlines()]
    check(stored[:len(events)] == events, "replay from the folder", done.stderr, len(stored), len(events))
    done = sluice("state", "--json", "--journal", gateway.journal, "--at", str(events[-1]["t"] + 1))
    check(done.returncode == EXIT_OK and "triangle" in done.stdout, "state from the folder", done.stderr)
    done = sluice("journal", "stat", "--journal", gateway.journal)
    check(done.returncode == EXIT_OK and events[0]["epoch"] in done.stdout, "journal stat", done.stdout)
    done = sluice("journal", "dump", "--journal", gateway.journal)
    check(len(done.stdout.splitlines()) > len(stored), "journal dump has the declarations, too", done.returncode)


def tail_shows_what_comes(site):
    _, _, sims, gateway = plant(site)
    tail = site.start("tail", program("sluice"), "tail", "--socket", gateway.socket, "--device", "meter1", "--kind",
                      "reading", "--limit", "20", pipe=True)
    out, _ = tail.popen.communicate(timeout=60)
    check(tail.popen.returncode == EXIT_OK, "exit status", tail.popen.returncode)
    lines = [json.loads(line) for line in out.splitlines()]
    check(len(lines) == 20 and all(event["d"] == "meter1" for event in lines), "events", len(lines))
    values = [event["v"] for event in lines]
    check(values == list(range(values[0], values[0] + 20)), "in order, and none left out", values)
    endless = site.start("endless", program("sluice"), "tail", "--socket", gateway.socket)
    wait_for(lambda: len(endless.log().splitlines()) > 20, 30, "events flow")
    gateway.stop()
    check(endless.popen.wait(20) is not None, "tail ends when the daemon does")


def verify_finds_damage(site):
    """One byte turned in the middle of a segment: told, and the rest is read."""
    _, _, sims, gateway = plant(site)
    site.wait_values(400)
    gateway.stop()
    events = sluice("replay", "--journal", gateway.journal).stdout.splitlines()
    segment = sorted(name for name in os.listdir(gateway.journal) if name.startswith("segment-"))
    target = max((os.path.join(gateway.journal, name) for name in segment), key=lambda path: used(path))
    with open(target, "r+b") as file:
        content = file.read()
        at = used(target) * 2 // 3  # behind the checkpoint, and other frames follow: else it would be a torn end
        at = next(i for i in range(at, len(content)) if content[i])  # of a frame, and not of the zeros between two
        file.seek(at)
        file.write(bytes([content[at] ^ 0xFF]))
    done = sluice("journal", "verify", "--journal", gateway.journal)
    check(done.returncode == EXIT_FAILED and os.path.basename(target) in done.stdout, "verify", done.returncode,
          done.stdout)
    rest = sluice("replay", "--journal", gateway.journal)
    left = [json.loads(line) for line in rest.stdout.splitlines()]
    check(len(events) - 100 < len(left) and any(event["k"] == "gap" and event["why"] == "damage" for event in left),
          "the rest is read, and the damage told", len(events), len(left), rest.stderr)
    gateway.start()
    check(gateway.status()["journal"]["newest"] > 0, "it starts all the same")
    held = gateway.cli("status").stdout
    check(re.search(r"journal .* MiB of \d+ [MG]iB\n", held), "sizes as the configuration writes them", held)
    for command in (("tail",), ("replay",), ("replay", "--journal", gateway.journal)):
        done = gateway.cli(*command, "--kind", "gap,reding")
        check(done.returncode == EXIT_USAGE and 'found "reding"' in done.stderr and 'did you mean "reading"?' in done.stderr,
              "a mistyped kind", command, done.stderr)
    none = sluice("journal", "stat", "--journal", site.path("nowhere"))
    check(none.returncode == EXIT_SYSTEM and "nowhere" in none.stderr, "a folder that is not there", none.stderr)
    for command in ("replay", "state"):
        file = sluice(command, "--journal", target)
        check(file.returncode == EXIT_USAGE and "is a file, and a journal is a folder" in file.stderr, "a file", file.stderr)


def used(path):
    """How far into a segment's file something else than zeros is."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


main(says_what_the_subscriber_got, tail_shows_what_comes, verify_finds_damage)
