#!/usr/bin/python3
"""
Device profiles from the command line to the broker: what is listed, shown and checked, and a SunSpec device that describes
itself. The device is a Modbus TCP server of this file's own.
"""
import json
import os
import shutil
import socketserver
import struct
import subprocess
import threading

from harness import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Gateway, check, main, program, sluice, wait_for

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHIPPED = os.path.join(SOURCE, "drivers/profiles")
SUNSPEC_BASE = 40000


class Slave(socketserver.ThreadingTCPServer):
    """Holding registers by their number; what is not there is exception 2."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, registers):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.registers = registers
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def host(self):
        return "127.0.0.1:%d" % self.server_address[1]


class Conversation(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            head = self.request.recv(12, 0x100)  # MSG_WAITALL
            if len(head) < 12:
                return
            transaction, _, _, unit, function, first, count = struct.unpack(">HHHBBHH", head)
            wanted = [self.server.registers.get(register) for register in range(first, first + count)]
            if function != 3 or None in wanted:
                body = struct.pack(">BBB", unit, function | 0x80, 2)
            else:
                body = struct.pack(">BBB", unit, function, 2 * count) + struct.pack(">%dH" % count, *wanted)
            self.request.sendall(struct.pack(">HHH", transaction, 0, len(body)) + body)


def words(text, registers):
    data = text.encode().ljust(2 * registers, b"\0")
    return list(struct.unpack(">%dH" % registers, data))


def inverter():
    """Common model, a model of the maker's own, and a three-phase inverter of 4217 W."""
    common = words("Acme", 16) + words("Sun 5", 16) + words("", 8) + words("1.2", 8) + words("SN42", 16) + [1, 0x8000]
    model = [0xFFFF] * 50
    for offset, value in {2: 183, 6: -1, 10: 2301, 13: -1, 14: 4217, 15: 0, 16: 4998, 17: -2, 22: -0x8000, 24: 0x12, 25: 0xD687, 26: 0,
                          33: 415, 37: -1, 38: 4}.items():
        model[offset - 2] = value & 0xFFFF
    chain = [0x5375, 0x6E53, 1, 66] + common + [64999, 3, 7, 8, 9] + [103, 50] + model + [0xFFFF, 0]
    return {SUNSPEC_BASE + place: value for place, value in enumerate(chain)}


def profile_command(*arguments):
    return sluice("profile", *arguments)


def lists_and_shows_what_is_shipped(site):
    names = [name[:-5] for name in os.listdir(SHIPPED) if name.endswith(".json")]
    listed = json.loads(profile_command("list", "--json").stdout)
    check(sorted(names) == [entry["name"] for entry in listed], "names that are listed", len(listed))
    victron = json.loads(profile_command("list", "--json", "--vendor", "victron").stdout)
    check(len(victron) == 14 and all(entry["vendor"] == "Victron Energy" for entry in victron), "by maker", victron)
    check("pzem" in profile_command("list", "--search", "PZEM").stdout, "search in any case")
    check(profile_command("list", "--search", "no such device").returncode == EXIT_FAILED, "a search that finds none")
    shown = profile_command("show", "samson-trovis-557x")
    check(shown.returncode == EXIT_OK and "unverified" in shown.stdout and "temperature_outdoor" in shown.stdout, "show", shown.stdout)
    check(json.loads(profile_command("show", "abb-b2x", "--json").stdout)["profile"]["vendor"] == "ABB", "show --json")
    mistyped = profile_command("show", "abb-b2")
    check(mistyped.returncode == EXIT_USAGE and 'did you mean "abb-b2x"' in mistyped.stderr, "a mistyped name", mistyped.stderr)


def suggests_and_filters_by_a_part_of_the_name(site):
    for given, meant in {"sdm630": "eastron-sdm630", "SDM 630": "eastron-sdm630", "sdm603": "eastron-sdm630",
                         "easton-sdm630": "eastron-sdm630", "umg604": "janitza-umg-604-pro"}.items():
        shown = profile_command("show", given)
        check(shown.returncode == EXIT_USAGE and 'did you mean "%s"' % meant in shown.stderr, given, shown.stderr)
        path = site.write("sluice.json", json.dumps({
            "version": 1, "gateway": {"id": "g"}, "buses": [{"id": "b", "driver": "modbus-tcp", "host": "h"}],
            "devices": [{"id": "d", "bus": "b", "unit": 1, "profile": given}]}))
        checked = sluice("check", path).stderr
        check(checked.count("\n") == 1 and 'did you mean "%s"?' % meant in checked, given, checked)
    several = profile_command("show", "sdm").stderr
    check('profile list "sdm" has 7' in several, "several that fit", several)
    listed = profile_command("list", "eastron", "72").stdout.split("\n")
    check([line.split(" ")[0] for line in listed if line] == ["eastron-sdm72", "eastron-sdm72-v2"], "a filter", listed)
    listed = profile_command("list", "co2", "wb-ms").stdout
    check(listed.count("\n") == 1 and ", among them co2_equivalent" in listed, "what a device measures is found", listed)
    none = profile_command("list", "thermometer")
    check(none.returncode == EXIT_FAILED and "climate-sensor, " in none.stderr and none.stderr.count("energy-meter") == 1,
          "a filter that finds none names the categories", none.stderr)


def finds_the_profiles_where_it_was_built(site):
    """Without an installation; and away from the build folder it says what to do."""
    del os.environ["SLUICE_PROFILES"]
    try:
        here = profile_command("show", "abb-b2x")
        moved = subprocess.run([shutil.copy(program("sluice"), site.path("sluice")), "profile", "list"],
                               capture_output=True, text=True, timeout=60)
    finally:
        os.environ["SLUICE_PROFILES"] = SHIPPED
    check(here.returncode == EXIT_OK and SHIPPED in here.stdout, "the source tree's", here.stdout, here.stderr)
    installed = moved.returncode == EXIT_OK
    check(installed or ("no profiles in /etc/sluice/profiles" in moved.stderr and "SLUICE_PROFILES=" in moved.stderr),
          "what to do", moved.stderr)


def reads_the_profiles_of_a_package_from_their_archive(site):
    folder = site.path("packed")
    subprocess.run(["tar", "--format=ustar", "-C", SHIPPED, "-czf", folder + ".tar.gz", *os.listdir(SHIPPED)], check=True)
    loose = profile_command("list").stdout
    os.environ["SLUICE_PROFILES"] = folder
    try:
        check(profile_command("list").stdout == loose and loose.count("\n") > 200, "the list", profile_command("list").stderr)
        shown = profile_command("show", "abb-b2x")
        check(shown.returncode == EXIT_OK and "ABB" in shown.stdout, "one of them", shown.stdout, shown.stderr)
        path = site.path("sluice.json")
        device = {"id": "meter", "bus": "hall", "unit": 1, "profile": "abb-b2x"}
        site.write("sluice.json", json.dumps({"version": 1, "gateway": {"id": "plant7"}, "devices": [device],
                                              "buses": [{"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1"}]}))
        check(sluice("check", path).returncode == EXIT_OK, "a device with one", sluice("check", path).stderr)
        site.write("sluice.json", open(path).read().replace("abb-b2x", "abb-b2y"))
        check('did you mean "abb-b2x"?' in sluice("check", path).stderr, "the nearest", sluice("check", path).stderr)
    finally:
        os.environ["SLUICE_PROFILES"] = SHIPPED


def checks_a_profile_of_ones_own(site):
    path = site.path("mine.json")
    own = {"vendor": "Acme", "model": "M", "drivers": ["modbus-rtu"], "numbering": "40001",
           "points": [{"id": "temperature", "reg": 40001, "type": "i16", "scale": 0.1}]}
    json.dump(own, open(path, "w"))
    check(profile_command("check", path).returncode == EXIT_OK, "a right profile", profile_command("check", path).stderr)
    own["points"][0]["reg"] = 20001
    own["points"].append({"id": "x", "reg": 40002, "typ": "u16"})
    json.dump(own, open(path, "w"))
    wrong = profile_command("check", path)
    check(wrong.returncode == EXIT_CONFIG, "exit status of a wrong profile", wrong.returncode)
    for said in ("mine.json:1:", "points[0].reg: found 20001", 'points[1].typ: unknown key; did you mean "type"?'):
        check(said in wrong.stderr, said, wrong.stderr)
    shipped = profile_command("check", "eastron-sdm120")
    check(shipped.returncode == EXIT_OK, "one that is shipped, by its name", shipped.stdout, shipped.stderr)
    none = profile_command("check", "eastron-sdm12")
    check(none.returncode == EXIT_USAGE and "did you mean" in none.stderr, "a name that nothing has", none.stderr)


def a_profile_is_told_its_own_mistakes_in_its_own_words(site):
    path = site.write("acme-wrong.json", json.dumps({"vendor": "A", "model": "M", "name": "x", "points": [{"id": "a", "reg": 0}]}))
    site.write("acme-broken.json", '{ "vendor": 1, ')
    for told in (profile_command("check", path), sluice("probe", "--profile", path, "127.0.0.1:9")):
        check(told.returncode == EXIT_CONFIG and "acme-wrong.json:1:1: numbering: is missing" in told.stderr, "what it lacks", told.stderr)
        check("\"name\" belongs to a device, not to a profile" in told.stderr, "what is not its own", told.stderr)
        check("broken" not in told.stderr and "devices[0]" not in told.stderr, "nothing else", told.stderr)
    broken = sluice("probe", "--profile", site.path("acme-broken.json"), "127.0.0.1:9")
    check(broken.returncode == EXIT_CONFIG and "acme-broken.json:1:" in broken.stderr and "no profile" not in broken.stderr, "one that is no JSON", broken.stderr)


def a_mistyped_point_of_a_profile_is_told_as_that(site):
    config = {"version": 1, "gateway": {"id": "g"}, "buses": [{"id": "b", "driver": "modbus-tcp", "host": "127.0.0.1"}],
              "devices": [{"id": "d", "bus": "b", "unit": 1, "profile": "eastron-sdm120", "points": [
                  {"id": "voltag", "every": "2s"}, {"id": "zzz", "every": "2s"}, {"id": "own", "reg": 40001, "write": True}]}]}
    told = sluice("check", site.write("mistyped.json", json.dumps(config))).stderr
    check('points[0].id: the profile "eastron-sdm120" has no point "voltag"; did you mean "voltage"?' in told, "near", told)
    check('has no point "zzz", and this one does not say what it is read from' in told and "reg: is missing" not in told, "far", told)
    check("write: found true; an object {...} is expected: {} where nothing is to be said in it" in told, "write", told)


def writes_the_profile_of_a_sunspec_device_that_then_reads_it(site):
    slave = Slave(inverter())
    folder = site.path("profiles")
    os.makedirs(folder)
    walked = sluice("sunspec", slave.host)
    check(walked.returncode == EXIT_OK, "the walk", walked.stderr)
    check("model 64999 at 40070: not known, passed over" in walked.stderr, "the maker's own model", walked.stderr)
    with open(os.path.join(folder, "roof.json"), "w") as out:
        out.write(walked.stdout)
    written = json.loads(walked.stdout)
    check((written["vendor"], written["model"], written["category"]) == ("Acme", "Sun 5", "inverter"), "who it is", written["vendor"])
    check(profile_command("check", os.path.join(folder, "roof.json")).returncode == EXIT_OK, "the profile is right")
    os.environ["SLUICE_PROFILES"] = folder
    gateway = Gateway(site, [{"id": "net", "driver": "modbus-tcp", "host": slave.host}],
                      [{"id": "roof", "bus": "net", "unit": 1, "profile": "roof", "every": "200ms"}], [])
    gateway.start()
    wanted = {"active_power_total": 4217, "voltage_l1_n": 230.1, "current": 18.3, "frequency": 49.98, "energy_produced": 1234.567,
              "temperature_cabinet": 41.5, "operating_state": 4}
    wait_for(lambda: wanted.keys() <= values_of(gateway).keys(), 20, "the values of the device")
    found = values_of(gateway)
    check(all(found[point] == value for point, value in wanted.items()), "values", found)
    check("power_factor_total" not in found, "what the device does not have is not read")
    wait_for(lambda: gateway.device("roof")["learnt"].get("identity") == {"serial": "SN42"}, 20, "it is known by its number")
    gateway.stop()
    slave.shutdown()


def values_of(gateway):
    """Point -> newest value of the device."""
    return {event["p"]: event["v"] for event in gateway.replay("--from", "-1h") if event["k"] == "reading" and event["q"] == "good"}


def says_what_a_device_is_without_sunspec(site):
    slave = Slave({register: 7 for register in range(100)})
    walked = sluice("sunspec", slave.host)
    check(walked.returncode == EXIT_FAILED and "no SunSpec marker" in walked.stderr, "a device without models", walked.stderr)
    slave.shutdown()


os.environ["SLUICE_PROFILES"] = SHIPPED
PLAIN = {"vendor": "Acme", "model": "M", "confidence": "medium", "numbering": "0-based", "drivers": ["modbus-tcp"]}


def a_profile_is_named_by_its_file(site):
    slave = Slave({0: 7})
    site.at_end(slave.shutdown)
    path = site.write("acme-file.json", json.dumps({**PLAIN, "points": [{"id": "level", "reg": 0}]}))
    done = sluice("probe", "--profile", path, "--unit", "7", slave.host, "--json")
    check(json.loads(done.stdout)["profile"] == "acme-file", "probe", done.stdout, done.stderr)
    shown = profile_command("show", path)
    check(shown.returncode == EXIT_OK and path in shown.stdout, "profile show", shown.stdout, shown.stderr)
    gone = sluice("probe", "--profile", "./nowhere.json", slave.host)
    check(gone.returncode == EXIT_SYSTEM and "nowhere.json cannot be read" in gone.stderr, "none", gone.stderr)
    other = sluice("assign", "/dev/null", "--profile", path, "--to", "7")
    check("profile acme-file does not say by which registers" in other.stderr, "assign", other.stderr)


def another_model_is_suspected_where_hardly_anything_fits(site):
    """A register of small numbers is no float, and most of the others are not there."""
    slave = Slave({10: 0, 11: 1, 12: 0x4366, 13: 0x199A})
    site.at_end(slave.shutdown)
    points = [{"id": "tiny", "reg": 10, "type": "f32"}, {"id": "voltage", "reg": 12, "type": "f32"}] + [
        {"id": "far%d" % number, "reg": 900 + number} for number in range(5)]
    path = site.write("acme-other.json", json.dumps({**PLAIN, "points": points}))
    done = sluice("probe", "--profile", path, "--unit", "7", slave.host, "--json")
    found = {point["id"]: (point["verdict"], point.get("v")) for point in json.loads(done.stdout)["points"]}
    check(found["tiny"][0] == "implausible" and found["voltage"] == ("has", 230.1), "what is no measurement", found)
    check(done.returncode == EXIT_FAILED and json.loads(done.stdout)["doubt"], "for programs", done.returncode, done.stdout)
    told = sluice("probe", "--profile", path, "--unit", "7", slave.host).stdout
    check("Hardly anything fits (1 of 7): the profile acme-other does not seem to be this device's." in told and
          "sluice scan %s --units 7" % slave.host in told and "sluice profile list" in told, "the words", told)
    check("\"only\"" not in told and "\"also\"" not in told, "nothing is offered", told)
    # Two points of which none fits are few, but nothing is left of them. All are there: implausible ones, too, are doubt.
    few = site.write("acme-few.json", json.dumps({**PLAIN, "points": points[:1] + [{"id": "low", "reg": 12, "max": 9}]}))
    done = sluice("probe", "--profile", few, "--unit", "7", slave.host)
    check(done.returncode == EXIT_FAILED and "Hardly anything fits (0 of 2)" in done.stdout, "nothing fits", done.stdout)
    for register in range(900, 905):
        slave.registers[register] = 1
    told = sluice("probe", "--profile", path, "--unit", "7", slave.host).stdout
    check("Hardly anything" not in told, "where most fits", told)


def a_device_of_another_model_is_told_where_it_is_polled(site):
    """Its registers are there and hold numbers, and as the profile's floats they mean nothing: the values stay, and are not good."""
    slave = Slave({register: 600 + register if register % 2 else 0 for register in range(10, 18)} | {20: 0x4366, 21: 0x199A})
    site.at_end(slave.shutdown)
    folder = site.path("other")
    os.makedirs(folder)
    odd = [{"id": "odd%d" % register, "reg": register, "type": "f32"} for register in range(10, 18, 2)]
    with open(os.path.join(folder, "acme-float.json"), "w") as out:
        json.dump({**PLAIN, "points": odd + [{"id": "voltage", "reg": 20, "type": "f32"}]}, out)
    os.environ["SLUICE_PROFILES"] = folder
    site.at_end(lambda: os.environ.update(SLUICE_PROFILES=SHIPPED))
    gateway = Gateway(site, [{"id": "net", "driver": "modbus-tcp", "host": slave.host}],
                      [{"id": "float", "bus": "net", "unit": 1, "profile": "acme-float", "every": "200ms"}], [])
    gateway.start()
    wait_for(lambda: gateway.device("float")["implausible"] == 4, 20, "what can hardly be is counted")
    check("hardly a point that fits: 4 implausible, 0 refused" in gateway.device("float")["doubt"], "doubt", gateway.device("float"))
    told = {event["p"]: event for event in gateway.replay("--from", "-1h") if event["k"] == "reading"}
    check(told["voltage"]["q"] == "good" and told["odd10"]["q"] == "uncertain" and told["odd10"]["why"] == "implausible" and
          0 < told["odd10"]["v"] < 1e-40, "the quality tells, the value stays", told)
    shown = sluice("status", "--socket", gateway.socket).stdout
    check("(4 implausible)" in shown and "ANOTHER MODEL? It has hardly a point that fits" in shown, "status", shown)
    for register in range(10, 18, 2):
        slave.registers[register] = 0x4366
    wait_for(lambda: gateway.device("float")["implausible"] == 0 and "doubt" not in gateway.device("float"), 20, "the right model")
    gateway.stop()


main(a_profile_is_told_its_own_mistakes_in_its_own_words, a_mistyped_point_of_a_profile_is_told_as_that, lists_and_shows_what_is_shipped, suggests_and_filters_by_a_part_of_the_name,
     finds_the_profiles_where_it_was_built, reads_the_profiles_of_a_package_from_their_archive, checks_a_profile_of_ones_own, says_what_a_device_is_without_sunspec,
     writes_the_profile_of_a_sunspec_device_that_then_reads_it,
     a_profile_is_named_by_its_file, another_model_is_suspected_where_hardly_anything_fits,
     a_device_of_another_model_is_told_where_it_is_polled)
