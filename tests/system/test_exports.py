#!/usr/bin/python3
"""The files beside a configuration, and what leaves the gateway as a whole: templates, backups, reports."""
import base64
import json
import os
import re
import stat
import subprocess
import urllib.parse

from harness import Api, Authority, Broker, Gateway, ModbusTcp, check, main, wait_for

SECRET = "canary-5f1c-of-the-broker"
PASSPHRASE = {"X-Sluice-Passphrase": "three wise words"}


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Plant:
    def __init__(self, site, prefix="", **more):
        self.gateway = Gateway(site, [], [], [], prefix=prefix, **more)
        folder = site.path(prefix + "etc")
        os.mkdir(folder)
        self.folder = folder
        self.gateway.config_path = os.path.join(folder, "sluice.json")
        self.gateway.write()
        self.profiles = os.path.join(folder, "profiles")
        self.gateway.start(before=("env", "SLUICE_PROFILES=" + self.profiles))
        self.api = Api(self.gateway)

    def put(self, name, data, headers=None):
        return self.api.ask("PUT", "/api/v1/files/" + name, data, headers or {})

    def put_refused(self, name, data):
        """What is refused by its path is answered before its bytes are taken."""
        try:
            return self.put(name, data).status in (400, 404, 405)
        except OSError:
            return True

    def files(self):
        return {entry["name"]: entry for entry in self.api.get("/api/v1/files")["files"]}

    def apply(self, edits):
        base = self.api.get("/api/v1/config")["revision"]
        answer = self.api.ask("POST", "/api/v1/config/apply", {"base": base, "edits": edits})
        check(answer.status == 200, answer.status, answer.text)
        done = self.api.ask("POST", "/api/v1/config/confirm", {"change": answer.json["change"], "anyway": True})
        check(done.status == 200, done.text)


def files_are_told_apart_and_never_given_back(site):
    it = Plant(site)
    authority = Authority(site.folder, "ca")
    other = Authority(site.folder, "other")
    certificate, key = authority.issue("plant7")
    inspected = it.api.ask("POST", "/api/v1/files/inspect", read(certificate)).json
    check(inspected["kind"] == "certificates" and inspected["matches"] == [] and "CN=plant7" in inspected["sentence"],
          inspected)
    check(it.put("gw.key", read(key)).status == 200, "a key")
    check(it.put("gw.pem", read(certificate)).json["matches"] == ["gw.key"], "it has its key")
    check(it.put("cloud.password", (SECRET + "\n").encode()).status == 200, "a password")
    chain = read(certificate) + read(authority.path)
    answer = it.put("chain.pem", chain).json
    check(answer["chain"] and len(answer["certificates"]) == 2 and "lead on" in answer["sentence"], answer)
    check(not it.put("mixed.pem", read(certificate) + read(other.path)).json["chain"], "a list is no chain")
    expired, _ = authority.issue("old", expired=True)
    check("has expired on 2021-01-01" in it.put("old.crt", read(expired)).json["sentence"], "an expired one")
    soon, _ = authority.issue("soon", days=1)
    check("in 1 day: get a new one" in it.api.ask("POST", "/api/v1/files/inspect", read(soon)).json["sentence"], "one that ends tomorrow")
    for name, data, words in (("gw.pem.key", b"nothing", "no private key"), ("x.pem", read(key), "call it NAME.key"),
                              ("x.pem", b"nothing", "no certificate"), ("x.csr", read(key), "NAME.key"), ("x.crt", b"", "empty"),
                              ("x.exe", b"x", "a file's name"), ("sluice.json", b"{}", "a file's name")):
        answer = it.put(name, data)
        check(answer.status == 400 and words in answer.json["error"], name, answer.status, answer.text)
    for name in ("..%2fx.pem", "%2e%2e%2fx.pem", ".hidden.pem", "a%20b.pem", "$(id).pem", "a%00.pem"):
        check(it.put_refused(name, read(certificate)), "a name that leads elsewhere", name)
    files = it.files()
    check(set(files) == {"gw.key", "gw.pem", "cloud.password", "chain.pem", "mixed.pem", "old.crt"}, sorted(files))
    check(files["gw.key"]["secret"] and files["gw.key"]["matches"] == ["chain.pem", "gw.pem", "mixed.pem"], files["gw.key"])
    for name in ("gw.key", "cloud.password"):
        mode = stat.S_IMODE(os.stat(os.path.join(it.folder, name)).st_mode)
        check(mode == 0o600, name, oct(mode))
        check(it.api.ask("GET", "/api/v1/files/" + name).status == 405, "it is given back", name)
    # A locked key is kept unlocked, when its passphrase is there.
    locked = site.path("locked.key")
    subprocess.run(["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:Schlüssel für 5 €", "-out", locked], check=True,
                   stderr=subprocess.DEVNULL)
    check("locked" in it.put("l.key", read(locked)).json["error"], "without its passphrase")
    check(it.put("l.key", read(locked), {"X-Sluice-Passphrase": urllib.parse.quote("Schlüssel für 5 €")}).status == 200, "with it")
    answer = it.put("m.key", read(locked), {"X-Sluice-Passphrase": "100 %"})
    check(answer.status == 400 and "percent sign" in answer.json["error"], "a passphrase that is not escaped", answer.text)
    check(b"ENCRYPTED" not in read(os.path.join(it.folder, "l.key")), "it is unlocked")
    # In use: not replaced under the uplink's feet.
    it.apply([{"at": ["uplinks"], "add": {"id": "cloud", "url": "mqtt://127.0.0.1:1", "user": "x",
                                         "password_file": "cloud.password"}}])
    answer = it.put("cloud.password", b"another")
    check(answer.status == 409 and "uplinks[0].password_file" in answer.json["error"], answer.text)
    check(it.api.ask("DELETE", "/api/v1/files/cloud.password").status == 409, "in use")
    check(it.api.ask("DELETE", "/api/v1/files/old.crt").status == 200, "removed")
    check(it.api.ask("DELETE", "/api/v1/files/old.crt").status == 404, "removed twice")
    check(it.files()["cloud.password"]["used_by"] == ["uplinks[0].password_file"], it.files())
    # However the configuration names it.
    it.put("edge.password", SECRET.encode())
    os.symlink("edge.password", os.path.join(it.folder, "link.password"))
    it.apply([{"at": ["uplinks"], "add": {"id": "edge", "url": "mqtt://127.0.0.1:1", "user": "x", "password_file": "cloud.password"}},
              {"at": ["uplinks", {"id": "cloud"}], "remove": True}])
    for name in (os.path.join(it.folder, "edge.password"), "./edge.password", "link.password", "../%s/edge.password" %
                 os.path.basename(it.folder), "${uplink.id}.password"):
        it.apply([{"at": ["uplinks", {"id": "edge"}, "password_file"], "set": name}])
        answer = it.api.ask("DELETE", "/api/v1/files/edge.password")
        check(answer.status == 409, "in use as", name, answer.text)
    it.gateway.stop()


def a_key_is_made_on_the_spot(site):
    it = Plant(site)
    answer = it.api.ask("POST", "/api/v1/files/csr", {"name": "gw.key", "subject": "CN=plant7,O=Acme"})
    check(answer.status == 201 and "PRIVATE" not in answer.text, answer.text)
    request = site.write("gw.csr", answer.json["csr"])
    done = subprocess.run(["openssl", "req", "-in", request, "-verify", "-noout", "-subject"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    check(done.returncode == 0 and "plant7" in done.stdout and "verify" in done.stdout.lower(), done.stdout)
    check(it.files()["gw.key"]["kind"] == "key", it.files())
    again = it.api.ask("POST", "/api/v1/files/csr", {"name": "gw.key", "subject": "CN=plant7"})
    check(again.status == 409, again.text)
    check(it.api.ask("POST", "/api/v1/files/csr", {"name": "x.pem", "subject": "CN=x"}).status == 400, "a key's name")
    check(it.api.ask("POST", "/api/v1/files/csr", {"name": "y.key", "subject": "?"}).status == 400, "a subject")
    check("y.key" not in it.files(), "nothing is left of it")
    it.gateway.stop()


def a_backup_is_restored_on_other_hardware(site):
    broker = Broker(site)
    it = Plant(site, gateway={"name": "Boiler house"})
    certificate, key = broker.client
    for name, path in (("ca.pem", broker.authority.path), ("gw.pem", certificate), ("gw.key", key)):
        check(it.put(name, read(path)).status == 200, name)
    it.put("cloud.password", SECRET.encode())
    uplink = broker.uplink()
    uplink["tls"] = {"ca": "ca.pem", "cert": "gw.pem", "key": "gw.key"}
    it.apply([{"at": ["uplinks"], "add": {**uplink, "user": "x", "password_file": "cloud.password"}}])
    it.gateway.wait_online()
    made = it.api.ask("PUT", "/api/v1/accounts/anna", {"role": "owner", "password": "four other plain words"})
    check(made.status == 200, "an account", made.status, made.text)
    epoch = it.gateway.status()["journal"]["epoch"]
    open_one = it.api.ask("GET", "/api/v1/export/backup")
    check(open_one.json["sealed"] is None and re.fullmatch(
        r'attachment; filename="sluice-backup-plant7-\d{4}-\d\d-\d\d.json"', open_one.headers["Content-Disposition"]), open_one.headers)
    sealed = it.api.ask("GET", "/api/v1/export/backup", headers=PASSPHRASE)
    for answer in (open_one, sealed):
        check(SECRET not in answer.text and "PRIVATE" not in answer.text, "a secret")
    check(it.api.ask("GET", "/api/v1/export/backup", headers={"X-Sluice-Passphrase": "short"}).status == 400, "too short")
    trail = wait_for(lambda: [words for words in [json.dumps(it.gateway.replay("--kind", "config"))] if words.count("did=backup-made") == 2], 10,
                     "both backups are in the audit trail")[0]
    check("secrets=sealed" in trail and "secrets=left-out" in trail, "the audit trail", trail)
    it.gateway.kill()

    new = Plant(site, prefix="new-", gateway={"id": "fresh"})
    backup = sealed.json
    for body, status, words in (({"backup": backup}, 403, "give its passphrase"),
                                ({"backup": backup, "passphrase": "another one"}, 403, "another one"),
                                ({"backup": {**backup, "config": "{}"}, "passphrase": "three wise words"}, 403, "changed"),
                                ({"backup": {**backup, "kind": "x"}}, 400, "no backup"),
                                ({"backup": {**backup, "schema": 99}, "passphrase": "three wise words"}, 400, "newer version"),
                                ({}, 400, "expected")):
        answer = new.api.ask("POST", "/api/v1/restore", body)
        check(answer.status == status and words in answer.json["error"], body.keys(), answer.status, answer.text)
    check(new.files() == {}, "nothing is left of what was refused", new.files())
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": backup, "passphrase": "three wise words"})
    check(answer.status == 200 and answer.json["files"] == 4 and not answer.json["secrets_left_out"], answer.text)
    wait_for(lambda: new.gateway.cli("status", "--json").stdout.find('"plant7"') > 0, 20, "it is the old gateway")
    new.gateway.wait_online()
    confirmed = new.api.ask("POST", "/api/v1/config/confirm", {"change": answer.json["change"]})
    check(confirmed.status == 200 and confirmed.json["until"] is None, confirmed.text)
    status = new.gateway.status()
    check(status["name"] == "Boiler house" and status["journal"]["epoch"] != epoch, "a new epoch", status["journal"])
    check(read(os.path.join(new.folder, "gw.key")) == read(key), "the key")
    accounts = new.api.get("/api/v1/accounts")
    check("anna" in json.dumps(accounts), "the accounts", accounts)
    for name in ("gw.key", "cloud.password"):
        check(stat.S_IMODE(os.stat(os.path.join(new.folder, name)).st_mode) == 0o600, name)
    new.gateway.stop()


METER = b'{"vendor": "Acme", "drivers": ["modbus-tcp"], "numbering": "0-based", "points": [{"id": "level", "reg": 10, "type": "u16"}]}'
OTHER_METER = METER.replace(b"10,", b"11,")


def with_meters(site, prefix="", **more):
    """Three devices: two of a profile that somebody made here, one of a shipped one. A second own profile is not used."""
    it = Plant(site, prefix, **more)
    for name in ("my-meter", "unused"):
        answer = it.api.ask("PUT", "/api/v1/profiles/" + name, METER)
        check(answer.status == 201, "a profile", answer.text)
    it.apply([{"at": ["buses"], "set": [{"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:1"}]},
              {"at": ["devices"], "set": [{"id": name, "bus": "hall", "unit": unit, "profile": profile} for name, unit, profile in
                                          (("a", 1, "my-meter"), ("b", 2, "eastron-sdm630"), ("c", 3, "my-meter"))]}])
    return it


def a_backup_brings_the_profiles_that_somebody_made(site):
    it = with_meters(site)
    backup = it.api.get("/api/v1/export/backup")
    check([entry["name"] for entry in backup["profiles"]] == ["my-meter"], "those of one's own that are used", backup["profiles"])
    check(it.api.ask("POST", "/api/v1/restore", {"backup": backup}).json["profiles"] == 1, "what is the same is no hindrance")
    it.gateway.stop()
    new = Plant(site, prefix="new-", gateway={"id": "fresh"})
    path = os.path.join(new.profiles, "my-meter.json")
    earlier = {key: value for key, value in backup.items() if key != "profiles"}
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": earlier})
    check(answer.status == 400 and 'no profile "my-meter"' in answer.json["error"], "one of an earlier version has none", answer.text)
    broken = {**backup, "config": backup["config"].replace('"version": 1', '"version": 7')}
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": broken})
    check(answer.status == 400 and not os.path.exists(path), "what was refused is taken away again", answer.text)
    for name in ("../my-meter", "", ".my-meter", "my/meter"):
        answer = new.api.ask("POST", "/api/v1/restore", {"backup": {**backup, "profiles": [{**backup["profiles"][0], "name": name}]}})
        check(answer.status == 400 and "no file may have" in answer.json["error"], name, answer.text)
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": backup})
    check(answer.status == 200 and answer.json["profiles"] == 1 and answer.json["files"] == 0, answer.text)
    check(read(path) == METER and stat.S_IMODE(os.stat(path).st_mode) == 0o644, "the profile")
    check(new.api.ask("POST", "/api/v1/config/confirm", {"change": answer.json["change"], "anyway": True}).status == 200, "kept")
    wait_for(lambda: new.gateway.cli("status", "--json").stdout.count('"profile":"my-meter"') == 2, 20, "its devices are read")
    # One that is in use and is another stays.
    site.write(path, OTHER_METER.decode())
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": backup})
    check(answer.status == 409 and "my-meter.json is in use by devices[0].profile and is another" in answer.json["error"] and read(path) == OTHER_METER, answer.text)
    # And one that nothing uses gives way, also where it is refused at last.
    new.apply([{"at": ["devices"], "set": []}])
    check(new.api.ask("POST", "/api/v1/restore", {"backup": broken}).status == 400 and read(path) == OTHER_METER, "it is put back")
    check(new.api.ask("POST", "/api/v1/restore", {"backup": backup}).status == 200 and read(path) == METER, "it gives way")
    new.gateway.stop()


def a_profile_that_cannot_be_read_is_in_no_backup(site):
    it = with_meters(site)
    path = os.path.join(it.profiles, "my-meter.json")
    site.write(path, METER.decode() + " " * (256 * 1024))
    answer = it.api.ask("GET", "/api/v1/export/backup")
    check(answer.status == 409 and "my-meter cannot be taken along" in answer.json["error"], answer.text)
    it.gateway.stop()


def with_a_broker(site):
    """A gateway that needs all kinds of files, and the bytes of them by name; the page's are nobody else's."""
    it = with_meters(site)
    authority, outside = Authority(site.folder, "ca"), Authority(site.folder, "Büro")
    certificate, key = authority.issue("plant7")
    data = {"ca.pem": read(authority.path), "gw.pem": read(certificate), "gw.key": read(key), "cloud.password": SECRET.encode(),
            "points.csv": b"id,reg,type\nroom,3,i16\n"}
    for name in ("page.pem", "page.key", *data):
        check(it.put(name, data.get(name.replace("page", "gw"), data.get(name))).status == 200, name)
    it.apply([{"at": ["uplinks"], "set": [
                  {"id": "up", "url": "mqtts://127.0.0.1:1", "user": "x", "password_file": "cloud.password", "tls": {"ca": "./ca.pem", "cert": "gw.pem", "key": "gw.key"}},
                  {"id": "other", "url": "mqtts://127.0.0.1:1", "root": "x", "tls": {"ca": outside.path}}]},
              {"at": ["devices"], "add": {"id": "d", "bus": "hall", "unit": 4, "numbering": "0-based", "points": "points.csv"}},
              {"at": ["web"], "set": {"enabled": False, "cert": "page.pem", "key": "page.key"}}])
    return it, data, outside.path


def what_a_template_needs_is_named_beside_it(site):
    it, data, outside = with_a_broker(site)
    template = it.api.ask("GET", "/api/v1/export/template")
    words = [urllib.parse.unquote(word) for word in template.headers["X-Sluice-Left-Out"].split(" ")]
    check(sorted(words) == sorted(["file=" + name for name in ("./ca.pem", "cloud.password", "gw.key", "gw.pem", "points.csv", outside)] + ["profile=my-meter"]), words)
    it.gateway.stop()
    bare = Plant(site, prefix="bare-")
    check("X-Sluice-Left-Out" not in bare.api.ask("GET", "/api/v1/export/template").headers, "nothing is missing")
    bare.gateway.stop()


def a_template_brings_what_is_no_secret_and_asks_for_the_rest(site):
    it, data, outside = with_a_broker(site)
    template = it.api.get("/api/v1/export/template?files=true")
    check(template["kind"] == "sluice-template" and "plant7" not in template["config"], template["config"])
    check(sorted(entry["name"] for entry in template["files"]) == ["ca.pem", "points.csv"], "what is the same on all", template["files"])
    check([entry["name"] for entry in template["profiles"]] == ["my-meter"], template["profiles"])
    check(sorted(template["left_out"]) == sorted(["cloud.password", "gw.key", "gw.pem", outside]), template["left_out"])
    check(SECRET not in json.dumps(template), "a secret")
    it.gateway.stop()
    new = Plant(site, prefix="new-", gateway={"id": "plant8", "name": "Eight"})

    def restore(body, status):
        answer = new.api.ask("POST", "/api/v1/restore", body)
        check(answer.status == status, answer.status, answer.text)
        return answer.json

    def nothing_is_left():
        check(new.files().keys() & {"ca.pem", "points.csv"} == set() and not os.path.exists(os.path.join(new.profiles, "my-meter.json")), new.files())

    refused = restore({"template": template}, 400)
    check(sorted(refused["needs"]) == ["cloud.password", "gw.key", "gw.pem"] and refused["errors"], refused)
    check((refused["keys"], refused["passwords"]) == (["gw.key"], ["cloud.password"]), "which of them are secrets", refused)
    nothing_is_left()
    # By the id that the new one has; what is wrong otherwise is no file.
    named = {**template, "config": template["config"].replace('"gw.pem"', '"${gateway.id}.pem"').replace('"hall"', '"no.pem"', 1)}
    needs = restore({"template": named}, 400)["needs"]
    check(sorted(needs) == ["cloud.password", "gw.key", "plant8.pem"], "by its own name", needs)
    check("points.csv" in restore({"template": template["config"]}, 400)["needs"], "a text alone needs all of it")
    for broken in ({**template, "kind": "sluice-backup"}, {**template, "files": [{"name": "../x.pem", "data": ""}]}, {**template, "config": 7}, {**template, "schema": 2}):
        check(restore({"template": broken}, 400)["error"], broken["kind"])
    for name in ("cloud.password", "gw.key", "gw.pem"):
        check(new.put(name, data[name]).status == 200, name)
    done = restore({"template": template}, 200)
    check(done["files"] == 2 and done["profiles"] == 1 and done["secrets_left_out"], done)
    check(read(os.path.join(new.folder, "ca.pem")) == data["ca.pem"] and read(os.path.join(new.profiles, "my-meter.json")) == METER, "what came with it")
    status = new.gateway.status()
    check(status["id"] == "plant8" and status["name"] == "Eight", "it is who it was", status["id"])
    waits = restore({"template": template}, 409)
    check("waits to be confirmed" in waits["error"], waits)
    new.gateway.stop()


def asks_for_each_as_what_it_is(site, template, data):
    """And takes it so, whatever it is called."""
    new = Plant(site, prefix="asked-", gateway={"id": "asked"})
    asked = new.api.ask("POST", "/api/v1/restore", {"template": template})
    check(asked.status == 400 and sorted(asked.json["needs"]) == ["cloud.txt", "gw-cert.pem", "gw-key.pem", "proxy.csv"], asked.text)
    check(asked.json["keys"] == ["gw-key.pem"] and sorted(asked.json["passwords"]) == ["cloud.txt", "proxy.csv"], "by what the options are", asked.text)
    for name, words in (("gw-key.pem", "call it NAME.key"), ("gw-key.pem?as=", "expected is key or password"), ("gw-key.pem?as=cert", "expected is key or password"),
                        ("gw-cert.pem?as=key", "no private key")):
        answer = new.put(name, data["gw-cert.pem" if "cert.pem" in name else "gw-key.pem"])
        check(answer.status == 400 and words in answer.json["error"], name, answer.status, answer.text)
    check("too much for a password" in new.put("cloud.txt?as=password", b"x" * 4097).text, "a password has an end")
    for name, how in (("gw-key.pem", "?as=key"), ("cloud.txt", "?as=password"), ("proxy.csv", "?as=password"), ("gw-cert.pem", "")):
        check(new.put(name + how, data[name]).status == 200, name)
        mode = stat.S_IMODE(os.stat(os.path.join(new.folder, name)).st_mode)
        check(mode == (0o600 if how else 0o644), name, oct(mode))
    answer = new.api.ask("POST", "/api/v1/restore", {"template": template})
    check(answer.status == 200, "with them", answer.text)
    new.gateway.stop()


def a_secret_is_one_under_whatever_name(site):
    """As somebody calls it who makes the file by hand: by what names it, by what is in it, or since nobody else may read it."""
    it = Plant(site)
    authority = Authority(site.folder, "ca")
    certificate, key = authority.issue("plant7")
    der = site.path("der.key")
    subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER", "-out", der], check=True)
    secrets = {"gw-key.pem": (read(key), 0o600), "cloud.txt": (SECRET.encode(), 0o600), "proxy.csv": (b"user:" + SECRET.encode(), 0o640), "both.pem": (read(certificate) + read(key), 0o644),
               "old.der": (read(der), 0o644), "earlier.txt": (SECRET.encode(), 0o600)}
    usual = {"gw-cert.pem": (read(certificate), 0o644), "ca.pem": (read(authority.path), 0o640), "notes.txt": (b"x", 0o644)}
    for name, (data, mode) in {**secrets, **usual}.items():
        with open(os.path.join(it.folder, name), "wb") as out:
            out.write(data)
        os.chmod(os.path.join(it.folder, name), mode)
    it.apply([{"at": ["uplinks"], "set": [{"id": "up", "url": "mqtts://127.0.0.1:1", "user": "x", "password_file": "cloud.txt", "proxy": "http://127.0.0.1:2", "proxy_login_file": "./proxy.csv",
                                           "tls": {"ca": "ca.pem", "cert": "gw-cert.pem", "key": "gw-key.pem"}}]}])
    template = it.api.get("/api/v1/export/template?files=true")
    check([entry["name"] for entry in template["files"]] == ["ca.pem"], template["files"])
    check(sorted(template["left_out"]) == ["./proxy.csv", "cloud.txt", "gw-cert.pem", "gw-key.pem"], template["left_out"])
    for headers in ({}, PASSPHRASE):
        answer = it.api.ask("GET", "/api/v1/export/backup", headers=headers)
        check([entry["name"] for entry in answer.json["files"]] == sorted(usual), headers, answer.json["files"])
    listed = it.files()
    check((listed["gw-key.pem"]["kind"], listed["cloud.txt"]["kind"]) == ("key", "secret") and listed["cloud.txt"]["secret"] and not listed["notes.txt"]["secret"], "the list", listed)
    it.gateway.stop()
    asks_for_each_as_what_it_is(site, template, {name: data for name, (data, _) in {**secrets, **usual}.items()})
    new = Plant(site, prefix="new-", gateway={"id": "fresh"})
    done = new.api.ask("POST", "/api/v1/restore", {"backup": answer.json, "passphrase": "three wise words"})
    check(done.status == 200 and done.json["files"] == len(secrets) + len(usual), done.text)
    for name, (data, _) in secrets.items():
        path = os.path.join(new.folder, name)
        check(read(path) == data and stat.S_IMODE(os.stat(path).st_mode) == 0o600, name)
    check(stat.S_IMODE(os.stat(os.path.join(new.folder, "ca.pem")).st_mode) == 0o644, "what is no secret")
    # Of an earlier version they are in the open.
    opened = {**answer.json, "sealed": None, "files": [{"name": name, "data": base64.b64encode(data).decode()} for name, (data, _) in {**secrets, **usual}.items()]}
    new.gateway.stop()
    last = Plant(site, prefix="last-", gateway={"id": "fresh"})
    done = last.api.ask("POST", "/api/v1/restore", {"backup": opened})
    check(done.status == 200, "what may not be read by everybody is not", done.text)
    last.gateway.stop()


def a_backup_without_its_secrets_asks_for_them(site):
    it, data, outside = with_a_broker(site)
    backup = it.api.get("/api/v1/export/backup")
    it.gateway.stop()
    new = Plant(site, prefix="new-", gateway={"id": "fresh"})
    answer = new.api.ask("POST", "/api/v1/restore", {"backup": backup})
    check(answer.status == 400 and sorted(answer.json["needs"]) == ["cloud.password", "gw.key", "page.key"], answer.text)
    for name in answer.json["needs"]:
        check(new.put(name, data.get(name, data["gw.key"])).status == 200, name)
    check(new.api.ask("POST", "/api/v1/restore", {"backup": backup}).status == 200, "with them")
    new.gateway.stop()


def what_a_backup_leaves_out_is_told(site):
    it = Plant(site)
    authority = Authority(site.folder, "outside")
    for name in ("inside.pem", "linked.pem"):
        site.write(os.path.join(it.folder, name), read(authority.path).decode())
    named = {"beside": "../" + os.path.relpath(authority.path, site.folder), "absolute": authority.path, "inside": "./inside.pem",
             "own": os.path.join(it.folder, "linked.pem")}
    it.apply([{"at": ["uplinks"], "add": {"id": name, "url": "mqtts://127.0.0.1:1", "tls": {"ca": path}}} for name, path in named.items()])
    left_out = it.api.ask("GET", "/api/v1/export/backup", headers=PASSPHRASE).json["left_out"]
    check(sorted(left_out) == sorted([named["beside"], named["absolute"]]), "what is left out", left_out)
    # In the folder, under names that no file of a backup has; told once, however many name it.
    for name in ("root-ca", "ca.bundle"):
        site.write(os.path.join(it.folder, name), read(authority.path).decode())
    os.chmod(site.write(os.path.join(it.folder, "cloud.pw"), SECRET), 0o600)
    named = {"a": "root-ca", "b": "./ca.bundle", "c": "root-ca", "d": "inside.pem"}
    it.apply([{"at": ["uplinks"], "set": [{"id": name, "url": "mqtts://127.0.0.1:1", "user": "x", "password_file": "cloud.pw", "tls": {"ca": path}}
                                          for name, path in named.items()]}])
    left_out = it.api.ask("GET", "/api/v1/export/backup", headers=PASSPHRASE).json["left_out"]
    check(sorted(left_out) == ["./ca.bundle", "cloud.pw", "root-ca"], "what is left out", left_out)
    it.gateway.stop()


def a_backup_has_all_files_or_is_none(site):
    it = Plant(site)

    def refused(words):
        for headers in ({}, PASSPHRASE):
            answer = it.api.ask("GET", "/api/v1/export/backup", headers=headers)
            check(answer.status == 409 and words in answer.json["error"], answer.status, answer.text[:300])

    names = ["t%03d.csv" % number for number in range(256)]
    for name in names:
        site.write(os.path.join(it.folder, name), "x")
    backup = it.api.get("/api/v1/export/backup")
    check([entry["name"] for entry in backup["files"]] == names, "all of them", len(backup["files"]))
    for name in names:
        os.unlink(os.path.join(it.folder, name))
    check(it.api.ask("POST", "/api/v1/restore", {"backup": backup}).json["files"] == 256 and sorted(it.files()) == names, "they come back")
    check(it.put("t007.csv", b"another").status == 200, "one that is there is replaced")
    answer = it.put("a.csv", b"x")
    check(answer.status == 409 and "256 files already" in answer.json["error"], answer.text)
    # Put there by hand: which of them are in it is no matter of chance.
    site.write(os.path.join(it.folder, "a.csv"), "x")
    listed = it.api.get("/api/v1/files")
    check(listed["more"] == 1 and [entry["name"] for entry in listed["files"]] == ["a.csv"] + names[:255], listed["more"])
    refused("there are 257 files beside the configuration, and a backup holds 256")
    os.unlink(os.path.join(it.folder, "a.csv"))
    site.write(os.path.join(it.folder, "t009.csv"), "x" * (256 * 1024 + 1))
    refused("t009.csv cannot be taken along: larger than allowed")
    for name in names[:33]:
        site.write(os.path.join(it.folder, name), "x" * (256 * 1024))
    refused("larger than 8 MiB together")
    it.gateway.stop()


def a_refused_restore_leaves_the_files(site):
    it = Plant(site)
    path = os.path.join(it.folder, "cloud.password")
    loose = os.path.join(it.folder, "loose.password")
    it.put("loose.password", b"one")
    it.put("cloud.password", b"one")
    it.apply([{"at": ["uplinks"], "add": {"id": "cloud", "url": "mqtt://127.0.0.1:1", "user": "x",
                                         "password_file": "cloud.password"}}])
    backup = it.api.ask("GET", "/api/v1/export/backup", headers=PASSPHRASE).json
    whole = {"backup": backup, "passphrase": "three wise words"}
    check(it.api.ask("POST", "/api/v1/restore", whole).status == 200, "what is the same is no hindrance")
    site.write(path, "two")
    site.write(loose, "two")
    answer = it.api.ask("POST", "/api/v1/restore", whole)
    check(answer.status == 409 and "cloud.password is in use by uplinks[0].password_file" in answer.json["error"] and
          "under another name" in answer.json["error"], answer.text)
    check(read(path) == b"two" and read(loose) == b"two", "a refused restore wrote", read(path), read(loose))
    # While somebody's change waits.
    site.write(path, "one")
    base = it.api.get("/api/v1/config")["revision"]
    waiting = it.api.ask("POST", "/api/v1/config/apply", {"base": base, "edits": [{"at": ["gateway", "name"], "set": "X"}]})
    answer = it.api.ask("POST", "/api/v1/restore", whole)
    check(answer.status == 409 and "waits to be confirmed" in answer.json["error"], answer.text)
    check(read(loose) == b"two", "a refused restore wrote", read(loose))
    it.api.ask("POST", "/api/v1/config/revert", {"change": waiting.json["change"]})
    check(it.api.ask("POST", "/api/v1/restore", whole).status == 200 and read(loose) == b"one", "restored")
    # A configuration that is refused: what was written is put back, what was new is removed.
    broken = it.api.ask("GET", "/api/v1/export/backup").json
    broken["config"] = "{"
    broken["files"] = [{"name": "new.csv", "data": "b25l"}, {"name": "old.csv", "data": "b25l"}]
    old = site.write(os.path.join(it.folder, "old.csv"), "two")
    answer = it.api.ask("POST", "/api/v1/restore", {"backup": broken})
    check(answer.status == 400 and "mistake" in answer.json["error"] and answer.json["errors"], answer.text)
    check(read(old) == b"two" and "new.csv" not in it.files(), "a refused restore left files", it.files())
    it.gateway.stop()


def a_template_makes_another_gateway(site):
    it = Plant(site, gateway={"name": "Boiler house", "hw": "plc-17"})
    certificate, key = Authority(site.folder, "own").issue("page")
    it.apply([{"at": ["web"], "set": {"enabled": False, "listen": ["127.0.0.1"], "names": ["boiler.example.com"], "cert": certificate, "key": key}}])
    template = it.api.ask("GET", "/api/v1/export/template")
    check(json.loads(template.text)["web"] == {"enabled": False} and "boiler" not in template.text, "what is of this gateway alone", template.text)
    check("sluice-template-plant7-2" in template.headers["Content-Disposition"], template.headers)
    check(json.loads(template.text)["gateway"] == {"id": "template"} and "Boiler" not in template.text, template.text)
    it.gateway.stop()
    other = Plant(site, prefix="other-", gateway={"id": "plant8", "name": "Eight"}, journal={"commit": "500ms"})
    answer = other.api.ask("POST", "/api/v1/restore", {"template": template.text})
    check(answer.status == 200, answer.text)
    wait_for(lambda: other.gateway.cli("status", "--json").stdout.find('"commit_ms":50,') > 0, 20, "the template's settings")
    status = other.gateway.status()
    check(status["id"] == "plant8" and status["name"] == "Eight", status["id"], status["name"])
    other.gateway.stop()


def all_mistakes_of_a_template_are_told_with_their_places(site):
    """As in the file that somebody has before him: what was made of it for this gateway has other lines."""
    it = Plant(site)
    before = read(it.gateway.config_path)
    cases = (('{\n "version": 1\n "gateway": {"id": "template"}\n}', [(2, "", "a comma is missing here")]),
             ('{"version": 1, "gateway": {"id": "template"},\n "buses": [{"id": "a", "driver": "modbus-rtu", "prt": "/dev/ttyS0"}],\n'
              ' "devices": [{"id": "m", "bus": "b", "every": "5"}],\n "uplinks": [{"id": "up", "url": "http://x"}]}',
              [(2, "buses[0].prt", "port"), (3, "devices[0].every", "unit"), (3, "devices[0].bus", "no such bus"), (4, "uplinks[0].url", "mqtt")]))
    for text, expected in cases:
        answer = it.api.ask("POST", "/api/v1/restore", {"template": text})
        check(answer.status == 400 and "mistake" in answer.json["error"], answer.status, answer.text)
        for line, key, word in expected:
            check(any(one["line"] == line and one["key"] == key and word in one["sentence"] for one in answer.json["errors"]), line, key, answer.json["errors"])
    # What belongs to one gateway is not taken over, and so no mistake.
    answer = it.api.ask("POST", "/api/v1/restore", {"template": '{"version": 1, "gateway": {"id": "?!"}, "web": {"names": [7]}, "journal": {"commit": "500ms"}}'})
    check(answer.status == 200, answer.status, answer.text)
    it.api.ask("POST", "/api/v1/config/revert", {"change": answer.json["change"]})
    check(read(it.gateway.config_path) == before, "refused ones wrote nothing")
    it.gateway.stop()


def a_report_says_what_is_there(site):
    it = Plant(site)
    it.put("cloud.password", SECRET.encode())
    report = it.api.get("/api/v1/export/report")
    check(report["kind"] == "sluice-report" and report["status"]["id"] == "plant7" and report["values"] == [] and
          "outage_days" in report["meaning"] and report["by"].startswith("uid "), report)
    check(SECRET not in json.dumps(report), "a secret")
    for path in ("/api/v1/files", "/api/v1/config", "/api/v1/config/history", "/api/v1/log", "/api/v1/status"):
        check(SECRET not in it.api.ask("GET", path).text, "a secret", path)
    check(SECRET not in it.gateway.process.log() and SECRET not in json.dumps(it.gateway.replay("--from", "-1h")), "a secret")
    it.gateway.stop()


def what_displays_show_is_kept_beside_what_was_read(site):
    hall = ModbusTcp(site, "hall", ["1:meter,regs=40"])
    points = [{"id": "level", "reg": 10, "type": "u16", "scale": 0.1, "unit": "m"}, {"id": "mode", "reg": 11, "type": "u16"}]
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, points=points)], []).start()
    api = Api(gateway)

    def state():
        return {json.loads(line).get("p") for line in api.ask("GET", "/api/v1/state").text.splitlines()}

    wait_for(lambda: {"level", "mode"} <= state(), 20, "both are read")
    noted = api.ask("PUT", "/api/v1/displays/meter/level", {"shown": "1,5"})
    check(noted.status == 200, noted.text)
    noted = noted.json
    check(noted["shown"] == "1,5" and noted["by"].startswith("uid ") and noted["from"] == "socket" and noted["unit"] == "m" and
          noted["t"] <= noted["at"] and abs(noted["v"] - 1.5 - noted["difference"]) < 1e-9, noted)
    check(api.ask("PUT", "/api/v1/displays/meter/mode", {"shown": "Hand"}).json.get("difference") is None, "a text has none")
    for path, body, status, words in (("meter/levl", {"shown": "1"}, 404, "level"), ("metr/level", {"shown": "1"}, 404, "meter"),
                                      ("meter/mode", {}, 400, "shown"), ("meter/mode", {"shown": " "}, 400, "shown"),
                                      ("meter/mode", {"shown": "x" * 65}, 400, "64 bytes"), ("meter/mode", {"shown": 7}, 400, "a text")):
        answer = api.ask("PUT", "/api/v1/displays/" + path, body)
        check(answer.status == status and words in answer.json["error"], path, body, answer.status, answer.text)
    again = api.ask("PUT", "/api/v1/displays/meter/level", {"shown": "2"}).json
    gateway.stop()
    gateway.start()
    kept = {entry["p"]: entry for entry in api.get("/api/v1/export/report")["displays"]}
    check(kept["level"] == again and kept["mode"]["shown"] == "Hand", "after a restart", kept)
    trail = [event["v"] for event in gateway.replay("--kind", "config") if "display-noted" in str(event.get("v"))]
    check(len(trail) == 3 and "shown=1%2C5" in trail[0] and "shown=2" in trail[2] and "from=socket" in trail[0], trail)
    # A backup brings it to other hardware; what is newer there stays.
    backup = api.get("/api/v1/export/backup")
    api.ask("PUT", "/api/v1/displays/meter/mode", {"shown": "Auto"})
    check(api.ask("DELETE", "/api/v1/displays/meter/level").status == 204, "removed")
    check(api.ask("DELETE", "/api/v1/displays/meter/level").status == 404, "removed twice")
    restored = api.ask("POST", "/api/v1/restore", {"backup": backup})
    check(restored.status == 200, restored.text)
    kept = {entry["p"]: entry for entry in api.get("/api/v1/displays")["displays"]}
    check(kept["level"] == again and kept["mode"]["shown"] == "Auto", "restored", kept)
    path = os.path.join(gateway.state, "displays.json")
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "whose it is")
    site.write(path, "{")
    answer = api.ask("PUT", "/api/v1/displays/meter/level", {"shown": "2"})
    check(answer.status == 500 and "move it aside" in answer.json["error"] and read(path) == b"{", answer.text)
    check(api.get("/api/v1/export/report")["displays"] == [], "the report goes on without")
    gateway.stop()


main(files_are_told_apart_and_never_given_back, a_key_is_made_on_the_spot, a_backup_is_restored_on_other_hardware, a_backup_brings_the_profiles_that_somebody_made,
     a_profile_that_cannot_be_read_is_in_no_backup, what_a_template_needs_is_named_beside_it,
     a_template_brings_what_is_no_secret_and_asks_for_the_rest,
     a_secret_is_one_under_whatever_name, a_backup_without_its_secrets_asks_for_them, what_a_backup_leaves_out_is_told,
     a_backup_has_all_files_or_is_none, a_refused_restore_leaves_the_files, a_template_makes_another_gateway, all_mistakes_of_a_template_are_told_with_their_places, a_report_says_what_is_there,
     what_displays_show_is_kept_beside_what_was_read)
