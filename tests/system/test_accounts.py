#!/usr/bin/python3
"""Accounts and tokens on the machine itself, and what a power cut leaves of them."""
import json
import os
import random
import re
import threading
import time

from harness import EXIT_FAILED, EXIT_OK, EXIT_USAGE, LONG, Gateway, check, main, sluice
from harness.disk import Disk

PASSWORD = "three plain words\n"
ROUNDS = 40 if LONG else 6
SEED = int(os.environ.get("SLUICE_SEED") or random.randrange(1 << 31))


def names_of(gateway, command):
    done = gateway.cli(command, "--json")
    check(done.returncode == EXIT_OK, "sluice " + command, done.stderr)
    return [entry["name"] for entry in json.loads(done.stdout)[command]]


def what_was_acknowledged_survives_a_power_cut(site):
    print("SLUICE_SEED=%d" % SEED)
    chance = random.Random(SEED)
    disk = Disk(site)
    gateway = Gateway(site, [], [], [])
    state = os.path.join(disk.path, "state")
    arguments = ("--state", state)
    gateway.start(arguments=arguments)
    done = gateway.cli("password", "owner", "--role", "owner", input=PASSWORD)
    check(done.returncode == EXIT_OK, "sluice password", done.stderr)
    known, made = [], 0

    for _ in range(ROUNDS):
        acknowledged, over = [], threading.Event()

        def change():
            number = made
            while not over.is_set() and number < made + 8:
                name = "t%d" % number
                if gateway.cli("tokens", "add", name, "viewer").returncode != EXIT_OK:
                    return
                acknowledged.append(name)
                number += 1
        changer = threading.Thread(target=change)
        changer.start()
        time.sleep(chance.random() * 0.5)  # the moment of the cut
        disk.cut()
        over.set()
        gateway.kill()
        changer.join()
        disk.again()
        gateway.start(arguments=arguments)
        check("cannot be read" not in gateway.process.log(), "the accounts are damaged", gateway.process.log()[-2000:])
        check(names_of(gateway, "accounts") == ["owner"], "the owner is gone")
        found = names_of(gateway, "tokens")
        lost = [name for name in known + acknowledged if name not in found]
        check(not lost, "acknowledged, and gone", lost, found)
        extra = [name for name in found if name not in known + acknowledged]
        check(len(extra) <= 1, "more than what was under way", extra)
        check(os.stat(os.path.join(state, "accounts.json")).st_mode & 0o777 == 0o600, "rights of the file")
        for name in found[:-1]:
            gateway.cli("tokens", "remove", name)
        known = found[-1:]
        made += 10
    gateway.stop()
    disk.run("umount", disk.path)


def the_first_visitor_s_code_is_shown_until_there_is_an_owner(site):
    gateway = Gateway(site, [], [], []).start()
    done = gateway.cli("setup")
    check(re.fullmatch(r"[A-Z2-9]{4}-[A-Z2-9]{4}\n", done.stdout), "the code", done.stdout, done.stderr)
    gateway.kill()
    gateway.start()
    check(gateway.cli("setup").stdout == done.stdout, "another code after a restart")
    check("none yet" in gateway.cli("accounts").stderr, "no accounts")
    check(gateway.cli("password", "anna", input=PASSWORD).returncode == EXIT_USAGE, "no role is named")
    check(gateway.cli("password", "anna", "--role", "viewer", input=PASSWORD).returncode == EXIT_USAGE,
          "the first one is no owner")
    check(gateway.cli("password", "anna", "--role", "owner", input=PASSWORD).returncode == EXIT_OK, "an owner is made")
    done = gateway.cli("setup")
    check(done.returncode == EXIT_FAILED and "owner already" in done.stderr, "the code is used up", done.stderr)
    gateway.stop()


def accounts_are_managed_on_the_machine(site):
    gateway = Gateway(site, [], [], []).start()
    gateway.cli("password", "owner", "--role", "owner", input=PASSWORD)
    done = gateway.cli("password", "owner", input="short\n")
    check(done.returncode == EXIT_USAGE and "at least 10" in done.stderr, "a short one", done.returncode, done.stderr)
    check(gateway.cli("accounts", "add", "ben", "operator", input=PASSWORD).returncode == EXIT_OK, "add")
    check(gateway.cli("accounts", "add", "Ben", "operator", input=PASSWORD).returncode == EXIT_USAGE, "no name")
    done = gateway.cli("accounts", "add", "eve", "king", input=PASSWORD)
    check(done.returncode == EXIT_USAGE and 'a role is viewer, operator or owner; found "king"' in done.stderr, "no role",
          done.stderr)
    check(gateway.cli("accounts", "role", "ben", "viewer").returncode == EXIT_OK, "role")
    check(re.fullmatch(r"owner +owner\nben +viewer\n", gateway.cli("accounts").stdout), "the list",
          gateway.cli("accounts").stdout)
    done = gateway.cli("accounts", "remove", "owner")
    check(done.returncode == EXIT_USAGE and "no owner would be left" in done.stderr, "the last owner", done.stderr)
    check(gateway.cli("accounts", "remove", "ben").returncode == EXIT_OK, "remove")
    check(gateway.cli("accounts", "remove", "ben").returncode == EXIT_USAGE, "remove again")
    done = gateway.cli("tokens", "add", "grafana", "viewer")
    check(re.fullmatch("[0-9a-f]{64}\n", done.stdout), "the token", done.stdout, done.stderr)
    check(done.stdout.strip() not in open(site.path("state", "accounts.json")).read(), "the token is kept as it is")
    check(names_of(gateway, "tokens") == ["grafana"], "tokens")
    check(sluice("tokens", "frobnicate").returncode == EXIT_USAGE, "no such word")
    trail = [event["v"] for event in gateway.replay("--kind", "config") if "did=" in str(event.get("v"))]
    did = [re.search(r"did=(\S+) by=uid%20\d+ from=socket", line) for line in trail]
    check(all(did), "the trail", trail)
    check([match[1] for match in did] == ["account-set", "account-set", "account-set", "account-removed", "token-made"],
          "the trail", trail)
    gateway.stop()


main(what_was_acknowledged_survives_a_power_cut, the_first_visitor_s_code_is_shown_until_there_is_an_owner,
     accounts_are_managed_on_the_machine)
