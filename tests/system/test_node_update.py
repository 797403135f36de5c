#!/usr/bin/python3
"""A sensor node gets new versions over its line, from the real command line, on the board whose flash is emulated."""
import json
import os
import re
import subprocess
import threading

from harness import EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, Gateway, check, main, program, sluice, wait_for
from harness.node import HOLDING, ROOT, build_nodes, tool
from harness.slotted import BOARD, SlottedNode, hanging, sign, version_parts

os.environ["SLUICE_PROFILES"] = os.path.join(ROOT, "drivers/profiles")
NOBODY = ("--socket", "/nonexistent/api.sock")
# The emulator has no baud; the gateway takes as long for a frame as the line does that it is told.
LINE = ("--line", "115200 8N1")


def file_of(site, version, name=None, **how):
    path = site.path(name or "sluice-node-%s-%s.snu" % (BOARD, version))
    with open(path, "wb") as out:
        out.write(sign.update_file(version_parts(version, **how)))
    return path


def new_node(site, version="1.0.0"):
    node = SlottedNode(site)
    node.fit(version_parts(version)[0])
    node.on()
    wait_for(node.answers, 30, "it answers")
    return node


def command(node, name, *words):
    return sluice("node", name, node.link, *words, *LINE, *NOBODY)


def state(node):
    done = command(node, "status", "--json")
    check(done.stdout, "sluice node status", done.stderr)
    return json.loads(done.stdout)


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


def an_update_while_the_gateway_polls(site):
    """And back again. Nobody is called down but for the restart."""
    node = new_node(site)
    gateway = Gateway(site, [{"id": "line", "driver": "modbus-rtu", "port": node.link, "line": LINE[1], "timeout": "1s"}],
                      [{"id": "node", "bus": "line", "unit": 1, "profile": "sluice-node", "every": "200ms"}], [])
    gateway.start()
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled")
    config = ("--config", gateway.config_path, "--socket", gateway.socket)
    path = file_of(site, "1.1.0")
    before, seen, stop = gateway.device("node"), [], threading.Event()

    def watch():
        while not stop.wait(0.2):
            seen.append(gateway.device("node"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = sluice("node", "update", "node", path, "--json", *config, deadline_s=120)
    stop.set()
    watcher.join()
    check(done.returncode == EXIT_OK, "sluice node update", done.stdout, done.stderr)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    check(said[-1] == {"kind": "done", "version": "1.1.0", "slot": "B", "confirmed": True}, "what it says", said[-1])
    check(not any(one.get("why") == "lent" for one in seen), "the device was never called lent")
    polls = gateway.device("node")["replies"] - before["replies"]
    check(polls >= 20, "the gateway polled meanwhile", polls)
    done = sluice("node", "rollback", "node", "--json", *config)
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["running"] == "A", "sluice node rollback", done.stdout, done.stderr)
    wait_for(lambda: gateway.device("node")["up"], 30, "it is polled again")
    gateway.stop()
    runs(node, "1.0.0", "confirmed before")
    refused(command(node, "rollback"), "no version to go back to")
    return "%d polls meanwhile" % polls


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
    node.flash[0x6000 + 700] ^= 1
    node.on()
    done = wait_for(lambda: [one for one in [command(node, "status")] if "boot loader" in one.stdout], 30, "the boot loader answers")[0]
    check(done.returncode == EXIT_FAILED, "and it is no good state", done.returncode)
    done = command(node, "update", file_of(site, "1.3.0"), "--reads", "2")
    check(done.returncode == EXIT_OK, "the boot loader takes an update", done.stdout, done.stderr)
    runs(node, "1.3.0", "confirmed")


def every_board_has_room_for_its_boot_loader(_site):
    """Built, and for the others than microbit no more than that: their emulators have no flash that can be written."""
    sizes = {}
    tool("build")
    for name in tool("boards").split():
        sizes[name] = os.path.getsize(os.path.join(ROOT, "build/node", name, "boot.bin"))
        check(sizes[name] <= 16384, "the boot loader of " + name, sizes[name])
    return ", ".join("%s %d" % pair for pair in sizes.items())


main(an_update_while_the_gateway_polls, what_does_not_belong_there_is_refused, what_was_cut_off_goes_on,
     a_version_that_does_not_work_goes_away, every_board_has_room_for_its_boot_loader, prepare=build_nodes)
