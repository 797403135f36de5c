#!/usr/bin/python3
"""A sensor node gets new versions over its line, from the real command line, on the board whose flash is emulated."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import threading

from harness import EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, Api, Gateway, check, free_port, main, program, slowness, sluice, wait_for
from harness.node import HOLDING, ROOT, board, build_nodes, code_of, node_names, tool
from harness.slotted import BOARD, SlottedNode, hanging, sign, version_parts

os.environ["SLUICE_PROFILES"] = os.path.join(ROOT, "drivers/profiles")
PARTIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parties")
NOBODY = ("--socket", "/nonexistent/api.sock")
# The emulator has no baud; the gateway takes as long for a frame as the line does that it is told.
LINE = ("--line", "115200 8N1")


def file_of(site, version, name=None, board=BOARD, **how):
    path = site.path(name or "sluice-node-%s-%s.snu" % (board, version))
    with open(path, "wb") as out:
        out.write(sign.update_file(version_parts(version, name=board, **how)))
    return path


def new_node(site, version="1.0.0"):
    node = SlottedNode(site)
    node.fit(version_parts(version)[0])
    node.on()
    wait_for(node.answers, 30, "it answers")
    return node


def command(node, name, *words):
    return sluice("node", name, node.link, *words, *LINE, *NOBODY)


def status(node):
    """What it says, or nothing."""
    done = command(node, "status", "--json")
    return json.loads(done.stdout) if done.stdout else None


def state(node):
    """What it says. What was asked of it before, without patience, may still be answered first."""
    return wait_for(lambda: status(node), 30, "sluice node status")


def runs(node, version, word):
    said = state(node)
    check(said["running"], "a version runs", said)
    slot = said["slots"]["AB".index(said["running"])]
    check(slot == {"state": word, "version": version}, "what runs is %s, %s" % (version, word), said)
    return said


def refused(done, *words, code=EXIT_FAILED):
    check(done.returncode == code, "it is refused", done.returncode, done.stdout, done.stderr)
    for word in words:
        check(word in done.stderr, "it says " + word, done.stderr)


def polled(site, node, every="200ms"):
    """A gateway that reads the node on its line."""
    gateway = Gateway(site, [{"id": "line", "driver": "modbus-rtu", "port": node.link, "line": LINE[1], "timeout": "1s"}],
                      [{"id": "node", "bus": "line", "unit": 1, "profile": "sluice-node", "every": every}], [])
    gateway.start()
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled")
    return gateway


def an_update_while_the_gateway_polls(site):
    """And back again. Nobody is called down but for the restart."""
    node = new_node(site)
    gateway = polled(site, node)
    config = ("--config", gateway.config_path, "--socket", gateway.socket)
    path = file_of(site, "1.1.0")
    before, seen, followed, stop = gateway.device("node"), [], [], threading.Event()

    api = Api(gateway)

    def watch():
        while not stop.wait(0.2):
            seen.append(gateway.device("node"))
            followed.extend(job for job in api.get("/api/v1/jobs")["jobs"] if job["running"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = sluice("node", "update", "node", path, "--json", *config, deadline_s=120)
    stop.set()
    watcher.join()
    check(done.returncode == EXIT_OK, "sluice node update", done.stdout, done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    check(said[-1] == {"kind": "done", "version": "1.1.0", "slot": "B", "confirmed": True}, "what it says", said[-1])
    check(not any(one.get("why") == "lent" for one in seen), "the device was never called lent")
    check(followed and all((job["kind"], job["of"]) == ("node-update", "node") and "sluice node update (process" in job["by"] for job in followed), "it is followed as a job", followed[:1])
    job, = api.get("/api/v1/jobs")["jobs"]
    kept = api.get("/api/v1/jobs/" + job["job"])
    check((kept["running"], kept["exit"]) == (False, 0) and kept["lines"][0]["kind"] == "progress" and kept["lines"][-3:] == said[-3:], "what is told of it", kept)
    polls = gateway.device("node")["replies"] - before["replies"]
    check(polls >= 20, "the gateway polled meanwhile", polls)
    done = sluice("node", "rollback", "node", "--json", *config)
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "A", "sluice node rollback", done.stdout, done.stderr)
    back = json.loads(done.stdout)
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled again")
    done = sluice("node", "confirm", "node", "--json", *config)
    check(done.returncode == EXIT_OK, "sluice node confirm", done.stdout, done.stderr)
    jobs = [api.get("/api/v1/jobs/" + job["job"]) for job in api.get("/api/v1/jobs")["jobs"]][1:]
    check([(job["kind"], job["of"], job["running"], job["exit"]) for job in jobs] == [("node-rollback", "node", False, 0), ("node-confirm", "node", False, 0)], "they are jobs, too", jobs)
    check([job["lines"] for job in jobs] == [[back], [json.loads(done.stdout)]] and "sluice node confirm (process" in jobs[1]["by"], "what is told of them", jobs)
    check(sluice("node", "status", "node", *config).returncode == EXIT_OK and len(api.get("/api/v1/jobs")["jobs"]) == 3, "a look is no job", api.get("/api/v1/jobs"))
    gateway.stop()
    runs(node, "1.0.0", "confirmed before")
    refused(command(node, "rollback"), "no version to go back to")
    return "%d polls meanwhile" % polls


def a_node_that_is_polled_seldom_is_confirmed(site):
    """Ten polls of the gateway would take longer than anybody waits, and than the version is on trial."""
    node = new_node(site)
    gateway = polled(site, node, every="10m")
    done = sluice("node", "update", "node", file_of(site, "1.1.0"), "--config", gateway.config_path, "--socket", gateway.socket, deadline_s=120)
    check(done.returncode == EXIT_OK and "1.1.0 runs, and is confirmed" in done.stdout, "sluice node update", done.stdout, done.stderr)
    gateway.stop()


def what_does_not_belong_there_is_refused(site):
    node = new_node(site, "1.2.0")
    good = file_of(site, "1.3.0")
    with open(good, "rb") as file:
        data = bytearray(file.read())
    data[1000] ^= 1
    damaged, short = site.path("damaged.snu"), site.path("short.snu")
    for path, content in ((damaged, data), (short, data[:-100])):
        with open(path, "wb") as out:
            out.write(content)
    refused(command(node, "update", damaged), "not those that were signed", code=EXIT_SYSTEM)
    refused(command(node, "update", short), code=EXIT_SYSTEM)
    refused(command(node, "update", good[:-4]), "No such file", code=EXIT_SYSTEM)
    refused(command(node, "update", file_of(site, "1.3.0", "other.snu", board="stm32vldiscovery")), "for board stm32vldiscovery",
            "is " + BOARD)
    refused(command(node, "update", file_of(site, "1.1.0")), "1.1.0 is older than 1.2.0", "--older")
    key = site.path("foreign.pem")
    sign.keygen(key)
    refused(command(node, "update", file_of(site, "1.3.0", "foreign.snu", key=key)), "refused the version", "another key")
    runs(node, "1.2.0", "confirmed")
    # What no command of ours would send: other bytes behind a good header. The boot loader compares them.
    parts = [bytearray(part) for part in version_parts("1.4.0", body=hanging)]
    for part in parts:
        start = sign.HEADER.size + sign.SIGNATURE_SIZE
        part[start + 100:start + 104] = b"\0\0\0\0"
    push(node, parts[1])
    wait_for(node.answers, 30, "it answers")
    said = runs(node, "1.2.0", "confirmed")
    check("not those that were signed" in said["slots"][1]["why"], "why", said)
    # A version that says what is the oldest to come after it.
    done = command(node, "update", file_of(site, "1.5.0", oldest="1.3.0"), "--reads", "2")
    check(done.returncode == EXIT_OK, "the update", done.stderr)
    refused(command(node, "update", file_of(site, "1.2.5"), "--older"), "older than the node allows")
    refused(command(node, "rollback"), "older than the node allows")
    runs(node, "1.5.0", "confirmed")


def write(node, index, data):
    first = 4096 + index
    reply = node.exchange(b"\x10" + first.to_bytes(2, "big") + (len(data) // 2).to_bytes(2, "big") + bytes([len(data)]) + data, 5)
    check(reply and reply[0] == 0x10, "the window takes it", index, reply and reply.hex(), node.read(HOLDING, 4096, 40))


def push(node, part):
    """An update as any Modbus master can make it, with functions 3 and 16."""
    head = sign.HEADER.size + sign.SIGNATURE_SIZE
    write(node, 64, bytes(part[:head]))
    while node.read(HOLDING, 4096 + 14)[0]:
        write(node, 144, b"\0\1")
    body = bytes(part[head:])
    for at in range(0, len(body), 240):
        write(node, 160, at.to_bytes(4, "big") + body[at:at + 240])
    write(node, 144, b"\0\2")
    node.exchange(b"\x10\x10\x90\0\1\2\0\3", 2)  # it restarts, and its reply may be lost with that


def what_was_cut_off_goes_on(site):
    """The power goes in the middle; the old version runs; the same command sends the rest."""
    node = new_node(site)
    path = file_of(site, "1.1.0")
    words = [program("sluice"), "node", "update", node.link, path, "--json", *LINE, *NOBODY]
    updater = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in updater.stdout:
        said = json.loads(line)
        if said["done"] > said["of"] // 2:
            break
    node.off()
    updater.kill()
    updater.communicate()
    node.on()
    wait_for(node.answers, 30, "the old version answers")
    runs(node, "1.0.0", "confirmed")
    done = command(node, "update", path, "--reads", "3")
    check(done.returncode == EXIT_OK, "the update goes on", done.stdout, done.stderr)
    at = re.search(r"goes on at byte (\d+)", done.stderr)
    check(at and int(at.group(1)) > said["of"] // 4, "where it goes on", done.stderr)
    runs(node, "1.1.0", "confirmed")


def a_version_that_does_not_work_goes_away(site):
    """One that nobody confirms, and one that hangs; and when nothing is left, the boot loader takes another."""
    node = new_node(site)
    done = command(node, "update", file_of(site, "1.1.0", confirm_within_s=2), "--no-confirm")
    check(done.returncode == EXIT_OK, "the update", done.stdout, done.stderr)
    wait_for(lambda: state(node)["running"] == "A", 40, "the old version is back")
    check(state(node)["slots"][1]["state"].startswith("was not confirmed"), "what became of the other", state(node))
    runs(node, "1.0.0", "confirmed")
    push(node, version_parts("1.2.0", body=hanging)[1])
    wait_for(lambda: not node.answers(), 10, "the version that hangs")
    # This board's watchdog is not emulated: somebody switches it off and on.
    # It stays on for as long as its boot loader may take for a signature.
    wait_for(lambda: node.off() or node.on() or any(node.answers() for _ in range(8)), 90, "the old version is back")
    runs(node, "1.0.0", "confirmed")
    node.off()
    node.spoil(0)
    node.on()
    done = wait_for(lambda: [one for one in [command(node, "status")] if "boot loader" in one.stdout], 30, "the boot loader answers")[0]
    check(done.returncode == EXIT_FAILED, "and it is no good state", done.returncode)
    done = command(node, "update", file_of(site, "1.3.0"), "--reads", "2")
    check(done.returncode == EXIT_OK, "the boot loader takes an update", done.stdout, done.stderr)
    runs(node, "1.3.0", "confirmed")


def a_request_to_go_back_that_is_lost_is_sent_again(site):
    go_back = bytes([16, 0x10, 0x90, 0, 1, 2, 0, 5])
    node = SlottedNode(site)
    for slot, version in enumerate(("1.1.0", "1.0.0")):
        node.fit(version_parts(version)[slot])
    node.on()
    wait_for(node.answers, 30, "it answers")
    node.lost = (go_back, 99)
    refused(command(node, "rollback"), "the request to go back did not reach it")
    node.lost = (go_back, 2)
    done = command(node, "rollback", "--json")
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "B" and node.lost[1] == 0, "it goes back", done.stdout, done.stderr)


def every_board_has_room_for_its_boot_loader(_site):
    sizes = {}
    tool("build")
    for name in node_names():
        sizes[name] = os.path.getsize(os.path.join(ROOT, "build/node", name, "boot.bin"))
        check(sizes[name] <= 16384, "the boot loader of " + name, sizes[name])
    return ", ".join("%s %d" % pair for pair in sizes.items())


def boot_loader_of(site, name):
    """Starts the first slot, the second one when that is damaged, and answers itself when both are. Returns the node."""
    node = SlottedNode(site, name, name)
    for part in version_parts("1.0.0", name=name):
        node.fit(part)
    node.on()
    wait_for(node.answers, 60, name + " answers")
    check(state(node)["board"] == name, "the board", state(node))
    runs(node, "1.0.0", "confirmed")
    check(state(node)["running"] == "A", "what comes first", state(node))
    node.off()
    node.spoil(0)
    node.on()
    wait_for(node.answers, 60, name + " answers from the other slot")
    check(runs(node, "1.0.0", "confirmed")["running"] == "B", "the other one runs", state(node))
    node.off()
    node.spoil(1)
    node.on(telling=True)
    said = wait_for(lambda: status(node), 60, name + "'s boot loader answers")
    check(said["boot_loader"] and [one["state"] for one in said["slots"]] == ["damaged"] * 2, "neither can be started", said)
    return node


def is_written(name):
    """Whether the emulator of that board has a flash that can be written."""
    return not any("writing to the flash" in word for word in board(name)["emulation"]["missing"])


# What the manuals want for a unit of zeros at the beginning of slot A's signature, and where the emulator tells of it.
KEYS = [(4, 0x45670123), (4, 0xCDEF89AB)]
FLASH_WRITES = {
    "stm32vldiscovery": ("Flash Int", [*KEYS, (0xC, 0x34), (0x10, 1), (0x10, 0x80)]),
    "netduinoplus2": ("Flash Int", [*KEYS, (0xC, 0xF3), (0x10, 0x201), (0x10, 0x80000000)]),
    "lm3s6965evb": ("flash-control", [(0, 0x6050), (4, 0), (8, 0xA4420001)]),
}


def is_refused_for_its_flash(site, node):
    """Where the emulator has a flash that can only be read: the firmware tells it to write, sees that it did not, and says so."""
    refused(command(node, "update", file_of(site, "1.1.0", board=node.name), "--reads", "2"), "its flash could not be erased or written")
    check(status(node)["boot_loader"], "its boot loader answers still", node.name)
    part, wanted = FLASH_WRITES[node.name]
    said = node.told(part)
    check(said[:len(wanted)] == wanted, "how it writes", node.name, said[:len(wanted)])


def flashes_its_light(node):
    """As the emulator tells of a pin that it has not: of STM32, the register that sets and resets bits."""
    light = 1 << int(re.search(r"\d+$", board(node.name)["leds"][0]["pin"]).group())

    def changes():
        seen = [value for offset, value in node.told("GPIO" + board(node.name)["leds"][0]["pin"][1]) if offset == 0x10]
        seen = [value for value in seen if value in (light, light << 16)]
        return sum(one != other for one, other in zip(seen, seen[1:]))
    wait_for(lambda: changes() > 6, 60, "the light flashes")


def every_boot_loader_starts_what_is_whole(site):
    """On all boards. What has to write the flash is refused in words where the emulator has none that can be written."""
    def run(name):
        node = boot_loader_of(site, name)
        if is_written(name):
            done = command(node, "update", file_of(site, "1.1.0", board=name), "--reads", "2")
            check(done.returncode == EXIT_OK, "the boot loader takes an update", name, done.stdout, done.stderr)
            runs(node, "1.1.0", "confirmed")
        else:
            is_refused_for_its_flash(site, node)
        if name == "stm32vldiscovery":
            flashes_its_light(node)
        node.end()
        return name
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, [name for name in node_names() if name != BOARD]))
    return ", ".join(name + (" with an update" if is_written(name) else "") for name in done)


def a_version_that_hangs_is_given_up_by_the_watchdog_alone(site):
    """On the board that has both in its emulator, the watchdog and a flash that takes an update: nobody touches its power."""
    name = "mps2-an385"
    node = SlottedNode(site, name, name)
    node.fit(version_parts("1.0.0", name=name)[0])
    node.on()
    wait_for(node.answers, 60, "it answers")
    push(node, version_parts("1.2.0", body=lambda slot: hanging(slot, name), name=name)[1])
    wait_for(lambda: not node.answers(), 20, "the version that hangs")
    wait_for(node.answers, 120, "the old version is back")
    said = runs(node, "1.0.0", "confirmed")
    check(said["slots"][1]["state"].startswith("was not confirmed"), "what became of the other", said)
    # The restart that was asked for was the first one; those behind it were the watchdog's.
    check(node.point("restart_reason") == code_of("restart_reason", "watchdog"), "why it restarted", node.point("restart_reason"))


def device_server(site, node, kind):
    """In front of the node's line. Returns its address."""
    port = free_port()
    server = site.start("server-" + kind, sys.executable, os.path.join(PARTIES, "device_server.py"), str(port), node.link, kind)
    wait_for(lambda: "ready" in server.log(), 20, "the device server is there")
    return "127.0.0.1:%d" % port


def an_update_through_a_device_server(site):
    """That speaks Modbus TCP, takes one connection, and says itself that the node does not answer while that restarts."""
    node = new_node(site)
    host = device_server(site, node, "modbus")
    gateway = Gateway(site, [{"id": "hall", "driver": "modbus-tcp", "host": host, "timeout": "2s"}],
                      [{"id": "node", "bus": "hall", "unit": 1, "profile": "sluice-node", "every": "200ms"}], [])
    gateway.start()
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled")
    config = ("--config", gateway.config_path, "--socket", gateway.socket)
    before = gateway.device("node")["replies"]
    done = sluice("node", "update", "node", file_of(site, "1.1.0"), *config, deadline_s=180)
    check(done.returncode == EXIT_OK, "sluice node update", done.stdout, done.stderr)
    polls = gateway.device("node")["replies"] - before
    check(polls >= 20, "the gateway polled meanwhile", polls)
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled again")
    gateway.stop()
    refused(sluice("node", "status", host, "--unit", "9", *NOBODY), "the device server at " + host, "exception 11")
    done = sluice("node", "rollback", host, "--json", *NOBODY)
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "A", "back, without a gateway", done.stdout, done.stderr)
    return "%d polls meanwhile" % polls


def an_update_through_a_transparent_device_server(site):
    """That hands the bytes of its line on: by its address, and as a bus of the gateway."""
    node = new_node(site)
    host = device_server(site, node, "raw")
    done = sluice("node", "update", host, file_of(site, "1.1.0"), "--frames", "rtu", "--reads", "3", *NOBODY, deadline_s=180)
    check(done.returncode == EXIT_OK, "by its address", done.stdout, done.stderr)
    gateway = Gateway(site, [{"id": "hall", "driver": "modbus-rtu", "host": host, "line": LINE[1], "timeout": "2s"}],
                      [{"id": "node", "bus": "hall", "unit": 1, "profile": "sluice-node", "every": "200ms"}], [])
    gateway.start()
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled")
    done = sluice("node", "rollback", "node", "--json", "--config", gateway.config_path, "--socket", gateway.socket)
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "A", "back, as a device of the gateway", done.stdout, done.stderr)
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled again")
    gateway.stop()


def a_slow_line_is_waited_for(site):
    """As long as the bus's time-out says, which is a second unless it is set."""
    node = new_node(site)
    check(state(node)["running"] == "A", "it answers at once")
    node.lag_s = 1.2
    gateway = Gateway(site, [{"id": "line", "driver": "modbus-rtu", "port": node.link, "line": LINE[1], "timeout": "%dms" % (4000 * slowness())}],
                      [{"id": "node", "bus": "line", "unit": 1, "profile": "sluice-node", "every": "200ms"}], [])
    done = sluice("node", "status", "node", "--json", "--config", gateway.config_path, *NOBODY)
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "A", "it is waited for", done.stdout, done.stderr)
    done = command(node, "status", "--json")
    check(done.returncode != EXIT_OK and "does not answer" in done.stderr, "no longer than that", done.stdout, done.stderr)


def a_job_of_the_api_updates_it(site):
    """A file is uploaded once; what is no whole file is refused; and the audit trail says who sent which version."""
    node = new_node(site)
    gateway = polled(site, node)
    api = Api(gateway)

    def upload(data):
        return api.ask("PUT", "/api/v1/node/file", data, {"Content-Type": "application/octet-stream"})

    def run(kind, **more):
        answer = api.ask("POST", "/api/v1/jobs", {"kind": kind, "on": "node", **more})
        check(answer.status == 202, kind, answer.status, answer.text)
        number = answer.json["job"]
        return wait_for(lambda: [job for job in [api.get("/api/v1/jobs/" + number)] if not job["running"]], 120, kind + " ends")[0]

    check(api.ask("GET", "/api/v1/node/file").status == 404, "no file yet")
    answer = api.ask("POST", "/api/v1/jobs", {"kind": "node-update", "on": "node"})
    check(answer.status == 400 and "PUT /api/v1/node/file" in answer.text, "a job without a file", answer.text)
    with open(file_of(site, "1.1.0"), "rb") as file:
        data = file.read()
    for bad, words in ((data[:-8], "it is cut off"), (b"", "no update for a node"), (b"x" * 5000, "no update for a node"),
                       (data[:1000] + b"\0\0\0\0" + data[1004:], "not those that were signed")):
        answer = upload(bad)
        check(answer.status == 400 and answer.json["error"].startswith("it is") and words in answer.text, "the refusal", answer.text)
    check(upload(b"x" * (2 << 20) + b"x").status == 413, "one that is too large")
    check(api.ask("GET", "/api/v1/node/file").status == 404, "nothing is kept of what was refused")
    answer = upload(data)
    check(answer.status == 201 and answer.json["board"] == BOARD and answer.json["version"] == "1.1.0", "the file", answer.text)
    check(api.get("/api/v1/node/file") == answer.json, "it is told again")
    done = run("node-update")
    kinds = [line.get("step", line["kind"]) for line in done["lines"]]
    check(done["exit"] == 0 and kinds[0] == "progress" and kinds[-3:] == ["restarting", "watching", "done"], "the job", done)
    check(len(api.get("/api/v1/jobs")["jobs"]) == 1, "the gateway's own job is not told of besides", api.get("/api/v1/jobs"))
    check(run("node-status")["lines"][0]["running"] == "B", "the new one runs")
    done = run("node-rollback")
    check(done["exit"] == 0 and done["lines"][0]["running"] == "A", "and back", done)
    done = run("node-confirm")
    check(done["exit"] == 0 and done["lines"][0]["running"] == "A", "what is confirmed stays so", done)
    trail = json.dumps(gateway.replay("--kind", "config"))
    check("did=node-file" in trail and "board=microbit version=1.1.0" in trail, "the upload in the audit trail", trail)
    check("did=job-started" in trail and "node%20update" in trail, "the job in the audit trail", trail)
    gateway.stop()


main(an_update_while_the_gateway_polls, a_node_that_is_polled_seldom_is_confirmed, what_does_not_belong_there_is_refused, what_was_cut_off_goes_on,
     a_version_that_does_not_work_goes_away, a_request_to_go_back_that_is_lost_is_sent_again, every_board_has_room_for_its_boot_loader,
     every_boot_loader_starts_what_is_whole, a_version_that_hangs_is_given_up_by_the_watchdog_alone,
     an_update_through_a_device_server, an_update_through_a_transparent_device_server, a_slow_line_is_waited_for,
     a_job_of_the_api_updates_it, prepare=build_nodes)
