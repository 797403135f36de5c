#!/usr/bin/python3
"""SIGHUP: what changed restarts, what did not goes on, a bad file is refused, and no event is lost."""
import copy
import json
import os
import resource
import time

from harness import (EXIT_OK, Api, Audit, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check, doubted, finish, main,
                     program, sluice, wait_for)


class Plant:
    def __init__(self, site):
        self.site = site
        self.quiet_ms = 0
        self.broker = Broker(site)
        self.subscriber, self.audit = Subscriber(site, self.broker), Audit(site, self.broker)
        self.line = RtuLine(site, "rs485-1", ["1:incomer", "2:pump"])
        self.hall = ModbusTcp(site, "hall", ["1-3:meter"])
        self.gateway = Gateway(
            site, [self.line.bus(), self.hall.bus()],
            [self.line.device("incomer", 1), self.hall.device("meter1", 1), self.hall.device("meter2", 2)],
            [self.broker.uplink()]).start()
        self.gateway.wait_online()
        site.wait_values(30)

    def apply(self, change):
        """Applies a change to the settings; returns the status before and after it."""
        before = self.gateway.status()
        applied = self.gateway.process.log().count("is applied")
        self.gateway.tell(change)
        wait_for(lambda: self.gateway.process.log().count("is applied") > applied, 20, "the file is applied")
        return before, self.gateway.status()

    def quiet(self, *sims):
        """A request that is under way when its bus stops would have a reply that nobody takes."""
        self.quiet_ms = self.quiet_ms or time.time() * 1000
        for sim in sims:
            sim.quiet()
        names = [device["id"] for device in self.gateway.settings["devices"] if device["bus"] in [s.name for s in sims]]
        wait_for(lambda: not any(self.gateway.device(name)["up"] for name in names), 20, "the bus is quiet")

    def finish(self, more=50):
        self.site.wait_values(more)
        # A line that was told to be quiet has had time-outs.
        permitted = doubted(["incomer", "pump"], self.quiet_ms or time.time() * 1000, time.time() * 1000)
        return finish(self.gateway, [self.line, self.hall], self.subscriber, self.audit, 30 + more, permitted=permitted)


def stops(gateway, what):
    return sum(line.count(" %s stops:" % what) for line in gateway.process.log().splitlines())


def device_of(status, name):
    return next(device for bus in status["buses"] for device in bus["devices"] if device["id"] == name)


def goes_on(before, after, name):
    """Its counters did not begin anew."""
    old, new = device_of(before, name), device_of(after, name)
    check(new["requests"] >= old["requests"] and new["reconnects"] == old["reconnects"],
          "it was restarted without need", name, old, new)


def same_uplink(before, after):
    old, new = before["uplinks"][0], after["uplinks"][0]
    check(new["connects"] == old["connects"] and new["published"] >= old["published"],
          "the uplink was restarted without need", old, new)


def a_device_is_added_and_removed(site):
    plant = Plant(site)
    accepted = plant.hall.stats()["accepted"]
    plant.quiet(plant.line)
    before, after = plant.apply(lambda settings: settings["devices"].append(plant.line.device("pump", 2)))
    plant.line.tell("revive *")
    check(before["config"]["fingerprint"] != after["config"]["fingerprint"], "the fingerprint", after["config"])
    check(before["journal"]["epoch"] == after["journal"]["epoch"], "a new epoch", after["journal"])
    goes_on(before, after, "meter1")
    same_uplink(before, after)
    check(stops(plant.gateway, "bus rs485-1") == 1 and stops(plant.gateway, "bus hall") == 0, "which bus restarted",
          plant.gateway.process.log())
    check(plant.hall.stats()["accepted"] == accepted, "the other bus connected anew")
    wait_for(lambda: plant.gateway.device("pump")["replies"] > 5, 20, "the new device answers")
    wait_for(lambda: plant.subscriber.on("meta/pump"), 20, "its meta is published")

    def remove(settings):
        settings["devices"] = [device for device in settings["devices"] if device["id"] != "pump"]
    plant.quiet(plant.line)
    plant.apply(remove)
    plant.line.tell("revive *")
    wait_for(lambda: plant.subscriber.on("meta/pump")[-1].payload == b"", 20, "its meta is cleared")
    plant.finish()


def rows(text):
    """What a state lists: device and point ("" for the device's own state)."""
    return {(row["d"], row.get("p", "")) for row in map(json.loads, text.splitlines()) if "d" in row}


def what_is_no_longer_configured_is_no_longer_in_the_state(site):
    """Neither as good for ever, nor as anything else; and before its removal it was there."""
    broker, hall = Broker(site, tls=False), ModbusTcp(site, "hall", ["1-2:meter"])
    subscriber = Subscriber(site, broker)
    meters = [hall.device(name, unit, points=[{"id": "other", "reg": 1, "type": "u16"}]) for name, unit in (("meter1", 1), ("meter2", 2))]
    gateway = Gateway(site, [hall.bus()], copy.deepcopy(meters), [broker.uplink(layout="values")]).start()
    api = Api(gateway)

    def state(*more):
        return rows(gateway.cli("state", "--json", *more).stdout)

    def is_whole():
        return {("meter1", ""), ("meter2", ""), ("meter1", "counter"), ("meter2", "counter")} <= state()

    def told():
        return [json.loads(line) for line in gateway.cli("replay", "--kind", "reading,state").stdout.splitlines() if '"why":"removed"' in line]

    wait_for(is_whole, 30, "both are read")
    before_ms = int(time.time() * 1000)
    points = sorted(point for device, point in state() if device == "meter2")
    gateway.tell(lambda settings: settings["devices"].pop())
    wait_for(lambda: {device for device, _ in state()} == {"meter1"}, 20, "the device is gone from the state")
    check(rows(api.ask("GET", "/api/v1/state").text) == state(), "so the API says")
    check(("meter2", "counter") in state("--at", str(before_ms)), "it was there before", state("--at", str(before_ms)))
    check(sorted(event.get("p", "") for event in told()) == points and all(event["d"] == "meter2" and not event["v"] for event in told()),
          "each stream has one end", told(), points)
    wait_for(lambda: [message for message in subscriber.on("v/meter2/counter") if message.payload][-1].json()["v"] is None, 20, "its end is published")
    wait_for(lambda: not subscriber.on("v/meter2/counter")[-1].payload, 20, "what was kept of it goes")
    late = Subscriber(site, broker, name="late")
    wait_for(lambda: late.on("v/meter1/counter"), 20, "what the broker has kept")
    check(not late.on("v/meter2/counter"), "nothing of it is kept", [message.payload for message in late.on("v/meter2/counter")])
    # A point of a device that stays; and an end is told once, whatever reloads and starts follow.
    gateway.tell(lambda settings: settings["devices"][0].update(points=[point for point in settings["devices"][0]["points"] if point["id"] != "counter"]))
    wait_for(lambda: ("meter1", "counter") not in state() and ("meter1", "") in state(), 20, "the point is gone")
    gateway.stop()
    check({device for device, _ in rows(sluice("state", "--json", "--journal", gateway.journal).stdout)} == {"meter1"}, "so says the folder")
    gateway.start()
    check(len(told()) == len(points) + 1, "told once", told())
    gateway.tell(lambda settings: settings.update(devices=copy.deepcopy(meters)))
    wait_for(is_whole, 30, "what comes back is there again")
    # One that went while nobody watched.
    gateway.stop()
    gateway.settings["devices"].pop()
    gateway.write()
    gateway.start()
    wait_for(lambda: {device for device, _ in state()} == {"meter1"}, 20, "a start tells, too")
    gateway.stop()


def what_was_renamed_goes_on_under_its_new_id_alone(site):
    """A device, a point and an uplink: each tells that it was renamed, and its history has no bad value for that."""
    broker, hall = Broker(site, tls=False), ModbusTcp(site, "hall", ["1-2:meter"])
    points = [{"id": "other", "reg": 1, "type": "u16"}]
    gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1, points=points), hall.device("meter2", 2, points=copy.deepcopy(points))],
                      [broker.uplink(), broker.uplink(id="second", root="second")]).start()
    api = Api(gateway)

    def state():
        return [json.loads(line) for line in gateway.cli("state", "--json").stdout.splitlines()]

    def names():
        return {(row.get("d", row.get("u")), row.get("p", "")) for row in state() if "d" in row or "u" in row}

    def ends():
        """Of each stream that ended: why."""
        events = [json.loads(line) for line in gateway.cli("replay", "--kind", "reading,state").stdout.splitlines()]
        told = [event for event in events if event.get("why") in ("removed", "renamed")]
        check(len({(event.get("d", event.get("u")), event.get("p", "")) for event in told}) == len(told), "each ends once", told)
        return {(event.get("d", event.get("u")), event.get("p", "")): event["why"] for event in told}
    first = {("meter1", ""), ("meter1", "counter"), ("meter1", "other"), ("meter2", ""), ("meter2", "counter"), ("meter2", "other"), ("cloud", ""), ("second", "")}
    wait_for(lambda: names() == first, 30, "all are read, and both uplinks are there")

    def rename(settings):
        settings["devices"][0].update(id="incomer", was=["meter1"])
        point = next(point for point in settings["devices"][1]["points"] if point["id"] == "other")
        point.update(id="load", was=["other"])
        settings["uplinks"][1].update(id="office", was="second")
    gateway.tell(rename)
    second = {("incomer", ""), ("incomer", "counter"), ("incomer", "other"), ("meter2", ""), ("meter2", "counter"), ("meter2", "load"), ("cloud", ""), ("office", "")}
    wait_for(lambda: names() == second, 30, "the new ids alone")
    renamed = {key: "renamed" for key in first - second}
    check(ends() == renamed, "what ended", ends())
    for device, point in (("incomer", "counter"), ("meter2", "load")):
        series = api.get("/api/v1/series?device=%s&point=%s&from=-5m&to=now&buckets=1" % (device, point))
        check(series["bad"] == [0] and series["n"][0] > 1, "its history goes on", series)
    told = [json.loads(line) for line in gateway.cli("replay", "--device", "incomer", "--point", "counter").stdout.splitlines()]
    check({event["d"] for event in told} == {"meter1", "incomer"} and any(event.get("why") == "renamed" for event in told), "under both ids", told)
    gateway.stop()
    gateway.start()
    wait_for(lambda: names() == second, 30, "a start tells nothing anew")
    check(ends() == renamed, "what ended", ends())
    # One that goes for good: also a point that had been renamed, and an uplink.
    def remove(settings):
        settings["devices"].pop()
        settings["uplinks"].pop()
    gateway.tell(remove)
    wait_for(lambda: names() == {("incomer", ""), ("incomer", "counter"), ("incomer", "other"), ("cloud", "")}, 30, "what is left")
    check(ends() == {**renamed, **{key: "removed" for key in second if key[0] in ("meter2", "office")}}, "what ended", ends())
    # What comes back is there again.
    gateway.tell(lambda settings: settings["uplinks"].append(broker.uplink(id="second", root="second")))
    wait_for(lambda: ("second", "") in names(), 30, "an uplink that comes back")
    gateway.stop()


def a_bus_is_changed(site):
    plant = Plant(site)
    plant.quiet(plant.line)

    def change(settings):
        settings["buses"][0]["timeout"] = "200ms"
    before, after = plant.apply(change)
    plant.line.tell("revive *")
    goes_on(before, after, "meter1")
    same_uplink(before, after)
    check(stops(plant.gateway, "bus rs485-1") == 1 and stops(plant.gateway, "bus hall") == 0, "which bus restarted")
    wait_for(lambda: plant.gateway.device("incomer")["up"], 30, "the changed bus polls")
    plant.finish()


def an_uplink_is_changed_added_and_removed(site):
    plant = Plant(site)

    def change(settings):
        settings["uplinks"][0]["linger"] = "100ms"
    before, after = plant.apply(change)
    for name in ("incomer", "meter1"):
        goes_on(before, after, name)
    check(stops(plant.gateway, "uplink cloud") == 1 and stops(plant.gateway, "bus") == 0, "what restarted")
    plant.gateway.wait_online()
    plant.apply(lambda settings: settings["uplinks"].append(plant.broker.uplink(id="second", root="second")))
    plant.gateway.wait_online(name="second")
    check(stops(plant.gateway, "uplink cloud") == 1, "the first uplink restarted for the second")
    check("uplink/second" in plant.gateway.status()["consumers"], "its cursor")
    _, after = plant.apply(lambda settings: settings["uplinks"].pop())
    check("uplink/second" not in after["consumers"], "a removed uplink holds the journal", after["consumers"])
    plant.finish()


def a_bad_file_is_refused(site):
    plant = Plant(site)
    good = copy.deepcopy(plant.gateway.settings)
    before = plant.gateway.status()
    mistakes = [lambda settings: settings["devices"][0].update(unit=999),
                lambda settings: settings["uplinks"][0].update(url="http://nowhere"),
                lambda settings: settings["buses"][0].update(prot="/dev/ttyS0"),
                lambda settings: settings.pop("gateway")]
    for mistake in mistakes:
        plant.gateway.settings = copy.deepcopy(good)
        refused = plant.gateway.process.log().count("is refused")
        plant.gateway.tell(mistake)
        wait_for(lambda: plant.gateway.process.log().count("is refused") > refused, 20, "the file is refused")
    with open(plant.gateway.config_path, "w") as out:
        out.write("{ \"version\": 1, ")
    plant.gateway.hup()
    wait_for(lambda: plant.gateway.process.log().count("is refused") == len(mistakes) + 1, 20, "half a file is refused")
    after = plant.gateway.status()
    check(after["config"]["fingerprint"] == before["config"]["fingerprint"], "the fingerprint", after["config"])
    check("refused" not in before["config"] and plant.gateway.config_path in after["config"]["refused"]["why"],
          "the status tells of the refusal", after["config"])
    for name in ("incomer", "meter1", "meter2"):
        goes_on(before, after, name)
    same_uplink(before, after)
    log = plant.gateway.process.log()
    check("did you mean \"port\"" in log and "sluice.json:" in log, "the words of the log", log)
    plant.gateway.settings = good
    _, after = plant.apply(lambda settings: None)
    check("refused" not in after["config"], "the status forgets the refusal", after["config"])
    check(stops(plant.gateway, "bus") + stops(plant.gateway, "uplink") == 0, "the same file restarted something")
    plant.finish()


def the_journals_settings_are_changed(site):
    """The journal is closed and opened again, in order: the epoch goes on."""
    plant = Plant(site)
    plant.quiet(plant.line, plant.hall)
    epoch = plant.gateway.status()["journal"]["epoch"]
    plant.gateway.tell(lambda settings: settings["journal"].update(commit="20ms"))
    wait_for(lambda: plant.gateway.cli("status", "--json").returncode == 0
             and plant.gateway.status()["journal"]["commit_ms"] == 20, 30, "the new commit interval")
    check(plant.gateway.status()["journal"]["epoch"] == epoch, "a new epoch without need")
    plant.line.tell("revive *")
    plant.hall.tell("revive *")
    plant.finish()


def a_journal_that_cannot_be_had_is_refused(site):
    """The gateway that runs is not ended for a journal that it could not open."""
    gateway = Gateway(site, [], [], [], journal={"path": site.path("journal")})
    gateway.process = site.start("sluiced", program("sluiced"), "--config", gateway.config_path, "--socket",
                                 gateway.socket)
    wait_for(lambda: gateway.cli("status", "--json").returncode == EXIT_OK, 20, "the status answers")
    gateway.tell(lambda settings: settings["journal"].update(path="/proc/nowhere"))
    wait_for(lambda: "stays in force" in gateway.process.log(), 20, "the refusal is told")
    check(gateway.cli("status", "--json").returncode == EXIT_OK, "the gateway ended", gateway.process.log())
    gateway.stop()


def what_lacks_descriptors_is_told_and_tried_again(site):
    broker, hall = Broker(site, tls=False), ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [], [], []).start()
    limits = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir("/proc/%d/fd" % gateway.process.pid))

    def want(settings):
        settings.update(buses=[hall.bus()], devices=[hall.device("meter1", 1)], uplinks=[broker.uplink()])
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (used + 4, limits[1]))
    gateway.tell(want)
    wait_for(lambda: "uplink cloud cannot start: no file descriptors left" in gateway.process.log(), 20, "the log tells why")
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (used + 6, limits[1]))
    uplink = gateway.uplink()
    check(uplink["state"] == "waiting" and "LimitNOFILE" in uplink["error"] and uplink["cause"] == "descriptors", uplink)
    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, limits)
    gateway.wait_online()
    wait_for(lambda: gateway.device("meter1")["up"], 20, "the bus polls")
    check(gateway.process.log().count("uplink cloud cannot start") == 1, "told once", gateway.process.log())
    gateway.stop()


def many_reloads_in_a_row_end_with_the_last_file(site):
    plant = Plant(site)
    for turn in range(10):
        plant.gateway.tell(lambda settings: settings["gateway"].update(name="Plant %d" % turn))
    wait_for(lambda: plant.gateway.status()["name"] == "Plant 9", 30, "the last file is in force")
    wait_for(lambda: plant.subscriber.on("meta")[-1].json()["name"] == "Plant 9", 20, "meta says so")
    plant.finish()


main(a_device_is_added_and_removed, what_is_no_longer_configured_is_no_longer_in_the_state,
     what_was_renamed_goes_on_under_its_new_id_alone, a_bus_is_changed, an_uplink_is_changed_added_and_removed, a_bad_file_is_refused,
     the_journals_settings_are_changed, a_journal_that_cannot_be_had_is_refused,
     what_lacks_descriptors_is_told_and_tried_again,
     many_reloads_in_a_row_end_with_the_last_file)
