#!/usr/bin/python3
"""Changing the configuration over the API: what is checked and told, what goes back by itself, and what is kept."""
import json
import os
import shutil
import stat
import subprocess

from harness import (EXIT_FAILED, EXIT_OK, EXIT_USAGE, Api, Broker, Gateway, Skip, check, free_port, main, program,
                     wait_for)

COMMENTED = """// The boiler house.
{
  "version": 1,
  "gateway": { "id": "plant7", "name": "Plant 7" }, // the id is for ever
  "journal": { "commit": "50ms", "keep": "256MiB" },
  "buses": [
    // behind the door
    { "id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:1" }
  ],
  "devices": [
    { "id": "boiler", "bus": "hall", "unit": 1, "numbering": "0-based", // as in its manual
      "points": [ { "id": "temp", "reg": 5, "type": "i16" } ] }
  ]
}
"""
RENAME = [{"at": ["gateway", "name"], "set": "Boiler house"}]


class Site:
    def __init__(self, site, text=COMMENTED, config_path=None, **more):
        self.gateway = Gateway(site, [], [], [], **more)
        self.gateway.config_path = config_path or self.gateway.config_path
        if text is None:
            os.unlink(self.gateway.config_path)
        elif text:
            site.write(self.gateway.config_path, text)
        # Without a file the page is open on its usual ports: in a network of its own.
        alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
        self.gateway.start(before=alone if text is None else ())
        self.api = Api(self.gateway)

    def text(self):
        with open(self.gateway.config_path) as file:
            return file.read()

    def look(self):
        return self.api.get("/api/v1/config")

    def post(self, what, **body):
        return self.api.ask("POST", "/api/v1/config/" + what, body)

    def apply(self, edits, status=200, **more):
        """With the revision that is in force, unless said otherwise."""
        body = {"base": self.look()["revision"], "edits": edits, **more}
        answer = self.post("apply", **body)
        check(answer.status == status, "apply", edits, answer.status, answer.text)
        return answer.json

    def confirm(self, change, **more):
        answer = self.post("confirm", change=change, **more)
        check(answer.status == 200, "confirm", answer.status, answer.text)
        return answer.json

    def history(self):
        return self.api.get("/api/v1/config/history")["changes"]

    def is_called(self, name):
        """Whether the gateway that answers, if one does, has that id."""
        done = self.gateway.cli("status", "--json")
        return done.returncode == EXIT_OK and json.loads(done.stdout)["id"] == name

    def pending_files(self):
        return [name for name in os.listdir(os.path.dirname(self.gateway.config_path))
                if name.startswith("sluice.json.")]


def tells_what_a_change_means_and_where_its_mistakes_are(site):
    it = Site(site)
    answer = it.post("check", edits=[*RENAME, {"at": ["devices", {"id": "boiler"}, "points", {"id": "temp"}, "every"],
                                               "set": "1s"}]).json
    check(answer["ok"] and answer["errors"] == [], answer)
    check(answer["difference"] == [
        {"at": "gateway.name", "from": "Plant 7", "to": "Boiler house"},
        {"at": "devices.boiler.points.temp.every", "to": "1s"}], answer["difference"])
    check('-  "gateway": { "id": "plant7", "name": "Plant 7" }, // the id is for ever\n'
          '+  "gateway": { "id": "plant7", "name": "Boiler house" }, // the id is for ever\n' in answer["lines"],
          answer["lines"])
    check(answer["meaning"]["buses"][0]["requests_s"] == 1 and answer["meaning"]["outage_days"] > 1, answer["meaning"])
    answer = it.post("check", edits=[{"at": ["devices", {"id": "boiler"}, "bus"], "set": "hal"}]).json
    check(not answer["ok"] and "meaning" not in answer, answer)
    mistake = answer["errors"][0]
    check((mistake["line"], mistake["key"]) == (11, "devices[0].bus") and "hall" in mistake["sentence"], mistake)
    two = json.dumps({"version": 1, "gateway": {"id": "plant7"}, "uplinks": [{"id": name, "url": "mqtt://broker.example"} for name in ("cloud", "second")]})
    answer = it.post("check", text=two).json
    check(answer["ok"] and ["uplink cloud publishes to the same broker" in uplink.get("warning", "") for uplink in answer["meaning"]["uplinks"]] == [False, True],
          "what is no mistake, and not as one would want it", answer)
    answer = it.post("check", text="{").json
    check(not answer["ok"] and answer["errors"][0]["line"] == 1, answer)
    answer = it.apply([{"at": ["devices", {"id": "boiler"}, "bus"], "set": "hal"}], 400)
    check("1 mistake" in answer["error"] and answer["errors"], answer)
    check(it.post("check").status == 400 and it.post("check", text="{}", edits=[]).status == 400, "neither, or both")
    check(it.post("check", edits=[{"at": ["nowhere", 1], "remove": True}]).json["ok"] is False, "nothing to remove")
    check(it.text() == COMMENTED and it.pending_files() == [], "a check changes nothing")
    it.gateway.stop()


def an_outage_has_one_figure_wherever_it_is_told(site):
    it = Site(site, COMMENTED.replace('"type": "i16"', '"type": "i16", "every": "1s"'))

    def days():
        told = json.loads(it.gateway.cli("check", it.gateway.config_path, "--json", socket=False).stdout)
        return [told["journal"]["outage_days"], it.post("check", edits=RENAME).json["meaning"]["outage_days"],
                it.gateway.status()["journal"]["outage_days"], it.api.get("/api/v1/export/report")["meaning"]["outage_days"]]

    figures = days()
    check(len(set(figures)) == 1 and figures[0] > 1, "one figure", figures)
    check("holds an outage of at least %.1f days" % figures[0] in it.gateway.cli("status").stdout, it.gateway.cli("status").stdout)
    change = it.apply([{"at": ["journal", "max_age"], "set": "90m"}])["change"]
    it.confirm(change)
    # What is said of the journal begins it anew: nobody answers meanwhile.
    wait_for(lambda: "holds an outage of at least 90 min" in it.gateway.cli("status").stdout, 20, "of a journal that keeps an hour and a half")
    check(days() == [0.0625] * 4, "one figure", days())
    it.apply([{"at": ["devices", {"id": "boiler"}], "remove": True}])
    wait_for(lambda: it.gateway.status()["journal"]["outage_days"] is None, 20, "none where nothing is read")
    check("outage" not in it.gateway.cli("status").stdout, "where nothing is read")
    it.gateway.stop()


def keeps_comments_and_what_is_confirmed(site):
    it = Site(site)
    before = it.look()
    check(before["text"] == COMMENTED and before["parsed"]["gateway"]["id"] == "plant7" and before["writable"], before)
    applied = it.apply(RENAME, comment="as people call it")
    now = it.look()
    check(now["pending"]["change"] == applied["change"] and now["pending"]["by"].startswith("uid "), now)
    check(it.text() == COMMENTED.replace("Plant 7\"", "Boiler house\""), it.text())
    check(it.gateway.status()["name"] == "Boiler house", "the name that runs")
    check(it.confirm(applied["change"])["until"] is None, "kept for good")
    check(it.look()["pending"] is None and it.pending_files() == [], it.pending_files())
    check(it.post("confirm", change=applied["change"]).status == 404, "confirmed twice")
    newest, first = it.history()
    check(newest["state"] == "confirmed" and newest["comment"] == "as people call it" and
          newest["words"] == "gateway.name" and newest["revision"] == applied["revision"], newest)
    one = it.api.get("/api/v1/config/history/" + first["change"])
    check(one["text"] == COMMENTED and one["with"] is None, one)
    one = it.api.get("/api/v1/config/history/%s?with=%s" % (first["change"], newest["change"]))
    check('-  "gateway": { "id": "plant7", "name": "Plant 7" }, // the id' in one["lines"] and
          '+  "gateway": { "id": "plant7", "name": "Boiler house" }, // the id' in one["lines"], one)
    check(it.api.ask("GET", "/api/v1/config/history/99").status == 404, "no such change")
    # Restoring is applying an earlier text.
    applied = it.post("apply", text=COMMENTED, base=newest["revision"]).json
    it.confirm(applied["change"])
    check(it.text() == COMMENTED and it.gateway.status()["name"] == "Plant 7", "restored")
    def trail():
        return [event["v"] for event in it.gateway.replay("--kind", "config", "--from", "-1h") if "did=" in str(event["v"])]

    wait_for(lambda: len(trail()) == 4, 10, "the audit trail is stored")
    check("did=config-applied" in trail()[0] and "keys=gateway.name" in trail()[0] and
          "comment=as%20people%20call%20it" in trail()[0] and "from=socket" in trail()[0], trail())
    it.gateway.stop()


def goes_back_when_nobody_confirms(site):
    it = Site(site)
    applied = it.apply(RENAME, confirm_s=10)
    wait_for(lambda: it.gateway.status()["name"] == "Plant 7", 20, "it goes back")
    check(it.text() == COMMENTED and it.pending_files() == [], it.text())
    now = it.look()
    check(now["pending"] is None, now)
    check(it.history()[0]["state"] == "reverted" and "nobody confirmed" in it.history()[0]["why"], it.history()[0])
    check("nobody could be seen to reach the gateway" in it.history()[0]["why"], "the page was not asked for meanwhile", it.history()[0])
    answer = it.post("confirm", change=applied["change"])
    check(answer.status == 404 and "nobody confirmed" in answer.json["error"], answer.text)
    # At once, when it is asked for.
    applied = it.apply(RENAME)
    check(it.post("revert", change="99").status == 404, "another change")
    check(it.post("revert", change=applied["change"]).json["revision"] == now["revision"], "the revision before")
    check(it.text() == COMMENTED and it.gateway.status()["name"] == "Plant 7", it.text())
    it.gateway.stop()


def goes_back_at_the_start_after_a_kill(site):
    it = Site(site)
    it.apply(RENAME)
    it.gateway.kill()
    check("Boiler house" in it.text() and len(it.pending_files()) == 2, it.pending_files())
    it.gateway.start()
    check(it.text() == COMMENTED and it.pending_files() == [] and it.gateway.status()["name"] == "Plant 7", it.text())
    check("went back" in it.gateway.process.log(), it.gateway.process.log())
    check(it.history()[0]["state"] == "reverted" and "ended before" in it.history()[0]["why"], it.history()[0])
    check(it.gateway.process.log().count("went back") == 1, "once")
    # Between the note and the file: the file is the old one, and stays.
    applied = it.apply(RENAME)
    it.gateway.kill()
    site.write("sluice.json", COMMENTED)
    it.gateway.start()
    check(it.text() == COMMENTED and it.pending_files() == [], it.pending_files())
    # Edited by hand while nothing ran: whoever can do that can mend it, too.
    it.apply(RENAME)
    it.gateway.kill()
    site.write("sluice.json", COMMENTED.replace("Plant 7\"", "By hand\""))
    it.gateway.start()
    check(it.gateway.status()["name"] == "By hand" and it.pending_files() == [], it.text())
    check(it.history()[0]["by"] == "an editor", it.history()[0])
    check(applied["change"] == it.history()[2]["change"], it.history())
    it.gateway.stop()


def goes_back_when_an_uplink_stays_away(site):
    broker = Broker(site)
    gateway = Gateway(site, [], [], [broker.uplink()]).start()
    gateway.wait_online()
    it = Site.__new__(Site)
    it.gateway, it.api = gateway, Api(gateway)
    old = it.text()
    dead = [{"at": ["uplinks", {"id": "cloud"}, "url"], "set": "mqtts://127.0.0.1:%d" % free_port()}]
    # What is confirmed early is still watched.
    applied = it.apply(dead)
    confirmed = it.confirm(applied["change"])
    check(confirmed["until"] and "uplink cloud was online before" in confirmed["why"], confirmed)
    check(it.look()["pending"]["confirmed"], it.look())
    told = gateway.cli("config", "confirm").stdout
    check("change 2 is applied and not kept yet: uplink cloud was online before" in told and "else it goes back" in told, "what is under way", told)
    wait_for(lambda: it.text() == old, 45, "it goes back")
    gateway.wait_online()
    check("uplink cloud was online before" in it.history()[0]["why"], it.history()[0])
    # One who knows better says so.
    applied = it.apply(dead)
    check(it.confirm(applied["change"], anyway=True)["until"] is None, "for good")
    check(it.look()["pending"] is None, it.look())
    # An uplink that comes back within the time confirms what was confirmed.
    it.confirm(it.post("apply", text=old, base=it.look()["revision"]).json["change"])
    gateway.wait_online()
    applied = it.apply([{"at": ["uplinks", {"id": "cloud"}, "linger"], "set": "70ms"}])
    it.confirm(applied["change"])
    wait_for(lambda: it.look()["pending"] is None, 20, "the uplink is back")
    check(it.history()[0]["state"] == "confirmed" and "70ms" in it.text(), it.history()[0])
    gateway.stop()


def tells_the_second_of_two(site):
    it = Site(site)
    base = it.look()["revision"]
    first = it.post("apply", base=base, edits=RENAME).json
    second = it.post("apply", base=base, edits=[{"at": ["gateway", "name"], "set": "Other"}])
    check(second.status == 409 and second.json["by"].startswith("uid ") and "waits" in second.json["error"], second.text)
    it.confirm(first["change"])
    second = it.post("apply", base=base, edits=[{"at": ["gateway", "name"], "set": "Other"}])
    check(second.status == 409 and second.json["revision"] == first["revision"] and second.json["at"] > 0 and
          "changed the configuration meanwhile" in second.json["error"], second.text)
    # By hand, not yet applied.
    site.write("sluice.json", COMMENTED)
    second = it.post("apply", base=first["revision"], edits=RENAME)
    check(second.status == 409 and "by hand" in second.json["error"], second.text)
    check(it.post("apply", base=base, edits=[]).status == 400, "nothing would change")
    check(it.post("apply", base=base, edits=RENAME, confirm_s=1).status == 400, "a second is no time")
    it.gateway.stop()


def keeps_what_was_edited_by_hand_meanwhile(site):
    it = Site(site)
    by_hand = COMMENTED.replace("Plant 7\"", "By hand\"")
    applied = it.apply(RENAME)
    site.write("sluice.json", by_hand)
    os.chmod(it.gateway.config_path, 0o600)
    it.post("revert", change=applied["change"])
    with open(it.gateway.config_path + ".edited") as file:
        check(stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600, "others can read it now")
        check(file.read() == by_hand, "the hand edit is kept")
    check(it.text() == COMMENTED, it.text())
    edited = it.api.get("/api/v1/config/edited")
    check(edited["waiting"] is None and edited["kept"]["path"] == it.gateway.config_path + ".edited" and
          '+  "gateway": { "id": "plant7", "name": "By hand" }' in edited["kept"]["lines"], "it is told", edited)
    check(it.api.ask("DELETE", "/api/v1/config/edited").status == 204 and not os.path.exists(it.gateway.config_path + ".edited"), "removed")
    check(it.api.ask("DELETE", "/api/v1/config/edited").status == 404, "removed twice")
    check(it.api.get("/api/v1/config/edited") == {"waiting": None, "kept": None}, "nothing is left")
    # Not applied yet: what would change is told.
    site.write("sluice.json", by_hand)
    edited = it.api.get("/api/v1/config/edited")
    check(edited["kept"] is None and '-  "gateway": { "id": "plant7", "name": "Plant 7" }' in edited["waiting"]["lines"], "it waits", edited)
    it.gateway.hup()
    wait_for(lambda: it.api.get("/api/v1/config/edited")["waiting"] is None, 20, "it is in force")
    site.write("sluice.json", COMMENTED)
    it.gateway.hup()
    wait_for(lambda: it.gateway.status()["name"] == "Plant 7", 20, "as before")
    # With a SIGHUP it is what counts.
    it.apply(RENAME)
    site.write("sluice.json", by_hand)
    it.gateway.hup()
    wait_for(lambda: it.gateway.status()["name"] == "By hand", 20, "the hand edit runs")
    wait_for(lambda: it.look()["pending"] is None, 20, "the change is over")
    check(it.text() == by_hand and it.pending_files() == [], it.text(), it.pending_files())
    check([entry["by"] for entry in it.history()][0] == "an editor", it.history())
    it.gateway.stop()


def the_command_line_goes_back_and_forth(site):
    it = Site(site)
    config = lambda *words: it.gateway.cli("config", *words)
    check(config("confirm").returncode == EXIT_FAILED and "no change waits" in config("revert").stderr, "nothing waits")
    it.apply(RENAME, comment="as people call it")
    shown = config("diff").stdout
    check('+  "gateway": { "id": "plant7", "name": "Boiler house" }' in shown, shown)
    done = config("revert")
    check("change 2 is taken back" in done.stdout and it.text() == COMMENTED, done)
    it.apply(RENAME)
    done = config("confirm")
    check("change 3 is kept" in done.stdout and it.look()["pending"] is None, done)
    lines = config().stdout.splitlines()
    check(len(lines) == 3 and "confirmed" in lines[0] and "gateway.name" in lines[0] and "reverted" in lines[1] and
          "(as people call it)" in lines[1] and "an editor" in lines[2], lines)
    done = config("revert", "1")
    check("change 4 is kept: the configuration is that of change 1 again" in done.stdout and it.text() == COMMENTED,
          "as it was at first", done)
    both = [config("diff", *order).stdout for order in (("1", "3"), ("3", "1"))]
    check(both[0] == both[1] and both[0].startswith("--- change 1\n+++ change 3\n@@ "), "which is the old one is told", both)
    check('\n-  "gateway": { "id": "plant7", "name": "Plant 7" }' in both[0] and '\n+  "gateway": { "id": "plant7", "name": "Boiler house" }' in both[0],
          "and it is the earlier one", both[0])
    check(config("diff", "1").stdout.startswith("--- nothing, as no earlier change is kept\n+++ change 1\n@@ "), "the first", config("diff", "1").stdout)
    same = config("diff", "1", "4")
    check(same.stdout == "--- change 1\n+++ change 4\n" and "no line differs" in same.stderr, "the same again", same)
    check(config("diff", "77").returncode == EXIT_USAGE and "no such change" in config("diff", "77").stderr, "none")
    check(config("undo").returncode == EXIT_USAGE, "no such word")
    it.gateway.stop()


def says_so_when_the_file_cannot_be_written(site):
    it = Site(site)
    os.mkdir(it.gateway.config_path + ".new")
    answer = it.apply(RENAME, 409)
    check("cannot be written" in answer["error"], answer)
    check(it.text() == COMMENTED and it.pending_files() == ["sluice.json.new"], it.pending_files())
    check(it.look()["pending"] is None, it.look())
    os.rmdir(it.gateway.config_path + ".new")
    it.confirm(it.apply(RENAME)["change"])
    it.gateway.stop()


def own_disk(site):
    """A filesystem of its own, and the path of a configuration in it."""
    folder = site.path("etc")
    os.mkdir(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "sluice-test", folder], stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode:
        raise Skip("needs the right to mount a small filesystem: " + done.stderr.strip())
    site.at_end(lambda: subprocess.run(["umount", "-l", folder], check=True))
    return os.path.join(folder, "sluice.json")


def keeps_nothing_whose_note_stays(site):
    path = own_disk(site)
    it = Site(site, config_path=path)
    applied = it.apply(RENAME)
    subprocess.run(["mount", "-o", "remount,ro", os.path.dirname(path)], check=True)
    answer = it.post("confirm", change=applied["change"])
    check(answer.status == 409 and "read-only" in answer.json["error"] and ".pending" in answer.json["error"], answer.text)
    check(it.look()["pending"]["change"] == applied["change"], it.look()["pending"])
    check(it.history()[0]["state"] == "pending", it.history()[0])
    subprocess.run(["mount", "-o", "remount,rw", os.path.dirname(path)], check=True)
    it.confirm(applied["change"])
    it.gateway.kill()
    it.gateway.start()
    check("Boiler house" in it.text() and it.history()[0]["state"] == "confirmed", it.text(), it.history()[0])
    it.gateway.stop()


def fill_disk_of(path):
    """Returns the path of what takes all the room."""
    name = os.path.join(os.path.dirname(path), "somebody-elses")
    with open(name, "wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            pass
    return name


def goes_back_on_a_full_disk(site):
    path = own_disk(site)
    it = Site(site, config_path=path)
    by_hand = COMMENTED.replace("Plant 7\"", "By hand\"")
    applied = it.apply(RENAME)
    site.write(path, by_hand)
    ballast = fill_disk_of(path)
    check(it.post("revert", change=applied["change"]).status == 200, "taken back")
    check(it.text() == COMMENTED and it.gateway.status()["name"] == "Plant 7", it.text())
    with open(path + ".edited") as file:
        check(file.read() == by_hand, "the hand edit is kept")
    os.unlink(path + ".edited")
    os.unlink(ballast)
    # At the start, too.
    it.apply(RENAME)
    it.gateway.kill()
    fill_disk_of(path)
    it.gateway.start()
    check(it.text() == COMMENTED and it.gateway.status()["name"] == "Plant 7", it.text())
    check(it.pending_files() == [] and it.look()["pending"] is None, it.pending_files())
    it.gateway.stop()


def goes_back_later_when_it_cannot_at_the_start(site):
    path = own_disk(site)
    it = Site(site, config_path=path)
    applied = it.apply(RENAME)
    it.gateway.kill()
    subprocess.run(["mount", "-o", "remount,ro", os.path.dirname(path)], check=True)
    it.gateway.start()
    check(it.look()["pending"]["change"] == applied["change"], it.look()["pending"])
    body = {"base": it.look()["revision"], "edits": [{"at": ["gateway", "name"], "set": "Other"}]}
    answer = it.post("apply", **body)
    check(answer.status == 409 and "waits to be confirmed" in answer.json["error"], answer.text)
    subprocess.run(["mount", "-o", "remount,rw", os.path.dirname(path)], check=True)
    wait_for(lambda: it.look()["pending"] is None, 30, "it goes back")
    check(it.text() == COMMENTED and it.gateway.status()["name"] == "Plant 7", it.text())
    check(it.history()[0]["state"] == "reverted" and "ended before" in it.history()[0]["why"], it.history()[0])
    it.gateway.stop()


def what_was_before_is_not_put_back_damaged(site):
    it = Site(site)
    applied = it.apply(RENAME)
    changed = it.text()
    it.gateway.kill()
    site.write("sluice.json.before", COMMENTED[:100])
    it.gateway.start()
    check(it.text() == changed and it.look()["pending"]["change"] == applied["change"], it.text(), it.look()["pending"])
    check("cannot be put back" in it.gateway.process.log(), "it is told", it.gateway.process.log())
    site.write("sluice.json.before", COMMENTED)
    wait_for(lambda: it.look()["pending"] is None, 30, "it goes back")
    check(it.text() == COMMENTED, it.text())
    it.gateway.stop()


def a_number_is_given_once_without_a_history(site):
    it = Site(site)
    history = os.path.join(it.gateway.state, "config")
    shutil.rmtree(history)
    site.write(history, "in the way")
    first = it.apply(RENAME)["change"]
    it.confirm(first)
    second = it.apply([{"at": ["gateway", "name"], "set": "Other"}])["change"]
    check(int(second) > int(first), "the same number twice", first, second)
    check(it.post("confirm", change=first).status == 404, "the first is over")
    # The note alone knows it at the next start.
    it.gateway.kill()
    it.gateway.start()
    third = it.apply([{"at": ["gateway", "name"], "set": "Third"}])["change"]
    check(int(third) > int(second), "the same number after a start", second, third)
    it.gateway.stop()


def begins_without_a_file(site):
    it = Site(site, text=None)
    now = it.look()
    check(now["revision"] == "none" and now["parsed"]["version"] == 1 and now["parsed"]["gateway"]["id"], now)
    check(not os.path.exists(it.gateway.config_path), "nothing is written yet")
    check("does not exist" in it.gateway.process.log(), it.gateway.process.log())
    applied = it.apply([{"at": ["gateway"], "set": {"id": "plant9", "name": "New"}}])
    wait_for(lambda: it.is_called("plant9"), 20, "it has its id")
    check(it.post("revert", change=applied["change"]).status == 200, "taken back")
    wait_for(lambda: not os.path.exists(it.gateway.config_path), 20, "no file again")
    wait_for(lambda: it.is_called(now["parsed"]["gateway"]["id"]), 20, "it is what it was")
    applied = it.apply([{"at": ["gateway"], "set": {"id": "plant9", "name": "New"}}])
    wait_for(lambda: it.is_called("plant9"), 20, "it has its id")
    it.confirm(applied["change"])
    check(json.loads(it.text())["gateway"]["id"] == "plant9", it.text())
    it.gateway.stop()
    # A folder that is not there is a mistake in the path.
    done = subprocess.run([program("sluiced"), "--config", site.path("nowhere/sluice.json"), "--journal",
                           site.path("other/journal"), "--socket", site.path("other.sock")],
                          stderr=subprocess.PIPE, text=True, timeout=20)
    check(done.returncode == 3, done)


main(tells_what_a_change_means_and_where_its_mistakes_are, an_outage_has_one_figure_wherever_it_is_told, keeps_comments_and_what_is_confirmed,
     goes_back_when_nobody_confirms, goes_back_at_the_start_after_a_kill, goes_back_when_an_uplink_stays_away,
     tells_the_second_of_two, keeps_what_was_edited_by_hand_meanwhile, the_command_line_goes_back_and_forth,
     says_so_when_the_file_cannot_be_written, what_was_before_is_not_put_back_damaged, a_number_is_given_once_without_a_history,
     keeps_nothing_whose_note_stays, goes_back_on_a_full_disk, goes_back_later_when_it_cannot_at_the_start,
     begins_without_a_file)
