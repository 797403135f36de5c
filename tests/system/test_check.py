#!/usr/bin/python3
"""A configuration with thirty different mistakes, and what `sluice check` says of each."""
import itertools
import json
import os
import re

from harness import EXIT_CONFIG, EXIT_OK, EXIT_SYSTEM, check, main, program, sluice
from harness.certificates import Authority

# Each line of the file that ends in a number has that mistake: the words that its message must have.
MISTAKES = r'''{
 "version": 1,
 "gateway": { "id": "Plant 7",                                                  // 1 id
   "nmae": "Plant 7",                                                           // 2 nmae, did you mean "name"
   "timezone": 7 },                                                             // 3 timezone
 "journal": { "keep": "8 bananas",                                              // 4 keep, bananas
   "max_age": "soon",                                                           // 5 max_age, soon
   "when_full": "drop-newest-or-so",                                            // 6 when_full, drop-oldest
   "commit": "250" },                                                           // 7 commit
 "defaults": { "every": "-5s",                                                  // 8 every
   "report": { "on_change": "yes" } },                                          // 9 on_change
 "buses": [
  { "id": "rs485-1", "driver": "modbus-rtu", "port": "/dev/ttyS0",
    "line": "9600 7X3" },                                                       // 10 line, 7X3
  { "id": "rs485-2", "driver": "modbus-rtu" },                                  // 11 port
  { "id": "hall", "driver": "modbus-tpc",                                       // 12 driver, did you mean "modbus-tcp"
    "host": "10.0.7.20:502" },
  { "id": "yard", "driver": "modbus-tcp",
    "host": "10.0.7.20:99999" },                                                // 13 host
  { "id": "yard", "driver": "modbus-tcp", "host": "10.0.7.21" },                // 14 yard
  { "id": "shed", "driver": "modbus-tcp", "host": "10.0.7.22" }
 ],
 "devices": [
  { "id": "a", "bus": "rs485-9", "unit": 1, "points": [] },                     // 15 rs485-9
  { "id": "b", "bus": "yard", "unit": 300,                                      // 16 unit, 300
    "numbering": "0-based", "points": [
     { "id": "p1", "reg": 1, "type": "u61" },                                   // 17 type, did you mean "u16"
     { "id": "p2", "reg": 3, "scale": "0.1" },                                  // 18 scale
     { "id": "p3", "type": "u16" },                                             // 19 reg
     { "id": "p4", "reg": 5, "bit": 16 },                                       // 20 bit, 16
     { "id": "p4", "reg": 6 },                                                  // 21 p4
     { "id": "p5", "reg": 7, "reg": 8 }                                         // 22 reg
    ] },
  { "id": "c", "bus": "shed", "unit": 2, "points": [ { "id": "p", "reg": 1 } ] }, // 23 numbering
  { "id": "d", "bus": "shed", "unit": 3, "numbering": "40001",
    "points": [ { "id": "p", "reg": 20001 } ] },                                // 24 reg, 20001
  { "id": "e", "bus": "shed", "unit": 4, "numbering": "0-based", "points": [
     { "id": "p1", "reg": 70000 },                                              // 25 reg, 70000
     { "id": "p2", "reg": 2, "type": "i16", "order": "CDAB" }                   // 26 order
    ] }
 ],
 "uplinks": [
  { "id": "cloud", "url": "http://broker.example.com" },                        // 27 url, mqtt
  { "id": "local", "url": "mqtt://127.0.0.1", "layout": "colums" },             // 28 layout
  { "id": "third", "url": "mqtts://127.0.0.1", "tls": { "ca": "nowhere.pem" } }, // 29 nowhere.pem
  { "id": "fourth", "url": "mqtt://127.0.0.1", "password": "hunter2" }          // 30 password
 ]
}
'''

GOOD = {
    "version": 1,
    "gateway": {"id": "plant7"},
    "buses": [{"id": "rs485-1", "driver": "modbus-rtu", "port": "/dev/ttyS0", "line": "9600 8E1"}],
    "devices": [{"id": "boiler", "bus": "rs485-1", "unit": 1, "numbering": "40001",
                 "points": [{"id": "supply_temp", "reg": 40101, "type": "i16", "scale": 0.1, "unit": "°C",
                             "every": "1s"}]}],
    "uplinks": [{"id": "cloud", "url": "mqtt://127.0.0.1"}],
}


def expectations():
    """(line, number, words) of each mistake."""
    for number, line in enumerate(MISTAKES.splitlines(), 1):
        found = re.search(r"// (\d+) (.*)$", line)
        if found:
            yield number, int(found.group(1)), [word.strip() for word in found.group(2).split(",")]


def tells_thirty_mistakes_each_with_its_line(site):
    path = site.write("sluice.json", MISTAKES)
    done = sluice("check", path)
    check(done.returncode == EXIT_CONFIG, "exit status", done.returncode)
    told = {}
    for line in done.stderr.splitlines():
        found = re.match(re.escape(path) + r":(\d+):(\d+): ([^:]*): (.*)", line)
        check(found, "a line that is no message", line)
        told.setdefault(int(found.group(1)), []).append(line)
    expected = list(expectations())
    check([number for _, number, _ in expected] == list(range(1, 31)), "thirty mistakes")
    failed = [(number, line, words, told.get(line)) for line, number, words in expected
              if not any(all(word in message for word in words) for message in told.get(line, []))]
    check(not failed, "mistakes without their message", *failed)
    strangers = [message for line, messages in told.items() for message in messages
                 if line not in [entry[0] for entry in expected]]
    check(not strangers, "messages about lines without a mistake", strangers)
    check("hunter2" not in done.stderr, "a secret in a message", done.stderr)


# One key a line: what is right, what somebody made of it, and the words of its message.
PARTS = r'''{
 "version": 1,
 "gateway": { "id": "plant7" },
 "buses": [
  { "id": "rs485-1", "driver": "modbus-rtu", "port": "/dev/ttyS0",
    "line": "9600 8E1",
    "timeout": "500ms" }
 ],
 "devices": [
  { "id": "boiler", "bus": "rs485-1", "unit": 1,
    "numbering": "40001",
    "points": [
     { "id": "flow", "type": "f32",
       "reg": 40101,
       "order": "CDAB" }
    ] }
 ],
 "uplinks": [
  { "id": "cloud",
    "url": "mqtts://127.0.0.1",
    "tls": { "ca": CA } },
  { "id": "local",
    "url": "mqtt://127.0.0.1" }
 ]
}
'''
COMBINED = [('"9600 8E1"', '"9600 7X3"', "7X3"), ('"timeout": "500ms"', '"timeout": "1us"', "5ms to 1m"),
            ('"reg": 40101', '"reg": 20101', "20101"), ('"order": "CDAB"', '"order": "AB"', "4 bytes"),
            ('"url": "mqtts://127.0.0.1"', '"url": "https://127.0.0.1"', "mqtts://HOST"),
            ('"ca": "', '"ca": "nothing', "nothing"),
            ('"url": "mqtt://127.0.0.1"', '"url": "tcp://127.0.0.1"', "mqtt://HOST")]


def any_combination_of_mistakes_is_told_in_one_run(site):
    """A bus option, a point, a CA file and a url that are wrong at once: none hides another, none brings one along."""
    parts = PARTS.replace("CA", json.dumps(Authority(site.folder, "ca").path))
    for chosen in [*itertools.combinations(COMBINED, 2), COMBINED]:
        text, wanted = parts, []
        for right, wrong, words in chosen:
            check(text.count(right) == 1, "not once in the file", right)
            wanted.append((text[:text.index(right)].count("\n") + 1, words))
            text = text.replace(right, wrong)
        told = sluice("check", site.write("sluice.json", text)).stderr.splitlines()
        for line, words in wanted:
            check(any(":%d:" % line in message and words in message for message in told), "not told", words, told)
        check(len(told) == len(wanted), "more than there is", told)


def says_what_a_good_file_means(site):
    path = site.write("sluice.json", json.dumps(GOOD))
    done = sluice("check", path)
    check(done.returncode == EXIT_OK, "exit status", done.returncode, done.stderr)
    for words in ("rs485-1", "cloud", "day", "month"):
        check(words in done.stdout, "what it means", words, done.stdout)
    meaning = json.loads(sluice("check", "--json", path).stdout)
    check(meaning, "as JSON", meaning)


WRITABLE = {
    "version": 1,
    "gateway": {"id": "plant7", "timezone": "Asia/Kathmandu"},
    "buses": [{"id": "hall", "driver": "modbus-tcp", "host": "10.0.7.20"}],
    "devices": [{"id": "boiler", "bus": "hall", "unit": 1, "numbering": "40001", "points": [
        {"id": "setpoint", "reg": 40001, "type": "i16", "scale": 0.1, "unit": "°C",
         "write": {"min": 5, "max": 90, "step": 0.5}},
        {"id": "mode", "reg": 40002, "enum": {"0": "off", "1": "auto"}, "write": {}},
        {"id": "pump", "reg": 1, "type": "bool", "write": {}}, {"id": "anything", "reg": 40003, "write": {}},
        {"id": "energy", "reg": 40010, "type": "u32", "every": "1d", "align": True}]}],
    "uplinks": [{"id": "cloud", "url": "mqtt://127.0.0.1", "root": "acme/north", "commands": True},
                {"id": "local", "url": "mqtt://127.0.0.1"}],
}


def says_what_can_be_written_and_when_aligned_points_are_read(site):
    told = sluice("check", site.write("sluice.json", json.dumps(WRITABLE))).stdout
    for words in ("point boiler/setpoint can be written: 5 to 90 in steps of 0.5 °C\n",
                  "point boiler/mode can be written: 0 (off), 1 (auto)\n",
                  "point boiler/pump can be written: true or false\n",
                  "point boiler/anything can be written: any number\n",
                  "uplink cloud takes commands on acme/north/plant7/cmd\n",
                  "time zone Asia/Kathmandu: 1 point with \"align\" is read at full multiples"):
        check(words in told, "not told", words, told)
    check("boiler/energy" not in told and "uplink local takes" not in told, "what is not so", told)
    meaning = json.loads(sluice("check", "--json", site.path("sluice.json")).stdout)
    check([entry["point"] for entry in meaning["writable"]] == ["setpoint", "mode", "pump", "anything"], "as JSON", meaning)
    check(meaning["uplinks"][0]["commands"] == "acme/north/plant7/cmd" and meaning["aligned_points"] == 1, "as JSON", meaning)
    closed = dict(WRITABLE, uplinks=WRITABLE["uplinks"][1:])
    told = sluice("check", site.write("closed.json", json.dumps(closed))).stdout
    check("no uplink takes commands" in told, "nobody takes commands", told)


def tells_where_an_uplink_sends_much(site):
    points = [{"id": "p%d" % number, "reg": 40001 + number} for number in range(20)]
    busy = dict(WRITABLE, devices=[dict(WRITABLE["devices"][0], every="1s", points=points)])
    told = sluice("check", site.write("busy.json", json.dumps(busy))).stdout
    check(" MB a month; much for a connection that is paid for: read less often, report on change, or linger longer\n" in told, "advice", told)
    rare = dict(busy, devices=[dict(busy["devices"][0], every="1h")])
    told = sluice("check", site.write("rare.json", json.dumps(rare))).stdout
    check("MB a month" in told and "paid for" not in told, "what costs little", told)
    busy["uplinks"] = [dict(uplink, budget="1GB/month") for uplink in busy["uplinks"]]
    told = sluice("check", site.write("busy.json", json.dumps(busy))).stdout
    check("more than the budget" in told and "paid for" not in told, "whoever says how much it may be", told)


def keeps_points_in_a_table(site):
    """Out of a configuration, through a spreadsheet, into a device that names the table."""
    path = site.write("sluice.json", json.dumps(WRITABLE))
    table = sluice("points", "export", path, "boiler", "--separator", ";")
    check(table.returncode == EXIT_OK and table.stdout.startswith("id;"), "export", table.stdout, table.stderr)
    site.write("boiler.csv", table.stdout)
    back = sluice("points", "import", site.path("boiler.csv"))
    check(json.loads(back.stdout) == WRITABLE["devices"][0]["points"], "import", back.stdout, back.stderr)
    named = dict(WRITABLE, devices=[dict(WRITABLE["devices"][0], points="boiler.csv")])
    told = [sluice("check", name).stdout.split("; gateway")[1].split("\n", 1)[1]
            for name in (path, site.write("named.json", json.dumps(named)))]
    check(told[0] == told[1], "what the two files mean", *told)
    site.write("boiler.csv", table.stdout.replace("0.1", "0,1"))
    wrong = sluice("check", site.path("named.json"))
    check(wrong.returncode == EXIT_CONFIG and "boiler.csv:2:" in wrong.stderr and "found 0,1" in wrong.stderr, "where", wrong.stderr)
    mistyped = sluice("points", "export", path, "boiller")
    check('did you mean "boiler"?' in mistyped.stderr, "a mistyped device", mistyped.stderr)


# Words that other programs have for a key; each line that ends in a number has one of them, or a register as some count.
OTHER_WORDS = r'''{
 "version": 1, "gateway": { "id": "plant7" },
 "buses": [
  { "id": "hall", "driver": "modbus-tcp",
    "ip": "10.0.7.20" },                                       // 1 ip: unknown key; did you mean "host"?
  { "id": "line", "driver": "modbus-rtu",
    "device": "/dev/ttyS0",                                    // 2 device: unknown key; did you mean "port"?
    "port": "/dev/ttyS1", "baudrate": 9600 }                   // 3 baudrate: unknown key; did you mean "line"?
 ],
 "devices": [
  { "id": "a", "bus": "line", "numbering": "40001",
    "unit": 1, "slave-id": 4,                                  // 4 slave-id: unknown key; did you mean "unit"?
    "interval": "5s", "points": [                              // 5 interval: unknown key; did you mean "every"?
     { "id": "p1", "interval": "5s", "reg": 40001 },           // 6 interval: unknown key; did you mean "every"?
     { "id": "p2", "address": 40003 },                         // 7 address: unknown key; did you mean "reg"?
     { "id": "p3", "reg": 40005, "datatype": "f32" },          // 8 datatype: unknown key; did you mean "type"?
     { "id": "p4", "reg": 1 },                                 // 9 reg: found 1, which with numbering "40001" is a coil: holding register 1 is 40001
     { "id": "p5", "reg": 12, "type": "f32" },                 // 10 reg: found 12, which with numbering "40001" is a coil
     { "id": "p6", "reg": 1, "type": "bool" }, { "id": "p7", "reg": 2, "table": "coil" }
    ] }
 ]
}
'''


def knows_the_words_of_other_programs(site):
    told = sluice("check", site.write("sluice.json", OTHER_WORDS)).stderr.splitlines()
    wanted = [(number, found.group(2)) for number, found in
              ((number, re.search(r"// (\d+) (.*)$", line)) for number, line in enumerate(OTHER_WORDS.splitlines(), 1)) if found]
    for line, words in wanted:
        check(any(":%d:" % line in message and words in message for message in told), "not told", words, told)
    check(len(told) == len(wanted), "more than there is", told)


def a_file_that_is_not_there_has_its_exit_status(site):
    missing = site.path("no", "such.json")
    for command in (("points", "import", missing), ("points", "export", missing, "boiler"),
                    ("probe", "boiler", "--config", missing)):
        done = sluice(*command)
        check(done.returncode == EXIT_SYSTEM and "such.json: cannot be read: No such file" in done.stderr, command,
              done.returncode, done.stderr)


def says_what_cannot_be_read(site):
    unreadable = site.path("no", "sluice.json")
    cases = [(unreadable, ["sluice.json", "No such file"]), (site.folder, [site.folder]),
             (site.write("empty.json", ""), ["empty.json"]),
             (site.write("binary.json", "\x00\x01\x02{"), ["binary.json"]),
             (site.write("half.json", "{ \"version\": 1, \"gateway\": {"), ["half.json"]),
             (site.write("later.json", "{ \"version\": 99 }"), ["version", "99"]),
             (site.write("list.json", "[]"), ["list.json"]),
             (site.write("deep.json", "[" * 100000), ["deep.json"])]
    for path, words in cases:
        done = sluice("check", path)
        expected = EXIT_SYSTEM if path in (unreadable, site.folder) else EXIT_CONFIG
        check(done.returncode == expected, "exit status", path, done.returncode, done.stderr)
        told = sluice("check", "--json", path)
        check(told.returncode == expected and words[0] in json.loads(told.stdout)["errors"][0]["file"] + told.stderr, "as JSON", path, told.stdout)
        check(all(word in done.stderr for word in words), "words", words, done.stderr)
    if os.getuid():
        path = site.write("secret.json", "{}")
        os.chmod(path, 0)
        check("permission" in sluice("check", path).stderr, "permission")


def a_flag_has_the_same_letter_everywhere(site):
    letters = {}
    for line in sluice("--help").stdout.splitlines():
        command = re.match(r"  (\w+) ", line)
        if command:
            told = sluice(command[1], "--help").stdout
            for letter, name in re.findall(r"-(\w), --(json|socket|config)\b", told):
                letters.setdefault(name, set()).add(letter)
    check(letters == {"json": {"J"}, "socket": {"s"}, "config": {"c"}}, "the letters", letters)


def the_daemon_refuses_what_check_refuses(site):
    path = site.write("sluice.json", MISTAKES)
    process = site.start("sluiced", program("sluiced"), "--config", path, "--journal",
                         site.path("journal"), "--socket", site.path("api.sock"))
    check(process.popen.wait(20) == EXIT_CONFIG, "exit status", process.popen.returncode)
    check("did you mean \"modbus-tcp\"" in process.log(), "its log", process.log())


def warns_of_uplinks_that_share_a_root_at_one_broker(site):
    """They overwrite each other's retained status: offline, while one of them delivers."""
    cloud, told = {"id": "cloud", "url": "mqtts://Broker.example:8883"}, 'uplink cloud publishes to the same broker below the root "sluice", too'
    for second, warned in (({"url": "mqtts://broker.example"}, True), ({"url": "mqtt://broker.example:8883", "root": "sluice"}, True),
                           ({"url": "mqtts://broker.example", "proxy": "http://proxy.example"}, False),
                           ({"url": "mqtts://broker.example", "root": "acme"}, False), ({"url": "mqtts://broker.example:8884"}, False),
                           ({"url": "mqtts://other.example"}, False)):
        path = site.write("sluice.json", json.dumps({"version": 1, "gateway": {"id": "plant7"}, "uplinks": [cloud, {"id": "second", **second}]}))
        done = sluice("check", "--json", path)
        check(done.returncode == EXIT_OK, "it can start", second, done.stderr)
        check(("warning: uplink second: " + told in done.stderr and 'another root, such as "sluice-2"' in done.stderr) == warned, "the warning", second, done.stderr)
        uplinks = json.loads(done.stdout)["uplinks"]
        check([told in uplink.get("warning", "") for uplink in uplinks] == [False, warned], "as JSON", uplinks)


def warns_of_certificates_that_end(site):
    authority = Authority(site.folder, "shop")
    for name, warning, more in (("old", "expired on 2021-01-01", {"expired": True}), ("soon", "expires on ", {"days": 5}), ("fresh", "", {"days": 90})):
        certificate, key = authority.issue(name, **more)
        path = site.write(name + ".json", json.dumps({"version": 1, "gateway": {"id": "plant7"}, "uplinks": [
            {"id": "cloud", "url": "mqtts://broker.example", "tls": {"ca": authority.path, "cert": certificate, "key": key}}]}))
        done = sluice("check", path)
        check(done.returncode == EXIT_OK, "it can start", name, done.stderr)
        told = [line for line in done.stderr.splitlines() if line.startswith("warning: uplink cloud: ")]
        check(warning in "".join(told) and bool(told) == bool(warning), "what it warns of", name, done.stderr)


main(tells_where_an_uplink_sends_much, warns_of_certificates_that_end, warns_of_uplinks_that_share_a_root_at_one_broker, tells_thirty_mistakes_each_with_its_line, any_combination_of_mistakes_is_told_in_one_run,
     says_what_a_good_file_means, says_what_can_be_written_and_when_aligned_points_are_read,
     keeps_points_in_a_table, knows_the_words_of_other_programs, a_file_that_is_not_there_has_its_exit_status,
     says_what_cannot_be_read, a_flag_has_the_same_letter_everywhere, the_daemon_refuses_what_check_refuses)
