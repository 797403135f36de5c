#!/usr/bin/python3
"""The firmware of sensor nodes on emulated boards, asked by parties that we did not write and by the gateway."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess

from harness import EXIT_OK, Gateway, check, main, slowness, sluice, totals, wait_for
from harness.node import COIL, DISCRETE, HOLDING, INPUT, ROOT, Node, Wire, build_nodes, code_of, node_names, profile, tool

os.environ["SLUICE_PROFILES"] = os.path.join(ROOT, "drivers/profiles")
POINTS = profile()
SETTING_UNIT, SETTING_FORMAT, SETTING_FRAMING = (POINTS["setting_" + name]["reg"] for name in ("unit_number", "format", "framing"))
SETTING_LOW_PASS, SYSTEM_RESET = POINTS["setting_low_pass"]["reg"], POINTS["system_reset"]["reg"]
POLLS = 300


def version():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as file:
        return re.search(r"project\(sluice VERSION ([0-9.]+)", file.read()).group(1)


def mbpoll(node, *arguments, values=(), unit=1):
    patience_s = "%.2f" % min(10, 2 * slowness())
    done = subprocess.run(["mbpoll", "-m", "rtu", "-b", "9600", "-o", patience_s, "-P", "none", "-a", str(unit), "-0", "-1", "-q", *arguments, node.link,
                           *values], capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


def all_functions(site, name):
    """With mbpoll; and what is wrong is refused by the right exception."""
    node = Node(site, name)
    wait_for(node.answers, 20, name + " answers")
    for kind, count in (("0", 2), ("1", 4), ("3", 32), ("4", 11)):
        said = mbpoll(node, "-t", kind, "-r", "0", "-c", str(count))
        check("[%d]:" % (count - 1) in said, name, "table " + kind, said)
    check("Written 1 references" in mbpoll(node, "-t", "0", "-r", "1", values=["1"]), "function 5")
    check(node.read(COIL, 0, 2) == [0, 1], "a coil", node.read(COIL, 0, 2))
    check("Written 2 references" in mbpoll(node, "-t", "0", "-r", "0", values=["1", "0"]), "function 15")
    check(node.read(COIL, 0, 2) == [1, 0], "coils", node.read(COIL, 0, 2))
    check("Written 1 references" in mbpoll(node, "-t", "4", "-r", str(SETTING_LOW_PASS), values=["3"]), "function 6")
    check("Written 2 references" in mbpoll(node, "-t", "4", "-r", "4", values=["500", "2"]), "function 16")
    check(node.read(HOLDING, 4, 3) == [500, 2, 3], "registers", node.read(HOLDING, 4, 3))
    check("Illegal data address" in mbpoll(node, "-t", "4", "-r", "11"), "exception 2")
    check("Illegal data value" in mbpoll(node, "-t", "4", "-r", "4", values=["1"]), "exception 3")
    check(node.exchange(b"\x07") == b"\x87\x01", "exception 1")
    check(node.exchange(b"\x03\0\0\0\1", 0.3, unit=2) is None, "another unit is not answered")
    check(node.exchange(b"\x05\0\1\xff\0", 0.3, unit=0) is None and node.read(COIL, 1) == [1], "one for all is done, not answered")
    node.read(DISCRETE, 0, 4)
    check(b"sluice-node" in node.exchange(b"\x11"), "function 17")
    words = node.exchange(b"\x2b\x0e\x02\0")
    check(b"sluice-node" in words and name.encode() in words, "function 43", words)
    node.end()
    return name


def every_board_answers_all_functions(site):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda name: all_functions(site, name), node_names()))
    return ", ".join(done)


def hundreds_of_polls_lose_none(site):
    """Reads of all measured values, one behind the other."""
    figures = {}
    for name in node_names():
        node = Node(site, name)
        wait_for(node.answers, 20, name + " answers")
        lost = sum(node.exchange(bytes([INPUT, 0, 0, 0, 20]), 3.0) is None for _ in range(POLLS))
        check(lost == 0, name, "polls without a reply", lost)
        check(node.point("frames_answered") >= POLLS, "the node counts them", node.point("frames_answered"))
        figures[name] = POLLS
        node.end()
    totals("node_polls", what="polls of emulated nodes", count=sum(figures.values()), lost=0)


def the_gateway_reads_and_writes_it_by_its_profile(site):
    """Two boards on two lines; the values are what the node itself says when it is asked with the register's number."""
    nodes = {name: Node(site, name) for name in ("stm32vldiscovery", "microbit")}
    serial = {}
    for name, node in nodes.items():
        wait_for(node.answers, 20, name + " answers")
        serial[name] = node.point("serial_number")
    gateway = Gateway(site, [{"id": name, "driver": "modbus-rtu", "port": node.link, "line": "9600 8E1", "timeout": "3s"}
                             for name, node in nodes.items()],
                      [{"id": name, "bus": name, "unit": 1, "profile": "sluice-node", "also": ["*"], "every": "200ms",
                        "points": [{"id": "relay_1", "write": {}}]} for name in nodes], [])
    gateway.start()

    def value(device, point):
        done = gateway.cli("state", "--json")
        check(done.returncode == EXIT_OK, "sluice state", done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return next((row for row in rows if row.get("d") == device and row.get("p") == point), {})

    for name in nodes:
        text = wait_for(lambda: value(name, "firmware_version").get("v"), 30, "%s says its version: %s" % (name, gateway.devices()))
        check(text == version(), "the version", text)
        check(int(value(name, "serial_number")["v"]) == serial[name], "the serial number", value(name, "serial_number"), serial)
        check(value(name, "setting_baud")["v"] == 9600, "the baud", value(name, "setting_baud"))
        check(value(name, "temperature").get("why") == "not available", "there is no sensor", value(name, "temperature"))
        before = value(name, "frames_answered")["v"]
        wait_for(lambda: value(name, "frames_answered")["v"] > before, 10, "values go on")
        check(gateway.device(name)["up"], "it is up", gateway.device(name))
        done = gateway.cli("write", name, "relay_1", "1")
        check(done.returncode == EXIT_OK, "sluice write", done.stdout, done.stderr)
        wait_for(lambda: value(name, "relay_1").get("v") is True, 10, "the relay is on")
    gateway.stop()


def nodes_on_one_line_answer_for_themselves_alone(site):
    """Each hears what the other is asked and what it answers. The gateway loses nothing, and a scan knows them."""
    nodes = [Node(site, "stm32vldiscovery"), Node(site, "netduinoplus2")]
    for node in nodes:
        wait_for(node.answers, 20, node.name + " answers")
    check(nodes[1].write(SETTING_UNIT, 2) == 0, "the second one becomes unit 2")
    nodes[1].unit = 2
    wait_for(nodes[1].answers, 20, "it is there")
    wire = Wire(site, nodes)
    done = sluice("scan", "--json", wire.link, "--line", "9600 8E1", "--units", "1-3", "--listen", "0", "--timeout", "1000",
                  "--socket", "/nonexistent/api.sock")
    found = {row["unit"]: row for row in map(json.loads, done.stdout.splitlines()) if row["kind"] == "device"}
    check(sorted(found) == [1, 2], "the units", done.stdout, done.stderr)
    for row in found.values():
        check(row["verdict"] == "present" and row["profile"] == "sluice-node", "what a scan takes it for", row)
    gateway = Gateway(site, [{"id": "line", "driver": "modbus-rtu", "port": wire.link, "line": "115200 8E1", "timeout": "3s"}],
                      [{"id": "n%d" % unit, "bus": "line", "unit": unit, "profile": "sluice-node", "also": ["frames_answered"], "every": "100ms"}
                       for unit in (1, 2)], []).start()
    counts = {}

    def answered():
        rows = [json.loads(line) for line in gateway.cli("state", "--json").stdout.splitlines()]
        counts.update({row["d"]: row["v"] for row in rows if row.get("p") == "frames_answered" and row.get("v") is not None})
        return len(counts) == 2 and min(counts.values()) > 100
    wait_for(answered, 60, "both are polled a hundred times")
    polled = {device["id"]: device for device in gateway.devices()}
    check(all(device["up"] for device in polled.values()), "both are up", polled)
    gateway.stop()
    wire.cut()


def the_build_for_the_board_ends_frames_by_silence_and_can_be_rescued(site):
    """The one that is flashed, as far as an emulator can run it: its pins read low, and so does the rescue's."""
    node = Node(site, "lm3s6965evb", emulated=False)
    # The emulator does not keep the bytes of a frame together when it is short of time.
    wait_for(lambda: node.exchange(bytes([HOLDING, 0, SETTING_FRAMING, 0, 1]), 0.5) == b"\x03\2\0\0", 30, "frames end by silence")

    def state():
        return node.exchange(bytes([INPUT, 0, POINTS["settings_state"]["reg"], 0, 1]), 0.5)
    said = wait_for(state, 30, "it says the state of its settings")
    check(said[-1] == code_of("settings_state", "rescue"), "the rescue's pin is held", said.hex())


def assign_gives_it_a_unit_and_a_line(site):
    """On the board whose flash is emulated: what was assigned holds after a restart."""
    node = Node(site, "microbit")
    wait_for(node.answers, 20, "it answers")
    done = sluice("assign", node.link, "--profile", "sluice-node", "--to", "7", "--baud", "19200", "--format", "8N1", "--json",
                  "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_OK, "sluice assign", done.stdout, done.stderr)
    said = json.loads(done.stdout)
    check(said["to"] == 7 and said["verified"] and said["line"] == "19200 8N1", "what it says", said)
    node.unit = 7
    check(node.read(HOLDING, 0, 3) == [7, 192, 0], "where it is", node.read(HOLDING, 0, 3))
    check(node.point("settings_state") == code_of("settings_state", "stored"), "it is stored", node.point("settings_state"))
    check(node.write(SETTING_FORMAT, code_of("setting_format", "8O1")) == 3, "a format that its UART has not is refused")
    check(node.write(SYSTEM_RESET, code_of("system_reset", "restart")) == 0, "it restarts when it is asked")
    wait_for(node.answers, 20, "it is where it was after a restart")
    check(node.point("restart_reason") == code_of("restart_reason", "asked for"), "why", node.point("restart_reason"))
    check(node.write(SYSTEM_RESET, code_of("system_reset", "factory settings")) == 0, "and back to the factory's settings")
    node.unit = 1
    wait_for(node.answers, 20, "it is where a new one is")


def a_new_unit_is_stored_only_once_somebody_asks_there(site):
    node = Node(site, "microbit")
    wait_for(node.answers, 20, "it answers")
    check(node.write(SETTING_UNIT, 9) == 0, "written")
    check(not node.answers(), "it is not at the old unit any more")
    # Power is lost before anybody asked there.
    node.end()
    node = Node(site, "microbit", label="again")
    wait_for(node.answers, 20, "it is back at the old one")


def a_node_that_hangs_is_restarted_by_its_watchdog(site):
    """On the boards whose watchdog is emulated."""
    def hang(name):
        node = Node(site, name, gdb=True)
        wait_for(node.answers, 20, name + " answers")
        check(node.point("restart_reason") == code_of("restart_reason", "power"), "at first", node.point("restart_reason"))
        node.hang()
        check(not node.answers(), name + " hangs")
        wait_for(node.answers, 30, name + " is back")
        check(node.point("restart_reason") == code_of("restart_reason", "watchdog"), "why", node.point("restart_reason"))
        check(node.point("uptime") < 10, "it began anew", node.point("uptime"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(hang, ("lm3s6965evb", "mps2-an385")))


def a_rebuild_elsewhere_is_the_same_bit_for_bit(site):
    name = "microbit"
    tool("build", name)
    copy = site.path("elsewhere")
    for part in ("firmware", "boards", "drivers/profiles", "tools"):
        shutil.copytree(os.path.join(ROOT, part), os.path.join(copy, part))
    shutil.copy(os.path.join(ROOT, "CMakeLists.txt"), copy)
    done = subprocess.run([os.path.join(copy, "tools/node"), "build", name], capture_output=True, text=True)
    check(done.returncode == 0, "the build there", done.stderr)
    compared = 0
    for variant in ("", "emulated"):
        for file in ("node.elf", "slot-a.elf", "slot-b.elf", "slot-a.bin"):
            here, there = (open(os.path.join(root, "build/node", name, variant, file), "rb").read() for root in (ROOT, copy))
            check(here == there, "%s/%s differs" % (variant, file))
            compared += 1
    return "%d files" % compared


main(every_board_answers_all_functions, hundreds_of_polls_lose_none, the_gateway_reads_and_writes_it_by_its_profile, assign_gives_it_a_unit_and_a_line,
     nodes_on_one_line_answer_for_themselves_alone, the_build_for_the_board_ends_frames_by_silence_and_can_be_rescued,
     a_new_unit_is_stored_only_once_somebody_asks_there, a_node_that_hangs_is_restarted_by_its_watchdog,
     a_rebuild_elsewhere_is_the_same_bit_for_bit, prepare=build_nodes)
