#!/usr/bin/python3
"""What a service manager sees of the daemon: when it is ready, how it is, whether it is alive, and when it stops."""
import ctypes
import json
import os
import re
import socket
import sys
import time

from harness import LONG, Broker, Gateway, ModbusTcp, Page, RtuLine, check, main, wait_for
from harness.site import Skip, free_port, libc

WATCHDOG_S = 0.6
PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17

# What a manager does between fork and exec: it puts a listening socket where the daemon looks for it.
HAND_OVER = """
import os, socket, sys
port = int(sys.argv[1])
held = socket.socket(socket.AF_INET6)
held.bind(("::", port))
held.listen(16)
os.dup2(held.fileno(), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Manager:
    """The socket that a service manager listens on."""

    def __init__(self, site):
        self.path = site.path("notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.2)
        site.at_end(self.socket.close)
        self.heard = []

    def start(self, gateway, watchdog_s=WATCHDOG_S, **more):
        os.environ.update(NOTIFY_SOCKET=self.path, WATCHDOG_USEC=str(int(watchdog_s * 1e6)))
        os.environ.pop("WATCHDOG_PID", None)
        try:
            gateway.start(wait=False, **more)
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        return self

    def listen(self):
        try:
            self.heard += self.socket.recv(4096).decode().split("\n")
        except TimeoutError:
            pass
        return self.heard

    def wait(self, line, deadline_s=20):
        wait_for(lambda: line in self.listen(), deadline_s, "the manager hears " + line)

    def feedings(self, for_s):
        """How often the watchdog is fed from now on."""
        self.heard.clear()
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            self.listen()
        return self.heard.count("WATCHDOG=1")


def a_manager_hears_how_it_is(site):
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [], web=True)
    manager = Manager(site).start(gateway)
    manager.wait("READY=1")
    check(gateway.cli("status").returncode == 0, "it was not ready")
    manager.wait("STATUS=1 of 1 devices answer")
    fed = manager.feedings(3)
    check(3 / WATCHDOG_S <= fed <= 20, "the watchdog is fed two or three times in its time", fed)
    hall.quiet()
    manager.wait("STATUS=0 of 1 devices answer")
    check(manager.feedings(1) >= 2, "a silent device is no hung gateway")
    gateway.stop()
    manager.wait("STOPPING=1")


def what_it_starts_is_not_taken_for_it(site):
    """A daemon below another one that is watched over: the watchdog is not its own."""
    os.environ["WATCHDOG_PID"] = "1"
    gateway = Gateway(site, [], [], [])
    manager = Manager(site)
    os.environ.update(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC="600000")
    try:
        gateway.start()
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"], os.environ["WATCHDOG_PID"]
    check(manager.feedings(1.5) == 0, "it feeds another's watchdog")


def a_start_is_confirmed_by_a_poll_and_a_session(site):
    def health(*arguments):
        done = gateway.cli("health", *arguments)
        return done.returncode, done.stdout

    broker = Broker(site)
    broker.stop()
    hall = ModbusTcp(site, "hall", ["1:meter"])
    hall.quiet()
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()]).start()
    code, words = health()
    check(code == 1 and "no device has answered" in words, "before the first poll", code, words)
    hall.tell("revive *")
    wait_for(lambda: gateway.device("meter")["up"], 20, "the meter answers")
    code, words = health()
    check(code == 1 and "no broker" in words, "before the first session", code, words)
    begun = time.monotonic()
    code, words = health("--wait", "1500ms")
    check(code == 1 and time.monotonic() - begun > 1.4, "it waited in vain", code, words)
    broker.start()
    code, words = health("--wait", "60s", "--json")
    told = json.loads(words)
    check(code == 0 and told["confirmed"] and told["why"] == "" and told["polled"] and told["session"], "confirmed", code, told)
    check(all(told["alive"].values()) and told["devices"] == told["uplinks"] == 1, "its parts", told)
    broker.stop()
    wait_for(lambda: not gateway.is_online(), 20, "the broker is gone")
    code, words = health()
    check(code == 0, "what comes later is no fault of the start", code, words)
    check("has worked here since its start" in words and "1 of 1 device answers, 0 of 1 uplink is online" in words and
          "sluice status tells why" in words, "and is told apart", words)
    gateway.stop()
    check(health()[0] == 4 and health("--wait", "1s")[0] == 4, "nobody answers")
    check(health("--wait", "soon")[0] == 2, "no time")


def health_is_how_it_is_when_it_is_asked(site):
    def answering():
        told = json.loads(gateway.cli("health", "--json").stdout)
        return told["answering"], told["devices"]

    hall = ModbusTcp(site, "hall", ["1:meter", "2:boiler"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], []).start()
    for unit in range(2, 7):
        wait_for(lambda: all(device["up"] for device in gateway.devices() if device["id"] in ("meter", "d2")), 20, "they answer")
        count = len(gateway.devices())
        check(answering() == (min(count, 2), count), "as the status has it", answering(), count)
        gateway.tell(lambda settings: settings["devices"].append(hall.device("d%d" % unit, unit)))
        wait_for(lambda: len(gateway.devices()) == count + 1, 20, "one more device")
        check(answering()[1] == count + 1, "the device that was just added is counted", answering())


def the_page_is_on_the_port_that_the_manager_holds(site):
    port = free_port()
    gateway = Gateway(site, [], [], [], web={"listen": [], "https": port, "redirect": False})
    gateway.https = port
    gateway.start(before=(sys.executable, "-c", HAND_OVER, str(port)))
    check(Page(gateway).get("/").status == 200, "the page")
    gateway.tell(lambda settings: settings["web"].update(enabled=False))
    wait_for(lambda: not gateway.status()["web"]["enabled"], 20, "the page is off")
    gateway.tell(lambda settings: settings["web"].update(enabled=True))
    wait_for(lambda: gateway.status()["web"].get("urls"), 20, "the page is on again")
    check(Page(gateway).get("/").status == 200, "the page, again", gateway.status()["web"])
    done = gateway.cli("setup", "--page", "--wait", "5s")
    check(done.returncode == 0 and re.search(r"https://\S+:%d/" % port, done.stdout), "where it is", done.stdout)
    check(re.search(r"^Setup code: \S+$", done.stdout, re.MULTILINE), "the code", done.stdout)
    check(gateway.cli("setup").stdout.strip() in done.stdout, "the same code", done.stdout)


def a_bus_that_hangs_starves_the_watchdog(site):
    if not LONG:
        raise Skip("takes more than two minutes: SLUICE_LONG=1")
    line = RtuLine(site, "rs485-1", ["1:meter"])
    gateway = Gateway(site, [line.bus()], [line.device("meter", 1)], [], web=True)
    manager = Manager(site).start(gateway)
    manager.wait("STATUS=1 of 1 devices answer")
    task = thread_named(gateway.process.pid, "bus-rs485-1")
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, task, None, None):
            raise Skip("ptrace: " + os.strerror(ctypes.get_errno()))
    os.waitpid(task, 0x40000000)  # __WALL
    check(manager.feedings(60) > 100, "for two minutes it may be the driver")
    manager.feedings(75)
    check(manager.feedings(5) == 0, "it is fed although a bus hangs")
    code = gateway.cli("health").returncode
    check(code == 1 and "polls: no sign of life" in gateway.process.log(), "it is told", code)
    libc.ptrace(PTRACE_DETACH, task, None, None)
    wait_for(lambda: manager.feedings(1), 20, "it is fed again")


def thread_named(pid, name):
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/comm" % (pid, task)) as comm:
            if comm.read().strip() == name:
                return int(task)
    raise Skip("no thread " + name)


main(a_manager_hears_how_it_is, what_it_starts_is_not_taken_for_it, a_start_is_confirmed_by_a_poll_and_a_session,
     health_is_how_it_is_when_it_is_asked, the_page_is_on_the_port_that_the_manager_holds, a_bus_that_hangs_starves_the_watchdog)
