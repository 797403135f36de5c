#!/usr/bin/python3
"""A broker whose access list denies the topic, or who refuses the password: the status tells, nothing counts as delivered, and nothing is lost."""
import os
import subprocess

from harness import Audit, Broker, Gateway, ModbusTcp, Subscriber, check, finish, main, wait_for

# The part without a user is for subscribers, who connect without a name. The gateway's user is its certificate's name.
EVERYBODY = "topic readwrite #\n"
ALL = EVERYBODY + "user plant7\ntopic readwrite sluice/plant7/#\n"
ALL_BUT_DATA = EVERYBODY + ("user plant7\ntopic readwrite sluice/plant7/status\ntopic readwrite sluice/plant7/meta/#\n"
                            "topic readwrite sluice/plant7/ledger\n")


def delivers_nothing_until_it_may(site, version):
    broker = Broker(site, acl=ALL_BUT_DATA)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1-2:meter"])
    devices = [hall.device("meter%d" % unit, unit, every="50ms") for unit in (1, 2)]
    gateway = Gateway(site, [hall.bus()], devices, [broker.uplink(version=version)]).start()
    error = gateway.wait_error(["not authorized", "access list", "permission", "right to publish", "may not"], 40)
    site.wait_values(100)
    status = gateway.status()
    ledger = status["consumers"]["uplink/cloud"]
    check(ledger["acked"] == 0 and not any(ledger["dropped"].values()), "delivered or dropped", ledger)
    check(not status["uplinks"][0]["delivery_proven"], "proven", status["uplinks"][0])
    check("sluice/plant7/data" in error, "the error does not name the topic", error)
    check(not subscriber.on("data"), "the broker took it")
    text = gateway.cli("status").stdout
    check(error[:40] in text, "the words of sluice status", text)

    broker.set_acl(ALL)
    wait_for(lambda: gateway.status()["consumers"]["uplink/cloud"]["acked"] > 0, 90, "delivery goes on")
    wait_for(lambda: gateway.uplink()["delivery_proven"], 30, "delivery is proven")
    check(not gateway.uplink()["error"], "the error is still there", gateway.uplink())
    finish(gateway, [hall], subscriber, audit, 100)
    return error


def denied_with_mqtt_5(site):
    return delivers_nothing_until_it_may(site, "5")


def denied_with_mqtt_3_1_1(site):
    return delivers_nothing_until_it_may(site, "3.1.1")


def denied_in_the_middle(site, version):
    """The right to publish goes while the gateway is online, and comes back."""
    broker = Broker(site, acl=ALL)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="50ms")],
                      [broker.uplink(version=version)]).start()
    gateway.wait_online()
    site.wait_values(50)
    broker.set_acl(ALL_BUT_DATA)
    gateway.wait_error(["sluice/plant7/data"], 40)
    site.wait_values(50)
    broker.set_acl(ALL)
    wait_for(lambda: not gateway.uplink()["error"] and gateway.is_online(), 90, "online without error")
    finish(gateway, [hall], subscriber, audit, 100)


def denied_in_the_middle_with_mqtt_5(site):
    """With 3.1.1 a broker that changes its mind under a living connection cannot be told from one that takes it."""
    denied_in_the_middle(site, "5")


def a_refused_password_is_not_spent(site):
    """Some wrong tries lock many an account: the next one comes late, but at once when the password is another one."""
    known, own = site.path("mosquitto.passwords"), site.write("cloud.password", "another one\n")
    os.chmod(own, 0o600)
    subprocess.run(["mosquitto_passwd", "-b", "-c", known, "plant7", "the right one"], check=True, timeout=20)
    broker = Broker(site, tls=False, more=["password_file " + known])
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="50ms")],
                      [{"id": "cloud", "url": "mqtt://127.0.0.1:%d" % broker.port, "user": "plant7", "password_file": own, "linger": "100ms",
                        "retry_max": "1h"}]).start()
    error = gateway.wait_error(["refuses", "does not allow"])
    uplink = gateway.uplink()
    check(uplink["state"] == "refused" and 10000 < uplink["next_try_ms"] <= 30000, "the next try", uplink)
    site.wait_values(100)
    check(gateway.uplink()["next_try_ms"] < uplink["next_try_ms"] and gateway.uplink()["state"] == "refused", "one try", gateway.uplink())
    site.write("cloud.password", "the right one\n")
    gateway.wait_online(8)
    finish(gateway, [hall], subscriber, audit, 100)
    return error


main(a_refused_password_is_not_spent, denied_with_mqtt_5, denied_with_mqtt_3_1_1, denied_in_the_middle_with_mqtt_5)
