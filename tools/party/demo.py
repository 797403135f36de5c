"""The demo: sensors on simulated wires, a real broker, an outage in the middle, and the proof at the end."""
import argparse
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

GATEWAY = "demo"
DEVICES = {
    "incomer": ("rs485", 1),
    "pump": ("rs485", 2),
    "chiller": ("hall", 1),
}

UNITS = {"temperature": "°C", "level": "m", "wind_speed": "m/s"}


class Stop(Exception):
    """Ctrl-C, SIGTERM, or a part that ended by itself."""


class Parts:
    """What was started, so that exactly that is ended, in the reverse order."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, command, output=None):
        with open(self.folder / f"{name}.log", "ab") as log, open(output or os.devnull, "ab") as out:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out if output else log,
                                       stderr=log, start_new_session=True)
        self.running.append((name, process))
        return process

    def end(self, process, seconds=10):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = [(n, p) for n, p in self.running if p is not process]

    def end_all(self):
        for _, process in reversed(list(self.running)):
            self.end(process)

    def check(self):
        for name, process in self.running:
            if process.poll() is not None:
                tail = (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]
                raise Stop(f"{name} ended with status {process.returncode}:\n{tail}")


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Stop(f"waited {seconds} s for {what}, in vain")
        time.sleep(0.05)


def free_port():
    """None of those that the system gives to clients: one that tries to reach the broker while it is away could be given
    its port."""
    for port in random.sample(range(10000, 32768), 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Stop("no free port below those of clients")


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def make_certificates(folder):
    """A certificate authority, a server's certificate for 127.0.0.1 and one for each client."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=Sluice demo CA")
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    (folder / "client.ext").write_text("extendedKeyUsage=clientAuth\n")
    for name, kind in (("server", "server"), (GATEWAY, "client"), ("subscriber", "client"), ("auditor", "client")):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", f"{kind}.ext")
    for key in folder.glob("*.key"):
        key.chmod(0o600)


class Broker:
    def __init__(self, parts):
        self.parts = parts
        self.folder = parts.folder
        self.port = free_port()
        (self.folder / "broker").mkdir(exist_ok=True)
        self.config = self.folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        self.config.write_text(
            f"{user}listener {self.port} 127.0.0.1\n"
            f"cafile {self.folder}/ca.pem\ncertfile {self.folder}/server.pem\n"
            f"keyfile {self.folder}/server.key\n"
            "require_certificate true\nuse_identity_as_username true\n"
            f"persistence true\npersistence_location {self.folder}/broker/\n"
            "max_queued_messages 0\n")
        self.process = None

    def start(self):
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = self.parts.start("mosquitto", [program, "-c", str(self.config)])
        wait_for(lambda: accepts(self.port), 10, "mosquitto to listen")

    def stop(self):
        self.parts.end(self.process)


# The kinds of events that are published; others, as declarations, stay in the journal.
PUBLISHED = ("reading", "state", "alarm", "result", "gap", "clock", "lifecycle")


class Subscriber:
    """An independent consumer: keeps what it received by key, so that duplicates can be told."""

    def __init__(self, broker, gateway=GATEWAY):
        arguments = {"client_id": "demo-subscriber", "clean_session": False}
        if hasattr(mqtt, "CallbackAPIVersion"):
            arguments["callback_api_version"] = mqtt.CallbackAPIVersion.VERSION1
        self.client = mqtt.Client(**arguments)
        folder = broker.folder
        self.client.tls_set(f"{folder}/ca.pem", f"{folder}/subscriber.pem", f"{folder}/subscriber.key",
                            tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_connect = lambda client, *_: client.subscribe(f"sluice/{gateway}/data", qos=1)
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self.on_message
        self.client.reconnect_delay_set(1, 1)
        self.ready = threading.Event()
        self.lock = threading.Lock()
        self.keys, self.values, self.latest = set(), {}, {}
        self.lent = []  # [device, from, until]: its line was another program's
        self.duplicates = self.messages = 0
        self.client.connect_async("127.0.0.1", broker.port, keepalive=10)
        self.client.loop_start()

    def on_message(self, _client, _context, message):
        payload = json.loads(message.payload)
        with self.lock:
            self.messages += 1
            for event in payload["events"]:
                key = (payload["epoch"], event["n"])
                if key in self.keys:
                    self.duplicates += 1
                    continue
                self.keys.add(key)
                if event["k"] == "state" and "d" in event:
                    self.note_lent(event)
                if event["k"] == "reading":
                    name = (event["d"], event["p"])
                    self.latest[name] = event
                    if event["q"] != "bad":
                        self.values.setdefault(name, set()).add(event["v"])

    def note_lent(self, event):
        for span in self.lent:
            if span[0] == event["d"] and span[2] is None:
                span[2] = event["t"]
        if event.get("why") == "lent":
            self.lent.append([event["d"], event["t"], None])

    def was_lent(self, device, t):
        return any(d == device and since <= t and (until is None or t <= until) for d, since, until in self.lent)

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


def ports_to(port, pid):
    """From which ports that process is connected to a port of the loopback."""
    inodes = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            pass
    found = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if int(words[2].split(":")[1], 16) == port and words[9] in inodes:
            found.add(int(words[1].split(":")[1], 16))
    return found


def counter_points(unit_point):
    """The points of a simulated Modbus unit: a counter that rises with each reply, and what wanders."""
    return [
        {"id": unit_point, "reg": 0, "type": "u32", "name": "Replies sent"},
        {"id": "temperature", "reg": 2, "type": "i16", "scale": 0.01, "offset": 22,
         "unit": UNITS["temperature"]},
        {"id": "level", "reg": 4, "type": "f32", "unit": UNITS["level"]},
    ]


def write_config(folder, broker, tcp_port, page_port):
    def modbus(name, title, every):
        bus, unit = DEVICES[name]
        return {"id": name, "name": title, "bus": bus, "unit": unit, "numbering": "0-based",
                "every": every, "points": counter_points("counter")}

    config = {
        "version": 1,
        "gateway": {"id": GATEWAY, "name": "Demo plant"},
        "journal": {"path": str(folder / "journal")},
        "web": {"listen": ["127.0.0.1"], "https": page_port, "redirect": False},
        "buses": [
            {"id": "rs485", "driver": "modbus-rtu", "port": str(folder / "rs485"), "line": "19200 8E1"},
            {"id": "hall", "driver": "modbus-tcp", "host": f"127.0.0.1:{tcp_port}"},
            {"id": "mast", "driver": "serial", "port": str(folder / "mast"), "line": "4800 8N1",
             "start": "$", "checksum": "nmea"},
        ],
        "devices": [
            modbus("incomer", "Main incomer", "200ms"),
            modbus("pump", "Feed pump", "500ms"),
            modbus("chiller", "Chiller", "100ms"),
            {"id": "gnss", "name": "Receiver on the mast", "bus": "mast", "points": [
                {"id": "counter", "match": "^\\$PSLCN,", "column": 1, "type": "integer"},
                {"id": "wind_speed", "match": "^\\$WIMWV,", "column": 3, "unit": UNITS["wind_speed"]}]},
        ],
        "uplinks": [{
            "id": "cloud", "url": f"mqtts://127.0.0.1:{broker.port}", "linger": "200ms", "retry_max": "2s",
            "tls": {"ca": "ca.pem", "cert": f"{GATEWAY}.pem", "key": f"{GATEWAY}.key"}}],
    }
    path = folder / "sluice.json"
    path.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n")
    return path


class Demo:
    def __init__(self, arguments, folder):
        self.arguments = arguments
        self.folder = folder
        self.build = pathlib.Path(arguments.build).resolve()
        self.parts = Parts(folder)
        self.socket = folder / "api.sock"
        self.truth = folder / "truth"
        self.own_truth = folder / "truth.own"
        self.own_ports = set()  # from which the gateway was connected to the TCP device
        self.controls = []
        self.peak = 0
        self.outage_begin = self.outage_end = None
        # The library of the source, which the page offers: none is installed where the demo runs.
        os.environ.setdefault("SLUICE_PROFILES", str(pathlib.Path(__file__).resolve().parents[2] / "drivers" / "profiles"))

    def say(self, words):
        if not self.arguments.json:
            print(words, flush=True)

    def simulate(self, name, program, *extra):
        control, ready = self.folder / f"{name}.control", self.folder / f"{name}.ready"
        self.controls.append(control)
        self.parts.start(name, [str(self.build / "tests" / "sim" / program), *extra, "--control",
                                str(control), "--truth", str(self.truth), "--ready-file", str(ready)])
        wait_for(ready.exists, 10, f"the simulator {name}")
        return ready.read_text().split()[0]

    def start_broker(self, gateway=GATEWAY):
        make_certificates(self.folder)
        self.broker = Broker(self.parts)
        self.broker.start()
        self.subscriber = Subscriber(self.broker, gateway)
        wait_for(self.subscriber.ready.is_set, 10, "the subscriber")

    def start_gateway(self, config, page_port):
        self.gateway = self.parts.start(
            "sluiced", [str(self.build / "sluiced"), "--config", str(config), "--state", str(self.folder / "state"),
                        "--socket", str(self.socket)])
        wait_for(lambda: self.gateway.poll() is not None or self.status(), 10, "sluiced to answer")
        self.parts.check()
        self.page = f"https://127.0.0.1:{page_port}/"
        self.code = self.setup_code()

    def start(self):
        self.say("== certificates, broker, sensors, gateway")
        self.start_broker()
        self.audit = self.parts.start("audit", [
            str(self.build / "sluice"), "audit", "--url", f"mqtts://127.0.0.1:{self.broker.port}", "--gateway",
            GATEWAY, "--ca", str(self.folder / "ca.pem"), "--cert", str(self.folder / "auditor.pem"), "--key",
            str(self.folder / "auditor.key"), "--client-id", "demo-auditor", "--truth", str(self.own_truth), "--json"],
            output=self.folder / "audit.json")
        wait_for(lambda: "listening" in (self.folder / "audit.log").read_text(), 10, "the audit to listen")
        self.simulate("rs485-line", "sim_rtu", "--link", str(self.folder / "rs485"), "--baud", "19200",
                      "--unit", "1:incomer", "--unit", "2:pump", "--realtime")
        self.tcp_port = int(self.simulate("tcp-device", "sim_tcp", "--unit", "1:chiller"))
        self.simulate("nmea-talker", "sim_line", "nmea", "--link", str(self.folder / "mast"),
                      "--name", "gnss")
        page_port = free_port()
        config = write_config(self.folder, self.broker, self.tcp_port, page_port)
        self.start_gateway(config, page_port)
        self.say(f"== the page is at {self.page}, and its first visitor enters {self.code}")
        self.say(f"== to look into it from another terminal: {self.way_in()}")
        self.say("   and then: sluice status, sluice tail, sluice state, sluice doctor cloud, sluice scan rs485")

    def way_in(self):
        """What makes `sluice` ask this gateway and no installed one."""
        return f"export SLUICE_SOCKET={shlex.quote(str(self.socket))} PATH={shlex.quote(str(self.build))}:$PATH"

    def setup_code(self):
        """What the first visitor of the page has to enter."""
        answer = subprocess.run([str(self.build / "sluice"), "setup", "--socket", str(self.socket)],
                                capture_output=True, text=True)
        return answer.stdout.strip() or "-"

    def status(self):
        answer = subprocess.run([str(self.build / "sluice"), "status", "--json", "--socket",
                                 str(self.socket)], capture_output=True)
        return json.loads(answer.stdout) if answer.returncode == 0 else None

    def pending(self, status):
        return status["consumers"].get("uplink/cloud", {}).get("pending", 0) if status else None

    def show(self, status, elapsed):
        journal, uplink = status["journal"], status["uplinks"][0]
        ledger = status["consumers"].get("uplink/cloud", {"acked": 0, "pending": 0})
        with self.subscriber.lock:
            latest = dict(self.subscriber.latest)
            received, duplicates = len(self.subscriber.keys), self.subscriber.duplicates
        of = f" of {self.arguments.seconds} s" if self.arguments.seconds else ""
        values = [(f"{device}/{point}", "-" if event["v"] is None else event["v"], UNITS.get(point, ""), event["q"])
                  for (device, point), event in sorted(latest.items())]
        lines = [f"Sluice demo, {elapsed:.0f} s{of}; Ctrl-C ends it", ""]
        lines += [f"  {name:<24} {value!s:>12} {unit:<4} {quality}" for name, value, unit, quality in values]
        bar = "#" * min(60, ledger["pending"] // 10)
        lines += ["", f"  page        {self.page} (signed by itself; setup code {self.code})",
                  f"  look in     {self.way_in()}",
                  f"  journal     {journal['stored']} events stored",
                  f"  uplink      {uplink['state']:<11} {uplink['tls'] if uplink['state'] == 'online' else ''}",
                  f"  ledger      {ledger['acked']} acknowledged, {ledger['pending']} pending {bar}",
                  f"  subscriber  {received} events, {duplicates} duplicates (declarations are stored, not sent)"]
        if self.outage_begin and not self.outage_end:
            lines += ["", "  The demo has stopped the broker: the queue grows."]
        elif self.outage_end and ledger["pending"] > 100:
            lines += ["", "  The broker is back: the queue drains."]
        if uplink["error"]:
            lines.append(f"  {uplink['error']}")
        if sys.stdout.isatty():
            print("\x1b[H\x1b[J" + "\n".join(lines), flush=True)
        else:
            # One value after the other, so that each is seen in a log's width.
            name, value, unit, _ = values[int(elapsed * 2) % len(values)] if values else ("", "", "", "")
            newest = f"{name} = {value} {unit}" if values else "no value has arrived yet"
            print(f"{elapsed:5.1f} s  stored {journal['stored']:>6}  acknowledged {ledger['acked']:>6}  "
                  f"pending {ledger['pending']:>5}  uplink {uplink['state']:<10}  {newest}", flush=True)

    def outage(self, elapsed):
        """Cuts the broker off in the middle of the run, and lets it come back."""
        if self.outage_begin is None and elapsed >= self.arguments.cut_at:
            self.outage_begin = time.monotonic()
            self.broker.stop()
            self.say(f"== the broker is gone for {self.arguments.outage:.0f} s: the queue grows")
        elif self.outage_begin and self.outage_end is None and \
                time.monotonic() - self.outage_begin >= self.arguments.outage:
            self.outage_end = time.monotonic()
            self.broker.start()
            self.say("== the broker is back: the queue drains")

    def run(self):
        begin = time.monotonic()
        self.say("== running; Ctrl-C ends it, and all that was started here")
        while True:
            elapsed = time.monotonic() - begin
            if self.arguments.seconds and elapsed >= self.arguments.seconds:
                return
            self.parts.check()
            self.outage(elapsed)
            self.own_ports |= ports_to(self.tcp_port, self.gateway.pid)
            status = self.status()
            if status:
                self.peak = max(self.peak, self.pending(status))
                if not self.arguments.json:
                    self.show(status, elapsed)
            time.sleep(0.5)

    def tell(self, control, *commands):
        subprocess.run([str(self.build / "tests" / "sim" / "sim_rtu"), "--tell", str(control), *commands],
                       capture_output=True, check=True)

    def finish(self):
        """Silences the sensors, lets the queue drain, and draws the balance."""
        if self.outage_begin and not self.outage_end:
            self.outage_end = time.monotonic()
            self.broker.start()
        self.say("== the sensors fall silent; the rest drains")
        self.own_ports |= ports_to(self.tcp_port, self.gateway.pid)
        for control in self.controls:
            self.tell(control, "silence *" if "nmea" not in control.name else "silence")
        try:
            wait_for(lambda: self.pending(self.status()) == 0 and self.missing() == 0, 40, "the queue to drain")
        except Stop:
            pass
        self.parts.end(self.gateway)
        self.subscriber.stop()
        self.own_truth.write_text("".join(line + "\n" for line, _ in self.own_lines()))
        self.parts.end(self.audit)
        self.parts.end_all()
        return self.balance(self.read_truth())

    def missing(self):
        with self.subscriber.lock:
            return sum(len(values - self.subscriber.values.get(name, set()))
                       for name, values in self.read_truth().items())

    def read_audit(self):
        """What `sluice audit`, a subscriber of its own, says: no hole in the covers, nothing missing."""
        text = (self.folder / "audit.json").read_text()
        audit = json.loads(text) if text else {}
        return {name: audit.get(name) for name in ("proven", "holes", "missing", "duplicates")}

    def own_lines(self):
        """What was sent to the gateway, and not to somebody who tries `sluice read` or `sluice scan` beside it: it may be
        missing where another connection asked, or while the gateway had lent the line."""
        for line in self.truth.read_text().splitlines():
            entry = json.loads(line)
            other = entry.get("from", 0) not in self.own_ports | {0} or self.subscriber.was_lent(entry["d"], entry["t"])
            if not other or entry["v"] in self.subscriber.values.get((entry["d"], entry["p"]), ()):
                yield line, entry

    def read_truth(self):
        sent = {}
        for _, entry in self.own_lines():
            if not entry.get("late"):
                sent.setdefault((entry["d"], entry["p"]), set()).add(entry["v"])
        return sent

    def read_journal(self):
        """What the journal holds, once the gateway has ended: the values of counters, and how many events there are, are
        never published, and were not received."""
        held, counts = {}, dict.fromkeys(("events_stored", "events_unpublished", "events_not_received"), 0)
        answer = subprocess.run([str(self.build / "sluice"), "replay", "--journal", str(self.folder / "journal")],
                                capture_output=True, text=True, check=True)
        for event in map(json.loads, answer.stdout.splitlines()):
            counts["events_stored"] += 1
            if event["k"] not in PUBLISHED:
                counts["events_unpublished"] += 1
            elif (event["epoch"], event["n"]) not in self.subscriber.keys:
                counts["events_not_received"] += 1
            if event["k"] == "reading" and event["p"] == "counter":
                held.setdefault((event["d"], event["p"]), set()).add(event["v"])
        return held, counts

    def read_lost(self):
        """Of each counter: how many of the values that were sent to the gateway did not arrive, and from when to when."""
        spans = {}
        for _, entry in self.own_lines():
            name = (entry["d"], entry["p"])
            if entry.get("late") or entry["v"] in self.subscriber.values.get(name, ()):
                continue
            span = spans.setdefault(name, {"device": name[0], "point": name[1], "values": set(), "first": entry["t"], "last": entry["t"]})
            span["values"].add(entry["v"])
            span["first"], span["last"] = min(span["first"], entry["t"]), max(span["last"], entry["t"])
        return [{**spans[name], "values": len(spans[name]["values"])} for name in sorted(spans)]

    def balance(self, sent):
        """Counted values all along their way, and apart from them all events: other points, states, declarations."""
        received, (held, counts) = self.subscriber.values, self.read_journal()
        delivered = sum(len(values & received.get(name, set())) for name, values in sent.items())
        produced = sum(len(values) for values in sent.values())
        never_sent = sum(len(received.get(name, set()) - values) for name, values in sent.items())
        return {
            "produced": produced,
            "stored": sum(len(values & held.get(name, set())) for name, values in sent.items()),
            "delivered": delivered,
            "duplicates": self.subscriber.duplicates,
            "lost": produced - delivered,
            "lost_of": self.read_lost(),
            "never_sent": never_sent,
            **counts,
            "events_received": len(self.subscriber.keys),
            "messages": self.subscriber.messages,
            "peak_backlog": self.peak,
            "audit": self.read_audit(),
            "outage_s": round(self.outage_end - self.outage_begin, 1) if self.outage_end else 0,
        }


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--outage", type=float)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    if arguments.json and not arguments.seconds:
        arguments.seconds = 60
    if arguments.seconds and arguments.seconds < 15:
        parser.error("--seconds: at least 15, or there is no time for an outage")
    run = arguments.seconds or 60
    arguments.outage = arguments.outage or run / 5
    arguments.cut_at = run / 3
    return arguments


def working_folder(keep):
    if not keep:
        return pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-"))
    folder = pathlib.Path(keep).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def hold(kind, arguments, party):
    """Makes a party of that kind, hands it to `party`, which returns the exit status, and ends all that was started."""
    folder = working_folder(arguments.keep)

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    demo = kind(arguments, folder)
    try:
        return party(demo)
    except Stop as reason:
        print(f"tools/demo: {reason}", file=sys.stderr)
        if not arguments.keep:
            print("tools/demo: run it with --keep DIR to look at the logs", file=sys.stderr)
        return 1
    finally:
        demo.parts.end_all()
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


def tell_balance(demo, result, proven):
    demo.say(f"\n{result['produced']} counted values were sent on the wire, {result['delivered']} of "
             f"them arrived, {result['lost']} are lost. (With all other points, states and declarations "
             f"{result['events_stored']} events were stored.)\n"
             f"{result['duplicates']} duplicates were told by their key.\nThe broker was away for {result['outage_s']} s; at most "
             f"{result['peak_backlog']} events waited in the journal.")
    for lost in result["lost_of"]:
        first, last = (time.strftime("%H:%M:%S", time.localtime(lost[at] / 1000)) for at in ("first", "last"))
        demo.say(f"Lost of {lost['device']}/{lost['point']}: {lost['values']}, sent from {first} to {last}. (What is sent while a "
                 "configuration is changed, or to a device that it no longer has, nobody takes.)")
    demo.say(f"sluice audit: {result['audit']['holes']} holes in what the messages cover, "
             f"{result['audit']['missing']} values missing.")
    demo.say("Nothing is missing." if proven else "SOMETHING IS MISSING.")


def prove(demo):
    try:
        demo.start()
        try:
            demo.run()
        except KeyboardInterrupt:
            demo.say("")
        result = demo.finish()
    except KeyboardInterrupt:
        return 130
    proven = result["produced"] == result["stored"] > 0 and result["lost"] == 0 and result["never_sent"] == 0 and \
        result["audit"]["proven"]
    if demo.arguments.json:
        print(json.dumps(result), flush=True)
    else:
        tell_balance(demo, result, proven)
    return 0 if proven else 1


if __name__ == "__main__":
    sys.exit(hold(Demo, parse_arguments(), prove))
