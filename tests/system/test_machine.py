#!/usr/bin/python3
"""What the API says of the machine is what the machine's own programs say."""
import json
import os
import socket
import subprocess

from harness import Gateway, check, main
from harness.api import Api


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
    check(told["filesystem"] == kind, "its filesystem", told, kind)
    check(told["path"] == gateway.journal, "its path", told)


main(the_machine_is_told_as_it_is, the_storage_is_that_of_the_journal)
