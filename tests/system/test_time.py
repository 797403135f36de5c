#!/usr/bin/python3
"""What time it is: a clock that was lost is not trusted and never goes backwards; a person, a receiver or a time server sets it."""
import json
import os
import subprocess
import threading
import time

from harness import EXIT_OK, Gateway, ModbusTcp, Talker, check, main, wait_for
from harness.api import Api
from harness.faked_clock import clock_at
from harness.site import program

THEN = 1811836800  # 2027-06-01


def at(seconds):
    """What makes the daemon's clock begin at that moment; nothing that it sets reaches the machine's."""
    return clock_at(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)))


def as_of_another_boot(gateway):
    """The power failed: what is kept is of a boot before."""
    path = os.path.join(gateway.state, "clock")
    with open(path) as file:
        words = dict(word.split("=", 1) for word in file.read().split())
    words["boot"] = "of-before"
    with open(path, "w") as out:
        out.write(" ".join("%s=%s" % pair for pair in words.items()) + "\n")
    return int(words["wall"]) // 10**9


class Root:
    """Root's part of the system: carries wishes out without doing anything, and notes them."""

    def __init__(self, site):
        self.folder = site.path("wish")
        os.makedirs(self.folder)
        self.done = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        site.endings.append(self.end)

    def _run(self):
        path = os.path.join(self.folder, "clock")
        while not self.ended.wait(0.02):
            if os.path.exists(path):
                with open(path) as file:
                    self.done.append(int(file.read()) / 1e9)
                subprocess.run([program("sluice"), "wishes", "--dry", self.folder], check=True, capture_output=True)

    def end(self):
        self.ended.set()
        self.thread.join()


def clock(gateway):
    return gateway.status()["clock"]


def a_clock_that_was_lost_is_not_trusted_and_never_goes_backwards(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="50ms")], []).start(before=at(THEN))
    told = clock(gateway)
    check(told["trust"] == "free-running" and told["by"] == "machine" and not told["why"], "at first", told)
    gateway.stop()
    kept = as_of_another_boot(gateway)
    check(THEN <= kept < THEN + 60, "what is kept", kept)

    root = Root(site)
    gateway.start(before=at(THEN - 86400))
    told = clock(gateway)
    check(told["trust"] == "unset" and told["behind"] and "2027-06-01" in told["why"] and "page" in told["why"], "lost", told)
    check(len(root.done) == 1 and kept <= root.done[0] < kept + 60, "restored to what was seen", root.done)
    gateway.stop()
    check(as_of_another_boot(gateway) == kept, "what is not trusted is kept in the place of what was")

    # It comes back right: another board's clock ran on.
    gateway.start(before=at(THEN + 86400))
    check(clock(gateway)["trust"] == "free-running", "right again", clock(gateway))
    gateway.stop()
    gateway.verify()


def a_person_sets_it_by_roots_part_of_the_system(site):
    gateway = Gateway(site, [], [], []).start(before=at(3600))
    told = clock(gateway)
    check(told["trust"] == "unset" and "never set" in told["why"], "1970", told)
    answer = Api(gateway).ask("POST", "/api/v1/clock", {"t": THEN * 1000})
    check(answer.status == 409 and "may not set" in answer.text, "nobody may set it", answer.status, answer.text)
    root = Root(site)
    answer = Api(gateway).ask("POST", "/api/v1/clock", {"t": THEN * 1000})
    check(answer.status == 200 and root.done == [THEN], "root's part sets it", answer.status, answer.text, root.done)
    gateway.stop()
    kept = gateway.cli("replay", "--kind", "config", "--journal", gateway.journal, socket=False)
    check("clock-set" in kept.stdout, "the audit trail", kept.stdout, kept.stderr)


def a_receiver_sets_it_where_no_server_is_reached(site):
    talker = Talker(site)
    root = Root(site)
    device = {"id": "gps", "bus": "nmea-line", "profile": "nmea-0183-gnss"}
    gateway = Gateway(site, [talker.bus()], [device], [], gateway={"time_from": "gps.utc"})
    gateway.start(before=at(3600))
    check(clock(gateway)["trust"] == "unset", "1970", clock(gateway))
    set_to = wait_for(lambda: root.done and root.done[0], 40, "the receiver's time is wished for")
    check(abs(set_to - time.time()) < 5, "the receiver's time", set_to, time.time())
    check("as the receiver says" in wait_for(lambda: "receiver" in gateway.process.log() and gateway.process.log(), 10, "it is told"), "the log")
    wait_for(lambda: clock(gateway)["by"] == "receiver", 10, "by whom")
    gateway.stop()

    # A clock that is right needs nobody to set it.
    count = len(root.done)
    gateway.start()
    wait_for(lambda: clock(gateway)["by"] in ("receiver", "server"), 40, "the receiver agrees")
    check(len(root.done) == count, "it is set though it is right", root.done)
    gateway.stop()

    bad = dict(gateway.settings, gateway={**gateway.settings["gateway"], "time_from": "gps.tim"})
    with open(site.path("bad.json"), "w") as out:
        json.dump(bad, out)
    done = gateway.cli("check", site.path("bad.json"), socket=False)
    check(done.returncode != EXIT_OK and "gps.tim" in done.stdout + done.stderr, "a point that is none", done.stdout, done.stderr)


main(a_clock_that_was_lost_is_not_trusted_and_never_goes_backwards, a_person_sets_it_by_roots_part_of_the_system,
     a_receiver_sets_it_where_no_server_is_reached)
