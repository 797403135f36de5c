#!/usr/bin/python3
"""Other programs as producers and as durable consumers, over HTTP."""
import json
import re
import threading
import time

from harness import Api, Audit, Balance, Broker, Gateway, ModbusTcp, Subscriber, check, check_ledger, main, wait_for


def weather(*values, **more):
    return {"device": "weather", "point": "temp", "type": "number", "unit": "°C", "name": "Außen",
            "events": [{"v": value} for value in values], **more}


def post(api, body):
    answer = api.ask("POST", "/api/v1/events", body)
    check(answer.status == 200, "POST events", answer.status, answer.text)
    return answer.json


def readings(gateway, device):
    return [event for event in gateway.replay("--kind", "reading") if event["d"] == device]


def what_a_program_sends_is_durable_when_it_is_answered(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    stored = post(api, weather(20.5, 20.25, None))
    check(stored["count"] == 3 and stored["stored"][1] - stored["stored"][0] == 2 and stored["credit"] > 0, "the answer",
          stored)
    gateway.kill()
    gateway.start()
    found = readings(gateway, "weather")
    check([(event["n"], event["v"], event["q"]) for event in found] ==
          list(zip(range(stored["stored"][0], stored["stored"][1] + 1), (20.5, 20.25, None), ("good", "good", "bad"))),
          "what is stored", found)
    now = int(time.time() * 1000)
    post(api, {**weather(), "events": [{"v": 1, "t": now - 60000}, {"v": 2, "t": now - 59000, "q": "uncertain"}]})
    found = readings(gateway, "weather")[3:]
    check([(event["t"], event["v"], event["q"]) for event in found] ==
          [(now - 60000, 1, "good"), (now - 59000, 2, "uncertain")], "with times", found, now)
    point = [point for point in api.get("/api/v1/points")["points"] if point["d"] == "weather"]
    check(len(point) == 1 and point[0]["produced"] and point[0]["unit"] == "°C" and point[0]["v"] == 2, "the point",
          point)
    for point, kind, value in (("on", "boolean", True), ("count", "integer", "9223372036854775807"),
                               ("words", "string", "grün")):
        post(api, {"device": "weather", "point": point, "type": kind, "events": [{"v": value}]})
    check([event["v"] for event in readings(gateway, "weather")[5:]] == [True, "9223372036854775807", "grün"],
          "each type", readings(gateway, "weather")[5:])
    check_ledger(gateway.status())
    gateway.verify()
    gateway.stop()


def what_is_wrong_is_refused_with_its_place_and_stores_nothing(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1)], []).start()
    api = Api(gateway)
    good = weather(1)
    hour_ago = int(time.time() * 1000) - 3600000
    cases = [({**good, "device": "meter1"}, 409, "the configuration has a device of that id"),
             ({**good, "device": "Weather"}, 400, "ids of a-z"), ({**good, "device": "w" * 55}, 400, "ids of a-z"),
             ({**good, "point": "a/b"}, 400, "ids of a-z"), ({**good, "type": "float"}, 400, "type: number"),
             ({**good, "unit": "x" * 40}, 400, "unit, name"), ({**good, "events": []}, 400, "1 to 1000"),
             ({**good, "events": [{"v": 1}] * 1001}, 400, "1 to 1000"),
             ({**good, "events": [{"v": 1}, {"v": "1"}]}, 400, "events[1].v: a number"),
             ({**good, "events": [{"v": 1, "t": hour_ago}]}, 400, "events[0].t"),
             ({**good, "events": [{"v": 1, "t": hour_ago + 7200000}]}, 400, "events[0].t"),
             ({**good, "events": [{"v": 1, "q": "fine"}]}, 400, "events[0].q"),
             ({**good, "events": [{"q": "good"}]}, 400, "events[0].q"), ({**good, "events": [7]}, 400, "events[0]"),
             ({**good, "type": "integer", "events": [{"v": 1.5}]}, 400, "whole number"),
             ({**good, "type": "string", "events": [{"v": "x" * 5000}]}, 400, "4096 bytes"),
             ({**good, "after": 5}, 409, "the newest event of this point is 0"), (b"[1]", 400, "a JSON object"),
             (b"{", 400, "line 1")]
    for body, status, words in cases:
        answer = api.ask("POST", "/api/v1/events", body)
        check(answer.status == status and words in answer.json["error"], "refused", body if len(str(body)) < 300 else "",
              answer.status, answer.text)
    check(not readings(gateway, "weather"), "nothing is stored")
    gateway.stop()


def a_program_that_lost_the_answer_learns_what_came_of_it(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    first = post(api, weather(1, 2, after=0))
    second = post(api, weather(3, after=first["stored"][1]))
    answer = api.ask("POST", "/api/v1/events", weather(3, after=first["stored"][1]))
    check(answer.status == 409 and str(second["stored"][1]) in answer.json["error"], "sent again", answer.text)
    gateway.kill()
    gateway.start()
    answer = api.ask("POST", "/api/v1/events", weather(3, after=first["stored"][1]))
    check(answer.status == 409 and str(second["stored"][1]) in answer.json["error"], "sent again later", answer.text)
    post(api, weather(4, after=second["stored"][1], name="Draußen"))
    check([event["v"] for event in readings(gateway, "weather")] == [1, 2, 3, 4], "each once",
          readings(gateway, "weather"))
    gateway.stop()


def who_sends_too_much_is_told_to_wait(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    sent, refused = 0, None
    while not refused:
        answer = api.ask("POST", "/api/v1/events", weather(*range(1000)))
        if answer.status == 200:
            sent += 1000
        else:
            refused = answer
        check(sent < 100000, "nobody said stop")
    check(refused.status == 429 and refused.headers["Retry-After"] == "1", "refused", refused.status, refused.text)
    wait_for(lambda: api.ask("POST", "/api/v1/events", weather(*range(500))).status == 200, 10, "it may send again")
    check(len(readings(gateway, "weather")) == sent + 500, "what was taken is stored", sent)
    gateway.stop()


def streams(api):
    return int(re.search(r"^sluice_journal_streams (\d+)$", api.ask("GET", "/metrics").text, re.M)[1])


def what_changes_all_the_time_describes_no_point(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    post(api, weather(1, name="Batch 1"))
    post(api, weather(2, name="Batch 2"))
    known = streams(api)
    for body in (weather(3, name="Batch 3"), weather(3, name="Batch 2", unit="K"), weather(3, name="Batch 1")):
        answer = api.ask("POST", "/api/v1/events", body)
        check(answer.status == 429 and "another type, unit or name" in answer.json["error"] and 0 < int(answer.headers["Retry-After"]) <= 60,
              "described once more", answer.status, answer.text)
    check(streams(api) == known, "numbers were used up", known, streams(api))
    post(api, weather(3, name="Batch 2"))
    check([event["v"] for event in readings(gateway, "weather")] == [1, 2, 3], "what is stored", readings(gateway, "weather"))
    gateway.stop()


def what_a_program_sends_is_published_with_what_it_is(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    gateway = Gateway(site, [], [], [broker.uplink()]).start()
    gateway.wait_online()
    api = Api(gateway)
    stored = post(api, weather(20.5, 21))
    gateway.wait_drained()
    wait_for(lambda: len([event for event in Balance(subscriber.messages).events.values() if event.get("d") == "weather"]) == 2,
             10, "both values")
    topics = [topic for topic, _ in messages(subscriber)]
    meta = json.loads(dict(messages(subscriber))["sluice/plant7/meta/weather"])
    check(meta["id"] == "weather" and meta["produced"] is True and
          meta["points"] == {"temp": {"type": "number", "name": "Außen", "unit": "°C"}}, "meta", meta)
    data = next(at for at, (topic, payload) in enumerate(messages(subscriber)) if topic.endswith("/data") and b"weather" in payload)
    check(topics.index("sluice/plant7/meta/weather") < data, "meta before data", topics)
    post(api, {"device": "weather", "point": "wind", "type": "integer", "events": [{"v": 3}]})
    gateway.wait_drained()
    gateway.kill()
    gateway.start()
    gateway.wait_online()
    post(api, weather(22, after=stored["stored"][1]))
    gateway.wait_drained()
    meta = json.loads(dict(messages(subscriber))["sluice/plant7/meta/weather"])
    check(sorted(meta["points"]) == ["temp", "wind"], "meta of two points", meta)
    audit.proves(0)
    gateway.stop()


def messages(subscriber):
    return [(message.topic, message.payload) for message in list(subscriber.messages)]


def fetch(api, name, query=""):
    answer = api.ask("GET", "/api/v1/consumers/%s/events%s" % (name, query))
    check(answer.status == 200, "GET events of a consumer", answer.status, answer.text)
    lines = answer.lines
    return lines[:-1], lines[-1]


def ack(api, name, covers):
    answer = api.ask("POST", "/api/v1/consumers/%s/ack" % name, {"epoch": covers["epoch"], "n": covers["covers"][1]})
    check(answer.status == 200, "ack", answer.status, answer.text)
    return answer.json


def a_consumer_gets_each_event_until_it_has_acknowledged_it(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    check(api.ask("PUT", "/api/v1/consumers/erp", {"from": "oldest"}).status == 201, "made")
    check(api.ask("PUT", "/api/v1/consumers/erp", {"from": "newest"}).status == 200, "there already")
    stored = post(api, weather(*range(50)))
    events, covers = fetch(api, "erp", "?limit=20&kind=reading")
    check([event["v"] for event in events] == list(range(20)) and
          covers["covers"] == [1, events[-1]["n"]], "the first", covers)
    again, same = fetch(api, "erp", "?limit=20&kind=reading")
    check((again, same) == (events, covers), "not acknowledged")
    gateway.kill()
    gateway.start()
    again, after = fetch(api, "erp", "?limit=20&kind=reading")
    check(again == events and after["covers"] == covers["covers"] and after["epoch"] != covers["epoch"],
          "after kill -9 between reading and acknowledging", after, covers)
    check(ack(api, "erp", covers)["low"] == covers["covers"][1] + 1, "acknowledged with the epoch that it was read in")
    rest, covers = fetch(api, "erp", "?kind=reading&device=weather&point=temp")
    check([event["v"] for event in rest] == list(range(20, 50)), "the rest", rest[:2])
    ledger = ack(api, "erp", covers)
    check(ledger["pending"] == 0 or ledger["acked"] >= stored["stored"][1], "the ledger", ledger)
    wait_for(lambda: gateway.status()["journal"]["waiting"] == 0, 10, "nothing waits")
    check(gateway.status()["consumers"]["consumer/erp"]["acked"] == ledger["acked"], "it is in the ledger of all")
    time_of_move(gateway, api)
    gateway.kill()
    gateway.start()
    events, covers = fetch(api, "erp", "?kind=reading")
    check(not events, "what was acknowledged comes again", events[:2])
    listed = api.get("/api/v1/consumers")["consumers"]
    check([consumer["name"] for consumer in listed] == ["erp"], "the list", listed)
    for epoch, n in (("deadbeef", 1), (covers["epoch"], 10 ** 9)):
        answer = api.ask("POST", "/api/v1/consumers/erp/ack", {"epoch": epoch, "n": n})
        check(answer.status == 409, "an event of another journal", epoch, n, answer.status, answer.text)
    check(api.ask("GET", "/api/v1/consumers/erp/events?n=1").status == 400, "from before its place")
    check_ledger(gateway.status())
    gateway.stop()


def time_of_move(gateway, api):
    """A move of a cursor is durable with the next commit: one is made."""
    post(api, weather(99))
    fetched = fetch(api, "erp", "?kind=reading")
    ack(api, "erp", fetched[1])
    post(api, {"device": "other", "point": "x", "type": "number", "events": [{"v": 1}]})
    ack(api, "erp", fetch(api, "erp")[1])
    before = gateway.status()["journal"]["commits"]
    wait_for(lambda: gateway.status()["journal"]["commits"] > before, 15, "the move is committed")


def a_consumer_can_wait_for_what_comes(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    api.ask("PUT", "/api/v1/consumers/erp")
    ack_all(api)
    begun = time.monotonic()
    events, covers = fetch(api, "erp", "?wait_ms=1500")
    check(not events and covers["covers"] is None and time.monotonic() - begun > 1.4, "nothing came", covers)
    sender = threading.Timer(0.3, lambda: post(api, weather(7)))
    sender.start()
    begun = time.monotonic()
    events, covers = fetch(api, "erp", "?wait_ms=20000&kind=reading")
    while not events:
        ack(api, "erp", covers)
        events, covers = fetch(api, "erp", "?wait_ms=20000&kind=reading")
    sender.join()
    check([event["v"] for event in events] == [7] and time.monotonic() - begun < 10, "what came", events)
    for query in ("?limit=0", "?limit=10001", "?wait_ms=60001", "?n=0", "?kind=values"):
        check(api.ask("GET", "/api/v1/consumers/erp/events" + query).status == 400, query)
    gateway.stop()


def ack_all(api):
    """All that there is, the note of the audit trail that comes with the consumer, too."""
    _, covers = fetch(api, "erp", "?wait_ms=1000")
    while covers["covers"]:
        ack(api, "erp", covers)
        _, covers = fetch(api, "erp", "?wait_ms=1000")


def a_deleted_consumer_holds_the_journal_no_more(site):
    gateway = Gateway(site, [], [], [], journal={"keep": "1MiB", "when_full": "refuse-newest"}).start()
    api = Api(gateway)
    check(api.ask("PUT", "/api/v1/consumers/erp", {"from": "oldest"}).status == 201, "made")
    texts = {"device": "noise", "point": "text", "type": "string", "events": [{"v": "x" * 2000}] * 100}
    answer = wait_for(lambda: refused(api, texts), 60, "the journal is full")
    check(answer.status in (503, 429), "full", answer.text)
    wait_for(lambda: gateway.status()["journal"]["error"], 10, "the status says that it is full")
    check(api.ask("DELETE", "/api/v1/consumers/erp").status == 204, "deleted")
    check(api.ask("DELETE", "/api/v1/consumers/erp").status == 404, "deleted before")
    check(api.ask("GET", "/api/v1/consumers/erp/events").status == 404, "gone")
    wait_for(lambda: api.ask("POST", "/api/v1/events", weather(1)).status == 200, 30, "the journal takes events again")
    check("consumer/erp" not in gateway.status()["consumers"], "it is not in the ledger")
    notes = [event["v"] for event in gateway.replay("--kind", "config") if "name=erp" in event["v"]]
    check(notes and notes[-1].startswith("did=consumer-deleted by=uid"), "who deleted it", notes)
    gateway.stop()


def refused(api, body):
    answer = api.ask("POST", "/api/v1/events", body)
    if answer.status == 429:
        return None
    return answer if answer.status != 200 else None


def there_is_an_end_of_consumers(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)
    for i in range(16):
        check(api.ask("PUT", "/api/v1/consumers/c%d" % i).status == 201, "one more", i)
    answer = api.ask("PUT", "/api/v1/consumers/c16")
    check(answer.status == 409 and "delete one" in answer.json["error"], "too many", answer.text)
    check(api.ask("PUT", "/api/v1/consumers/C").status == 400, "a name that is none")
    check(api.ask("PUT", "/api/v1/consumers/x", {"from": "then"}).status == 400, "from")
    gateway.stop()


main(what_a_program_sends_is_durable_when_it_is_answered, what_is_wrong_is_refused_with_its_place_and_stores_nothing,
     a_program_that_lost_the_answer_learns_what_came_of_it, who_sends_too_much_is_told_to_wait, what_changes_all_the_time_describes_no_point,
     what_a_program_sends_is_published_with_what_it_is, a_consumer_gets_each_event_until_it_has_acknowledged_it,
     a_consumer_can_wait_for_what_comes, a_deleted_consumer_holds_the_journal_no_more, there_is_an_end_of_consumers)
