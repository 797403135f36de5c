#!/usr/bin/python3
"""What the API says of the machine is what the machine's own programs say."""
import json
import os
import socket
import subprocess

from harness import Gateway, ModbusTcp, check, main, wait_for
from harness.api import Api
from harness.site import Failure, is_in_chroot


def the_machine_is_told_as_it_is(site):
    gateway = Gateway(site, [], [], [], gateway={"timezone": "Europe/Berlin"}).start()
    told = Api(gateway).get("/api/v1/system")
    uname = os.uname()
    check(told["host"] == uname.nodename and told["machine"]["arch"] == uname.machine and
          told["machine"]["kernel"] == uname.release, "who it is", told["machine"])
    check(told["machine"]["processors"] == os.cpu_count(), "processors", told["machine"])
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    check(abs(told["machine"]["memory_bytes"] - total) < total / 20, "memory", told["machine"], total)
    check(told["time"]["timezone"] == "Europe/Berlin", "the time zone", told["time"])
    names = sorted(name for _, name in socket.if_nameindex() if name != "lo")
    check(sorted(each["name"] for each in told["network"]["interfaces"]) == names, "interfaces", told["network"], names)
    return json.dumps(told["machine"])


def the_storage_is_that_of_the_journal(site):
    gateway = Gateway(site, [], [], []).start()
    told = Api(gateway).get("/api/v1/system")["storage"]
    room = os.statvfs(gateway.journal)
    check(told["size_bytes"] == room.f_blocks * room.f_frsize, "its size", told)
    kind = subprocess.run(["df", "--output=fstype", gateway.journal], capture_output=True, text=True, check=True).stdout.split()[-1]
    check(told["filesystem"] == ("" if is_in_chroot() else kind), "its filesystem", told, kind)
    check(told["path"] == gateway.journal, "its path", told)


def a_restart_takes_the_file_as_it_is(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], []).start()
    api = Api(gateway)
    site.wait_values(5)
    before = gateway.status()
    check(api.ask("POST", "/api/v1/restart").status == 202, "it restarts")
    wait_for(lambda: configured_at(gateway) > before["config"]["since"], 20, "it has restarted")
    check(gateway.status()["journal"]["epoch"] == before["journal"]["epoch"], "an orderly stop", gateway.status()["journal"])
    noted = [event for event in gateway.replay("--kind", "config") if "did=restarted" in json.dumps(event)]
    check(len(noted) == 1, "the audit trail", noted)
    with open(gateway.config_path, "a") as file:
        file.write("nonsense")
    answer = api.ask("POST", "/api/v1/restart")
    check(answer.status == 400 and "sluice.json" in answer.text, "a file with mistakes", answer.status, answer.text)
    check(gateway.status()["config"]["since"] > before["config"]["since"], "it runs on")


def configured_at(gateway):
    try:
        return gateway.status()["config"]["since"]
    except Failure:  # between two lives nobody answers
        return 0


main(the_machine_is_told_as_it_is, the_storage_is_that_of_the_journal, a_restart_takes_the_file_as_it_is)
