#!/usr/bin/python3
"""The network's settings with the real NetworkManager: cables on an interface of a network of the test's own, Wi-Fi and
mobile networks as far as there is no radio, which is what NetworkManager makes of the files."""
import json
import os

from harness import check, wait_for
from harness.machine import SLUICE, Machine, NetworkManager, in_a_network_of_its_own, run

PASSPHRASE = ' a\\b;c#d "e" f '
NETWORKS = [{"name": "wlan0", "kind": "wifi", "method": "dhcp", "ssid": "Halle; \u00e4 1", "passphrase": PASSPHRASE},
            {"name": "wlan1", "kind": "wifi", "method": "static", "address": "10.1.2.3/8", "router": "10.0.0.1", "ssid": "open"},
            {"name": "wwan0", "kind": "mobile", "method": "dhcp", "apn": "internet.example", "pin": "0123"},
            {"name": "eth7", "kind": "ethernet", "method": "static", "address": "2001:db8::7/64", "router": "2001:db8::1",
             "dns": ["2001:db8::53", "192.0.2.53"]},
            {"name": "eth8", "kind": "ethernet", "method": "static", "address": "10.1.2.4/8", "dns": ["2001:db8::53", "10.0.0.53"]}]


def known(what, fields):
    """What NetworkManager says of a connection or a device, in the order of the fields."""
    told = run("nmcli", "--escape", "no", "--show-secrets", "--get-values", fields, *what).stdout
    return told.rstrip("\n").split("\n")


def of_device(name="eth0"):
    return known(("device", "show", name), "GENERAL.CONNECTION,IP4.ADDRESS,IP4.GATEWAY,IP4.DNS")


def an_address_is_set_and_kept_when_it_is_confirmed(site):
    with Machine(site, NetworkManager) as it:
        check(it.api.get("/api/v1/network")["by"] == "NetworkManager", it.api.get("/api/v1/network"))
        told = it.network("set", "eth0", "192.168.7.20/24", "--router", "192.168.7.1", "--dns", "192.168.7.1,192.168.7.2").stdout
        check("managed by NetworkManager" in told, told)
        it.wait_address("192.168.7.20/24", "the address is in force")
        wait_for(lambda: of_device() == ["sluice-eth0", "192.168.7.20/24", "192.168.7.1", "192.168.7.1 | 192.168.7.2"], 20,
                 "what NetworkManager has taken of it")
        check(it.addresses() == ["192.168.7.20/24"], "the system's own is gone", it.addresses())
        it.network("confirm")
        # The same connection with another address.
        it.network("set", "eth0", "172.16.0.9/16")
        it.wait_address("172.16.0.9/16", "another one")
        wait_for(lambda: it.addresses() == ["172.16.0.9/16"], 20, "the one before is gone")
        it.network("revert")
        it.wait_address("192.168.7.20/24", "it is taken back")
        # What the machine's next start does before anything else.
        os.unlink(it.file())
        run(SLUICE, "network", "apply", it.gateway.state, "--starting")
        check(os.stat(it.file()).st_mode & 0o777 == 0o600, "made anew at a start, for root alone")
        it.network("reset", "eth0")
        it.wait_address("10.9.8.7/24", "as the system has it")
        wait_for(lambda: of_device()[0] == "wired", 20, "by the system's own connection")
        it.network("confirm")
        check(not os.path.exists(it.file()), "nothing of ours is left")


def an_address_comes_from_the_network(site):
    """There is nobody who gives one: what is asked for is seen."""
    with Machine(site, NetworkManager) as it:
        it.network("set", "eth0", "dhcp")
        wait_for(lambda: known(("device", "show", "eth0"), "GENERAL.CONNECTION,GENERAL.STATE") == ["sluice-eth0", "70 (connecting (getting IP configuration))"], 20,
                 "it asks for one")
        it.network("revert")
        it.wait_address("10.9.8.7/24", "it is taken back")


def a_change_goes_back_when_nobody_confirms_it(site):
    with Machine(site, NetworkManager) as it:
        wrong = it.api.ask("PUT", "/api/v1/network/eth0?confirm_s=5", {"method": "static", "address": "172.16.0.9/16"})
        check(wrong.status == 200 and wrong.json["pending"]["until"], wrong.text)
        it.wait_address("172.16.0.9/16", "in force")
        it.wait_address("10.9.8.7/24", "it goes back by itself")
        wait_for(lambda: it.api.get("/api/v1/network")["pending"] is None, 10, "nothing is pending")
        # After a power cut, too.
        it.network("set", "eth0", "172.16.0.9/16")
        it.wait_address("172.16.0.9/16", "in force")
        it.gateway.kill()
        it.gateway.start()
        it.wait_address("10.9.8.7/24", "it goes back at the start")


def every_kind_of_connection_is_understood(site):
    with Machine(site, NetworkManager) as it:
        plan = os.path.join(it.gateway.state, "network.json")
        site.write(plan, json.dumps({"schema": 1, "interfaces": NETWORKS}))
        run(SLUICE, "network", "apply", it.gateway.state, "--starting")
        for network in NETWORKS:
            run("nmcli", "connection", "load", it.file(network["name"]))

        def has(name, fields, *expected):
            found = known(("connection", "show", "sluice-" + name), fields)
            check(found == list(expected), name, found, expected)

        has("wlan0", "connection.type,connection.interface-name,802-11-wireless.mode,802-11-wireless.ssid,802-11-wireless-security.key-mgmt,802-11-wireless-security.psk,ipv4.method,ipv6.method",
            "802-11-wireless", "wlan0", "infrastructure", "Halle; \u00e4 1", "wpa-psk", PASSPHRASE, "auto", "auto")
        # Without a passphrase there is no security, and nothing is said of it.
        has("wlan1", "802-11-wireless.ssid,802-11-wireless-security.key-mgmt,ipv4.method,ipv4.addresses,ipv4.gateway,ipv6.method",
            "open", "manual", "10.1.2.3/8", "10.0.0.1", "link-local")
        has("wwan0", "connection.type,connection.interface-name,gsm.apn,gsm.pin,ipv4.method", "gsm", "", "internet.example", "0123", "auto")
        # A name server that cannot be asked does not spoil the rest.
        has("eth7", "connection.type,ipv4.method,ipv4.dns,ipv6.method,ipv6.addresses,ipv6.gateway,ipv6.dns",
            "802-3-ethernet", "disabled", "", "manual", "2001:db8::7/64", "2001:db8::1", "2001:db8::53")
        has("eth8", "ipv4.method,ipv4.addresses,ipv4.dns,ipv6.method,ipv6.dns", "manual", "10.1.2.4/8", "10.0.0.53", "auto", "2001:db8::53")


def a_stick_that_is_unplugged_holds_up_nothing(site):
    with Machine(site, NetworkManager) as it:
        plan = os.path.join(it.gateway.state, "network.json")
        it.gateway.stop()
        site.write(plan, json.dumps({"schema": 1, "interfaces": NETWORKS}))
        run(SLUICE, "network", "apply", it.gateway.state, "--starting")
        it.gateway.start()
        it.network("set", "eth0", "192.168.7.20/24")
        it.wait_address("192.168.7.20/24", "the address is in force")
        it.network("confirm")


in_a_network_of_its_own(NetworkManager, an_address_is_set_and_kept_when_it_is_confirmed, an_address_comes_from_the_network,
                        a_change_goes_back_when_nobody_confirms_it, every_kind_of_connection_is_understood,
                        a_stick_that_is_unplugged_holds_up_nothing)
