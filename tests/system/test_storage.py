#!/usr/bin/python3
"""A disk that is full: polling goes on, it is told, it recovers by itself, and the ledger adds up."""
import os
import subprocess
import time

from harness import (EXIT_OK, EXIT_SYSTEM, Audit, Balance, Broker, Gateway, ModbusTcp, Skip, Subscriber, check, check_ledger,
                     main, settle, wait_for)


def small_disk(site, megabytes):
    """A filesystem of its own below the journal's folder."""
    folder = site.path("journal")
    os.makedirs(folder)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm" % megabytes, "sluice-test", folder],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Skip("needs the right to mount a small filesystem: " + done.stderr.strip())
    site.at_end(lambda: subprocess.run(["umount", "-l", folder], check=True))
    return folder


class FullDisk:
    """A gateway whose broker is away and whose disk is soon full of events and of somebody else's file."""

    def __init__(self, site, when_full):
        self.site = site
        folder = small_disk(site, 2)
        self.ballast = os.path.join(folder, "somebody-elses")
        with open(self.ballast, "wb") as ballast:
            ballast.write(bytes(1728 << 10))
        self.broker = Broker(site)
        self.subscriber, self.audit = Subscriber(site, self.broker), Audit(site, self.broker)
        self.hall = ModbusTcp(site, "hall", ["1-4:meter"])
        # Points that are stored though they do not change, and many small commits, to fill the disk.
        points = [{"id": "filler%d" % reg, "reg": reg} for reg in range(2, 6)]
        devices = [self.hall.device("meter%d" % unit, unit, "20ms", points) for unit in (1, 2, 3, 4)]
        journal = {"keep": "64MiB", "segment": "64KiB", "commit": "5ms", "when_full": when_full}
        self.gateway = Gateway(site, [self.hall.bus()], devices, [self.broker.uplink()], journal=journal).start()
        self.gateway.wait_online()
        site.wait_values(50)
        self.broker.stop()

    def journal(self):
        return self.gateway.status()["journal"]

    def polls_on(self):
        before = self.gateway.device("meter1")["replies"]
        wait_for(lambda: self.gateway.device("meter1")["replies"] > before + 50, 20, "polling goes on")

    def finish(self, reasons):
        """Values may be missing, but no more than is told, and for these reasons only."""
        self.broker.start()
        settle(self.gateway, [self.hall], self.subscriber)
        status = self.gateway.status()
        check_ledger(status)
        balance = Balance(self.subscriber.messages)
        witnesses = self.site.witnesses()
        missing = balance.missing(witnesses)
        check(not balance.never_sent(witnesses) and not balance.holes(), "never sent, or holes", balance.holes())
        gaps = balance.of("gap") + list(balance.told.values())
        check(gaps and all(event["why"] in reasons for event in gaps), "the gaps that are told", gaps[:5])
        # What was dropped is told by events of the journal, and to whom it was not sent yet once more where it was. How
        # much a crash cost nobody knows.
        told = sum(event.get("count", 0) for event in balance.of("gap"))
        check(missing and told >= len(missing), "more is missing than was told", told, len(missing))
        report = self.audit.balance()
        check(report["missing"] + report["excused"] == len(missing) and report["holes"] == 0 and report["never_sent"] == 0, "audit", report)
        self.gateway.stop()
        self.gateway.verify()
        return status, told, "%d values missing, gaps tell of %d events" % (len(missing), told)


    def fill(self):
        """Until new events are refused, and for a while."""
        wait_for(lambda: self.journal()["refused"] > 500, 120, "new events are refused")
        check("space" in self.journal()["error"], "why nothing can be stored", self.journal())

    def finish_after(self, began_ms, crashes):
        """The outage ended with the process: the start has told of it, with all that was lost, since when and why."""
        self.site.wait_values(50)
        self.broker.start()
        settle(self.gateway, [self.hall], self.subscriber)
        status = self.gateway.status()
        check_ledger(status)
        balance = Balance(self.subscriber.messages)
        gaps = [event for event in balance.of("gap") if event["why"] == "storage"]
        check(len(gaps) == 1, "the gaps for the reason storage", balance.of("gap"))
        gap = gaps[0]
        missing = balance.missing(self.site.witnesses())
        check(not balance.holes() and missing, "holes, or nothing missing", balance.holes(), len(missing))
        check(abs(gap["t"] - gap["extent_ms"] - began_ms) < 3000, "since when", gap, began_ms)
        check(len([event for event in balance.of("gap") if event["why"] == "crash"]) == crashes, "crash gaps",
              balance.of("gap"))
        alarms = [event["v"] for event in balance.of("alarm") if "could not be written" in event["v"]]
        check(len(alarms) == 1 and "no space left" in alarms[0], "the alarm", balance.of("alarm"))
        check(status["journal"]["refused"] >= gap["count"], "the ledger has less than was told", status["journal"], gap)
        self.gateway.stop()
        self.gateway.verify()
        return missing, gap, status


def a_folder_that_is_read_only_is_told(site):
    """From the beginning: the daemon cannot do its work, and says why."""
    folder = small_disk(site, 4)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    broker = Broker(site, tls=False)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()])
    gateway.start(wait=False)
    check(gateway.process.popen.wait(20) == EXIT_SYSTEM, "exit status", gateway.process.popen.returncode)
    words = gateway.process.log()
    check("read-only" in words and folder in words, "words", words)
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    gateway.start()
    gateway.wait_online()


def a_full_disk_takes_the_oldest(site):
    """As the policy says by default: what was not delivered before is told as a gap."""
    disk = FullDisk(site, "drop-oldest")
    wait_for(lambda: disk.journal()["dropped"].get("retention"), 120, "the oldest events make room")
    check("the disk is full" in disk.gateway.process.log(), "words in the log", disk.gateway.process.log())
    disk.polls_on()
    os.remove(disk.ballast)
    site.wait_values(50)
    status, told, remark = disk.finish(["retention"])
    dropped = status["consumers"]["uplink/cloud"]["dropped"]
    check(dropped == {"retention": told}, "the ledger and the gaps differ", dropped, told)
    return remark


def what_was_dropped_is_told_after_a_restart(site):
    """The broker is away while it is dropped, and until the gateway has stopped and was killed: no hole in what it gets."""
    disk = FullDisk(site, "drop-oldest")
    wait_for(lambda: disk.journal()["dropped"].get("retention"), 120, "the oldest events make room")
    for end in (disk.gateway.stop, disk.gateway.kill):
        before = disk.journal()["dropped"]["retention"]
        wait_for(lambda: disk.journal()["dropped"]["retention"] > before, 60, "more is dropped")
        end()
        disk.gateway.start()
    os.remove(disk.ballast)
    site.wait_values(50)
    _, _, remark = disk.finish(["retention", "crash"])
    return remark


def a_full_disk_refuses_the_newest(site):
    """When the policy says so: what is stored stays, what comes is refused and counted, until there is room again."""
    disk = FullDisk(site, "refuse-newest")
    wait_for(lambda: disk.journal()["refused"], 120, "new events are refused")
    words = disk.gateway.cli("status").stdout
    check("NOTHING CAN BE STORED" in words and "space" in words, "sluice status does not say it", words)
    disk.polls_on()
    os.remove(disk.ballast)
    wait_for(lambda: not disk.journal()["error"], 60, "it recovers by itself")
    site.wait_values(50)
    status, told, remark = disk.finish(["storage", "overload"])
    check(status["journal"]["refused"] == told, "the ledger and the gaps differ", status["journal"], told)
    check(not status["consumers"]["uplink/cloud"]["dropped"].get("retention"), "something stored was dropped")
    return remark


def an_outage_that_ends_with_an_orderly_stop_is_told(site):
    """All that was refused, and what waited in memory, by the next start: from when, how many, why."""
    disk = FullDisk(site, "refuse-newest")
    wait_for(lambda: disk.journal()["error"], 120, "the disk is full")
    began_ms = time.time() * 1000
    disk.fill()
    disk.polls_on()
    disk.gateway.stop()
    check("the next start tells of it" in disk.gateway.process.log(), "words at the end", disk.gateway.process.log()[-500:])
    os.remove(disk.ballast)
    disk.gateway.start()
    missing, gap, status = disk.finish_after(began_ms, crashes=0)
    check(gap["count"] >= len(missing), "more is missing than was told", gap, len(missing))
    return "%d values missing, the gap tells of %d events" % (len(missing), gap["count"])


def an_outage_that_ends_with_a_kill_is_told(site):
    """As far as it was noted: what came in the last second stands for the crash."""
    disk = FullDisk(site, "refuse-newest")
    wait_for(lambda: disk.journal()["error"], 120, "the disk is full")
    began_ms = time.time() * 1000
    disk.fill()
    before = disk.journal()
    then, note = time.time(), os.path.join(disk.gateway.journal, "outage")
    wait_for(lambda: os.stat(note).st_mtime > then, 20, "it is noted")
    disk.gateway.kill()
    os.remove(disk.ballast)
    disk.gateway.start()
    missing, gap, status = disk.finish_after(began_ms, crashes=1)
    check(gap["count"] >= before["refused"] + before["waiting"] - 5, "what was noted", gap, before)
    return "%d values missing, the gap tells of %d events" % (len(missing), gap["count"])


def an_outage_that_another_policy_ends_is_told(site):
    """The way out without a shell on the box: what the journal may keep is changed, and the configuration read again."""
    disk = FullDisk(site, "refuse-newest")
    wait_for(lambda: disk.journal()["error"], 120, "the disk is full")
    began_ms = time.time() * 1000
    disk.fill()

    def change(settings):
        settings["journal"].update(keep="1MiB", when_full="drop-oldest")

    disk.gateway.tell(change)
    wait_for(lambda: "before this start" in disk.gateway.process.log(), 60, "the new start tells of it")
    wait_for(lambda: disk.gateway.cli("status").returncode == EXIT_OK, 20, "the status answers")
    wait_for(lambda: not disk.journal()["error"], 60, "it goes on")
    disk.broker.start()
    settle(disk.gateway, [disk.hall], disk.subscriber)
    status = disk.gateway.status()
    check_ledger(status)
    gaps = [event for event in Balance(disk.subscriber.messages).of("gap") if event["why"] == "storage"]
    check(len(gaps) == 1 and gaps[0]["count"] > 500, "the gap", gaps)
    check(abs(gaps[0]["t"] - gaps[0]["extent_ms"] - began_ms) < 3000, "since when", gaps, began_ms)
    disk.gateway.stop()
    disk.gateway.verify()


def starts_with_words_when_the_disk_is_full_from_the_beginning(site):
    folder = small_disk(site, 1)
    with open(os.path.join(folder, "somebody-elses"), "wb") as ballast:
        ballast.write(bytes((1 << 20) - 8192))
    broker = Broker(site, tls=False)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()])
    gateway.start(wait=False)
    wait_for(lambda: "space" in gateway.process.log(), 20, "words in the log")


def a_keep_that_has_no_room_is_told(site):
    """By the check and by the start, with the numbers and what to do; and the journal goes on with what it can have."""
    folder = small_disk(site, 3)
    broker = Broker(site, tls=False)
    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [broker.uplink()],
                      journal={"keep": "1GiB", "path": folder})
    done = gateway.cli("check", gateway.config_path, socket=False)
    check(done.returncode == EXIT_OK, "exit status", done.returncode, done.stderr)
    for words in (done.stderr, gateway.start().process.log()):
        check("allows 1024.0 MiB" in words and "has only 3.0 MiB" in words and '"2MiB"' in words, "words", words)
    gateway.wait_online()
    site.wait_values(10)
    check(gateway.status()["journal"]["bytes"] < 2 << 20, "the size of the first segments", gateway.status()["journal"])
    gateway.stop()
    gateway.settings["journal"]["keep"] = "2MiB"
    gateway.write()
    check(not gateway.cli("check", gateway.config_path, socket=False).stderr, "a warning without a reason")


main(a_keep_that_has_no_room_is_told, a_folder_that_is_read_only_is_told, a_full_disk_takes_the_oldest,
     what_was_dropped_is_told_after_a_restart, a_full_disk_refuses_the_newest,
     an_outage_that_ends_with_an_orderly_stop_is_told, an_outage_that_ends_with_a_kill_is_told,
     an_outage_that_another_policy_ends_is_told,
     starts_with_words_when_the_disk_is_full_from_the_beginning)
