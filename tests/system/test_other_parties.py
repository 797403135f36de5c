#!/usr/bin/python3
"""Modbus parties that we did not write: a pymodbus server as the device, mbpoll beside `sluice read`."""
import json
import os
import re
import socket
import subprocess
import sys
import time

from harness import (EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, Audit, Broker, Gateway, ModbusTcp, RtuLine, Subscriber, check,
                     doubted, finish, free_port, main, sluice, wait_for)

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parties", "pymodbus_server.py")


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Pymodbus:
    """On a TCP port, or on a pty."""

    def __init__(self, site, units, name="meter", frames="socket", serial=False):
        self.name = name
        self.port = free_port()
        self.link = site.path(name + ".tty") if serial else None
        self.process = site.start(name, sys.executable, SERVER, self.link or str(self.port), str(units), site.truth,
                                  name, frames)
        if serial:
            wait_for(lambda: os.path.exists(self.link), 20, "pymodbus has its port")
        else:
            wait_for(lambda: answers(self.port), 20, "pymodbus listens")

    def bus(self, driver, **more):
        where = {"port": self.link, "line": "115200 8N1"} if self.link else {"host": "127.0.0.1:%d" % self.port}
        return {"id": self.name, "driver": driver, **where, **more}

    def written(self, unit):
        """What was written to each register, or coil, last."""
        registers = {}
        for line in self.process.log().splitlines():
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("d") == "%s%d" % (self.name, unit):
                registers.update(enumerate(told["values"], told["reg"]))
        return registers

    def quiet(self):
        self.process.kill()


def by_rtu_and_ascii(site, units):
    """Servers of the lines that are not Modbus TCP, and the drivers for them."""
    return [(Pymodbus(site, units, "server", "rtu"), "modbus-rtu"),
            (Pymodbus(site, units, "old", "ascii"), "modbus-ascii"),
            (Pymodbus(site, units, "serial", "ascii", serial=True), "modbus-ascii")]


def reads_a_pymodbus_server(site):
    server = Pymodbus(site, 3)
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    points = [{"id": "counter", "reg": 0, "type": "u32", "every": "100ms"},
              {"id": "near", "reg": 5, "type": "u16"}, {"id": "far", "reg": 50, "type": "u16", "table": "input"}]
    devices = [{"id": "meter%d" % unit, "bus": "hall", "unit": unit, "numbering": "0-based", "points": points}
               for unit in (1, 2, 3)]
    bus = {"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:%d" % server.port}
    gateway = Gateway(site, [bus], devices, [broker.uplink()]).start()
    gateway.wait_online()
    site.wait_values(120)
    # The server's witness writes before the reply goes out, so the last replies are waited for before it is killed.
    gateway.tell(lambda settings: settings.update(devices=[], buses=[]))
    wait_for(lambda: not gateway.status()["buses"], 20, "the bus has stopped")
    balance = finish(gateway, [server], subscriber, audit, 120)
    for unit in (1, 2, 3):
        check(set(balance.good_values("meter%d" % unit, "near")) == {100 * unit + 5}, "near")
        check(set(balance.good_values("meter%d" % unit, "far")) == {100 * unit + 50}, "far")
    check(gateway.process.popen.returncode == EXIT_OK, "exit status")


def writes_to_a_pymodbus_server(site):
    """Each function that writes, and what mbpoll then reads."""
    server = Pymodbus(site, 1)
    points = [{"id": "one", "reg": 10, "type": "i16", "scale": 0.1, "write": {}},
              {"id": "two", "reg": 12, "type": "f32", "write": {}},
              {"id": "bit", "reg": 14, "bit": 9, "write": {}},
              {"id": "coil", "reg": 20, "table": "coil", "write": {}}]
    devices = [{"id": name, "bus": "hall", "unit": 1, "numbering": "0-based", "points": points, **more}
               for name, more in (("plain", {}), ("old", {"write_function": "multiple", "bit_write": "rewrite"}))]
    bus = {"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:%d" % server.port}
    gateway = Gateway(site, [bus], devices, []).start()
    tcp = ["-m", "tcp", "-p", str(server.port), "-0", "-a", "1"]
    bits = int(mbpoll(*tcp, "-t", "4", "-r", "14", "127.0.0.1")[14])
    for device, one, two, on in (("plain", "-12.5", "-1.25", True), ("old", "7.5", "230.5", False)):
        for point, value in (("one", one), ("two", two), ("bit", str(on).lower()), ("coil", str(on).lower())):
            done = gateway.cli("write", "--wait", "--", device, point, value)
            check(done.returncode == EXIT_OK and "is " + value in done.stdout, "sluice write", device, point,
                  done.stdout, done.stderr)
        check(int(mbpoll(*tcp, "-t", "4", "-r", "10", "127.0.0.1")[10]) in
              (round(float(one) * 10), round(float(one) * 10) + 65536), "the register of one", one)
        check(float(mbpoll(*tcp, "-t", "4:float", "-B", "-r", "12", "127.0.0.1")[12]) == float(two), "the float", two)
        register = int(mbpoll(*tcp, "-t", "4", "-r", "14", "127.0.0.1")[14])
        check(register == (bits | 1 << 9 if on else bits & ~(1 << 9)), "the bit, and the others", register, bits)
        check(mbpoll(*tcp, "-t", "0", "-r", "20", "127.0.0.1")[20] == str(int(on)), "the coil")
    gateway.stop()


def reads_by_rtu_over_tcp_and_by_ascii(site):
    servers = by_rtu_and_ascii(site, 2)
    broker = Broker(site)
    subscriber, audit = Subscriber(site, broker), Audit(site, broker)
    points = [{"id": "counter", "reg": 0, "type": "u32", "every": "200ms"},
              {"id": "near", "reg": 5, "type": "u16"}, {"id": "far", "reg": 50, "type": "u16", "table": "input"}]
    devices = [{"id": "%s%d" % (server.name, unit), "bus": server.name, "unit": unit, "numbering": "0-based",
                "points": points} for server, _ in servers for unit in (1, 2)]
    gateway = Gateway(site, [server.bus(driver) for server, driver in servers], devices, [broker.uplink()]).start()
    gateway.wait_online()
    for device in devices:
        wait_for(lambda: sum(witness["d"] == device["id"] for witness in site.witnesses()) >= 20, 60,
                 "values of " + device["id"])
    # These servers cannot be silenced: a reply that is under way when its bus stops is heard by nobody.
    stopping_ms = time.time() * 1000
    gateway.tell(lambda settings: settings.update(devices=[], buses=[]))
    wait_for(lambda: not gateway.status()["buses"], 20, "the buses have stopped")
    balance = finish(gateway, [server for server, _ in servers], subscriber, audit, 120,
                     permitted=doubted([device["id"] for device in devices], stopping_ms, time.time() * 1000))
    for server, _ in servers:
        for unit in (1, 2):
            name = "%s%d" % (server.name, unit)
            check(set(balance.good_values(name, "near")) == {100 * unit + 5}, "near", name)
            check(set(balance.good_values(name, "far")) == {100 * unit + 50}, "far", name)


def writes_by_rtu_over_tcp_and_by_ascii(site):
    """Each function that writes, and what the server then says that it was told."""
    servers = by_rtu_and_ascii(site, 2)
    points = [{"id": "one", "reg": 10, "type": "u16", "write": {}}, {"id": "two", "reg": 12, "type": "u32", "write": {}},
              {"id": "coil", "reg": 20, "table": "coil", "write": {}}]
    devices = [{"id": "%s%d" % (server.name, unit), "bus": server.name, "unit": unit, "numbering": "0-based",
                "points": points, **more}
               for server, _ in servers for unit, more in ((1, {}), (2, {"write_function": "multiple"}))]
    gateway = Gateway(site, [server.bus(driver) for server, driver in servers], devices, []).start()
    for server, _ in servers:
        for unit, one, two, coil in ((1, 4711, 70000, "true"), (2, 815, 65536 * 7 + 8, "false")):
            device = "%s%d" % (server.name, unit)
            for point, value in (("one", str(one)), ("two", str(two)), ("coil", coil)):
                done = gateway.cli("write", "--wait", "--", device, point, value)
                check(done.returncode == EXIT_OK and "is " + value in done.stdout, "sluice write", device, point,
                      done.stdout, done.stderr)
            written = server.written(unit)
            check(written[10] == one and written[12] << 16 | written[13] == two and written[20] == (coil == "true"),
                  "what was written", device, written)
    gateway.stop()


def mbpoll(*arguments):
    """The values that it prints, by register."""
    done = subprocess.run(["mbpoll", "-1", "-q", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=20)
    return dict((int(number), value) for number, value in re.findall(r"^\[(\d+)\]:\s+(\S+)", done.stdout, re.M))


def ours(*arguments):
    """The values that `sluice read` prints, by register, which it counts from 0 here."""
    done = sluice("read", *arguments)
    check(done.returncode == EXIT_OK, "sluice read", arguments, done.returncode, done.stderr)
    return {event["reg"]: event["v"] for event in map(json.loads, done.stdout.splitlines())}


def read_agrees_with_mbpoll(site):
    """Tables and types, over both kinds of line; mbpoll counts registers from 1."""
    line = RtuLine(site, "rs485-1", ["7:pump,regs=40"])
    hall = ModbusTcp(site, "hall", ["7:meter,regs=40"])
    lines = [(["-m", "rtu", "-b", "115200", "-P", "even", line.link], [line.link, "--line", "115200 8E1"]),
             (["-m", "tcp", "-p", str(hall.port), "127.0.0.1"], ["127.0.0.1:%d" % hall.port])]
    cases = [("4", "holding", "u16", 12, 10), ("3", "input", "u16", 12, 10), ("4:int", "holding", "u32", 12, 5),
             ("0", "coil", "bool", 0, 16), ("1", "discrete", "bool", 2, 9)]
    for kind, table, type_name, first, count in cases:
        for their_line, our_line in lines:
            theirs = mbpoll("-a", "7", "-t", kind, "-B", "-r", str(first + 1), "-c", str(count), *their_line)
            found = ours(*our_line, "-a", "7", "-T", table, "-t", type_name, "-r", str(first), "-c", str(count), "-J")
            check(len(theirs) == count and found == {number - 1: int(value) for number, value in theirs.items()},
                  table, type_name, our_line, found, theirs)
    nobody = sluice("read", *lines[0][1], "-a", "9", "-T", "holding", "-r", "0", "-o", "200")
    check(nobody.returncode == EXIT_FAILED and "nothing came in time" in nobody.stderr + nobody.stdout,
          "a unit that is not there", nobody.returncode, nobody.stdout, nobody.stderr)
    beyond = sluice("read", *lines[1][1], "-a", "7", "-T", "holding", "-r", "1000")
    check(beyond.returncode == EXIT_FAILED and "exception 2" in beyond.stderr + beyond.stdout,
          "a register that is not there", beyond.returncode, beyond.stdout, beyond.stderr)
    missing = sluice("read", site.path("nowhere"), "-a", "7", "-r", "40001")
    check(missing.returncode == EXIT_SYSTEM and "nowhere" in missing.stderr, "a port that is not there",
          missing.returncode, missing.stderr)


main(reads_a_pymodbus_server, writes_to_a_pymodbus_server, reads_by_rtu_over_tcp_and_by_ascii,
     writes_by_rtu_over_tcp_and_by_ascii, read_agrees_with_mbpoll)
