#!/usr/bin/python3
"""Jobs of the API: programs that the gateway runs for the page, and what there is to choose from."""
import http.client
import json
import os
import socket
import threading
from urllib.parse import urlencode

from harness import Gateway, ModbusTcp, RtuLine, check, main, wait_for
from harness.api import Api, _Connection
from harness.site import free_port

os.environ["SLUICE_PROFILES"] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "drivers", "profiles")

GONE_S = 30  # of gateway/web/jobs_told.c


class Plant:
    """A gateway that polls unit 1 of a line where unit 9 is still unknown to it."""

    def __init__(self, site, buses=(), devices=(), uplinks=()):
        self.line = RtuLine(site, "field", ["1:boiler,regs=20", "9:new,regs=20"], 19200)
        self.gateway = Gateway(site, [self.line.bus(), *buses], [self.line.device("boiler", 1), *devices], uplinks).start()
        self.api = Api(self.gateway)
        self.wait_up()

    def wait_up(self):
        wait_for(lambda: self.gateway.device("boiler").get("up"), 20, "the device is up")

    def start(self, **job):
        answer = self.api.ask("POST", "/api/v1/jobs", job)
        check(answer.status == 202, "a job is taken", answer.status, answer.text)
        return answer.json["job"]

    def job(self, number):
        return self.api.get("/api/v1/jobs/" + number)

    def wait_end(self, number):
        wait_for(lambda: not self.job(number)["running"], 60, "the job ends")
        return self.job(number)


def noted(gateway):
    """The starts of jobs in the audit trail, as far as it is durable."""
    return [event for event in gateway.replay("--kind", "config") if "job-started" in json.dumps(event)]


def all_children(gateway):
    """Of every thread: a child belongs to the one that started it."""
    found = []
    for task in os.listdir("/proc/%d/task" % gateway.process.pid):
        with open("/proc/%d/task/%s/children" % (gateway.process.pid, task)) as file:
            found += [int(word) for word in file.read().split()]
    return found


def runs(pid):
    """Whether it is a program still, and not what is left of one until its parent has looked."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def follow(plant, number):
    """The events of a job's lines until the stream ends."""
    connection = _Connection(plant.gateway.socket, 60)
    connection.request("GET", "/api/v1/jobs/%s/lines" % number)
    response = connection.getresponse()
    check(response.getheader("Content-Type") == "text/event-stream", "its type", response.getheaders())
    events = []
    for block in response.read().decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            events.append((fields["event"], json.loads(fields["data"])))
    connection.close()
    return events


def a_scan_of_a_polled_bus_is_followed_line_by_line_and_polling_goes_on(site):
    plant = Plant(site)
    number = plant.start(kind="scan", on=plant.line.link, line="19200 8E1", units="1-10", listen_s=0, timeout_ms=100)
    events = follow(plant, number)
    check(events[-1][0] == "end" and events[-1][1]["exit"] == 0, "how it ended", events[-1])
    found = [line["unit"] for kind, line in events if kind == "line" and line["kind"] == "device"]
    check(sorted(found) == [1, 9], "the units", events)
    check(follow(plant, number) == events, "who comes later sees the same")
    plant.wait_up()
    check(len(noted(plant.gateway)) == 1 and "scan" in json.dumps(noted(plant.gateway)), "the audit trail", noted(plant.gateway))


def a_job_that_is_stopped_gives_the_bus_back(site):
    plant = Plant(site)
    number = plant.start(kind="scan", on=plant.line.link, units="1-247", listen_s=0, timeout_ms=1000)
    wait_for(lambda: plant.gateway.device("boiler").get("why") == "lent", 20, "the bus is lent")
    check(plant.api.ask("DELETE", "/api/v1/jobs/" + number).status == 200, "it is stopped")
    plant.wait_end(number)
    # By the job itself, and not because its lease was over.
    check("lent" not in plant.gateway.status()["buses"][0], "still lent", plant.gateway.status()["buses"])
    plant.wait_up()
    check(all_children(plant.gateway) == [], "children that are left", all_children(plant.gateway))


def registers_are_shown_in_every_type(site):
    plant = Plant(site)
    ended = plant.wait_end(plant.start(kind="read", on=plant.line.link, line="19200 8E1", unit=9, reg=0, table="holding",
                                       count=4, samples=1))
    check(ended["exit"] == 0 and ended["lines"], "the registers", ended)
    plant.wait_up()


def what_a_job_prints_is_an_object_a_line(site):
    """Of those that look at devices, a line or a broker, and also where a line is larger than a block of the stream."""
    hall = ModbusTcp(site, "hall", ["1:meter,regs=400"])
    points = [{"id": "p%d" % reg, "name": "Point %d " % reg + "x" * 60, "reg": reg, "type": "u16"} for reg in range(300)]
    plant = Plant(site, [hall.bus()], [hall.device("meter", 1, points=points)], [{"id": "cloud", "url": "mqtt://127.0.0.1:%d" % free_port()}])
    new = {"on": plant.line.link, "line": "19200 8E1"}
    sizes = []
    for job in ({"kind": "probe", "on": "meter"}, {"kind": "trace", "on": "field", "for_s": 1}, {"kind": "doctor", "uplink": "cloud"},
                {"kind": "scan", "units": "9", "listen_s": 0, **new}, {"kind": "read", "unit": 9, "reg": 0, "table": "holding", "samples": 1, **new}):
        number = plant.start(**job)
        ended = plant.wait_end(number)  # is JSON
        check(ended["lines"] and all(type(line) is dict for line in ended["lines"]), "its lines", job, ended)
        check([line for kind, line in follow(plant, number) if kind == "line"] == ended["lines"], "the lines that are followed", job)
        sizes += [len(json.dumps(line)) for line in ended["lines"]]
    check(max(sizes) > 32768, "a line that is larger than a block", max(sizes))


def what_is_no_job_is_refused_in_words(site):
    plant = Plant(site)
    for body, words in (({"kind": "format"}, "expected is one of scan"), ({"kind": "scan"}, "on: is missing"),
                        ({"kind": "scan", "on": "x", "shell": "1"}, "shell: no job"),
                        ({"kind": "scan", "on": 7}, "on: a text"), ({"kind": "scan", "on": "x", "quick": "y"}, "true or false"),
                        ({"kind": "read", "on": "x", "reg": "a"}, "whole number")):
        answer = plant.api.ask("POST", "/api/v1/jobs", body)
        check(answer.status == 400 and words in answer.text, "the refusal", body, answer.status, answer.text)
    check(plant.api.ask("GET", "/api/v1/jobs/99").status == 404, "a job that never was")


def nothing_in_a_request_becomes_a_flag_or_a_command(site):
    plant = Plant(site)
    for on in ("--help", "-V", "$(touch %s)" % site.path("hacked"), "; touch " + site.path("hacked")):
        ended = plant.wait_end(plant.start(kind="scan", on=on, listen_s=0))
        check(ended["exit"] != 0 and not ended["lines"] and "Try sluice" not in ended["words"], "it is a name that nobody has", on, ended)
        check(not os.path.exists(site.path("hacked")), "what came of it", on, ended)
    answer = plant.api.ask("GET", "/api/v1/profiles?q=--help")
    check(answer.status == 200 and answer.json == [], "words that look like flags", answer.text)


def a_job_dies_with_its_gateway(site):
    plant = Plant(site)
    plant.start(kind="scan", on=plant.line.link, units="1-247", listen_s=0, timeout_ms=1000)
    wait_for(lambda: plant.gateway.device("boiler").get("why") == "lent", 20, "the bus is lent")
    child = all_children(plant.gateway)
    check(len(child) == 1, "one child", child)
    plant.gateway.stop()
    check(not os.path.exists("/proc/%d" % child[0]), "the child has ended")


def a_job_dies_with_a_gateway_that_is_killed(site):
    """Also one that asks nobody but a host that says nothing, and prints nothing meanwhile."""
    plant = Plant(site)
    silent = socket.create_server(("127.0.0.1", 0))
    plant.start(kind="scan", on="127.0.0.1:%d" % silent.getsockname()[1], units="1-2", timeout_ms=10000)
    wait_for(lambda: all_children(plant.gateway), 20, "it runs")
    child = all_children(plant.gateway)
    plant.gateway.kill()
    wait_for(lambda: not runs(child[0]), 5, "the child ends")
    silent.close()


def jobs_that_are_posted_while_the_gateway_ends_do_no_harm(site):
    plant = Plant(site)
    plant.wait_end(plant.start(kind="scan", on="--help"))
    for _ in range(7):
        plant.start(kind="scan", on=plant.line.link, units="1-247", listen_s=0, timeout_ms=1000)

    def post():
        while plant.gateway.process.alive():
            try:
                plant.api.ask("POST", "/api/v1/jobs", {"kind": "scan", "on": "--help"})
            except OSError:
                return
            except http.client.HTTPException:
                return

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    plant.gateway.stop()
    for thread in threads:
        thread.join()


def a_number_is_no_other_jobs_after_a_restart(site):
    """Not even one of the same kind for the same, begun at the same moment as others; and numbers go on rising."""
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)

    def start():
        return api.ask("POST", "/api/v1/jobs", {"kind": "scan", "on": "--help"}).json["job"]
    before = [start() for _ in range(3)]
    gateway.stop()
    gateway.start()
    check([api.ask("GET", "/api/v1/jobs/" + number).status for number in before] == [404] * 3, "those of before are gone")
    after = [start() for _ in range(3)]
    check([api.ask("GET", "/api/v1/jobs/" + number).status for number in before] == [404] * 3, "and nobody has their numbers", before, after)
    numbers = [int(number) for number in before + after]
    check(numbers == sorted(set(numbers)), "they rise", numbers)


def what_is_refused_is_not_noted_as_started(site):
    plant = Plant(site)
    silent = socket.create_server(("127.0.0.1", 0))
    for _ in range(8):
        plant.start(kind="scan", on="127.0.0.1:%d" % silent.getsockname()[1], units="1-247", timeout_ms=5000)
    for _ in range(5):
        check(plant.api.ask("POST", "/api/v1/jobs", {"kind": "scan", "on": "x"}).status == 409, "no place is left")
    wait_for(lambda: len(noted(plant.gateway)) >= 8, 10, "what has started is in the audit trail")
    check(len(noted(plant.gateway)) == 8, "the audit trail", noted(plant.gateway))
    silent.close()


def what_a_program_does_by_itself_is_told_as_a_job(site):
    gateway = Gateway(site, [], [], []).start()
    api = Api(gateway)

    def tell(number=None, **more):
        given = {"kind": "node-update", "of": "node", "by": "sluice node update (process 4194304)", **more}
        return api.ask("POST", "/api/v1/told?" + urlencode(given if number is None else {**given, "job": number}))
    begun = tell(line='{"kind": "progress", "done": 0, "of": 9} // as people write it')
    check(begun.status == 200 and begun.json["stop"] is False, "it begins", begun.status, begun.text)
    number = begun.json["job"]
    job = api.get("/api/v1/jobs")["jobs"][0]
    check((job["job"], job["kind"], job["of"], job["running"]) == (number, "node-update", "node", True) and "node update (process" in job["by"], "the job", job)
    check(tell().status == 409, "another one for the same")
    other = tell(of="other").json["job"]
    check(other not in (number, ""), "one for another", other)
    third = tell(other, of="third").json["job"]
    check(third not in (number, other, ""), "a number that is another's", third)
    for bad in ({"line": "[1]"}, {"line": "{"}, {"line": '{"a": }'}, {"kind": "tea"}, {"exit": "x", "words": ""}, {"line": '{"a": "%s"}' % ("x" * 3000)}):
        check(tell(number, **bad).status == 400, "what is refused", bad)
    told = {"kind": "step", "step": "a \"new\" line\n", "list": [1, {"deep": None}, True, -1.50e3]}
    check(tell(number, line=json.dumps(told)).json == {"job": number, "stop": False}, "it goes on")
    check(api.get("/api/v1/jobs/" + number)["lines"] == [{"kind": "progress", "done": 0, "of": 9}, told], "its lines", api.get("/api/v1/jobs/" + number))
    check(api.ask("DELETE", "/api/v1/jobs/" + number).status == 200, "somebody ends it")
    check(tell(number).json["stop"] is True, "it hears of that")
    check(tell(number, exit=1, words="stopped").status == 200, "it ends")
    job = api.get("/api/v1/jobs/" + number)
    check((job["running"], job["exit"], job["words"]) == (False, 1, "stopped"), "how it ended", job)
    again = tell(number).json["job"]
    check(again not in (number, ""), "what has ended begins anew", again)
    wait_for(lambda: len(noted(gateway)) == 4, 10, "what has started is in the audit trail")
    check("node-update" in json.dumps(noted(gateway)), "the audit trail", noted(gateway))
    wait_for(lambda: tell().status == 200, GONE_S + 10, "whoever tells nothing is gone, and keeps nobody from telling")
    job = api.get("/api/v1/jobs/" + again)
    check(job["exit"] == 1 and "without a word" in job["words"], "that it is gone", job)


def what_there_is_to_choose_from(site):
    plant = Plant(site)
    check(len(plant.api.get("/api/v1/profiles")) > 200, "profiles")
    found = plant.api.get("/api/v1/profiles?q=eastron%20sdm120")
    check([profile["name"] for profile in found] == ["eastron-sdm120"], "a search", found)
    check(plant.api.get("/api/v1/profiles/eastron-sdm120")["name"] == "eastron-sdm120", "a profile")
    check(plant.api.ask("GET", "/api/v1/profiles/no-such").status == 404, "no profile")
    check(plant.api.ask("GET", "/api/v1/profiles/sluice.json").status == 404, "a file is no profile")
    check(isinstance(plant.api.get("/api/v1/ports"), list), "ports")
    check(plant.api.get("/api/v1/options")["$schema"].startswith("http"), "options")


main(a_scan_of_a_polled_bus_is_followed_line_by_line_and_polling_goes_on, a_job_that_is_stopped_gives_the_bus_back,
     registers_are_shown_in_every_type, what_a_job_prints_is_an_object_a_line, what_is_no_job_is_refused_in_words,
     nothing_in_a_request_becomes_a_flag_or_a_command, a_job_dies_with_its_gateway,
     a_job_dies_with_a_gateway_that_is_killed,
     jobs_that_are_posted_while_the_gateway_ends_do_no_harm, a_number_is_no_other_jobs_after_a_restart, what_is_refused_is_not_noted_as_started,
     what_a_program_does_by_itself_is_told_as_a_job, what_there_is_to_choose_from)
