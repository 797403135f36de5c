#!/usr/bin/python3
"""A card in another board: nothing is published until it is said whether the board was replaced or the card copied."""
import json

from harness import (EXIT_FAILED, EXIT_OK, EXIT_USAGE, Audit, Broker, Gateway, ModbusTcp, Subscriber, check, finish, main,
                     wait_for)
from harness.api import Api
from harness.board import on_board

FIRST, SECOND = "b8:27:eb:00:00:01", "b8:27:eb:00:00:02"


def start(site):
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1, every="50ms")], [broker.uplink()])
    gateway.start(before=on_board(FIRST))
    gateway.wait_online()
    site.wait_values(20)
    gateway.wait_drained()
    check("identity" not in gateway.status(), "asked on its own board", gateway.status().get("identity"))
    check(gateway.cli("identity").returncode == EXIT_OK, "sluice identity")
    return broker, subscriber, audit, hall, gateway


def move(site, gateway):
    """The card goes into another board; returns the epoch before."""
    epoch = gateway.status()["journal"]["epoch"]
    gateway.stop()
    gateway.start(before=on_board(SECOND))
    status = gateway.status()
    check(status["identity"]["state"] == "asked" and status["identity"]["board"] and not status["identity"]["machine"],
          "what is asked", status.get("identity"))
    previous = status["journal"]["prev"]
    check(previous["epoch"] == epoch and previous["why"] == "identity changed", "the epoch", previous, epoch)
    stored = status["journal"]["newest"]
    wait_for(lambda: gateway.status()["journal"]["newest"] > stored + 20, 30, "it stores on")
    uplink = gateway.uplink()
    check(uplink["state"] != "online" and uplink["connects"] == 0 and "replaced or copied" in uplink["error"], "the uplink", uplink)
    told = gateway.cli("identity")
    check(told.returncode == EXIT_FAILED and "replaced" in told.stdout and "copied" in told.stdout, "sluice identity", told.stdout)
    # With its name the doctor would throw off the gateway that this one may be a copy of.
    told = gateway.cli("doctor")
    check(told.returncode == EXIT_FAILED and "sluice identity" in told.stdout, "the doctor holds back", told.stdout)
    for for_ms in (0, 1000):
        refused = Api(gateway).ask("POST", "/api/v1/uplinks/%s/hold?for_ms=%d" % (uplink["id"], for_ms))
        check(refused.status == 409 and "replaced or copied" in refused.text, "the end of a hold would connect it", refused.status, refused.text)
    return epoch


def a_replaced_board_goes_on_and_nothing_is_missing(site):
    _, subscriber, audit, hall, gateway = start(site)
    move(site, gateway)
    check(Api(gateway).ask("POST", "/api/v1/identity", {"answer": "replaced", "id": "other"}).status == 400, "with an id")
    done = gateway.cli("identity", "replaced")
    check(done.returncode == EXIT_OK, "the answer", done.stderr)
    gateway.wait_online()
    check("identity" not in gateway.status(), "asked again", gateway.status())
    check(gateway.cli("identity", "replaced").returncode == EXIT_FAILED, "answered twice")
    site.wait_values(40)
    finish(gateway, [hall], subscriber, audit, 40)
    gateway.start(before=on_board(SECOND))
    check("identity" not in gateway.status(), "asked at the next start", gateway.status())
    gateway.stop()


def a_copy_publishes_once_it_has_its_own_id(site):
    _, subscriber, _, _, gateway = start(site)
    move(site, gateway)
    published = len(subscriber.on("data"))
    done = gateway.cli("identity", "copied")
    check(done.returncode == EXIT_FAILED and "--id NEWID" in done.stdout, "the answer", done.stdout, done.stderr)
    check(gateway.status()["identity"]["state"] == "copied", "its state", gateway.status()["identity"])
    check(gateway.cli("identity", "copied", "--id", "plant7").returncode == EXIT_FAILED, "the other one's id")
    check(gateway.cli("identity", "copied", "--id", "No Id").returncode == EXIT_USAGE, "an id that is none")
    check(gateway.uplink()["connects"] == 0, "it connects", gateway.uplink())
    done = gateway.cli("identity", "copied", "--id", "plant8")
    check(done.returncode == EXIT_OK, "its own id", done.stderr)

    def is_itself():
        told = gateway.cli("status", "--json")
        status = json.loads(told.stdout) if told.returncode == EXIT_OK else {}
        return status.get("id") == "plant8" and "identity" not in status and status
    status = wait_for(is_itself, 30, "it is plant8")
    check("prev" not in status["journal"] or status["journal"]["prev"]["why"] == "set aside", "its journal", status["journal"])
    gateway.wait_online()
    wait_for(lambda: subscriber.on("data", "plant8"), 30, "it publishes as plant8")
    check(len(subscriber.on("data")) == published, "something was published under the other one's id")
    gateway.stop()


main(a_replaced_board_goes_on_and_nothing_is_missing, a_copy_publishes_once_it_has_its_own_id)
