#!/usr/bin/python3
"""Checks the simulators themselves: pacing, silence, truth record, faults.

usage: check.py DIRECTORY-WITH-THE-SIMULATORS
"""
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time

BIN = sys.argv[1]
DIR = tempfile.mkdtemp(prefix="sim-check-")
BYTE_S = 11 / 9600
SILENCE_S = 3.5 * BYTE_S


class Sim:
    def __init__(self, program, *args):
        self.base = os.path.join(DIR, program + str(time.monotonic_ns()))
        self.program = os.path.join(BIN, program)
        self.truth_path = self.base + ".truth"
        self.process = subprocess.Popen(
            [self.program, "--control", self.base + ".c", "--truth", self.truth_path, *args],
            stdout=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline().strip()

    def tell(self, *commands, expect=0):
        done = subprocess.run([self.program, "--tell", self.base + ".c", *commands],
                              stdout=subprocess.PIPE, text=True, timeout=10)
        assert done.returncode == expect, (commands, done.stdout)
        return done.stdout

    def stats(self):
        return json.loads(self.tell("stats"))

    def truth(self):
        with open(self.truth_path) as lines:
            return [json.loads(line) for line in lines]

    def stop(self):
        self.process.terminate()
        last = self.process.stdout.read().strip().splitlines()[-1]
        assert self.process.wait(5) == 0
        assert not os.path.exists(self.base + ".c")
        return json.loads(last)


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def request(unit, function, address, count):
    body = struct.pack(">BBHH", unit, function, address, count)
    return body + crc(body)


def read_upto(fd, length, timeout):
    data = b""
    end = time.monotonic() + timeout
    while len(data) < length:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            break
        data += os.read(fd, length - len(data))
    return data


def ask(fd, unit=1, count=10, timeout=1.0, address=0):
    time.sleep(SILENCE_S * 1.1)
    os.write(fd, request(unit, 3, address, count))
    return read_upto(fd, 5 + 2 * count, timeout)


def counter(reply):
    assert crc(reply[:-2]) == reply[-2:], reply.hex()
    return struct.unpack(">I", reply[3:7])[0]


def takes_the_time_of_the_wire():
    sim = Sim("sim_rtu", "--unit", "1:a", "--realtime")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    shortest = 9.0
    started = time.monotonic()
    for i in range(40):
        time.sleep(SILENCE_S)
        begun = time.monotonic()
        os.write(fd, request(1, 3, 0, 10))
        assert counter(read_upto(fd, 25, 1)) == i + 1
        shortest = min(shortest, time.monotonic() - begun)
    rate = 40 / (time.monotonic() - started)
    assert shortest >= 33 * BYTE_S + SILENCE_S, shortest
    assert rate <= 21.83, rate
    assert [line["v"] for line in sim.truth()] == list(range(1, 41))
    stats = sim.stop()
    assert stats["violations"] == 0 and stats["requests"] == 40, stats
    return "%.1f transactions/s of 21.8" % rate


def sees_a_request_without_silence():
    sim = Sim("sim_rtu", "--unit", "1:a")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    ask(fd)
    # More than once, since on a loaded machine this script itself may be the one that pauses.
    for i in range(10):
        os.write(fd, request(1, 3, 0, 10))
        assert counter(read_upto(fd, 25, 1)) == i + 2
    assert sim.stop()["violations"] >= 1


def reads_what_the_map_says():
    sim = Sim("sim_rtu", "--unit", "7:a,regs=12", "--baud", "115200")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    words = struct.unpack(">12H", ask(fd, 7, 12)[3:-2])
    assert words[3] == 0x1703 and words[11] == 0x170B
    assert abs(struct.unpack(">f", struct.pack(">HH", *words[4:6]))[0] - 27) <= 1
    assert ask(fd, 7, 13, 0.1)[1:3] == b"\x83\x02"
    assert ask(fd, 9, 1, 0.1) == b""
    time.sleep(0.01)
    os.write(fd, b"\x07\x14\x00\x00\xff\x00" + crc(b"\x07\x14\x00\x00\xff\x00"))
    assert read_upto(fd, 5, 0.2)[1:3] == b"\x94\x01"
    stats = sim.stop()
    assert stats["other_unit"] == 1 and stats["exceptions"] == 2, stats


def obeys_faults():
    sim = Sim("sim_rtu", "--unit", "1:a", "--unit", "2:b", "--baud", "115200")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    sim.tell("silence a")
    assert ask(fd, 1, 10, 0.1) == b""
    sim.tell("revive 1", "exception 1 6 1")
    assert ask(fd, 1, 10, 0.1)[1:3] == b"\x83\x06"
    assert counter(ask(fd)) == 1
    sim.tell("corrupt 1 1/2")
    good = ask(fd)
    bad = ask(fd)
    assert crc(good[:-2]) == good[-2:] and crc(bad[:-2]) != bad[-2:]
    sim.tell("corrupt 1 1/1 unit")
    assert ask(fd)[0] == 2
    sim.tell("heal *", "delay 1 200ms 1")
    assert ask(fd, 1, 10, 0.1) == b""
    first = ask(fd, 2, 10, 0.3)
    assert counter(first) == 1 and first[0] in (1, 2)
    late = counter(read_upto(fd, 25, 0.5) if first[0] == 2 else first)
    sim.tell("echo on")
    assert ask(fd, 2, 1, 0.1)[:7] == request(2, 3, 0, 1)[:7]
    sim.tell("bogus 1", expect=1)
    seen = [(line["d"], line["v"], line.get("late", False)) for line in sim.truth()]
    assert ("a", 5, True) in seen, (seen, late)
    assert ("a", 3, False) not in seen and ("a", 4, False) not in seen
    sim.stop()


def tells_late_replies_from_those_at_the_edge():
    """Late is what came when the reader had asked anew; else its own clock decides."""
    sim = Sim("sim_rtu", "--unit", "1:a", "--unit", "2:b", "--baud", "115200", "--late-after", "100ms")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    sim.tell("delay 1 200ms 1")
    assert counter(ask(fd, timeout=10)) == 1
    sim.tell("delay 1 1s 1")
    os.write(fd, request(1, 3, 0, 10))
    assert counter(ask(fd, 2, timeout=10)) == 1 and counter(read_upto(fd, 25, 10)) == 2
    sim.stop()
    seen = {(line["d"], line["v"]): (line.get("edge", False), line.get("late", False)) for line in sim.truth()}
    assert seen["a", 1] == (True, False) and seen["a", 2] == (False, True), seen
    sim = Sim("sim_tcp", "--unit", "1:a", "--unit", "2:b", "--late-after", "100ms")
    peer = socket.create_connection(("127.0.0.1", int(sim.first)))
    stream = peer.makefile("rb")

    def ask_tcp(*units):
        for unit in units:
            peer.sendall(struct.pack(">HHHBBHH", unit, 0, 6, unit, 3, 0, 10))
        for _ in units:
            stream.read(29)
    sim.tell("delay 1 200ms 2")
    ask_tcp(1, 2)
    ask_tcp(1, 1)
    sim.stop()
    assert [(line["d"], line["v"], line.get("edge", False), line.get("late", False)) for line in sim.truth()] == [
        ("b", 1, False, False), ("a", 1, True, False), ("a", 3, False, False), ("a", 2, False, True)], sim.truth()


def comes_back_under_another_name():
    link = os.path.join(DIR, "tty")
    sim = Sim("sim_rtu", "--unit", "1", "--link", link)
    fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
    ask(fd)
    sim.tell("unplug")
    assert not os.path.lexists(link)
    try:
        assert os.read(fd, 1) == b""
    except OSError:
        pass
    # The name stays taken while someone holds it, as with a real adapter.
    name = sim.tell("plug").split()[1]
    assert name != sim.first and os.readlink(link) == name
    os.close(fd)
    fd = os.open(link, os.O_RDWR | os.O_NOCTTY)
    assert counter(ask(fd)) == 2
    sim.stop()
    assert not os.path.lexists(link)


def can_be_opened_again_with_parity_after_a_kill():
    sim = Sim("sim_line", "nmea", "--every", "20ms", "--baud", "115200")
    sim.tell("wait replies 40")
    script = ("import os, sys, termios\n"
              "fd = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)\n"
              "mode = termios.tcgetattr(fd)\n"
              "mode[2] |= termios.PARENB\n"
              "mode[4] = mode[5] = termios.B115200\n"
              "termios.tcsetattr(fd, termios.TCSANOW, mode)\n"
              "os.kill(os.getpid(), 9)")
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script, sim.first])
        assert done.returncode == -9
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    before = sim.stats()["counter"]
    text = b""
    while b"PSLCN,%d*" % (before + 1) not in text:
        text += read_upto(fd, 1, 1)
    # What was sent while nobody had the line open is gone, as with a real adapter.
    assert b"PSLCN,5*" not in text
    sim.stop()


def waits_for_events():
    sim = Sim("sim_rtu", "--unit", "1", "--baud", "115200")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    client = socket.socket(socket.AF_UNIX)
    client.connect(sim.base + ".c")
    client.sendall(b"wait 1 replies 2\nsilence 1\n")
    ask(fd)
    assert not select.select([client], [], [], 0.1)[0]
    ask(fd)
    assert client.recv(3) == b"ok\n"
    assert client.recv(3) == b"ok\n"
    assert ask(fd, timeout=0.1) == b""
    sim.stop()


def serves_pipelined_tcp():
    sim = Sim("sim_tcp", "--unit", "1-10:dev,regs=100")
    peer = socket.create_connection(("127.0.0.1", int(sim.first)))
    stream = peer.makefile("rb")
    for unit in range(1, 11):
        peer.sendall(struct.pack(">HHHBBHH", unit, 0, 6, unit, 3, 0, 100))
    for unit in range(1, 11):
        head = struct.unpack(">HHHBBB", stream.read(9))
        assert head == (unit, 0, 203, unit, 3, 200), head
        assert stream.read(200)[:4] == b"\0\0\0\1"
    sim.tell("corrupt 3 1/1 transaction")
    peer.sendall(struct.pack(">HHHBBHH", 5, 0, 6, 3, 3, 0, 100))
    assert struct.unpack(">H", stream.read(209)[:2])[0] != 5
    sim.tell("close")
    assert stream.read(1) == b""
    sim.tell("refuse on")
    try:
        socket.create_connection(("127.0.0.1", int(sim.first))).close()
        raise AssertionError("accepted")
    except ConnectionRefusedError:
        pass
    sim.tell("refuse off")
    socket.create_connection(("127.0.0.1", int(sim.first))).close()
    assert sim.stop()["replies"] == 11
    assert sorted(line["d"] for line in sim.truth()) == sorted("dev%d" % n for n in range(1, 11))


def set_rate(fd, rate):
    """What a talker says counts from when somebody has set the line."""
    settings = termios.tcgetattr(fd)
    settings[4] = settings[5] = rate
    termios.tcsetattr(fd, termios.TCSANOW, settings)


def talks_nmea():
    sim = Sim("sim_line", "nmea", "--every", "200ms", "--baud", "38400", "--name", "gps")
    with open(sim.first, "rb", buffering=0) as line:
        set_rate(line.fileno(), termios.B38400)
        seen = []
        data = b""
        while len(seen) < 3:
            data += line.read(100)
            *whole, data = data.split(b"\r\n")
            for text in whole:
                body, check = text[1:].split(b"*")
                total = 0
                for byte in body:
                    total ^= byte
                assert int(check, 16) == total, text
                if body.startswith(b"PSLCN"):
                    seen.append(int(body.split(b",")[1]))
    assert seen == [1, 2, 3]
    stats = sim.stop()
    assert [entry["v"] for entry in sim.truth()][:3] == seen
    assert stats["replies"] >= 12


def weighs():
    sim = Sim("sim_line", "scale")
    fd = os.open(sim.first, os.O_RDWR | os.O_NOCTTY)
    cases = [("S", b"S S       0.01 g\r\n"), ("SI", b"S S       0.02 g\r\n"), ("Q", b"ES\r\n"),
             ("I4", b'I4 A "B021002593"\r\n'), ("Z", b"Z A\r\n")]
    for command, reply in cases:
        os.write(fd, command.encode() + b"\r\n")
        assert read_upto(fd, len(reply), 1) == reply, command
    cases = [("dynamic", "S", b"S I\r\n"), ("dynamic", "SI", b"S D       0.03 g\r\n"),
             ("overload", "SI", b"S +\r\n"), ("busy", "SI", b"S I\r\n")]
    for state, command, reply in cases:
        sim.tell("state " + state)
        os.write(fd, command.encode() + b"\r\n")
        assert read_upto(fd, len(reply), 1) == reply, state
    assert [entry["v"] for entry in sim.truth()] == [0.01, 0.02, 0.03]
    sim.stop()


def leaves_with_its_parent():
    link = os.path.join(DIR, "orphan")
    script = ("import subprocess, sys\n"
              "subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE).stdout.readline()")
    subprocess.run([sys.executable, "-c", script, os.path.join(BIN, "sim_rtu"), "--unit", "1",
                    "--link", link], check=True)
    end = time.monotonic() + 5
    while os.path.lexists(link) and time.monotonic() < end:
        time.sleep(0.01)
    assert not os.path.lexists(link)


for check in [takes_the_time_of_the_wire, sees_a_request_without_silence, reads_what_the_map_says,
              obeys_faults, tells_late_replies_from_those_at_the_edge, comes_back_under_another_name,
              can_be_opened_again_with_parity_after_a_kill, waits_for_events, serves_pipelined_tcp,
              talks_nmea, weighs, leaves_with_its_parent]:
    remark = check()
    print("ok", check.__name__.replace("_", " "), "(%s)" % remark if remark else "", flush=True)
shutil.rmtree(DIR)
