#!/usr/bin/python3
"""Where an uplink is in the journal, through changes that are confirmed, that go back, and that the power cuts off: nothing
stored is missing at its broker afterwards, and nothing is sent again from the beginning."""
import http.client
import json
import os
import random
import threading
import time

from harness import EXIT_FAILED, EXIT_OK, LONG, Api, Broker, Gateway, ModbusTcp, Subscriber, check, main, wait_for

CLOUD = ["uplinks", {"id": "cloud"}]
REMOVED = [{"at": CLOUD, "remove": True}]
RENAMED = [{"at": [*CLOUD, "was"], "set": "cloud"}, {"at": [*CLOUD, "id"], "set": "cloud2"}]


def moved_to(broker):
    return [{"at": [*CLOUD, "url"], "set": broker.uplink()["url"]}]


class Plant:
    """A gateway with one uplink, which has delivered for a while."""

    def __init__(self, site, **uplink):
        self.site = site
        self.broker = Broker(site, tls=False)
        self.subscriber = Subscriber(site, self.broker)
        hall = ModbusTcp(site, "hall", ["1:meter"])
        self.gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1, "20ms")], [self.broker.uplink(**uplink)])
        self.gateway.start()
        self.gateway.wait_online()
        self.api = Api(self.gateway)
        wait_for(lambda: self.place()["acked"] > 30, 30, "something is delivered")

    def place(self, name="cloud"):
        return self.gateway.status()["consumers"]["uplink/" + name]

    def places(self):
        return sorted(name for name in self.gateway.status()["consumers"])

    def cut_off(self):
        """The broker is away; returns where the uplink is when a backlog has come together."""
        self.broker.stop()
        wait_for(lambda: self.place()["pending"] > 50, 30, "a backlog")
        return self.place()

    def post(self, what, **body):
        answer = self.api.ask("POST", "/api/v1/config/" + what, body)
        check(answer.status == 200, what, answer.status, answer.text)
        return answer.json

    def apply(self, edits, **more):
        base = self.api.get("/api/v1/config")["revision"]
        return self.post("apply", base=base, edits=edits, **more)["change"]

    def confirm(self, change):
        self.post("confirm", change=change, anyway=True)

    def revert(self, change):
        self.post("revert", change=change)

    def try_post(self, what, change):
        """The gateway may end meanwhile."""
        try:
            self.api.ask("POST", "/api/v1/config/" + what, {"change": change, "anyway": True})
        except (OSError, http.client.HTTPException):
            pass

    def restarts(self, do):
        """What makes everything restart, until it has; returns what that returns."""
        starts = self.gateway.process.log().count(", configuration ")
        result = do()
        wait_for(lambda: self.gateway.process.log().count(", configuration ") > starts and
                 self.gateway.cli("status", "--json").returncode == EXIT_OK, 30, "everything restarts")
        return result

    def cut_power(self):
        self.gateway.kill()
        self.gateway.start()
        check(not self.pending(), "a change waits after the start", self.pending())

    def configured(self):
        """The id of its uplink, by the file."""
        with open(self.gateway.config_path) as file:
            return json.load(file)["uplinks"][0]["id"]

    def pending(self):
        return self.api.get("/api/v1/config")["pending"]

    def by_hand(self, change):
        """Edits the file as it now is, and has it applied."""
        with open(self.gateway.config_path) as file:
            self.gateway.settings = json.load(file)
        applied = self.gateway.process.log().count("is applied")
        self.gateway.tell(change)
        wait_for(lambda: self.gateway.process.log().count("is applied") > applied, 20, "the file is applied")

    def given_up(self):
        """The alarms that say that a place was given up with events that were not delivered."""
        return [event for event in self.gateway.replay("--from", "-1h", "--kind", "alarm") if "is given up" in event["v"]]

    def goes_on(self, before, name="cloud"):
        """The place is the one that it was; its broker has all, and got nothing of what it had before."""
        after = self.place(name)
        check(after["low"] >= before["low"] and after["acked"] >= before["acked"], "another place", before, after)
        check(self.places() == ["uplink/" + name], "other places", self.places())
        restarted = time.time()
        if not self.broker.process.alive():
            self.broker.start()
        self.has_all(name)
        # A broker repeats the messages that its subscriber had not acknowledged when it ended.
        known = {message.payload for message in self.subscriber.on("data") if message.at <= restarted}
        again = [event["n"] for message in self.subscriber.on("data")
                 if message.at > restarted and message.payload not in known
                 for event in message.json()["events"] if event.get("n", before["low"]) < before["low"]]
        check(not again, "sent again from before its place", before, again[:1], again[-1:])

    def has_all(self, name="cloud"):
        """All that is stored arrives."""
        self.gateway.wait_online(name=name)
        stored = {event["n"] for event in self.gateway.replay("--from", "-1h", "--kind", "reading")}
        wait_for(lambda: self.place(name)["low"] > max(stored), 60, "it is delivered")
        def missing():
            return stored - {event.get("n") for message in self.subscriber.on("data") for event in message.json()["events"]}
        wait_for(lambda: not missing(), 20, "all that is stored is at the broker")

    def ends(self):
        self.gateway.stop()
        self.gateway.verify()


def a_removed_uplink_that_is_taken_back_goes_on(site):
    plant = Plant(site, **{"from": "now"})
    before = plant.cut_off()
    change = plant.apply(REMOVED)
    check(plant.places() == ["uplink/cloud"], "given up before it was confirmed", plant.places())
    plant.revert(change)
    plant.goes_on(before)
    check(not plant.given_up(), plant.given_up())
    plant.ends()


def a_removed_uplink_that_nobody_confirms_goes_on(site):
    plant = Plant(site)
    before = plant.cut_off()
    plant.apply(REMOVED, confirm_s=10)
    wait_for(lambda: not plant.pending(), 30, "it goes back")
    plant.goes_on(before)
    plant.ends()


def a_renamed_uplink_that_is_taken_back_goes_on(site):
    plant = Plant(site, **{"from": "now"})
    before = plant.cut_off()
    change = plant.apply(RENAMED)
    check(plant.place("cloud2")["low"] >= before["low"], "it goes on under the new name", plant.place("cloud2"))
    plant.revert(change)
    plant.goes_on(before)
    plant.ends()


def what_a_renamed_uplink_delivered_counts_when_nobody_confirms(site):
    """The broker is there all the time: what it got on trial it does not get again."""
    plant = Plant(site)
    plant.apply(RENAMED, confirm_s=10)
    plant.gateway.wait_online(name="cloud2")
    wait_for(lambda: plant.place("cloud2")["acked"] > plant.place()["acked"] + 20, 20, "it delivers on trial")
    on_trial = plant.place("cloud2")
    wait_for(lambda: not plant.pending(), 30, "it goes back")
    plant.goes_on(on_trial)
    numbers = [event["n"] for message in plant.subscriber.on("data") for event in message.json()["events"] if "n" in event]
    check(len(numbers) - len(set(numbers)) < 100, "it is sent again", len(numbers), len(set(numbers)))
    plant.ends()


def another_broker_that_nobody_confirms_gets_nothing_for_the_first(site):
    """What the other one acknowledged was not delivered to the first."""
    plant = Plant(site)
    other = Broker(site, tls=False, name="other")
    change = plant.apply(moved_to(other))
    plant.gateway.wait_online()
    acked = plant.place()["acked"]
    wait_for(lambda: plant.place()["acked"] > acked + 30, 20, "the other one acknowledges")
    plant.revert(change)
    plant.has_all()
    check(plant.places() == ["uplink/cloud"], plant.places())
    # Confirmed, the other one goes on where the first was.
    there = Subscriber(site, other, name="other-subscriber")
    change = plant.apply(moved_to(other))
    plant.gateway.wait_online()
    plant.confirm(change)
    before = plant.place()
    wait_for(lambda: plant.place()["acked"] > before["acked"] + 20, 20, "it delivers")
    first = there.on("data")[0].json()["covers"][0]
    check(first > 30, "it begins anew at the other broker", first, before)
    plant.ends()


def an_uplink_that_stays_away_goes_back_to_its_place(site):
    """Under another id, too."""
    plant = Plant(site, **{"from": "now"})
    before = plant.place()
    gone = Broker(site, tls=False, name="gone", start=False)
    plant.apply([*moved_to(gone), *RENAMED], confirm_s=300)
    wait_for(lambda: not plant.pending(), 60, "it goes back, since cloud was online before")
    check("uplink cloud was online before" in plant.gateway.process.log(), plant.gateway.process.log())
    plant.goes_on(before)
    plant.ends()


def a_new_uplink_that_is_taken_back_leaves_nothing(site):
    plant = Plant(site)
    more = [{"at": ["uplinks"], "add": plant.broker.uplink(id="office", root="office")}]
    plant.revert(plant.apply(more))
    check(plant.places() == ["uplink/cloud"] and not plant.given_up(), plant.places(), plant.given_up())
    change = plant.apply(more)
    plant.gateway.wait_online(name="office")
    plant.confirm(change)
    check(plant.places() == ["uplink/cloud", "uplink/office"], plant.places())
    acked = plant.place("office")["acked"]
    wait_for(lambda: plant.place("office")["acked"] > acked + 20, 20, "it goes on when it is confirmed")
    plant.ends()


def a_confirmed_removal_tells_what_was_to_be_delivered(site):
    plant = Plant(site, **{"from": "now"})
    before = plant.cut_off()
    change = plant.apply(REMOVED)
    check(not plant.given_up(), "told before it was given up")
    plant.confirm(change)
    check(plant.places() == [], plant.places())
    told = wait_for(plant.given_up, 10, "it is told")
    check(len(told) == 1 and told[0]["u"] == "cloud" and "from number %d on" % before["low"] in told[0]["v"], told, before)
    check("from number %d on were still to be delivered" % before["low"] in plant.gateway.process.log(), "the log")
    # Added again, it begins as a new one does.
    plant.broker.start()
    plant.confirm(plant.apply([{"at": ["uplinks"], "add": plant.broker.uplink(**{"from": "now"})}]))
    plant.gateway.wait_online()
    check(plant.place()["low"] > before["low"] + before["pending"], before, plant.place())
    plant.ends()


def what_a_change_leaves_undelivered_is_told_before(site):
    plant = Plant(site)
    config = lambda *words: plant.gateway.cli("config", *words)
    left = lambda edits: plant.post("check", edits=edits)["undelivered"]
    check(left([{"at": ["gateway", "name"], "set": "Hall"}]) == [], "a change of something else")
    before = plant.cut_off()
    for edits, gone in ((REMOVED, True), (RENAMED[1:], True), (RENAMED, False), (moved_to(plant.broker), False)):
        told = left(edits)
        check(len(told) == gone, "what is told", edits, told)
        check(not gone or told[0]["uplink"] == "cloud" and told[0]["events"] >= before["pending"], told, before)
    plant.apply(REMOVED)
    waits = plant.api.get("/api/v1/config")["undelivered"]
    check([entry["uplink"] for entry in waits] == ["cloud"], "while it waits", waits)
    done = config("revert")
    check(done.returncode == EXIT_OK and not done.stderr, "nothing is given up by taking it back", done.stderr)
    change = plant.apply(REMOVED)
    done = config("confirm")
    check(done.returncode == EXIT_OK and "events are still to be delivered by uplink cloud" in done.stderr, "at the confirmation",
          done.stdout, done.stderr)
    plant.confirm(plant.apply([{"at": ["uplinks"], "add": plant.broker.uplink()}]))
    wait_for(lambda: plant.place()["pending"] > 0, 20, "it waits again")
    done = config("revert", change)
    check(done.returncode == EXIT_FAILED and "nothing was changed" in done.stderr and "--force" in done.stderr and
          plant.configured() == "cloud", "an earlier configuration without it", done.stdout, done.stderr)
    done = config("revert", "--force", change)
    check(done.returncode == EXIT_OK and "by uplink cloud" in done.stderr and plant.places() == [], "given up", done.stderr)
    plant.gateway.stop()


def an_uplink_that_works_is_taken_away_by_going_back_and_what_came_meanwhile_is_told(site):
    # So many events that some are on their way at any moment.
    plant = Plant(site, linger="500ms")
    change = plant.apply(REMOVED)
    plant.confirm(change)
    plant.confirm(plant.apply([{"at": ["uplinks"], "add": plant.broker.uplink(linger="500ms")}]))
    plant.gateway.wait_online()
    wait_for(lambda: plant.place()["acked"] > 30, 30, "something is delivered")
    wait_for(lambda: plant.place()["pending"] > 0, 20, "something is on its way")
    asked = plant.gateway.status()["journal"]["newest"]
    before = plant.gateway.process.log().count("still to be delivered")
    done = plant.gateway.cli("config", "revert", change)
    check(done.returncode == EXIT_OK and plant.places() == [], "it is removed", done.stdout, done.stderr)
    logged = plant.gateway.process.log().count("still to be delivered") - before
    told = "to be delivered by uplink cloud" in done.stderr
    check(told >= (logged > 0), "what is given up is told", logged, done.stderr)
    got = lambda: [event.get("n", 0) for message in plant.subscriber.on("data") for event in message.json()["events"]]
    wait_for(lambda: max(got()) >= asked, 20, "what was stored before is delivered")
    plant.gateway.stop()


def two_renamings_keep_the_place(site):
    plant = Plant(site)
    before = plant.cut_off()
    plant.confirm(plant.apply(RENAMED))
    check(plant.places() == ["uplink/cloud2"], plant.places())
    second = ["uplinks", {"id": "cloud2"}]
    plant.confirm(plant.apply([{"at": [*second, "was"], "set": "cloud2"}, {"at": [*second, "id"], "set": "cloud"}]))
    plant.goes_on(before)
    # And there and back in one: taken back, then confirmed after all.
    before = plant.cut_off()
    plant.revert(plant.apply(RENAMED))
    plant.confirm(plant.apply(RENAMED))
    plant.goes_on(before, "cloud2")
    check(not plant.given_up(), plant.given_up())
    plant.ends()


def a_file_that_is_edited_by_hand_is_for_good(site):
    plant = Plant(site, **{"from": "now"})
    before = plant.cut_off()
    # On top of a change that waits: both are kept.
    plant.apply(RENAMED)
    plant.by_hand(lambda settings: settings["uplinks"][0].update(linger="70ms"))
    check(not plant.pending() and plant.places() == ["uplink/cloud2"], plant.pending(), plant.places())
    # Back by hand, while the next one waits.
    plant.apply([{"at": ["uplinks", {"id": "cloud2"}], "remove": True}])
    plant.by_hand(lambda settings: settings["uplinks"].append(plant.broker.uplink(id="cloud2")))
    plant.goes_on(before, "cloud2")
    # Its removal asks nobody, and is told.
    plant.broker.stop()
    wait_for(lambda: plant.place("cloud2")["pending"] > 20, 30, "a backlog")
    low = plant.place("cloud2")["low"]
    plant.by_hand(lambda settings: settings["uplinks"].clear())
    told = wait_for(plant.given_up, 10, "it is told")
    check(plant.places() == [] and "from number %d on" % low in told[0]["v"], plant.places(), told)
    plant.ends()


def everything_may_restart_while_a_change_waits(site):
    """The journal's settings change with it, so that it is opened anew each time."""
    plant = Plant(site)
    before = plant.cut_off()
    changed = [*RENAMED, {"at": ["journal", "keep"], "set": "128MiB"}]
    change = plant.restarts(lambda: plant.apply(changed))
    check(plant.place("cloud2")["low"] >= before["low"], "it goes on", plant.place("cloud2"))
    plant.restarts(lambda: plant.api.ask("POST", "/api/v1/restart"))
    check(plant.place("cloud2")["low"] >= before["low"], "it goes on", plant.place("cloud2"))
    plant.restarts(lambda: plant.revert(change))
    plant.goes_on(before)
    before = plant.cut_off()
    plant.confirm(plant.restarts(lambda: plant.apply(changed)))
    plant.goes_on(before, "cloud2")
    plant.ends()


def a_power_cut_before_it_is_confirmed_gives_the_place_back(site):
    plant = Plant(site, **{"from": "now"})
    for edits in (REMOVED, RENAMED):
        before = plant.cut_off()
        plant.apply(edits)
        plant.cut_power()
        plant.goes_on(before)
    # What another broker has acknowledged by then is delivered to the first one.
    before = plant.place()
    plant.apply(moved_to(Broker(site, tls=False, name="other")))
    wait_for(lambda: plant.place()["acked"] > before["acked"] + 30, 20, "the other one acknowledges")
    plant.cut_power()
    plant.goes_on(before)
    check(not plant.given_up(), plant.given_up())
    plant.ends()


def a_power_cut_between_confirmation_and_journal_keeps_what_was_confirmed(site):
    """The note is gone, and the journal does not have it yet: the file says which place counts."""
    plant = Plant(site, **{"from": "now"})
    before = plant.cut_off()
    plant.apply(RENAMED)
    wait_for(lambda: plant.place("cloud2")["pending"] > before["pending"] + 20, 20, "it is committed")
    plant.gateway.kill()
    for ending in ("pending", "before"):
        os.unlink(plant.gateway.config_path + "." + ending)
    plant.gateway.start()
    plant.goes_on(before, "cloud2")
    check(not plant.given_up(), plant.given_up())
    plant.ends()


def power_cuts_at_any_moment_lose_nothing(site):
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(1 << 30)))
    moments = random.Random(seed)
    plant = Plant(site, **{"from": "now"})
    for turn in range(40 if LONG else 8):
        name, other = plant.configured(), "cloud%d" % turn
        change = plant.apply([{"at": ["uplinks", {"id": name}, "was"], "set": name},
                              {"at": ["uplinks", {"id": name}, "id"], "set": other}])
        asking = threading.Thread(target=plant.try_post, args=(moments.choice(["confirm", "revert"]), change))
        asking.start()
        time.sleep(moments.random() / 10)  # the moment is what is tried
        plant.cut_power()
        asking.join()
        check(plant.places() == ["uplink/" + plant.configured()], "seed", seed, "turn", turn, plant.places())
    plant.has_all(plant.configured())
    check(not plant.given_up(), "seed", seed, plant.given_up())
    plant.ends()
    return "seed %d" % seed


main(a_removed_uplink_that_is_taken_back_goes_on, a_removed_uplink_that_nobody_confirms_goes_on,
     a_renamed_uplink_that_is_taken_back_goes_on, what_a_renamed_uplink_delivered_counts_when_nobody_confirms,
     another_broker_that_nobody_confirms_gets_nothing_for_the_first, an_uplink_that_stays_away_goes_back_to_its_place,
     a_new_uplink_that_is_taken_back_leaves_nothing, what_a_change_leaves_undelivered_is_told_before,
     an_uplink_that_works_is_taken_away_by_going_back_and_what_came_meanwhile_is_told,
     a_confirmed_removal_tells_what_was_to_be_delivered, two_renamings_keep_the_place,
     a_file_that_is_edited_by_hand_is_for_good,
     everything_may_restart_while_a_change_waits, a_power_cut_before_it_is_confirmed_gives_the_place_back,
     a_power_cut_between_confirmation_and_journal_keeps_what_was_confirmed, power_cuts_at_any_moment_lose_nothing)
