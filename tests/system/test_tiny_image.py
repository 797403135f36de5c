#!/usr/bin/python3
"""The tiny image on an emulated arm64 board: it polls an emulated sensor node, publishes over TLS, and nothing is missing."""
import json
import os
import time

from harness import Audit, Balance, Broker, Subscriber, check, main, slowness, totals, wait_for
from harness.emulated import HOST, Board, fat, image
from harness.node import Node, profile

BOOT_S_MAX = 20
BYTES_MAX = 16777216
VALUES = 50
# Emulated processors may be late, and are not to blame for it.
TIMEOUT = "3s"
QEMU = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "256")


def presets(site, broker):
    """The folder sluice/ that a technician would put on the boot partition, as a filesystem."""
    certificate, key = broker.client
    answered = {name: profile()["frames_answered"][name] for name in ("id", "reg", "table", "type")}
    config = {
        "version": 1, "gateway": {"id": "plant7", "name": "Plant 7"},
        "journal": {"commit": "50ms", "keep": "16MiB"},
        "buses": [{"id": "rs485-1", "driver": "modbus-rtu", "port": "/dev/ttyS0", "line": "9600 8E1", "timeout": TIMEOUT}],
        "devices": [{"id": "node", "bus": "rs485-1", "unit": 1, "numbering": "0-based", "points": [{**answered, "every": "200ms"}]}],
        "uplinks": [{"id": "cloud", "url": "mqtts://%s:%d" % (HOST, broker.tls_port), "linger": "50ms",
                     "tls": {"ca": "ca.pem", "cert": "gw.pem", "key": "gw.key"}}]}
    return fat(site, "presets.img", "sluice", [
        ("sluice.json", site.write("guest.json", json.dumps(config, indent=1))), ("ca.pem", broker.authority.path),
        ("gw.pem", certificate), ("gw.key", key)])


def nothing_waits(subscriber):
    """All that the gateway has stored is acknowledged, by its own account, and has come."""
    told = subscriber.on("ledger")
    newest = told[-1].json() if told else None
    return (newest and newest["uplinks"]["cloud"]["pending"] == 0
            and Balance(subscriber.messages).covered_to() >= newest["last"])


def polls_a_node_and_publishes_over_tls(site):
    kernel, archive = image("tiny", "vmlinuz", "tiny.cpio.gz")
    size = os.path.getsize(kernel) + os.path.getsize(archive)
    check(size <= BYTES_MAX, "the tiny image has more than %d bytes" % BYTES_MAX, size)
    node = Node(site, "stm32vldiscovery")
    wait_for(node.answers, 20, "the node answers")
    broker = Broker(site, server=lambda authority: authority.issue("server", "IP:127.0.0.1,IP:" + HOST))
    subscriber = Subscriber(site, broker)
    audit = Audit(site, broker)
    disk = presets(site, broker)

    before = node.point("frames_answered")
    begun = time.monotonic()
    board = Board(site, "board", *QEMU, "-no-reboot", "-kernel", kernel, "-initrd", archive, "-append",
                  "console=ttyAMA0 quiet panic=1", "-drive", "file=%s,format=raw,if=virtio" % disk, serial=node.link)
    wait_for(lambda: subscriber.on("data") or time.monotonic() > begun + 60 * slowness() or not board.process.alive(), 70, "an event")
    check(subscriber.on("data"), "no event came over TLS", board.process.log(), board.console()[-2000:])
    boot_s = time.monotonic() - begun

    def values():
        return Balance(subscriber.messages).good_values("node", "frames_answered")
    wait_for(lambda: len(values()) >= VALUES, 60, "%d values of the node" % VALUES)
    node.end()
    wait_for(lambda: Balance(subscriber.messages).readings("node", "frames_answered")[-1]["q"] == "bad"
             and nothing_waits(subscriber), 60, "everything that was stored has arrived")
    Balance(subscriber.messages).check()
    audit.proves(truth_at_least=0)
    seen = values()
    check(all(b > a for a, b in zip([before] + seen, seen)), "the node counts its answers, and they come in order", before, seen)
    totals("tiny", tiny_bytes=size, tiny_boot_s=round(boot_s, 1))
    check(boot_s <= BOOT_S_MAX * slowness(), "too long from power to the first event", boot_s)
    return "%.1f s from power to the first event, %d bytes, %d values" % (boot_s, size, len(seen))


main(polls_a_node_and_publishes_over_tls)
