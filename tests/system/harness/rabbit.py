"""RabbitMQ with a node of its own, which speaks MQTT 3.1.1 and keeps what it acknowledges on disk."""
import base64
import hashlib
import json
import os
import shutil
import socket

from .broker import RETRY_MAX
from .certificates import Authority
from .site import Skip, free_port, wait_for

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
USERS = ("guest", "plant7")  # who has no certificate, and the gateway by its own
SALT = b"salt"
START_S = 60

CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
mqtt.listeners.tcp.1 = 127.0.0.1:{port}
mqtt.listeners.ssl.1 = 127.0.0.1:{tls_port}
mqtt.allow_anonymous = true
mqtt.ssl_cert_login = true
mqtt.subscription_ttl = 3600000
mqtt.prefetch = 100
ssl_cert_login_from = common_name
ssl_options.cacertfile = {authority}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
load_definitions = {definitions}
log.console = true
log.file = false
"""


def _user(name):
    password = base64.b64encode(SALT + hashlib.sha256(SALT + b"guest").digest()).decode()
    return {"name": name, "password_hash": password, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": []}


class Rabbit:
    """Listens on `port` in the clear, and on `tls_port` for those with a certificate, which names them."""

    def __init__(self, site):
        if not os.access(SERVER, os.X_OK):
            raise Skip("RabbitMQ is not installed")
        self.site = site
        self.port, self.tls_port, self.amqp, self.distribution, self.mapper = (free_port() for _ in range(5))
        self.authority = Authority(site.folder, "rabbit-ca")
        self.server, self.client = self.authority.issue("server"), self.authority.issue("plant7")
        definitions = site.write("rabbit.json", json.dumps({
            "vhosts": [{"name": "/"}], "users": [_user(name) for name in USERS],
            "permissions": [{"user": name, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
                            for name in USERS]}))
        certificate, key = self.server
        site.write("rabbit.conf", CONFIG.format(
            amqp=self.amqp, port=self.port, tls_port=self.tls_port, authority=self.authority.path,
            certificate=certificate, key=key, definitions=definitions))
        site.write("rabbit-plugins", "[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].\n")
        # Names are not asked for: where there is no network that takes minutes.
        site.write("rabbit-names", '{lookup,[file]}.\n{host,{127,0,0,1},["localhost","%s"]}.\n' % socket.gethostname())
        mapper = str(self.mapper)
        site.start("rabbit-epmd", shutil.which("epmd"), "-port", mapper, "-address", "127.0.0.1", "-relaxed_command_check")
        self.environment = {
            "HOME": site.folder, "ERL_EPMD_PORT": mapper, "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_INETRC": site.path("rabbit-names"), "RABBITMQ_NODENAME": "sluice-%d@localhost" % self.port,
            "RABBITMQ_DIST_PORT": str(self.distribution), "RABBITMQ_CONFIG_FILE": site.path("rabbit"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": site.path("rabbit-plugins"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_MNESIA_BASE": site.path("rabbit-data"), "RABBITMQ_LOG_BASE": site.path("rabbit-logs"),
            "RABBITMQ_PID_FILE": site.path("rabbit.pid"),
            "RUNNING_UNDER_SYSTEMD": "true"}  # it becomes the broker itself, which ends with this test
        self.process = None
        self.start()

    def start(self):
        said = "Server startup complete"
        before = self.process.log().count(said) if self.process else 0
        self.process = self.site.start("rabbit", SERVER, environment=self.environment)
        wait_for(lambda: self.process.log().count(said) > before, START_S, "RabbitMQ is there")

    def kill(self):
        self.process.kill()

    def uplink(self, **more):
        certificate, key = self.client
        return {"id": "cloud", "linger": "50ms", "retry_max": RETRY_MAX, "url": "mqtts://127.0.0.1:%d" % self.tls_port,
                "tls": {"ca": self.authority.path, "cert": certificate, "key": key}, **more}
