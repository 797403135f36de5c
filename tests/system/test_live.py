#!/usr/bin/python3
"""What shows the present: the newest values, the stream of what changes, and the log."""
import json
import time

from harness import Api, Gateway, ModbusTcp, check, main, wait_for
from harness.site import free_port

POINTS = [{"id": "triangle", "reg": 2, "type": "i16", "scale": 0.1, "unit": "°C", "every": "100ms", "name": "Vorlauf"},
          {"id": "constant", "reg": 10, "type": "u16", "enum": {"0": "off"}, "write": {"min": 0, "max": 1}}]


def plant(site, **more):
    hall = ModbusTcp(site, "hall", ["1-2:meter"])
    devices = [hall.device("meter1", 1, points=POINTS, name="Erster"), hall.device("meter2", 2)]
    gateway = Gateway(site, [hall.bus()], devices, [], **more).start()
    return hall, gateway, Api(gateway)


def newest(gateway):
    """The newest reading of each point, by its own way through the command line."""
    return {(event["d"], event["p"]): event for event in gateway.replay("--kind", "reading")}


def each_point_has_its_newest_value_and_what_it_is(site):
    hall, gateway, api = plant(site)
    site.wait_values(20)
    wait_for(lambda: all("v" in point for point in api.get("/api/v1/points")["points"]), 10, "all points have values")
    hall.quiet()
    wait_for(lambda: not any(device["up"] for device in gateway.devices()), 30, "both devices are down")
    last = newest(gateway)
    told = api.get("/api/v1/points")
    found = {(point["d"], point["p"]): point for point in told["points"]}
    check(sorted(found) == sorted(last), "the points", sorted(found))
    wait_for(lambda: {(point["d"], point["p"]): (point["t"], point["v"], point["q"]) for point in
                      api.get("/api/v1/points")["points"]} ==
             {key: (event["t"], event["v"], event["q"]) for key, event in newest(gateway).items()}, 10,
             "the points are what replay says")
    triangle = found["meter1", "triangle"]
    check(triangle["dn"] == "Erster" and triangle["name"] == "Vorlauf" and triangle["unit"] == "°C" and
          triangle["type"] == "number" and triangle["every_ms"] == 100 and triangle["bus"] == "hall" and
          triangle["decimals"] == 1, "what a point is", triangle)
    check(found["meter1", "constant"]["enum"] == {"0": "off"} and
          found["meter1", "constant"]["write"] == {"min": 0, "max": 1}, "what may be written",
          found["meter1", "constant"])
    gateway.stop()


def a_span_of_time_is_one_that_there_can_be(site):
    """The earliest to the latest time that can be said are further apart than a number of nanoseconds says."""
    hall, gateway, api = plant(site)
    for span, status in (("from=-1h", 200), ("from=-9000000000s&to=0", 200), ("from=-9000000000s&to=9000000000000", 400),
                         ("from=-9000000000s&to=-9000000001s", 400)):
        answer = api.ask("GET", "/api/v1/series?device=meter1&point=constant&" + span)
        check(answer.status == status, "the span", span, answer.status, answer.text)
    gateway.stop()


def a_status_of_any_size_is_told(site):
    """Each host of Modbus TCP is a bus: with hundreds of them the status is larger than a block of the stream."""
    port = free_port()
    buses = [{"id": "hall-%d" % number, "driver": "modbus-tcp", "host": "127.0.0.1:%d" % port} for number in range(700)]
    devices = [{"id": "meter-%d" % number, "bus": "hall-%d" % number, "unit": 1, "numbering": "0-based", "points": POINTS, "every": "1h"} for number in range(700)]
    gateway = Gateway(site, buses, devices, []).start()
    stream = Api(gateway).stream("/api/v1/live?with=status,events,log")
    since = 0
    for name in ("Hundreds", "Hundreds of hosts"):
        status = stream.wait("status", lambda data: data["config"]["since"] > since)
        check(len(status["buses"]) == 700 and len(json.dumps(status)) > 1 << 16, "all of the status", len(status["buses"]), len(json.dumps(status)))
        # None comes where nothing changes.
        since = status["config"]["since"]
        gateway.tell(lambda settings: settings["gateway"].update(name=name))
    gateway.stop()


def the_stream_has_what_changes_and_all_of_it_at_first(site):
    _, gateway, api = plant(site)
    site.wait_values(20)
    stream = api.stream("/api/v1/live?values=all&with=status,events,log")
    first = {}
    while len(first) < 4:
        first.update({(value["d"], value["p"]): value for value in stream.wait("values")})
    times, counters = [], []
    while len(times) < 8:
        for value in stream.wait("values"):
            if value["p"] == "counter" and value["d"] == "meter1":
                times.append(time.monotonic())
                counters.append(value["v"])
    check(counters == sorted(counters) and len(set(counters)) == len(counters), "the counter rises", counters)
    check(min(b - a for a, b in zip(times, times[1:])) > 0.1, "at most four batches a second", times)
    status = stream.wait("status", lambda data: data["buses"][0]["up"] == 2)
    check(status["journal"]["stored"] > 0 and status["buses"][0]["bad"] == 0, "the status", status)
    check(api.ask("POST", "/api/v1/forget?device=meter1&what=blocks").status == 200, "forget")
    event = stream.wait("event", lambda data: data["k"] == "config" and data.get("d") == "meter1")
    check(event["n"] > 0 and len(event["epoch"]) == 8, "the event", event)
    gateway.hup()
    line = stream.wait("log", lambda data: "means the same" in data["words"])
    check(line["part"] == "daemon" and line["level"] == "info", "the line of the log", line)
    log = api.get("/api/v1/log?limit=3")["lines"]
    check(len(log) == 3 and log == api.get("/api/v1/log")["lines"][-3:] and any("means the same" in line["words"] for line in log),
          "the log", log)
    check(all(line["level"] in ("warn", "error") for line in api.get("/api/v1/log?level=warn")["lines"]), "by level")
    stream.close()
    gateway.stop()


def a_viewer_that_wants_one_device_or_point_gets_no_other(site):
    _, gateway, api = plant(site)
    site.wait_values(20)
    stream = api.stream("/api/v1/live?values=meter2,meter1/constant")
    seen = set()
    for _ in range(6):
        seen |= {(value["d"], value["p"]) for value in stream.wait("values")}
    check(seen == {("meter2", "counter"), ("meter1", "constant")}, "what was seen", sorted(seen))
    for query in ("values=", "values=Meter", "values=all&with=everything"):
        answer = api.ask("GET", "/api/v1/live?" + query)
        check(answer.status == 400 and "expected" in answer.json["error"], query, answer.status, answer.text)
    stream.close()
    gateway.stop()


def who_comes_back_is_told_of_the_events_between(site):
    _, gateway, api = plant(site)
    stream = api.stream("/api/v1/live?with=events")
    check(api.ask("POST", "/api/v1/forget?device=meter1&what=blocks").status == 200, "forget")
    first = stream.wait("event", lambda data: data["k"] == "config" and data.get("d") == "meter1")
    last_id = stream.id
    check(last_id == "%s-%d" % (first["epoch"], first["n"]), "the id of an event", last_id, first)
    stream.close()
    gateway.kill()
    gateway.start()
    wait_for(lambda: gateway.device("meter1")["up"], 20, "the device is up again")
    stream = api.stream("/api/v1/live?with=events", headers={"Last-Event-ID": last_id})
    told = []
    # What was up for the first time when it was forgotten is told of the epoch before, too.
    while not any(event["k"] == "state" and event.get("d") == "meter1" and event["epoch"] != first["epoch"] for event in told):
        told.append(stream.wait("event"))
    stored = [event for event in gateway.replay("--kind", "state,alarm,config,lifecycle,gap,clock")
              if event["n"] > first["n"]]
    check(told == stored[:len(told)], "what was between", told[:3], stored[:3])
    check(any(event["k"] == "lifecycle" and event["v"].startswith("epoch") for event in told), "the new epoch", told)
    stream.close()
    gateway.stop()


def a_changed_configuration_shows_its_points(site):
    hall, gateway, api = plant(site)
    stream = api.stream("/api/v1/live?values=all&with=events")
    stream.wait("values", lambda data: any(value["d"] == "meter2" for value in data))
    gateway.hup()
    stream.wait("event", lambda data: data["k"] == "config" and "d" not in data)
    names = [stream.next()[0] for _ in range(4)]
    check("points" not in names, "the same configuration changes no points", names)
    gateway.tell(lambda settings: settings["devices"][1]["points"].append(
        {"id": "constant", "reg": 10, "type": "u16", "every": "100ms"}))
    stream.wait("points")
    stream.wait("values", lambda data: any(value["d"] == "meter2" and value["p"] == "constant" for value in data))
    check(any(point["d"] == "meter2" and point["p"] == "constant" for point in api.get("/api/v1/points")["points"]),
          "the point")
    stream.close()
    gateway.stop()


def a_viewer_that_is_slow_skips_and_keeps_nobody_waiting(site):
    hall = ModbusTcp(site, "hall", ["1:meter,regs=2000"])
    points = [{"id": "p%d" % i, "reg": i, "type": "u16", "every": "100ms"} for i in range(2, 600)]
    gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1, points=points)], []).start()
    api = Api(gateway)
    slow = api.stream("/api/v1/live?values=all", receive_bytes=4096)
    fast = api.stream("/api/v1/live?values=all")
    memory = rss(gateway)
    counters = []
    while len(counters) < 30:
        counters += [value["v"] for value in fast.wait("values") if value["p"] == "counter"]
    check(rss(gateway) - memory < 16 << 10, "memory grew because of a viewer that is slow", rss(gateway) - memory)
    newest_counter = counters[-1]
    seen = []
    while not seen or seen[-1] < newest_counter:
        seen += [value["v"] for value in slow.wait("values") if value["p"] == "counter"]
    check(len(seen) < len(counters), "the slow viewer was told of each value", len(seen), len(counters))
    slow.close()
    fast.close()
    gateway.stop()


def rss(gateway):
    with open("/proc/%d/status" % gateway.process.popen.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


main(each_point_has_its_newest_value_and_what_it_is, a_span_of_time_is_one_that_there_can_be, a_status_of_any_size_is_told,
     the_stream_has_what_changes_and_all_of_it_at_first,
     a_viewer_that_wants_one_device_or_point_gets_no_other, who_comes_back_is_told_of_the_events_between,
     a_changed_configuration_shows_its_points, a_viewer_that_is_slow_skips_and_keeps_nobody_waiting)
