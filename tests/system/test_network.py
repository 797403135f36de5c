#!/usr/bin/python3
"""The network's settings with the real systemd-networkd, on an interface of a network of the test's own."""
import json
import os
import subprocess

from harness import check, wait_for
from harness.machine import SLUICE, Machine, Networkd, in_a_network_of_its_own, run

BROWSER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../browser")
PASSWORD = "a few words are better"


def an_address_is_set_and_kept_when_it_is_confirmed(site):
    with Machine(site, Networkd) as it:
        check("nothing is set here" in it.network().stdout, "at first")
        told = it.network("set", "eth0", "192.168.7.20/24", "--router", "192.168.7.1", "--dns", "192.168.7.1,192.168.7.2").stdout
        check("static 192.168.7.20/24, router 192.168.7.1, name servers 192.168.7.1, 192.168.7.2" in told and
              "sluice network confirm" in told, told)
        it.wait_address("192.168.7.20/24", "the address is in force")
        wait_for(lambda: sorted(it.addresses()) == ["169.254.77.77/16", "192.168.7.20/24"], 20, "the one of its own for a cable, too")
        it.network("confirm")
        check(it.network("confirm", may_fail=True).returncode != 0, "confirmed twice")
        it.gateway.stop()
        it.gateway.start()
        known = it.api.get("/api/v1/network")
        check(known["pending"] is None and known["interfaces"][0]["address"] == "192.168.7.20/24", known)
        check("192.168.7.20/24" in it.addresses(), "it stays", it.addresses())
        # What the machine's next start does before anything else.
        run("rm", it.file())
        run(SLUICE, "network", "apply", it.gateway.state, "--starting")
        check(os.path.exists(it.file()), "made anew at a start")
        it.network("reset", "eth0")
        it.wait_address("10.9.8.7/24", "as the system has it")
        it.network("confirm")
        check(not os.path.exists(it.file()), "nothing of ours is left")

        def noted():
            return [event["v"] for event in it.gateway.replay("--kind", "config") if "network-" in json.dumps(event)]

        wait_for(lambda: len(noted()) == 4, 10, "the audit trail")
        check("uid" in json.dumps(noted()), "who it was", noted())


def a_change_goes_back_when_nobody_confirms_it(site):
    with Machine(site, Networkd) as it:
        wrong = it.api.ask("PUT", "/api/v1/network/eth0?confirm_s=5", {"method": "static", "address": "172.16.0.9/16"})
        check(wrong.status == 200 and wrong.json["pending"]["until"], wrong.text)
        it.wait_address("172.16.0.9/16", "in force")
        second = it.api.ask("PUT", "/api/v1/network/eth0", {"method": "dhcp"})
        check(second.status == 409 and "waits to be confirmed" in second.json["error"], second.text)
        it.wait_address("10.9.8.7/24", "it goes back by itself")
        wait_for(lambda: it.api.get("/api/v1/network")["pending"] is None, 10, "nothing is pending")
        check("nobody confirmed" in it.api.get("/api/v1/network")["why"], it.api.get("/api/v1/network"))
        # After a power cut, too, and at once when it is asked for.
        it.network("set", "eth0", "172.16.0.9/16")
        it.wait_address("172.16.0.9/16", "in force")
        it.gateway.kill()
        it.gateway.start()
        it.wait_address("10.9.8.7/24", "it goes back at the start")
        it.network("set", "eth0", "172.16.0.9/16")
        it.network("revert")
        it.wait_address("10.9.8.7/24", "it is taken back")


def what_cannot_be_set_is_told(site):
    with Machine(site, Networkd) as it:
        for name, body, status, words in (("eth0", {"method": "static", "address": "1.2.3.4"}, 400, "with its prefix"),
                                          ("eth0", {"passphrase": 5}, 200, ""),
                                          ("none0", {}, 404, "no such network interface"), ("lo", {}, 409, "none of a cable"),
                                          ("..", {}, 404, ""), ("eth0;id", {}, 404, "no such network interface")):
            answer = it.api.ask("PUT", "/api/v1/network/" + name, body)
            check(answer.status == status and words in answer.text, name, body, answer.status, answer.text)
        it.network("revert")
        check(it.api.ask("PUT", "/api/v1/network/eth0?confirm_s=1", {}).status == 400, "too short")
        check(it.api.ask("DELETE", "/api/v1/network/eth0").status == 404, "nothing was set")
        check(it.api.ask("POST", "/api/v1/network/revert", {}).status == 404, "nothing is pending")
        # Where nobody carries wishes out, nothing has changed afterwards.
        it.end_root()
        before = it.api.get("/api/v1/network")["interfaces"]
        answer = it.api.ask("PUT", "/api/v1/network/eth0", {"method": "dhcp"})
        check(answer.status == 409 and "sluice-wish.path" in answer.json["error"], answer.text)
        check(it.api.get("/api/v1/network")["interfaces"] == before, "as before")


def the_page_sets_an_address(site):
    if not os.path.exists("/usr/bin/chromium") or not os.path.isdir(os.path.join(BROWSER, "node_modules")):
        return "without the page: Chromium or what drives it is missing"
    with Machine(site, Networkd, web=True) as it:
        code = it.api.get("/api/v1/setup")["code"]
        done = it.api.ask("POST", "/api/v1/setup", {"code": code, "name": "owner", "password": PASSWORD}, {"Content-Type": "application/json"})
        check(done.status == 200, "setup", done.text)
        walk = subprocess.run(["node", os.path.join(BROWSER, "walk_network.mjs")], capture_output=True, text=True, timeout=200,
                              env=dict(os.environ, SLUICE_PAGE=it.gateway.url, SLUICE_PASSWORD=PASSWORD))
        check(walk.returncode == 0, "the walk", walk.stdout[-3000:], walk.stderr[-1000:])
        it.wait_address("192.168.7.20/24", "what was kept stays")
    return None


in_a_network_of_its_own(Networkd, an_address_is_set_and_kept_when_it_is_confirmed, a_change_goes_back_when_nobody_confirms_it,
                        what_cannot_be_set_is_told, the_page_sets_an_address)
