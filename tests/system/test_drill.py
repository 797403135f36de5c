#!/usr/bin/python3
"""An outage drill: the uplink is cut off, comes back, and what the drill says is what an own subscriber saw."""
import json
import re
import signal

from harness import (EXIT_OK, EXIT_SYSTEM, EXIT_USAGE, Audit, Broker, Gateway, ModbusTcp, Subscriber, check, finish, main,
                     program, sluice, wait_for)
from harness.api import Api


class Plant:
    def __init__(self, site, **more):
        self.site = site
        self.broker = Broker(site, **more)
        self.subscriber, self.audit = Subscriber(site, self.broker), Audit(site, self.broker)
        self.hall = ModbusTcp(site, "hall", ["1:meter"])
        self.gateway = Gateway(site, [self.hall.bus()], [self.hall.device("meter", 1, every="50ms")],
                               [self.broker.uplink(linger="100ms")]).start()
        self.gateway.wait_online()

    def drill(self, *arguments):
        return sluice("drill", "--config", self.gateway.config_path, "--socket", self.gateway.socket, *arguments,
                      deadline_s=120)

    def finish(self):
        finish(self.gateway, [self.hall], self.subscriber, self.audit, 20)


def what_waits_arrives_and_nothing_is_missing(site):
    plant = Plant(site)
    done = plant.drill("--minutes", "0.1", "--json")
    check(done.returncode == EXIT_OK, "exit status", done.returncode, done.stdout, done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    end = lines[-1]
    check(end["phase"] == "end" and end["missing"] == 0 and end["proven"], "the end", end)
    check(end["return_s"] > 0 and end["drain_s"] >= 0, "waiting for the next attempt is no draining", end)
    check(end["waited"] > 50 and end["events"] > end["waited"], "the backlog grew and arrived", end)
    cut = [line["backlog"] for line in lines if line["phase"] == "cut off"]
    check(len(cut) > 2 and cut == sorted(cut), "it grew", lines)
    check(plant.gateway.uplink()["connects"] == 2, "one connection before and one after", plant.gateway.uplink())
    offline = [message for message in plant.subscriber.on("status") if message.json()["state"] == "offline"]
    check(offline and offline[0].json()["why"] == "connection lost", "subscribers saw the will", offline)
    words = plant.drill("--minutes", "0.02").stdout
    check(re.search(r"After 0\.02 minutes without the broker \d+ events? had waited\.\nThe uplink's next attempt came "
                    r"\d+\.\d s later; \d+\.\d s after it all had arrived\.", words), "in words", words)
    plant.finish()
    return json.dumps(end)


def a_drill_that_is_ended_gives_the_uplink_back(site):
    plant = Plant(site)
    process = site.start("drill", program("sluice"), "drill", "--config", plant.gateway.config_path, "--socket",
                         plant.gateway.socket, "--minutes", "5")
    wait_for(lambda: "drill" in plant.gateway.uplink()["error"], 20, "the uplink is cut off")
    check(not plant.gateway.is_online(), "it is not online")
    process.signal(signal.SIGINT)
    plant.gateway.wait_online()
    check(process.popen.wait(20) == EXIT_SYSTEM and "before its time" in process.log(), "its words", process.log())
    plant.finish()


def a_drill_at_the_command_line_is_followed_as_a_job(site):
    """With all that it prints; one that is refused is none, and whoever looks at the jobs may end it."""
    plant = Plant(site)
    api = Api(plant.gateway)

    def start(name, minutes):
        return site.start(name, program("sluice"), "drill", "--config", plant.gateway.config_path, "--socket", plant.gateway.socket, "--minutes", minutes, "--json")

    def running():
        return [job for job in api.get("/api/v1/jobs")["jobs"] if job["running"]]
    drill = start("drill", "0.1")
    job, = wait_for(running, 20, "it is a job")
    check((job["kind"], job["of"]) == ("drill", "cloud") and f"sluice drill (process {drill.popen.pid})" in job["by"], "whose job it is", job)
    check(plant.drill("--minutes", "0.02").returncode == EXIT_SYSTEM and len(api.get("/api/v1/jobs")["jobs"]) == 1, "a second one is none", api.get("/api/v1/jobs"))
    check(drill.popen.wait(60) == EXIT_OK, "it ends", drill.log())
    kept = api.get("/api/v1/jobs/" + job["job"])
    said = [json.loads(line) for line in drill.log().splitlines() if line.startswith("{")]
    check((kept["running"], kept["exit"]) == (False, 0) and kept["lines"] == said and said[-1]["phase"] == "end", "what is told of it", kept, said)
    drill = start("another", "5")
    job, = wait_for(running, 20, "another one")
    check(api.ask("DELETE", "/api/v1/jobs/" + job["job"]).status == 200, "somebody ends it")
    check(drill.popen.wait(20) == EXIT_SYSTEM and "ended before its time" in drill.log(), "it hears of that", drill.log())
    kept = api.get("/api/v1/jobs/" + job["job"])
    check(not kept["running"] and kept["exit"] == EXIT_SYSTEM and kept["words"], "how it ended", kept)
    # One that the gateway runs itself is not told of besides.
    number = api.ask("POST", "/api/v1/jobs", {"kind": "drill", "uplink": "cloud", "minutes": 1}).json["job"]
    wait_for(lambda: api.get("/api/v1/jobs/" + number)["lines"], 20, "it cuts")
    check([job["job"] for job in running()] == [number], "its own job alone", api.get("/api/v1/jobs"))
    api.ask("DELETE", "/api/v1/jobs/" + number)
    wait_for(lambda: not running(), 20, "it ends")
    plant.finish()


def a_hold_ends_by_itself_and_is_bounded(site):
    plant = Plant(site)
    api = Api(plant.gateway)
    check(api.ask("POST", "/api/v1/uplinks/cloud/hold?for_ms=1500").status == 200, "a short hold")
    wait_for(lambda: not plant.gateway.is_online(), 10, "the uplink is cut off")
    plant.gateway.wait_online()
    for query, status in (("for_ms=60001", 400), ("for_ms=-1", 400), ("", 400)):
        check(api.ask("POST", "/api/v1/uplinks/cloud/hold?" + query).status == status, "refused", query)
    check(api.ask("POST", "/api/v1/uplinks/claud/hold?for_ms=1").status == 404, "no such uplink")
    check(plant.drill("--minutes", "none").returncode == EXIT_USAGE, "minutes that are none")
    plant.finish()


def a_second_drill_of_an_uplink_is_refused_and_the_first_goes_on(site):
    plant = Plant(site)
    first = site.start("drill", program("sluice"), "drill", "--config", plant.gateway.config_path, "--socket",
                       plant.gateway.socket, "--minutes", "0.2", "--json")
    wait_for(lambda: not plant.gateway.is_online(), 20, "the uplink is cut off")
    second = plant.drill("--minutes", "0.02")
    check(second.returncode == EXIT_SYSTEM and second.stdout == "", "the second", second.returncode, second.stdout)
    check(f"runs already: process {first.popen.pid}, since 20" in second.stderr, "who runs the first", second.stderr)
    check("drill" in plant.gateway.uplink()["error"], "it is still cut off", plant.gateway.uplink())
    check(plant.gateway.uplink()["drill"].startswith(f"process {first.popen.pid}, since 20"), "the status says who drills", plant.gateway.uplink())
    check(first.popen.wait(60) == EXIT_OK, "the first", first.log())
    check("drill" not in plant.gateway.uplink(), "nobody does any more", plant.gateway.uplink())
    check(plant.gateway.uplink()["connects"] == 2, "one connection before and one after", plant.gateway.uplink())
    check(plant.drill("--minutes", "0.02").returncode == EXIT_OK, "the next one may, as soon as the first is over")
    plant.finish()


def an_uplink_that_one_has_for_himself_nobody_else_holds(site):
    plant = Plant(site)
    api = Api(plant.gateway)
    hold = lambda query: api.ask("POST", "/api/v1/uplinks/cloud/hold?" + query)
    check(hold("claim_ms=60000&by=anna").status == 200, "a claim alone")
    check(plant.gateway.is_online(), "which cuts nothing")
    for query in ("for_ms=0", "for_ms=1000", "for_ms=1000&claim_ms=1000&by=bert", "claim_ms=0&by=bert"):
        refused = hold(query)
        check(refused.status == 409 and "runs already: anna." in refused.text, "refused", query, refused.text)
    check(plant.gateway.uplink()["connects"] == 1, "nothing was cut", plant.gateway.uplink())
    check(hold("for_ms=60000&claim_ms=60000&by=anna").status == 200, "it is anna's")
    wait_for(lambda: not plant.gateway.is_online(), 10, "the uplink is cut off")
    check(hold("for_ms=0&claim_ms=0&by=anna").status == 200, "given back")
    plant.gateway.wait_online()
    check(hold("claim_ms=300&by=bert").status == 200, "one for a moment")
    wait_for(lambda: hold("claim_ms=1&by=anna").status == 200, 10, "it ends by itself")
    for query in ("claim_ms=60001&by=anna", "claim_ms=1000", "claim_ms=1000&by=", "claim_ms=1&by=" + "x" * 80):
        check(hold(query).status == 400, "refused", query)
    plant.finish()


def a_user_who_may_not_read_is_told(site):
    acl = "topic readwrite #\nuser plant7\ntopic write sluice/plant7/#\n"
    plant = Plant(site, acl=acl)
    done = plant.drill("--minutes", "0.1")
    check(done.returncode == EXIT_SYSTEM and "nothing can be counted" in done.stderr, "the words", done.stderr)
    check(plant.gateway.uplink()["connects"] == 1, "nothing was cut", plant.gateway.uplink())


main(what_waits_arrives_and_nothing_is_missing, a_drill_that_is_ended_gives_the_uplink_back,
     a_drill_at_the_command_line_is_followed_as_a_job, a_hold_ends_by_itself_and_is_bounded, a_second_drill_of_an_uplink_is_refused_and_the_first_goes_on,
     an_uplink_that_one_has_for_himself_nobody_else_holds, a_user_who_may_not_read_is_told)
