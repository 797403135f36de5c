#!/usr/bin/python3
"""A broker that does not keep to MQTT, or says what is not so: the gateway says what is wrong, goes on, and loses nothing."""
import time

from harness import Audit, Broker, Gateway, ModbusTcp, Subscriber, check, finish, main, wait_for
from harness.liar import CONNACK, PUBACK, Liar

MANY = 6
GRACE_S = 4  # 3 for the acknowledgements, 1 for the farewell
NEVER_SENT = 60000
PUBREC, PUBREL, PUBCOMP = 5, 6, 7
ENDS = (0x00, 0x04, 0x77, 0x81, 0x89, 0x8B, 0x96, 0x97, 0x98, 0xFF)


class Plant:
    def __init__(self, site, version):
        self.site = site
        self.broker = Broker(site, tls=False)
        self.subscriber, self.audit = Subscriber(site, self.broker), Audit(site, self.broker)
        self.hall = ModbusTcp(site, "hall", ["1:meter"])
        self.liar = Liar(site, self.broker.port)
        self.gateway = Gateway(site, [self.hall.bus()], [self.hall.device("meter", 1, every="50ms")],
                               [{"id": "cloud", "url": "mqtt://127.0.0.1:%d" % self.liar.port, "version": version, "linger": "20ms",
                                 "keep_alive": "5s", "retry_max": "1s"}]).start()
        self.gateway.wait_online()

    def delivers(self):
        """More than was delivered by now, once nobody lies any more."""
        self.liar.lie = None
        acked = self.gateway.status()["consumers"]["uplink/cloud"]["acked"]
        wait_for(lambda: self.gateway.is_online() and self.gateway.status()["consumers"]["uplink/cloud"]["acked"] > acked + 20, 60, "it goes on")

    def lies(self, lie, times=3):
        before = self.liar.lied
        self.liar.lie = lie
        wait_for(lambda: self.liar.lied >= before + times, 60, "a lie was told")
        self.delivers()

    def finish(self):
        status = self.gateway.status()
        check(not any(status["consumers"]["uplink/cloud"]["dropped"].values()), "nothing is given up", status["consumers"])
        finish(self.gateway, [self.hall], self.subscriber, self.audit, 100)


def other(packet, number):
    """The same acknowledgement of another packet."""
    return packet[:2] + number.to_bytes(2, "big") + packet[4:]


def of(wanted, change):
    return lambda kind, packet: change(packet) if kind == wanted else packet


def in_reverse(count):
    """So many acknowledgements are kept back, and come in the order that the last came first."""
    kept = []

    def change(packet):
        kept.insert(0, packet)
        if len(kept) < count:
            return b""
        told = b"".join(kept)
        kept.clear()
        return told
    return of(PUBACK, change)


def numbers_that_are_wrong(site, version):
    plant = Plant(site, version)
    for lie in (of(PUBACK, lambda packet: packet + packet), of(PUBACK, lambda packet: other(packet, NEVER_SENT) + packet),
                of(PUBACK, lambda packet: other(packet, 0) + packet), in_reverse(3)):
        plant.lies(lie)
    # What is not acknowledged, or as something else, is sent again over the next connection.
    plant.lies(of(PUBACK, lambda packet: other(packet, NEVER_SENT)), 1)
    # As what it is not made for: the connection ends before anybody believes that.
    for kind in PUBREC, PUBREL, PUBCOMP:
        plant.lies(of(PUBACK, lambda packet, kind=kind: bytes((kind << 4 | 2 * (kind == PUBREL),)) + packet[1:]), 1)
    if version == "5":  # properties that are longer than the packet, and none that there is
        for behind in (b"\x00\x7f", b"\x00\x03\x1f\xff\xff", b"\x00\x02\x77\x00", b"\x00\xff\xff\xff\xff"):
            plant.lies(of(PUBACK, lambda packet, behind=behind: bytes((0x40, 2 + len(behind))) + packet[2:4] + behind), 1)
    plant.finish()
    return "%d lies, %d connections" % (plant.liar.lied, plant.liar.accepted)


def acknowledgements_are_of_the_wrong_packets(site):
    return numbers_that_are_wrong(site, "5")


def acknowledgements_are_of_the_wrong_packets_with_mqtt_3_1_1(site):
    return numbers_that_are_wrong(site, "3.1.1")


def what_nobody_asked_for_is_passed_over_or_ends_the_connection(site):
    plant = Plant(site, "5")
    for said in (b"\xd0\x00" * 50, b"\x90\x04\xea\x60\x00\x00", b"\xb0\x04\xea\x60\x00\x00", b"\x20\x03\x00\x00\x00", b"\x62\x02\xea\x60",
                 b"\x30\x03\x00\x00\x00", b"\x36\x05\x00\x01x\x00\x00", b"\x32\x06\x00\x01x\x00\x00\x00", b"\x30\x07\x00\x00\x03\x23\x00\x07x",
                 b"\xf0\x02\x00\x00", b"\xf0\x02\x19\x00", b"\x10\x00", b"\x00\x00", b"\xc0\x00", b"\x40\x00", b"\x40\x01\x00", b"\x40\xff\xff\xff\x7f",
                 b"\x90\xff\xff\xff\xff\x01", b"\xe0\x03\x87\x20\x1f", b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(range(256))):
        plant.liar.say(said)
        plant.delivers()
    plant.finish()
    return "%d connections" % plant.liar.accepted


def every_reason_to_end_is_told_and_ends_nothing_for_good(site):
    plant = Plant(site, "5")
    for reason in ENDS:
        connects = plant.gateway.uplink()["connects"]
        text = b"a reason in many words " * 40
        properties = b"\x1f" + len(text).to_bytes(2, "big") + text
        length = len(properties)
        body = bytes((reason, length & 0x7F | 0x80, length >> 7)) + properties
        plant.liar.say(b"\xe0" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body)
        plant.liar.hang_up()
        wait_for(lambda: plant.gateway.uplink()["connects"] > connects and plant.gateway.is_online(), 60, "it comes back after 0x%02x" % reason)
        plant.delivers()
    log = plant.gateway.process.log()
    for words in ("malformed", "rate of messages too high", "quota", "operator", "reason 0x77", "reason 0xff"):
        check(words in log, "the log tells why", words, log[-3000:])
    plant.finish()
    return "%d connections" % plant.liar.accepted


def many_that_acknowledge_nothing_take_no_longer_to_stop_than_one(site):
    broker = Broker(site, tls=False)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    liar = Liar(site, broker.port)
    liar.lie = of(PUBACK, lambda packet: b"")
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="50ms")],
                      [{"id": "cloud-%d" % i, "url": "mqtt://127.0.0.1:%d" % liar.port, "root": "acme%d" % i, "linger": "20ms"}
                       for i in range(MANY)]).start()
    wait_for(lambda: all(uplink["state"] == "online" and uplink["in_flight"] for uplink in gateway.status()["uplinks"]), 60,
             "all wait for acknowledgements")
    begun = time.monotonic()
    gateway.stop()
    took = time.monotonic() - begun
    check(took < GRACE_S * MANY / 1.5, "they stop beside each other", took)
    return "%d stopped in %.1f s" % (MANY, took)


def an_answer_to_connect_that_is_none_is_tried_again(site):
    plant = Plant(site, "5")
    for answer in (b"\x20\x03\x00\x77\x00", b"\x20\x00", b"\x20\x02\x00\x00", b"\x20\x03\x02\x00\x00", b"\x20\x06\x00\x00\x03\x21\x00\x00",
                   b"\x20\x08\x00\x00\x05\x27\x00\x00\x00\x00", b"\x20\x03\x00\x88\x00", b"\x20\x03\x00\x9d\x00", b"\x90\x04\x00\x01\x00\x00", b"\xd0\x00"):
        before = plant.liar.lied
        plant.liar.lie = of(CONNACK, lambda packet, answer=answer: answer)
        plant.liar.hang_up()
        wait_for(lambda before=before: plant.liar.lied > before, 30, "it was answered so")
        plant.delivers()
    plant.finish()
    return "%d connections" % plant.liar.accepted


main(acknowledgements_are_of_the_wrong_packets, acknowledgements_are_of_the_wrong_packets_with_mqtt_3_1_1,
     what_nobody_asked_for_is_passed_over_or_ends_the_connection, every_reason_to_end_is_told_and_ends_nothing_for_good,
     many_that_acknowledge_nothing_take_no_longer_to_stop_than_one, an_answer_to_connect_that_is_none_is_tried_again)
