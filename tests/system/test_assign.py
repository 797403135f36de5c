#!/usr/bin/python3
"""Meters get their unit, baud and format by sluice assign."""
import json
import os
import signal
import subprocess
import sys

from harness import EXIT_FAILED, EXIT_OK, EXIT_USAGE, check, main, program, wait_for
from harness.finding import PARTIES, Plant


def a_device_of_another_model_is_not_written_to_and_the_bus_goes_back(site):
    plant = Plant(site)
    done = plant.gateway.cli("assign", plant.line.link, "--profile", "peacefair-pzem-016", "--to", "7", "--line", "19200 8E1")
    check(done.returncode == EXIT_FAILED and "the profile is not of this device" in done.stderr, "the words", done.stderr)
    check("lets go" in done.stderr, "the bus was borrowed", done.stderr)
    plant.wait_up()
    check(not plant.lent(), "the lease", plant.lent())
    plant.gateway.stop()


def meters(site, *keys):
    """Meters whose unit and baud can be set, and a function that runs `sluice assign` on their line."""
    process = site.start("meters-%d" % len(site.processes), sys.executable, os.path.join(PARTIES, "settable_meters.py"), site.path("meters.tty"),
                         *keys)
    wait_for(lambda: "ready" in process.log(), 20, "the meters are ready")

    def assign(*arguments, given=None, profile="eastron-sdm120"):
        return subprocess.run([program("sluice"), "assign", site.path("meters.tty"), "--profile", profile, "--socket",
                               "/nonexistent/api.sock", *arguments], input=given or "",
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)
    return process, assign


def a_new_meter_gets_its_unit_and_baud_and_answers_there(site):
    process, assign = meters(site)
    done = assign("--to", "7", "--baud", "9600", "--json")
    check(done.returncode == EXIT_OK, "exit status", done.returncode, done.stderr)
    check(json.loads(done.stdout) == {"kind": "assigned", "from": 1, "to": 7, "line": "9600 8N1", "verified": True},
          "the line", done.stdout)
    check(process.log().splitlines()[-1] == "unit 7 at 9600 8N1", "the meter", process.log())
    again = assign("--to", "8")
    check(again.returncode == EXIT_FAILED and "nobody answers at unit 1" in again.stderr, "the old place", again.stderr)
    check("button" not in again.stderr, "what is to be done is told of a device that is there", again.stderr)
    moved = assign("--to", "8", "--unit", "7", "--line", "9600 8N1")
    check("button" in moved.stderr, "before it is written to", moved.stderr)
    check(moved.returncode == EXIT_OK and process.log().splitlines()[-1] == "unit 8 at 9600 8N1", "again", moved.stderr)


def a_meter_gets_its_parity_and_says_before_it_is_written_how_sure_that_is(site):
    process, assign = meters(site)
    done = assign("--to", "7", "--baud", "9600", "--format", "8E1", "--json")
    check(done.returncode == EXIT_OK and json.loads(done.stdout)["line"] == "9600 8E1", "the line", done.stdout, done.stderr)
    check(process.log().splitlines()[-1] == "unit 7 at 9600 8E1", "the meter", process.log())
    check("nobody has compared" not in done.stderr, "it is sure of an SDM120", done.stderr)
    again = assign("--to", "7", "--unit", "7", "--line", "9600 8E1", "--format", "8N2", profile="eastron-sdm230")
    check(again.returncode == EXIT_OK and process.log().splitlines()[-1] == "unit 7 at 9600 8N2", "again", again.stderr)
    check("nobody has compared these registers" in again.stderr and "40019" in again.stderr, "it is not of an SDM230",
          again.stderr)
    none = assign("--to", "7", "--unit", "7", "--line", "9600 8N2", "--format", "7E1")
    check(none.returncode == EXIT_USAGE and "no such format" in none.stderr, "another format", none.stderr)
    unknown = assign("--to", "7", "--format", "8E1", profile="peacefair-pzem-016")
    check(unknown.returncode == EXIT_USAGE and "does not say by which register" in unknown.stderr, "no register",
          unknown.stderr)


def a_device_with_two_registers_for_its_format_is_followed_through_both(site):
    process, assign = meters(site, "map=wirenboard", "baud=9600", "format=8N2", "units=1")
    done = assign("--to", "33", "--baud", "115200", "--format", "8E1", profile="wiren-board-wb-mr6lv")
    check(done.returncode == EXIT_OK and "answers at 115200 8E1" in done.stdout, "the words", done.stdout, done.stderr)
    check(process.log().splitlines()[1:] == ["unit 33 at 9600 8N2", "unit 33 at 9600 8E2", "unit 33 at 9600 8E1",
                                             "unit 33 at 115200 8E1"], "its way", process.log())


def nothing_is_assigned_where_two_answer_or_somebody_is_there(site):
    process, assign = meters(site, "units=1,5")
    taken = assign("--to", "5")
    check(taken.returncode == EXIT_FAILED and "somebody answers at unit 5" in taken.stderr, "a taken unit", taken.stderr)
    process.kill()
    os.unlink(site.path("meters.tty"))
    process, assign = meters(site, "units=1,1")
    two = assign("--to", "7")
    check(two.returncode == EXIT_FAILED and "two devices" in two.stderr, "two at the old unit", two.stderr)
    check("unit 7" not in process.log(), "it was written", process.log())


def a_meter_that_is_locked_says_what_to_do(site):
    process, assign = meters(site, "locked=1")
    refused = assign("--to", "7")
    check(refused.returncode == EXIT_FAILED and "refuses" in refused.stderr and "button" in refused.stderr, "the words",
          refused.stderr)
    process.signal(signal.SIGUSR2)
    wait_for(lambda: assign("--to", "7").returncode == EXIT_OK, 20, "it takes it when it is unlocked")


def a_row_of_meters_is_numbered_one_after_the_other(site):
    process, assign = meters(site)
    done = assign("--start", "10", "--count", "2", given="\n\nq\n")
    check("unit 1 is unit 10 now" in done.stdout, "the first", done.stdout, done.stderr)
    check("nobody answers at unit 1" in done.stderr, "nobody has connected the second", done.stderr)
    check(done.stderr.count("unit 11 (2 of 2)") == 2, "it is asked for again", done.stderr)


def what_a_meter_takes_on_at_its_restart_is_told(site):
    process, assign = meters(site, "restart=1")
    done = assign("--to", "9", "--json")
    check(done.returncode == EXIT_OK and not json.loads(done.stdout)["verified"], "it is told", done.stdout, done.stderr)
    process.signal(signal.SIGUSR1)
    wait_for(lambda: "unit 9 at 2400 8N1" in process.log(), 10, "the meter has restarted")
    moved = assign("--to", "9", "--unit", "9", "--force")
    check(moved.returncode == EXIT_OK, "it is there", moved.stdout, moved.stderr)


main(a_device_of_another_model_is_not_written_to_and_the_bus_goes_back,
     a_new_meter_gets_its_unit_and_baud_and_answers_there,
     a_meter_gets_its_parity_and_says_before_it_is_written_how_sure_that_is,
     a_device_with_two_registers_for_its_format_is_followed_through_both,
     nothing_is_assigned_where_two_answer_or_somebody_is_there,
     a_meter_that_is_locked_says_what_to_do,
     a_row_of_meters_is_numbered_one_after_the_other,
     what_a_meter_takes_on_at_its_restart_is_told)
