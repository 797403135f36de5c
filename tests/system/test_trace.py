#!/usr/bin/python3
"""What is said on a bus, heard by sluice trace."""
import json
import os
import signal
import sys

from harness import EXIT_FAILED, EXIT_OK, EXIT_USAGE, Gateway, ModbusTcp, RtuLine, check, main, program, sluice, wait_for
from harness.finding import PARTIES, Plant


def frames(process):
    return [json.loads(line) for line in process.log().splitlines() if line.startswith("{")]


def a_bus_that_the_gateway_polls_is_heard_and_goes_on(site):
    plant = Plant(site)
    for name in ("field", plant.line.link):
        trace = site.start("trace-" + str(len(name)), program("sluice"), "trace", "--json", "--hex", "--socket",
                           plant.gateway.socket, name)
        heard = wait_for(lambda: len(frames(trace)) > 9 and frames(trace), 20, "frames are heard")
        check(all(frame["sound"] and frame["unit"] == 1 for frame in heard), "all are sound", heard)
        asked = next(index for index, frame in enumerate(heard) if frame["way"] == "request" and "gap_us" in frame)
        request, reply = heard[asked], heard[asked + 1]
        check(request["name"] == "read holding registers" and request["address"] == 0 and request["count"] == 2,
              "the request", request)
        check(reply["way"] == "reply" and reply["answers"] and len(reply["values"]) == 2 and reply["address"] == 0,
              "the reply", reply)
        check(len(request["hex"]) == 16 and reply["took_us"] > 0 and request["gap_us"] > 1000, "times", request, reply)
        trace.signal(signal.SIGTERM)
        trace.popen.wait(20)
    plant.line.tell("corrupt 1 1/1")
    wait_for(lambda: "that are no frame" in plant.gateway.cli("trace", "field", "--for", "1").stdout, 20, "damage is shown")
    plant.line.tell("heal 1")
    plant.wait_up(30)
    plant.gateway.stop()


def a_reply_that_comes_in_lumps_is_one_frame(site):
    line = RtuLine(site, "field", ["1:boiler,regs=20"], 19200)
    gateway = Gateway(site, [line.bus(timeout="3s")], [line.device("boiler", 1)], []).start()
    wait_for(lambda: gateway.device("boiler")["up"], 20, "it is read")
    line.tell("dribble 1 60ms")

    def heard():
        """From a request on: a trace may begin within a reply."""
        told = [json.loads(line) for line in gateway.cli("trace", "field", "--for", "4", "--json").stdout.splitlines()]
        begun = next((place for place, frame in enumerate(told) if frame.get("way") == "request"), len(told))
        return told[begun:] if any(frame.get("pause_us") for frame in told[begun:]) else None
    told = wait_for(heard, 60, "replies in lumps")
    check(all(frame["way"] != "garbage" for frame in told), "nothing is told in pieces", told)
    check(all(frame["way"] != "reply" or frame["pause_us"] > 30000 for frame in told), "the pause", told)
    gateway.stop()


def frames_over_modbus_tcp_are_heard(site):
    field = ModbusTcp(site, "hall", ["1:boiler,regs=20"])
    gateway = Gateway(site, [field.bus()], [field.device("boiler", 1)], []).start()
    wait_for(lambda: gateway.device("boiler")["up"], 20, "the device is read")
    done = gateway.cli("trace", "hall", "--for", "1")
    check(done.returncode == EXIT_OK, "exit status", done.stderr)
    check("-> unit 1  read holding registers at 0, 2 of them" in done.stdout and
          "<- unit 1  read holding registers at 0: 0 " in done.stdout, "the words", done.stdout)
    missing = gateway.cli("trace", "hill")
    check(missing.returncode == EXIT_USAGE and "did you mean \"hall\"?" in missing.stderr, "another name", missing.stderr)
    gateway.stop()


def a_line_of_others_is_heard_and_its_setting_found(site):
    line = RtuLine(site, "field", ["3:a,regs=20"], 9600, "--format", "8N1")
    tee = site.start("tee", sys.executable, os.path.join(PARTIES, "line_tee.py"), line.link, site.path("master"),
                     site.path("spy"))
    wait_for(lambda: "ready" in tee.log(), 20, "the tee is ready")
    site.start("mbpoll", "mbpoll", "-m", "rtu", "-a", "3", "-b", "9600", "-P", "none", "-t", "4", "-r", "7", "-c", "2",
               "-l", "200", site.path("master"))
    wait_for(lambda: line.stats()["replies"] > 1, 20, "mbpoll reads")
    done = sluice("trace", site.path("spy"), "--for", "4", "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_OK and "frames are heard at 9600 8N1" in done.stderr, "the setting", done.stderr)
    check("-> unit 3  read holding registers at 6, 2 of them" in done.stdout and
          "<- unit 3  read holding registers at 6: 4870 4871" in done.stdout, "the words", done.stdout)


def a_line_on_which_nobody_speaks_is_told(site):
    line = RtuLine(site, "field", ["3:a,regs=20"], 9600)
    done = sluice("trace", line.link, "--line", "9600 8E1", "--for", "1", "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_FAILED and not done.stdout and "nothing was heard at 9600 8E1" in done.stderr, "a port",
          done.returncode, done.stderr)
    done = sluice("trace", line.link, "--for", "3", "--socket", "/nonexistent/api.sock")
    check(done.returncode == EXIT_FAILED and "at 2 of 24 usual settings, 9600 8N1 to 9600 8E1; each takes 2 s" in done.stderr,
          "which settings were tried", done.returncode, done.stderr)
    hall = ModbusTcp(site, "hall", ["1:chiller"])
    gateway = Gateway(site, [hall.bus()], [hall.device("chiller", 1, "1h")], []).start()
    wait_for(lambda: gateway.device("chiller")["up"], 20, "all is read at the start")
    done = gateway.cli("trace", "hall", "--for", "1")
    check(done.returncode == EXIT_FAILED and "nothing was heard of that bus" in done.stderr, "a bus", done.returncode,
          done.stdout, done.stderr)
    gateway.stop()


main(a_bus_that_the_gateway_polls_is_heard_and_goes_on, a_reply_that_comes_in_lumps_is_one_frame,
     frames_over_modbus_tcp_are_heard,
     a_line_of_others_is_heard_and_its_setting_found,
     a_line_on_which_nobody_speaks_is_told)
