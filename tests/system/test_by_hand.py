#!/usr/bin/python3
"""A gateway that somebody starts by hand beside the service, or in its place."""
import os
import pwd
import subprocess

from harness import EXIT_SYSTEM, Api, Gateway, ModbusTcp, Skip, check, main, program, wait_for

RENAME = [{"at": ["gateway", "name"], "set": "Boiler house"}]
SERVICE = "nobody"


def files(*folders):
    """What lies in the folders: whose, with which rights, and what is in it."""
    found = {}
    for folder in folders:
        for place, names, leaves in os.walk(folder):
            for name in names + leaves:
                path = os.path.join(place, name)
                about = os.lstat(path)
                content = None
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = (about.st_uid, about.st_mode, content)
    return found


def a_second_one_changes_nothing(site):
    """Not even a change that waits to be confirmed, which a gateway takes back at its start."""
    etc = site.path("etc")
    os.mkdir(etc)
    gateway = Gateway(site, [], [], [])
    os.rename(gateway.config_path, os.path.join(etc, "sluice.json"))
    gateway.config_path = os.path.join(etc, "sluice.json")
    gateway.start()
    api = Api(gateway)
    answer = api.ask("POST", "/api/v1/config/apply", {"base": api.get("/api/v1/config")["revision"], "edits": RENAME, "confirm_s": 60})
    check(answer.status == 200, "a change on trial", answer.text)
    before = files(etc, gateway.state)
    for journal in (gateway.journal, site.path("other")):
        done = subprocess.run([program("sluiced"), "--config", gateway.config_path, "--journal", journal, "--state", gateway.state,
                               "--socket", site.path("second.sock")], stderr=subprocess.PIPE, text=True, timeout=30)
        check(done.returncode == EXIT_SYSTEM and "another sluiced" in done.stderr, "the second one", done)
    after = files(etc, gateway.state)
    check({path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} <= {os.path.join(gateway.state, "clock")},
          "what it changed", [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)])
    # One with a state of its own runs, and leaves the change alone.
    other = Gateway(site, [], [], [], prefix="other-")
    other.config_path = gateway.config_path
    other.start()
    other.stop()
    check("on trial in another gateway" in other.process.log(), "it tells so", other.process.log())
    check({path: about for path, about in files(etc).items()} == {path: about for path, about in before.items() if path.startswith(etc)}, "the files")
    answer = api.ask("POST", "/api/v1/config/confirm", {"change": answer.json["change"]})
    check(answer.status == 200, "the change is confirmed", answer.text)
    with open(gateway.config_path) as file:
        check("Boiler house" in file.read(), "and stays")
    gateway.stop()


def what_root_leaves_behind_is_the_services(site):
    if os.geteuid():
        raise Skip("only root gives files away")
    service = pwd.getpwnam(SERVICE)
    home = site.path("home")
    os.mkdir(home)
    os.chmod(site.folder, 0o755)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter1", 1, "20ms")], [], web=True)
    os.rmdir(gateway.journal)
    gateway.journal, gateway.state, gateway.socket = (os.path.join(home, *parts) for parts in (("data", "journal"), ("state",), ("api.sock",)))
    os.chown(home, service.pw_uid, service.pw_gid)
    gateway.start()  # by root
    api = Api(gateway)
    answer = api.ask("POST", "/api/v1/config/apply", {"base": api.get("/api/v1/config")["revision"], "edits": RENAME, "confirm_s": 60})
    check(answer.status == 200 and api.ask("POST", "/api/v1/config/confirm", {"change": answer.json["change"]}).status == 200, "a change", answer.text)
    wait_for(lambda: gateway.status()["journal"]["stored"] > 10, 20, "something is stored")
    gateway.stop()
    check([path for path, (owner, _, _) in files(home).items() if owner != service.pw_uid] == [], "what is root's", files(home).keys())
    gateway.start(before=["setpriv", "--reuid", SERVICE, "--regid", str(service.pw_gid), "--clear-groups"])
    wait_for(lambda: gateway.status()["journal"]["stored"] > 20, 20, "the service goes on")
    gateway.stop()


main(a_second_one_changes_nothing, what_root_leaves_behind_is_the_services)
