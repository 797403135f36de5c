#!/usr/bin/python3
"""The figures for Prometheus, held against its own promtool."""
import re
import shutil
import subprocess

from harness import Api, Broker, Gateway, ModbusTcp, Skip, check, main, wait_for

SAMPLE = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')


def metrics(api, query=""):
    answer = api.ask("GET", "/metrics" + query)
    check(answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"), "GET /metrics",
          answer.status, answer.headers["Content-Type"])
    found = {}
    for line in answer.text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            found[name, tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))] = float(value)
    return answer.text, found


def plant(site):
    broker = Broker(site)
    hall = ModbusTcp(site, "hall", ["1-2:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1), hall.device("meter2", 2)], [broker.uplink()]).start()
    gateway.wait_online()
    return hall, gateway, Api(gateway)


def promtool_finds_nothing_to_complain_of(site):
    if not shutil.which("promtool"):
        raise Skip("promtool is not installed (package prometheus)")
    _, gateway, api = plant(site)
    site.wait_values(20)
    text, _ = metrics(api, "?points")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    check(done.returncode == 0 and not done.stdout.strip(), "promtool check metrics", done.returncode, done.stdout)
    gateway.stop()


def the_figures_are_those_of_the_status(site):
    hall, gateway, api = plant(site)
    site.wait_values(20)
    _, running = metrics(api, "?points")
    check(running["sluice_device_up", (("bus", "hall"), ("device", "meter1"))] == 1, "up")
    check(0 <= running["sluice_point_age_seconds", (("device", "meter1"), ("point", "counter"))] < 60, "the age of a point")
    check(not any(name == "sluice_point_age_seconds" for name, _ in metrics(api)[1]), "points only where they are wanted")
    hall.quiet()
    wait_for(lambda: not any(device["up"] for device in gateway.devices()), 30, "both are down")
    gateway.wait_drained()

    def agrees():
        status = gateway.status()
        _, found = metrics(api)
        device = gateway.device("meter2")
        labels = (("bus", "hall"), ("device", "meter2"))
        pairs = [(found["sluice_events_stored_total", ()], status["journal"]["stored"]),
                 (found["sluice_events_produced_total", ()], status["journal"]["produced"]),
                 (found["sluice_journal_bytes", ()], status["journal"]["bytes"]),
                 (found["sluice_consumer_acknowledged_events_total", (("consumer", "uplink/cloud"),)],
                  status["consumers"]["uplink/cloud"]["acked"]),
                 (found["sluice_uplink_backlog_events", (("uplink", "cloud"),)], status["uplinks"][0]["backlog"]),
                 (found["sluice_uplink_online", (("uplink", "cloud"),)], 1), (found["sluice_device_up", labels], 0),
                 (found["sluice_device_replies_total", labels], device["replies"]),
                 (found["sluice_device_errors_total", labels + (("kind", "exception"),)], device["exceptions"])]
        return all(told == known for told, known in pairs)
    wait_for(agrees, 30, "the metrics are what the status says")
    _, found = metrics(api)
    check(found["sluice_device_errors_total", (("bus", "hall"), ("device", "meter2"), ("kind", "timeout"))] > 0, "errors")
    check(found["sluice_info", (("configuration", gateway.status()["config"]["fingerprint"]), ("gateway", "plant7"),
                                ("version", gateway.status()["version"]))] == 1, "who it is")
    gateway.stop()


main(promtool_finds_nothing_to_complain_of, the_figures_are_those_of_the_status)
