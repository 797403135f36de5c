#!/usr/bin/python3
"""The page in Debian's Chromium, against a gateway with simulated devices and brokers."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))

from harness import LONG, Api, Authority, Broker, Gateway, ModbusTcp, RtuLine, Skip, Subscriber, Talker, check, main, program, slowness, wait_for  # noqa: E402
from harness.board import on_board  # noqa: E402
from harness.first_run import FirstRun  # noqa: E402
from harness.rauc import Box  # noqa: E402
from harness.run import SKIPPED  # noqa: E402
from harness.slotted import SlottedNode, sign, version_parts  # noqa: E402

PASSWORD = "a few words are better"
CHROMIUM = os.environ.get("SLUICE_CHROMIUM", "/usr/bin/chromium")
WALK_S_MAX = 400
WHOLE_S_MAX = 300
PACED_S_MAX = 900
# The library as it is in the source: none is installed where a test runs.
os.environ["SLUICE_PROFILES"] = os.path.join(HERE, "../../drivers/profiles")


def lacking():
    """What the walks need and this machine does not have."""
    if not shutil.which("node"):
        return "there is no node: tools/prepare test"
    if not os.path.exists(CHROMIUM):
        return "there is no Chromium: tools/prepare test"
    if not os.path.isdir(os.path.join(HERE, "node_modules")):
        return "playwright-core is missing: run npm ci in tests/browser"
    return None


def plant(site):
    line = RtuLine(site, "rs485-1", ["1:incomer,regs=40", "2:boiler,regs=40"], 38400)
    hall = ModbusTcp(site, "hall", ["1:chiller,regs=40"])
    broker = Broker(site, tls=False)
    points = [{"id": "p%d" % i, "name": "Point %d" % i, "reg": 10 + i, "type": "i16", "scale": 0.1, "unit": "°C"} for i in range(4)]
    setpoint = {"id": "setpoint", "name": "Setpoint", "reg": 20, "type": "i16", "scale": 0.1, "unit": "°C", "write": {"min": 5, "max": 90}}
    # As of a device that has less than its profile: it is bad for ever, and says so in many words.
    absent = {"id": "absent", "name": "Reactive energy export", "reg": 60, "type": "i16", "unit": "kvarh"}
    devices = [line.device("incomer", 1, "1s", points, name="Main incomer"),
               line.device("boiler", 2, "1s", points + [setpoint, absent], name="Kessel"),
               line.device("ghost", 9, "5s", points, name="Not there"),
               hall.device("chiller", 1, "500ms", points)]
    uplinks = [{"id": "cloud", "url": "mqtt://127.0.0.1:%d" % broker.port}, {"id": "away", "url": "mqtt://127.0.0.1:9"}]
    board = os.path.join(HERE, "../../boards/orangepi-zero")
    gateway = Gateway(site, [line.bus(), hall.bus()], devices, uplinks, commit="250ms", web=True).start(before=("env", "SLUICE_BOARD=" + board))
    site.wait_values(20)
    return gateway


def code_of(gateway):
    return Api(gateway).get("/api/v1/setup")["code"]


def owned(gateway):
    """Somebody has made it his."""
    answer = Api(gateway).ask("POST", "/api/v1/setup", {"code": code_of(gateway), "name": "owner", "password": PASSWORD},
                              {"Content-Type": "application/json"})
    check(answer.status == 200, "setup", answer.status, answer.text)
    return gateway


def account(gateway, name, role="viewer"):
    answer = Api(gateway).ask("PUT", "/api/v1/accounts/" + name, {"role": role, "password": PASSWORD}, {"Content-Type": "application/json"})
    check(answer.status == 200, "an account", answer.status, answer.text)


def walk(gateway, name, **more):
    done = subprocess.run(["node", os.path.join(HERE, "walk_%s.mjs" % name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=WALK_S_MAX * slowness(), env={**os.environ, "SLUICE_PAGE": gateway.url if gateway else "", "SLUICE_PASSWORD": PASSWORD, **more})
    check(done.returncode == 0, "walk_" + name, done.stdout[-3000:])
    return done.stdout.strip()


def accompany(site, gateway, name, deeds, **more):
    """A walk that asks for what happens outside the page: each "please WORDS" is done by deeds[WORDS]."""
    walking = subprocess.Popen(["node", os.path.join(HERE, "walk_%s.mjs" % name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "SLUICE_PAGE": gateway.url, "SLUICE_PASSWORD": PASSWORD, **more})
    site.at_end(walking.kill)
    late = threading.Timer(PACED_S_MAX if "SLUICE_PACED" in more else WHOLE_S_MAX * slowness(), walking.kill)
    site.at_end(late.cancel)
    late.start()
    said = []
    for line in walking.stdout:
        if line.startswith("please "):
            deeds[line[len("please "):].strip()]()
            walking.stdin.write("done\n")
            walking.stdin.flush()
        else:
            said.append(line)
    check(walking.wait() == 0, "walk_" + name, "".join(said)[-3000:])
    return said[-1].strip() if said else None


def the_first_visitor_makes_it_his_and_others_log_in(site):
    gateway = plant(site)
    remark = walk(gateway, "first_run", SLUICE_CODE=code_of(gateway))
    wait_for(lambda: gateway.status()["name"] == "Boiler room", 10, "the gateway has its name")
    return remark


def the_board_is_shown_with_its_drawing_and_its_lights(site):
    gateway = owned(plant(site))
    wait_for(lambda: not gateway.device("ghost")["up"] and gateway.device("ghost").get("why"), 30, "the device that is not there is told")
    return walk(gateway, "board")


def an_image_asks_who_it_is_and_is_updated(site):
    box = Box(site)
    foreign, bundle = box.bundle("foreign.raucb", "1.1.0", key="foreign"), box.bundle("new.raucb", "1.1.0")
    gateway = Gateway(site, [], [], [], web=True)
    owned(gateway.start(before=box.before + on_board("b8:27:eb:00:00:01")))
    gateway.stop()
    gateway.start(before=box.before + on_board("b8:27:eb:00:00:02"))
    remark = walk(gateway, "box", SLUICE_FOREIGN=foreign, SLUICE_BUNDLE=bundle)
    check(box.primary() == "A", "what starts next", box.primary())
    check(b"\0" * 64 != box.slot("B")[:64], "nothing is in slot B")
    return remark


def an_update_goes_on_without_the_gateway(site):
    box = Box(site)
    box.hold()
    gateway = Gateway(site, [], [], [], web=True)
    owned(gateway.start(before=box.before))
    site.start("install", program("sluice"), "update", "install", box.bundle("new.raucb", "1.1.0"), "--socket", gateway.socket)
    wait_for(lambda: Api(gateway).get("/api/v1/update")["job"].get("percent", 0) > 20 and box.is_busy(), 30, "it is being installed")
    gateway.kill()
    gateway.start(before=box.before)
    return accompany(site, gateway, "under_way", {"let it go on": box.let_go})


def what_people_call_things_fits_on_a_phone(site):
    hall = ModbusTcp(site, "hall", ["1-2:chiller,regs=40"])
    called = ["Wasseraufbereitungsanlagenüberwachungssensorik Nord", "مقياس درجة الحرارة الرئيسي", "👩‍🔧 Vorlauf", "W" * 60]
    points = [{"id": "p%d" % i, "name": name, "reg": 10 + i, "type": "i16", "scale": 0.1, "unit": "m³/(m²·h)"} for i, name in enumerate(called)]
    devices = [hall.device("boiler", 1, "1s", points, name="X" * 60), hall.device("c" * 50, 2, "1s", points, name="جهاز قياس الطاقة رقم ٣"),
               hall.device("ghost", 9, "1s", points, name=called[0])]
    host = "a-very-long-host-name-of-a-broker." * 4 + "example"
    uplinks = [{"id": "cloud", "url": "mqtts://%s:8883" % host}, {"id": "b" * 50, "url": "mqtts://" + host}]
    gateway = owned(Gateway(site, [hall.bus()], devices, uplinks, commit="250ms", web=True, gateway={"name": called[0]}).start())
    wait_for(lambda: gateway.device("ghost").get("why"), 30, "a device that does not answer")
    return walk(gateway, "names")


def somebody_updates_a_sensor_node(site):
    """On an emulated board; and back again."""
    node = SlottedNode(site)
    node.fit(version_parts("1.0.0")[0])
    node.on()
    wait_for(node.answers, 60, "the node answers")
    good, damaged = site.path("good.snu"), site.path("damaged.snu")
    data = sign.update_file(version_parts("1.1.0"))
    for path, content in ((good, data), (damaged, data[:-8])):
        with open(path, "wb") as file:
            file.write(content)
    gateway = Gateway(site, [{"id": "line", "driver": "modbus-rtu", "port": node.link, "line": "115200 8N1", "timeout": "2s"}],
                      [{"id": "node", "bus": "line", "unit": 1, "profile": "sluice-node", "every": "500ms"}], [], web=True).start()
    wait_for(lambda: gateway.device("node")["up"], 60, "it is polled")
    owned(gateway)
    updates = []

    def update():
        updates.append(site.start("update", program("sluice"), "node", "update", "node", good, "--config", gateway.config_path, "--socket", gateway.socket))
        wait_for(lambda: "progress" in json.dumps(Api(gateway).get("/api/v1/jobs/" + Api(gateway).get("/api/v1/jobs")["jobs"][-1]["job"])), 60,
                 "how far it is is told")
        updates[0].signal(signal.SIGSTOP)  # else it may be at its end before somebody has pressed

    def ends():
        updates[0].signal(signal.SIGCONT)
        wait_for(lambda: not updates[0].alive(), 60, "it ends")
        check("stopped; say it again to go on" in updates[0].log(), "why it ended", updates[0].log())
    return accompany(site, gateway, "node", {"update it at the machine": update, "see it end": ends}, SLUICE_GOOD=good, SLUICE_DAMAGED=damaged)


def every_screen_is_readable_for_everybody_and_nothing_jumps(site):
    gateway = owned(plant(site))
    wait_for(lambda: not gateway.device("ghost")["up"] and gateway.device("ghost").get("why"), 30, "the device that is not there is told")
    return walk(gateway, "screens")


def it_says_that_the_gateway_is_out_of_reach_and_goes_on(site):
    gateway = owned(plant(site))
    walking = subprocess.Popen(["node", os.path.join(HERE, "walk_away.mjs")], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "SLUICE_PAGE": gateway.url, "SLUICE_PASSWORD": PASSWORD, "SLUICE_PID": str(gateway.process.pid)})
    site.at_end(walking.kill)
    said = walking.stdout.readline()
    check(said == "gone\n", "the walk", said)
    gateway.process.popen.wait()
    gateway.start()
    said = walking.communicate(timeout=WALK_S_MAX)[0]
    check(walking.returncode == 0, "the walk after the restart", said)


def somebody_goes_the_whole_way_from_the_box_to_a_value_that_arrives(site):
    """The line is there, as on a gateway whose image knows its ports; nothing else is."""
    line = RtuLine(site, "rs485-1", ["2:incomer,regs=400", "5:other,regs=400"], 19200)
    hall = ModbusTcp(site, "hall", ["1:chiller,regs=40"])
    broker = Broker(site)
    subscriber = Subscriber(site, broker)
    gateway = Gateway(site, [line.bus()], [], [], commit="250ms", web=True).start()

    def called(name):
        return lambda: wait_for(lambda: gateway.status()["name"] == name, 20, "it is called " + name)

    def arrived(device, point):
        def has():
            return any(b'"%s"' % device in message.payload and point in message.payload for message in subscriber.on("data"))
        return lambda: wait_for(has, 30, "the subscriber has a value")

    def keep():
        api = Api(gateway)
        answer = api.ask("POST", "/api/v1/config/confirm", {"change": api.get("/api/v1/config")["pending"]["change"]})
        check(answer.status == 200 and answer.json["until"] is None, "confirm", answer.status, answer.text)
    deeds = {"see its new name": called("Boiler room"),
             "see it called Boiler room, hall 3": called("Boiler room, hall 3"),
             "see values of main-incomer": lambda: wait_for(lambda: gateway.device("main-incomer")["up"], 20, "the device answers"),
             "see a value of main-incomer arrive": arrived(b"main-incomer", b"frequency"),
             "see a value of chiller arrive": arrived(b"chiller", b"temperature"),
             "keep the change from elsewhere": keep,
             "stop the broker": broker.stop, "start the broker": broker.start}
    pictures = os.environ.get("SLUICE_PICTURES") or site.path("pictures")
    os.makedirs(pictures, exist_ok=True)
    certificate, key = broker.client
    remark = accompany(site, gateway, "whole", deeds, SLUICE_PICTURES=pictures, SLUICE_CODE=code_of(gateway),
                       SLUICE_HALL="127.0.0.1:%d" % hall.port, SLUICE_BROKER="mqtts://127.0.0.1:%d" % broker.tls_port, SLUICE_CA=broker.authority.path, SLUICE_CERT=certificate,
                       SLUICE_KEY=key)
    gateway.wait_drained(30)
    return remark


def it_is_used_without_a_mouse(site):
    gateway = owned(plant(site))
    account(gateway, "looker")
    return walk(gateway, "keyboard")


def bad_reception_hides_nothing_that_took_effect(site):
    gateway = plant(site)
    return walk(gateway, "reception", SLUICE_CODE=code_of(gateway))


def tabs_get_along_with_each_other(site):
    return walk(owned(plant(site)), "tabs")


def a_change_is_shown_tried_and_kept_or_goes_back(site):
    gateway = owned(plant(site))

    def edit():
        with open(gateway.config_path) as text:
            edited = text.read().replace("Another name", "By hand")
        site.write(gateway.config_path, edited)

    remembered = []

    def content():
        with open(gateway.config_path) as file:
            return file.read()

    def same():
        check(content() == remembered[0], "the file is that of the earlier change", content())

    api = Api(gateway)

    def change():
        edits = [{"at": ["devices", {"id": "boiler"}, "every"], "set": "3s"}]
        answer = api.ask("POST", "/api/v1/config/apply", {"edits": edits, "base": api.get("/api/v1/config")["revision"], "confirm_s": 60})
        check(answer.status in (200, 202), "a change", answer.status, answer.text)

    def confirm():
        answer = api.ask("POST", "/api/v1/config/confirm", {"change": api.get("/api/v1/config")["pending"]["change"], "anyway": True})
        check(answer.status == 200 and answer.json["until"] is None, "confirm", answer.status, answer.text)

    deeds = {"edit the file by hand": edit, "change it from elsewhere": change, "keep that change": confirm,
             "remember the file": lambda: remembered.append(content()), "see the file as it was": same}
    remark = accompany(site, gateway, "change", deeds)
    with open(gateway.config_path) as text:
        written = json.load(text)
    check(written["devices"][-1].get("name") == "Überlauf Halle 3", "the device is in the file", written["devices"][-1])
    check(written["gateway"]["name"] == "Plant 7", "the name went back", written["gateway"])
    return remark


def what_is_configured_is_changed_and_removed(site):
    library = os.environ["SLUICE_PROFILES"]
    os.environ["SLUICE_PROFILES"] = site.path("profiles")  # one's own; the library is that of the source tree
    gateway = owned(plant(site))
    os.environ["SLUICE_PROFILES"] = library
    walk(gateway, "settings")
    with open(gateway.config_path) as text:
        written = json.load(text)
    boiler = next(device for device in written["devices"] if device["id"] == "boiler")
    check((boiler["name"], boiler["every"], boiler["report"]["dead_band"]) == ("Kessel 2", "2s", 0.5), "the device", boiler)
    points = {point["id"]: point for point in boiler["points"]}
    check(points["p1"]["unit"] == "K" and "p0" not in points and points["extra"]["reg"] == 14, "its points", points)
    check([device["id"] for device in written["devices"]] == ["incomer", "boiler"], "devices", written["devices"])
    check([bus["id"] for bus in written["buses"]] == ["rs485-1"], "lines", written["buses"])
    check([(uplink["id"], uplink["layout"]) for uplink in written["uplinks"]] == [("cloud", "values"), ("behind", "batch")], "brokers", written["uplinks"])
    behind = written["uplinks"][1]
    check((behind["proxy"], behind["proxy_login_file"]) == ("http://127.0.0.1:3128", "behind-proxy.password"), "the proxy", behind)
    with open(os.path.join(os.path.dirname(gateway.config_path), "behind-proxy.password")) as text:
        check(text.read().strip() == "plant7:three plain words", "its login is in its file")


def what_the_gateway_says_is_told_in_german(site):
    return walk(owned(plant(site)), "words")


def a_chart_is_drawn_as_by_all_of_uplot(site):
    return walk(None, "chart")


def a_phone_shows_all_and_a_backup_comes_back(site):
    gateway = owned(plant(site))
    authority = Authority(site.folder, "shop")
    (certificate, key), (_, other_key) = authority.issue("plant7"), authority.issue("other")
    pfx, passphrase = site.path("plant7.pfx"), "so gegeben: 100 % für €"
    subprocess.run(["openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-out", pfx, "-passout", "pass:" + passphrase], check=True)
    talker = Talker(site)
    return walk(gateway, "phone", SLUICE_TALKER=talker.link, SLUICE_CERT=certificate, SLUICE_KEY=key, SLUICE_OTHER_KEY=other_key, SLUICE_PFX=pfx, SLUICE_PFX_PASSPHRASE=passphrase)


def devices_are_looked_for_only_where_somebody_wants_it(site):
    hall = ModbusTcp(site, "hall", ["1:chiller,regs=40"])
    gateway = owned(Gateway(site, [], [], [], web=True).start())
    account(gateway, "viewer")
    return walk(gateway, "place", SLUICE_HALL="127.0.0.1:%d" % hall.port)


def what_a_device_does_not_have_is_left_out(site):
    points = [{"id": name, "name": name.title(), "reg": reg, "type": "i16", "scale": 0.1, "unit": "°C"} for name, reg in (("flow", 10), ("return", 11), ("room", 12), ("drive", 60), ("fan", 61))]
    library = os.environ["SLUICE_PROFILES"]
    os.environ["SLUICE_PROFILES"] = site.path("profiles")
    os.makedirs(site.path("profiles"))
    site.write("profiles/acme-x1.json", json.dumps({"vendor": "Acme", "model": "X1", "drivers": ["modbus-tcp"], "numbering": "0-based", "points": points}))
    hall = ModbusTcp(site, "hall", ["1:chiller,regs=40"])
    gateway = owned(Gateway(site, [], [], [], web=True).start())
    os.environ["SLUICE_PROFILES"] = library
    remark = walk(gateway, "leave_out", SLUICE_HALL="127.0.0.1:%d" % hall.port)
    with open(gateway.config_path) as text:
        written = json.load(text)
    check(written["devices"][0]["only"] == ["flow", "return", "room"], "the file", written["devices"])
    return remark


def a_new_meter_gets_its_unit_number(site):
    link = site.path("meters.tty")
    meters = site.start("meters", sys.executable, os.path.join(HERE, "../system/parties/settable_meters.py"), link, "locked=1")
    wait_for(lambda: "ready" in meters.log(), 20, "the meter is ready")
    gateway = owned(Gateway(site, [], [], [], web=True).start())
    remark = accompany(site, gateway, "assign", {"unlock the meter": lambda: meters.signal(signal.SIGUSR2)}, SLUICE_METER=link)
    check(meters.log().splitlines()[-1] == "unit 7 at 2400 8N1", "the meter", meters.log())
    with open(gateway.config_path) as text:
        written = json.load(text)
    check(written["devices"][0]["unit"] == 7 and written["devices"][0]["profile"] == "eastron-sdm120", "the file", written)
    return remark


def what_was_is_looked_at_while_an_outage_is_tried(site):
    gateway = owned(plant(site))
    wait_for(lambda: gateway.device("boiler")["up"], 20, "the boiler is read")
    drills = []

    def drill():
        drills.append(site.start("drill", program("sluice"), "drill", "--socket", gateway.socket, "--minutes", "2"))

    def ends():
        check(drills[0].popen.wait(30) != 0 and "ended before its time" in drills[0].log(), "its words", drills[0].log())

    def claim(for_ms):
        check(Api(gateway).ask("POST", "/api/v1/uplinks/cloud/hold?by=anna&claim_ms=%d" % for_ms).status == 200, "the claim", for_ms)
    return accompany(site, gateway, "past", {"drill at the machine": drill, "see that drill end": ends, "take the uplink by another program": lambda: claim(60000),
                                             "give it back": lambda: claim(0)})


def a_backup_makes_another_machine_the_same_gateway(site):
    old = owned(plant(site))
    epoch = old.status()["journal"]["epoch"]
    new = Gateway(site, [], [], [], web=True, prefix="new-", gateway={"id": "spare", "name": ""}).start()

    def is_the_old_one():
        def has():
            told = json.loads(new.cli("status", "--json").stdout or "{}")
            return told.get("id") == "plant7" and told["journal"]["epoch"] != epoch and len(told["buses"]) == 2
        wait_for(has, 30, "it has the old id, and an epoch of its own")

    def is_there():
        def answers():
            try:
                socket.create_connection(("127.0.0.1", old.https), 1).close()
                return True
            except OSError:
                return False
        wait_for(answers, 30, "the page is at the old address")
    deeds = {"end the old one": old.stop, "answer where the old one did": is_there, "see the old id with a new epoch": is_the_old_one}
    return accompany(site, old, "move", deeds, SLUICE_NEW=new.url, SLUICE_CODE=code_of(new))


def a_template_asks_for_keys_and_passwords(site):
    broker = Broker(site)
    certificate, key = broker.client
    data = {"ca.pem": broker.authority.path, "gw.pem": certificate, "gw-key.pem?as=key": key}

    def at_home(prefix, **more):
        """In a folder of its own, with profiles of its own."""
        gateway = Gateway(site, [], [], [], prefix=prefix, **more)
        folder = site.path(prefix + "etc")
        os.mkdir(folder)
        gateway.config_path = os.path.join(folder, "sluice.json")
        gateway.write()
        return gateway.start(before=("env", "SLUICE_PROFILES=" + os.path.join(folder, "profiles")))

    first = at_home("first-", web=True)
    api = Api(first)
    for name, path in data.items():
        with open(path, "rb") as file:
            check(api.ask("PUT", "/api/v1/files/" + name, file.read(), {}).status == 200, name)
    check(api.ask("PUT", "/api/v1/files/cloud.txt?as=password", b"secret", {}).status == 200, "the password")
    meter = b'{"vendor": "Acme", "drivers": ["modbus-tcp"], "numbering": "0-based", "points": [{"id": "level", "reg": 10, "type": "u16"}]}'
    check(api.ask("PUT", "/api/v1/profiles/my-meter", meter).status == 201, "a profile")
    hall = ModbusTcp(site, "hall", ["1:meter,regs=40"])
    uplink = {**broker.uplink(), "tls": {"ca": "ca.pem", "cert": "gw.pem", "key": "gw-key.pem"}, "user": "x", "password_file": "cloud.txt"}
    answer = api.ask("POST", "/api/v1/config/apply", {"base": api.get("/api/v1/config")["revision"], "edits": [
        {"at": ["buses"], "set": [hall.bus()]}, {"at": ["devices"], "set": [{"id": "meter", "bus": "hall", "unit": 1, "profile": "my-meter"}]},
        {"at": ["uplinks"], "set": [uplink]}]})
    check(answer.status == 200, answer.text)
    template = site.write("template.json", api.ask("GET", "/api/v1/export/template?files=true").text)
    first.stop()
    second = at_home("second-", gateway={"id": "plant8", "name": "Eight"}, web={"https": first.https, "http": first.http})
    second.https = first.https
    deeds = {"see it publish": lambda: wait_for(lambda: second.is_online() and second.device("meter")["up"], 30, "it reads and publishes")}
    remark = accompany(site, owned(second), "template", deeds, SLUICE_TEMPLATE=template, SLUICE_CERT=certificate, SLUICE_KEY=key, SLUICE_SECRET="secret")
    check(second.status()["id"] == "plant8" and second.status()["name"] == "Eight", "it is who it was")
    return remark


def a_person_with_a_phone_takes_less_than_ten_minutes(site):
    """From what `tools/demo --first-run` starts, with the pauses that a person makes, so that it takes as long as it takes:
    only in the long run."""
    if not LONG:
        raise Skip("it takes minutes: SLUICE_LONG=1")
    first = FirstRun(site)
    deeds = {"see its new name": lambda: first.wait(lambda status: status["name"] == "Boiler room", "its name"),
             "see values of main-incomer": lambda: first.wait(lambda status: status["buses"][0]["devices"][0]["up"], "the device answers"),
             "see a value of main-incomer arrive": lambda: wait_for(lambda: "arrived from main-incomer:" in first.party.log(), 30, "a value arrives")}
    told = first.told
    return accompany(site, first, "whole", deeds, SLUICE_PACED="1", SLUICE_CODE=told["code"], SLUICE_LINE=told["line"], SLUICE_HALL=told["host"],
                     SLUICE_BROKER=told["broker"], SLUICE_CA=told["ca"], SLUICE_CERT=told["cert"], SLUICE_KEY=told["key"],
                     SLUICE_PICTURES=os.environ.get("SLUICE_PICTURES", ""))


def what_displays_show_is_in_the_report(site):
    gateway = owned(plant(site))
    account(gateway, "viewer")
    wait_for(lambda: gateway.device("boiler")["up"], 20, "the boiler is read")
    return walk(gateway, "report")


if __name__ == "__main__":
    if lacking():
        print("skipped:", lacking())
        sys.exit(SKIPPED)
    main(the_first_visitor_makes_it_his_and_others_log_in,
         the_board_is_shown_with_its_drawing_and_its_lights,
         every_screen_is_readable_for_everybody_and_nothing_jumps,
         what_people_call_things_fits_on_a_phone,
         somebody_updates_a_sensor_node,
         it_says_that_the_gateway_is_out_of_reach_and_goes_on,
         it_is_used_without_a_mouse,
         bad_reception_hides_nothing_that_took_effect,
         tabs_get_along_with_each_other,
         a_change_is_shown_tried_and_kept_or_goes_back,
         what_is_configured_is_changed_and_removed,
         what_the_gateway_says_is_told_in_german,
         a_chart_is_drawn_as_by_all_of_uplot,
         a_phone_shows_all_and_a_backup_comes_back,
         devices_are_looked_for_only_where_somebody_wants_it,
         what_a_device_does_not_have_is_left_out,
         a_new_meter_gets_its_unit_number,
         what_displays_show_is_in_the_report,
         what_was_is_looked_at_while_an_outage_is_tried,
         a_backup_makes_another_machine_the_same_gateway,
         a_template_asks_for_keys_and_passwords,
         a_person_with_a_phone_takes_less_than_ten_minutes,
         an_image_asks_who_it_is_and_is_updated,
         an_update_goes_on_without_the_gateway,
         somebody_goes_the_whole_way_from_the_box_to_a_value_that_arrives)
