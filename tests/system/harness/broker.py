"""Mosquitto with a configuration of its own, and a subscriber that keeps its session."""
import json
import signal
import socket
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .certificates import Authority
from .site import free_port, wait_for

SESSION_S = 3600
RETRY_MAX = "2s"


class Broker:
    """
    Listens on `port` in the clear, for subscribers, and on `tls_port` with TLS where a client certificate is
    asked for; there the certificate's name is the user. `acl` is the text of an access list, `more` lines of
    its configuration.
    """

    def __init__(self, site, tls=True, acl=None, server=None, start=True, name="mosquitto", more=()):
        self.site = site
        self.name = name
        self.port = free_port()
        self.tls_port = free_port() if tls else None
        self.more = more
        self.acl_path = site.write(name + ".acl", acl) if acl is not None else None
        if tls:
            self.authority = Authority(site.folder, name + "-ca")
            self.server = server(self.authority) if server else self.authority.issue("server")
            self.client = self.authority.issue("plant7")
        self.config = site.write(name + ".conf", self._config())
        self.process = None
        if start:
            self.start()

    def _config(self):
        # The queue has no practical limit; with 0 for none mosquitto 2.0 hangs up on clients whose topic it denies.
        lines = ["per_listener_settings false", "allow_anonymous true", "persistence true",
                 "persistence_location %s/" % self.site.folder, "persistence_file %s.db" % self.name,
                 "max_queued_messages 1000000", "max_inflight_messages 100", "user root", "log_type error",
                 "log_type warning", "log_type notice", "log_type information", *self.more,
                 "listener %d 127.0.0.1" % self.port]
        if self.acl_path:
            lines.append("acl_file " + self.acl_path)
        if self.tls_port:
            certificate, key = self.server
            lines += ["listener %d 127.0.0.1" % self.tls_port, "cafile " + self.authority.path,
                      "certfile " + certificate, "keyfile " + key, "require_certificate true",
                      "use_identity_as_username true"]
        return "\n".join(lines) + "\n"

    def start(self):
        self.process = self.site.start(self.name, "mosquitto", "-c", self.config)
        wait_for(self._answers, 10, self.name + " listens")

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        """In order: it saves its sessions."""
        self.process.end()

    def restart(self):
        self.stop()
        self.start()

    def set_acl(self, text):
        """Another access list, in force when this returns."""
        self.site.write(self.name + ".acl", text)
        before = self.process.log().count("Reloading config.")
        self.process.signal(signal.SIGHUP)
        wait_for(lambda: self.process.log().count("Reloading config.") > before, 5, "the access list is read")

    def uplink(self, port=None, **more):
        """The configuration of an uplink to this broker, through `port` where a proxy stands between."""
        # It is tried again soon: how the waits grow is tested elsewhere, and what a test waits for is the broker.
        common = {"id": "cloud", "linger": "50ms", "retry_max": RETRY_MAX}
        if not self.tls_port:
            return {**common, "url": "mqtt://127.0.0.1:%d" % (port or self.port), **more}
        certificate, key = self.client
        return {**common, "url": "mqtts://127.0.0.1:%d" % (port or self.tls_port),
                "tls": {"ca": self.authority.path, "cert": certificate, "key": key}, **more}


class Message:
    def __init__(self, message):
        self.topic = message.topic
        self.payload = message.payload
        self.retained = bool(message.retain)
        self.qos = message.qos
        self.at = time.time()

    def json(self):
        return json.loads(self.payload)


class Subscriber:
    """
    Collects everything below `topic` in a thread of its own, under one session for all connections, and keeps
    it in a file, too.
    """

    def __init__(self, site, broker, version=5, topic="sluice/#", name="subscriber"):
        self.messages = []
        self.topic = topic
        self.version = version
        self.subscribed = threading.Event()
        self.file = open(site.path(name + ".messages"), "w")
        protocol = mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311
        session = {} if version == 5 else {"clean_session": False}
        newer = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
        self.client = mqtt.Client(*newer, client_id=name, protocol=protocol, **session)
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = self._on_message
        self.client.reconnect_delay_set(1, 1)
        site.at_end(self.close)
        if version == 5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_S
            self.client.connect("127.0.0.1", broker.port, clean_start=False, properties=properties)
        else:
            self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        wait_for(self.subscribed.is_set, 10, "the subscription holds")

    def _on_connect(self, client, _user, flags, *_):
        present = flags["session present"] if isinstance(flags, dict) else flags.session_present
        if not present:
            client.subscribe(self.topic, 1)

    def _on_message(self, _client, _user, message):
        message = Message(message)
        self.messages.append(message)
        self.file.write(json.dumps({"topic": message.topic, "retained": message.retained, "at": message.at,
                                    "payload": message.payload.decode(errors="replace")}) + "\n")

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
        self.file.close()

    def on(self, suffix, gateway="plant7", root="sluice"):
        """The messages on ROOT/GATEWAY/SUFFIX, oldest first."""
        topic = "%s/%s/%s" % (root, gateway, suffix)
        return [message for message in list(self.messages) if message.topic == topic]
