#!/usr/bin/python3
"""The uplink doctor names the step that fails, and what to do, on real brokers that are wrong in one way each."""
import http.server
import json
import threading

from harness import (EXIT_FAILED, EXIT_OK, EXIT_USAGE, Authority, Broker, Gateway, ModbusTcp, Subscriber, check, free_port,
                     main, sluice, wait_for)
from harness.api import Api

STEPS = ["interface", "name", "tcp", "proxy", "clock", "tls", "certificate", "connect", "permission", "answer", "end"]
EVERYBODY = "topic readwrite #\n"
NOT_FOR_US = EVERYBODY + "user plant7\ntopic readwrite sluice/plant7/status\n"


def configured(site, uplink, prefix=""):
    """A gateway that was never started: its configuration file is what the doctor reads."""
    hall = ModbusTcp(site, prefix + "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [uplink], prefix=prefix)
    gateway.write()
    return gateway


def examine(gateway, status, *arguments):
    """What the doctor found, by step."""
    done = sluice("doctor", "--json", "--config", gateway.config_path, "--socket", gateway.socket, *arguments)
    check(done.returncode == status, "exit status", done.returncode, done.stdout, done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check([line["step"] for line in lines] == STEPS, "the steps", lines)
    return {line["step"]: line for line in lines}


def fails_at(gateway, step, *words):
    found = examine(gateway, EXIT_FAILED)
    check(found["end"]["failed"] == step and found[step]["verdict"] == "failed", "the step that fails", found)
    for word in words:
        check(word in found[step]["found"] + found[step]["next"], "the words", word, found[step])
    later = STEPS[STEPS.index(step) + 1:-1]
    check(all(found[name]["verdict"] == "skipped" for name in later), "what comes after it", found)


def a_way_that_works_is_shown_step_by_step(site):
    for version in ("5", "3.1.1"):
        broker = Broker(site, name="broker" + version)
        gateway = configured(site, broker.uplink(version=version), prefix="v%s-" % version[0])
        found = examine(gateway, EXIT_OK)
        check(found["tls"]["verdict"] == "ok" and "TLSv1" in found["tls"]["found"], "TLS", found)
        check(version in found["connect"]["found"], "the version", found)
        check(found["permission"]["verdict"] == "ok" and "ms" in found["answer"]["found"], "permission", found)
        text = sluice("doctor", "--config", gateway.config_path, "--socket", gateway.socket).stdout
        check("cloud works" in text, "the words for a person", text)


def a_certificate_of_its_own_that_ends_soon_is_told_in_days(site):
    broker = Broker(site)
    for days, left in ((1, "for 1 day"), (2, "for 2 days")):
        uplink = broker.uplink()
        uplink["tls"]["cert"], uplink["tls"]["key"] = broker.authority.issue("soon%d" % days, days=days)
        found = examine(configured(site, uplink, prefix="d%d-" % days), EXIT_OK)["certificate"]
        check(found["verdict"] == "warning" and found["found"].endswith(left) and "renew" in found["next"], found)


def an_uplink_that_is_connected_stays_so(site):
    broker = Broker(site)
    subscriber = Subscriber(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="100ms")], [broker.uplink()]).start()
    gateway.wait_online()
    # The daemon's own configuration is looked at where none is named.
    told = gateway.cli("doctor")
    check(told.returncode == EXIT_OK and "cloud works" in told.stdout, "without --config", told.stdout, told.stderr)
    found = examine(gateway, EXIT_OK)
    check("guest" in found["connect"]["found"], "it came as a guest", found)
    check(gateway.uplink()["connects"] == 1 and gateway.is_online(), "the uplink was not disturbed", gateway.uplink())
    unasked = sluice("doctor", "--json", "--config", gateway.config_path, "--socket", site.path("nobody.sock"))
    check("guest" in unasked.stdout and gateway.uplink()["connects"] == 1, "nor by one that cannot ask", unasked.stdout)
    api = Api(gateway)
    answer = api.ask("POST", "/api/v1/jobs", {"kind": "doctor", "uplink": "cloud"})
    check(answer.status == 202, "as a job", answer.text)
    path = "/api/v1/jobs/" + answer.json["job"]
    wait_for(lambda: not api.get(path)["running"], 30, "the job ends")
    check(api.get(path)["lines"][-1]["verdict"] in ("ok", "warning"), "what the job found")
    check(subscriber.on("status"), "the subscriber is there")


def another_file_is_not_judged_by_what_runs(site):
    """The uplink that runs is connected; a file that has lost its TLS would not be."""
    broker = Broker(site)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()]).start()
    gateway.wait_online()
    with open(gateway.config_path) as text:
        other = json.load(text)
    other["uplinks"][0]["url"] = other["uplinks"][0]["url"].replace("mqtts://", "mqtt://")
    del other["uplinks"][0]["tls"]
    path = site.write("other.json", json.dumps(other))
    done = sluice("doctor", "--json", "--config", path, "--socket", gateway.socket)
    lines = {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}
    check(done.returncode == EXIT_FAILED and lines["end"]["failed"] == "connect", "the other file", done.stdout)
    check(gateway.is_online() and gateway.uplink()["connects"] == 1, "the uplink was not disturbed", gateway.uplink())


def each_fault_has_its_step_and_its_words(site):
    broker = Broker(site)
    nobody = broker.uplink(id="cloud")
    nobody["url"] = "mqtts://127.0.0.1:%d" % free_port()
    fails_at(configured(site, nobody, "a-"), "tcp", "nothing listens", "8883")

    unknown = broker.uplink(id="cloud")
    unknown["url"] = "mqtts://no-such-host.invalid:8883"
    fails_at(configured(site, unknown, "b-"), "name", "no-such-host.invalid")

    stranger = Authority(site.folder, "stranger")
    wrong_ca = broker.uplink(id="cloud")
    wrong_ca["tls"] = {**wrong_ca["tls"], "ca": stranger.path}
    fails_at(configured(site, wrong_ca, "c-"), "tls", "CA")

    expired = Broker(site, name="expired", server=lambda ca: ca.issue("expired-server", expired=True))
    fails_at(configured(site, expired.uplink(), "d-"), "tls", "expired")


class Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass


class QuietServer(http.server.HTTPServer):
    def handle_error(self, request, client_address):
        pass  # whoever speaks TLS to it hangs up


def a_web_server_is_told_from_a_broker(site):
    server = QuietServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "127.0.0.1:%d" % server.server_address[1]
    fails_at(configured(site, {"id": "cloud", "url": "mqtts://" + url}, "a-"), "tls", "web server", "proxy")
    fails_at(configured(site, {"id": "cloud", "url": "mqtt://" + url}, "b-"), "connect", "web server")
    server.shutdown()
    server.server_close()


def an_access_list_is_named_with_what_to_allow(site):
    for version in ("5", "3.1.1"):
        broker = Broker(site, acl=NOT_FOR_US, name="broker" + version)
        gateway = configured(site, broker.uplink(version=version), prefix="v%s-" % version[0])
        found = examine(gateway, EXIT_FAILED)
        check(found["end"]["failed"] == "permission", "the step", found)
        check("sluice/plant7/#" in found["permission"]["next"], "what to allow", found)


def an_unknown_uplink_is_told_with_the_nearest(site):
    gateway = configured(site, Broker(site).uplink())
    done = sluice("doctor", "--config", gateway.config_path, "claud")
    check(done.returncode == EXIT_USAGE and 'did you mean "cloud"' in done.stderr, "the words", done.stderr)


main(a_way_that_works_is_shown_step_by_step, a_certificate_of_its_own_that_ends_soon_is_told_in_days,
     an_uplink_that_is_connected_stays_so, another_file_is_not_judged_by_what_runs,
     each_fault_has_its_step_and_its_words, a_web_server_is_told_from_a_broker,
     an_access_list_is_named_with_what_to_allow, an_unknown_uplink_is_told_with_the_nearest)
