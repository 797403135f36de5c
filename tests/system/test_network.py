#!/usr/bin/python3
"""The network's settings with the real systemd-networkd, on an interface of a network of the test's own."""
import json
import os
import shutil
import subprocess
import sys
import threading

from harness import Api, Gateway, Skip, check, main, program, wait_for

NETWORKD = "/lib/systemd/systemd-networkd"
BROWSER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../browser")
PASSWORD = "a few words are better"
INSIDE = "SLUICE_NETWORK_OF_ITS_OWN"
SLUICE = program("sluice")


def run(*command, may_fail=False):
    done = subprocess.run(command, capture_output=True, text=True)
    check(may_fail or done.returncode == 0, " ".join(command), done.returncode, done.stderr)
    return done


class Machine:
    """An interface eth0, who manages it, and root's part of what the gateway asks for, as the unit sluice-wish.path runs it."""

    def __init__(self, site, **more):
        self.processes = []
        self.words = open(site.path("network.log"), "w")
        self.ended = threading.Event()
        self.root = threading.Thread(target=self._carry_out)
        self.gateway = Gateway(site, [], [], [], **more)
        self.api = Api(self.gateway)
        self.wishes = os.path.join(os.path.dirname(self.gateway.socket), "wish")

    def __enter__(self):
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
        run("ip", "link", "set", "far0", "up")
        run("ip", "link", "set", "lo", "up")
        for folder in ("dbus", "systemd/network", "systemd/netif/links", "systemd/netif/leases"):
            os.makedirs("/run/" + folder)
        run("chown", "-R", "systemd-network", "/run/systemd/netif")
        with open("/run/systemd/network/80-wired.network", "w") as file:
            file.write("[Match]\nName=eth0\n[Network]\nLinkLocalAddressing=no\nAddress=10.9.8.7/24\n")
        os.mkdir(self.wishes)
        self._start("dbus-daemon", "--system", "--nofork", "--nopidfile")
        wait_for(lambda: os.path.exists("/run/dbus/system_bus_socket"), 10, "the bus")
        self._start(NETWORKD)
        self.wait_address("10.9.8.7/24", "networkd has set the interface up")
        self.gateway.start()
        self.root.start()
        return self

    def _start(self, *command):
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.words))

    def _carry_out(self):
        while not self.ended.wait(0.02):
            if os.path.exists(os.path.join(self.wishes, "network")):
                subprocess.run([SLUICE, "wishes", self.wishes, "--state", self.gateway.state], stdout=subprocess.DEVNULL)

    def end_root(self):
        self.ended.set()
        if self.root.ident:
            self.root.join()

    def __exit__(self, *failure):
        if not failure[0]:
            self.gateway.stop()
        self.end_root()
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.words.close()
        run("ip", "link", "delete", "eth0")
        shutil.rmtree("/run/systemd")
        shutil.rmtree("/run/dbus")

    @staticmethod
    def addresses():
        known = json.loads(run("ip", "-j", "-4", "addr", "show", "eth0").stdout)
        return ["%s/%d" % (one["local"], one["prefixlen"]) for one in known[0].get("addr_info", [])] if known else []

    def network(self, *words, may_fail=False):
        return run(SLUICE, "network", *words, "--socket", self.gateway.socket, may_fail=may_fail)

    def wait_address(self, address, why):
        wait_for(lambda: address in self.addresses(), 20, why)


def an_address_is_set_and_kept_when_it_is_confirmed(site):
    with Machine(site) as it:
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
        run("rm", "/run/systemd/network/40-sluice-eth0.network")
        run(SLUICE, "network", "apply", it.gateway.state, "--starting")
        check(os.path.exists("/run/systemd/network/40-sluice-eth0.network"), "made anew at a start")
        it.network("reset", "eth0")
        it.wait_address("10.9.8.7/24", "as the system has it")
        it.network("confirm")
        check(not os.path.exists("/run/systemd/network/40-sluice-eth0.network"), "nothing of ours is left")

        def noted():
            return [event["v"] for event in it.gateway.replay("--kind", "config") if "network-" in json.dumps(event)]

        wait_for(lambda: len(noted()) == 4, 10, "the audit trail")
        check("uid" in json.dumps(noted()), "who it was", noted())


def a_change_goes_back_when_nobody_confirms_it(site):
    with Machine(site) as it:
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
    with Machine(site) as it:
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
    with Machine(site, web=True) as it:
        code = it.api.get("/api/v1/setup")["code"]
        done = it.api.ask("POST", "/api/v1/setup", {"code": code, "name": "owner", "password": PASSWORD}, {"Content-Type": "application/json"})
        check(done.status == 200, "setup", done.text)
        walk = subprocess.run(["node", os.path.join(BROWSER, "walk_network.mjs")], capture_output=True, text=True, timeout=200,
                              env=dict(os.environ, SLUICE_PAGE=it.gateway.url, SLUICE_PASSWORD=PASSWORD))
        check(walk.returncode == 0, "the walk", walk.stdout[-3000:], walk.stderr[-1000:])
        it.wait_address("192.168.7.20/24", "what was kept stays")
    return None


def inside():
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    # Without udev, networkd waits for nobody where /sys cannot be written.
    run("mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys")
    main(an_address_is_set_and_kept_when_it_is_confirmed, a_change_goes_back_when_nobody_confirms_it, what_cannot_be_set_is_told,
         the_page_sets_an_address)


def no_network_of_its_own(_site):
    raise Skip("systemd-networkd with a network of its own needs root, systemd, dbus-daemon and iproute2")


if os.environ.get(INSIDE):
    inside()
elif (os.geteuid() == 0 and os.path.exists(NETWORKD) and all(map(shutil.which, ("unshare", "dbus-daemon", "ip", "networkctl"))) and
      subprocess.run(["unshare", "-n", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0):
    os.execvpe("unshare", ["unshare", "-n", "-m", "--propagation", "private", sys.executable, "-B", *sys.argv],
               dict(os.environ, **{INSIDE: "yes"}))
else:
    main(no_network_of_its_own)
