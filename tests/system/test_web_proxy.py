#!/usr/bin/python3
"""Uplinks through an HTTP proxy, as plants have them: TLS goes through it untouched, and what it refuses is told."""
import json
import os
import shutil
import subprocess

from harness import EXIT_CONFIG, EXIT_FAILED, EXIT_OK, Audit, Broker, Gateway, ModbusTcp, Skip, Subscriber, check, finish, free_port, main, sluice, wait_for
from harness.site import program
from harness.web_proxy import WebProxy

LOGIN = "plant7:canary-of-a-proxy"


def secret(site, login):
    path = site.write("proxy.password", login + "\n")
    os.chmod(path, 0o600)
    return path


def write(path, login):
    with open(path, "w") as file:
        file.write(login + "\n")


class Plant:
    def __init__(self, site, proxy, login=None, **uplink):
        self.broker = Broker(site)
        self.subscriber, self.audit = Subscriber(site, self.broker), Audit(site, self.broker)
        self.hall = ModbusTcp(site, "hall", ["1:meter"])
        self.login_path = secret(site, login) if login else None
        wanted = {**self.broker.uplink(linger="100ms", connect_timeout="5s", **{"retry_max": "1s", **uplink}), "proxy": proxy}
        if login:
            wanted["proxy_login_file"] = self.login_path
        self.gateway = Gateway(site, [self.hall.bus()], [self.hall.device("meter", 1, every="50ms")], [wanted]).start()

    def says(self, *words):
        def has():
            return all(word in self.gateway.uplink()["error"] for word in words)
        wait_for(has, 30, "the uplink says " + ", ".join(words))

    def is_refused(self, cause):
        wait_for(lambda: (self.gateway.uplink()["state"], self.gateway.uplink()["cause"]) == ("refused", cause), 30, "refused")

    def examine(self, status):
        done = self.gateway.cli("doctor", "--json", "cloud")
        check(done.returncode == status, "exit status", done.returncode, done.stdout, done.stderr)
        return {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}

    def finish(self):
        finish(self.gateway, [self.hall], self.subscriber, self.audit, 20)


def everything_goes_through_it(site):
    proxy = WebProxy(site)
    proxy.drip = True
    plant = Plant(site, proxy.url)
    plant.gateway.wait_online()
    check(set(proxy.asked) == {"127.0.0.1:%d" % plant.broker.tls_port} and proxy.opened, "the way", proxy.asked)
    check("TLSv1" in plant.gateway.uplink()["tls"], "encrypted from end to end", plant.gateway.uplink())
    found = plant.examine(EXIT_OK)
    check(found["proxy"]["verdict"] == "ok" and "through to 127.0.0.1" in found["proxy"]["found"], "the doctor", found["proxy"])
    check(str(proxy.port) in found["tcp"]["found"], "what is dialled is the proxy", found["tcp"])
    # Of all that stands between the two nothing is lost when it goes away for a while.
    proxy.cut()
    wait_for(lambda: plant.gateway.uplink()["connects"] >= 2 and plant.gateway.is_online(), 30, "a second way")
    plant.finish()
    return "%d ways" % proxy.opened


def a_login_is_wanted_and_given(site):
    proxy = WebProxy(site, login=LOGIN)
    plant = Plant(site, proxy.url, login="plant7:another one")
    plant.says("refuses the login", "proxy_login_file")
    plant.is_refused("refused")
    found = plant.examine(EXIT_FAILED)
    check(found["end"]["failed"] == "proxy" and found["proxy"]["found"].endswith("refuses the login"), "the doctor", found)
    check(found["proxy"]["next"] == 'check the file "proxy_login_file"', "what to do", found["proxy"])
    check(found["tls"]["verdict"] == "skipped", "what is behind it", found["tls"])
    # Read anew before each connection: no restart, and no reload.
    for unfit, words in (("plant7:" + "x" * 4096, "longer than the 4096 bytes"), ("\n" + LOGIN, "is no login")):
        write(plant.login_path, unfit)
        plant.says(plant.login_path, words)
        plant.is_refused("invalid")
        done = plant.gateway.cli("doctor", "cloud")
        check(done.returncode == EXIT_CONFIG and words in done.stderr, "the doctor says the same", done.stdout, done.stderr)
    write(plant.login_path, LOGIN)
    plant.gateway.wait_online()
    told = plant.gateway.process.log() + json.dumps(plant.gateway.status()) + plant.gateway.cli("doctor").stdout
    check("canary" not in told and "another one" not in told, "a secret is told")
    plant.finish()


def a_refused_login_is_not_spent(site):
    """Some wrong tries lock many an account: the next one comes late, but at once when the login is another one."""
    proxy = WebProxy(site, login=LOGIN)
    plant = Plant(site, proxy.url, login="plant7:another one", retry_max="1h")
    plant.is_refused("refused")
    check(10000 < plant.gateway.uplink()["next_try_ms"] <= 30000, "the next try", plant.gateway.uplink())
    site.wait_values(50)
    check(len(proxy.asked) == 1, "one try", proxy.asked)
    write(plant.login_path, LOGIN)
    plant.gateway.wait_online(8)
    plant.finish()


def what_stands_in_the_way_is_told(site):
    proxy = WebProxy(site, login=LOGIN)
    plant = Plant(site, proxy.url)
    plant.says("wants a login", "USER:PASSWORD")
    plant.is_refused("refused")
    for answer, words in ((b"HTTP/1.1 403 Forbidden\r\n\r\n", ("does not let connections through", "allowed there")),
                          (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", ("does not reach", "502")),
                          (b"HTTP/1.0 200\r\n", ("ended the connection without an answer",)),
                          (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ("is no HTTP proxy",)),
                          (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20000 + b"\r\n\r\n", ("with a head of more than 8192 bytes",)),
                          (b"", ("has not answered within 5 s",))):
        proxy.answer = answer
        plant.says(*words)
    proxy.close()
    plant.says("nothing listens at the proxy")
    found = plant.examine(EXIT_FAILED)
    check(found["end"]["failed"] == "tcp" and "3128" in found["tcp"]["next"], "the doctor", found)
    plant.gateway.stop()


def mistakes_are_told_before_it_runs(site):
    gateway = Gateway(site, [], [], [{"id": "cloud", "url": "mqtt://127.0.0.1:1"}])

    def told(**keys):
        gateway.settings["uplinks"] = [{"id": "cloud", "url": "mqtt://127.0.0.1:1", **keys}]
        gateway.write()
        return sluice("check", gateway.config_path)
    login = secret(site, LOGIN)
    for keys, words in (({"proxy": "proxy.example.com:3128"}, "does not begin with http://"),
                        ({"proxy": "http://plant7:canary@proxy:3128"}, "a file of their own (proxy_login_file)"),
                        ({"proxy": "http://proxy\r\nX:1"}, "a host has no blanks"),
                        ({"proxy": "http://proxy:99999"}, "port"),
                        ({"proxy_login_file": login}, "a login is for a proxy")):
        done = told(**keys)
        check(done.returncode == EXIT_CONFIG and words in done.stderr + done.stdout, words, done.stdout, done.stderr)
        check("canary" not in done.stderr + done.stdout, "a secret is told")
    for unfit, words in (("plant7:canary" + "x" * 4096, "longer than the 4096 bytes"), ("canary", "is no login"), ("", "is no login")):
        write(login, unfit)
        done = told(proxy="http://proxy", proxy_login_file=login)
        check(done.returncode == EXIT_CONFIG and words in done.stderr + done.stdout and login in done.stderr + done.stdout, words, done.stdout, done.stderr)
        check("canary" not in done.stderr + done.stdout, "a secret is told")
    write(login, LOGIN)
    done = told(proxy="http://[::1]:%d" % free_port(), proxy_login_file=login)
    check(done.returncode == EXIT_OK, "an address of IPv6", done.stdout, done.stderr)


def what_is_to_do_is_said_of_the_proxy(site):
    """In a network of its own, out of which no route leads: a company's, where the proxy stands in it."""
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    alone += ["sh", "-ec", 'ip link set lo up; ip address add 10.9.9.1/24 dev lo; exec "$0" doctor --json --socket nobody.sock --config "$1"', program("sluice")]

    def configured(uplink):
        return site.write("cloud.json", json.dumps({"version": 1, "gateway": {"id": "plant7"}, "uplinks": [uplink]}))

    def examine(**keys):
        uplink = {"id": "cloud", "url": "mqtt://broker.example.com", **keys}
        done = subprocess.run([*alone, configured(uplink)], capture_output=True, text=True)
        check(done.returncode == EXIT_FAILED, "exit status", done.returncode, done.stdout, done.stderr)
        return {line["step"]: line for line in map(json.loads, done.stdout.splitlines())}
    if not shutil.which("ip") or subprocess.run([*alone[:-4], "true"], capture_output=True).returncode:
        raise Skip("a network of its own needs iproute2, unshare and the right to it")
    found = examine(url="mqtt://10.9.9.1")
    check(found["interface"]["verdict"] == "warning" and "only a broker" in found["interface"]["next"], "without a proxy", found)
    found = examine(proxy="http://10.9.9.1")
    check(found["interface"]["verdict"] == "ok" and found["interface"]["found"].endswith("so the proxy must be on it"), "with one", found)
    check('"proxy" has its port' in found["tcp"]["next"], "nothing listens", found)
    found = examine(proxy="http://no-such-proxy.invalid")
    check('"proxy"' in found["name"]["next"] and '"url"' not in found["name"]["next"], "its name", found)


main(what_is_to_do_is_said_of_the_proxy, everything_goes_through_it, a_login_is_wanted_and_given, a_refused_login_is_not_spent, what_stands_in_the_way_is_told, mistakes_are_told_before_it_runs)
