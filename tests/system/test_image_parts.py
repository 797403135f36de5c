#!/usr/bin/python3
"""What is in a gateway's image, as far as it can be tried without making one: its scripts, with what they call replaced."""
import glob
import hashlib
import json
import os
import re
import subprocess
import sys

from harness import check, main
from harness.image_root import BAD, FILES, GOOD, HEALTH, IMAGE, RESTART, TOP, System, read
import disk  # noqa: E402
import gateway  # noqa: E402
import root  # noqa: E402
from words import Trouble  # noqa: E402


def the_first_version_is_confirmed_before_the_gateway_runs(site):
    system = System(site, healthy=False)
    system.starts([GOOD], [])
    check(system.confirmed() == ["2.0.0 b2"], "it is noted", system.confirmed())


def a_confirmed_version_has_its_tries_back_whatever_the_gateway_does(site):
    system = System(site, confirmed="1.0.0 b1\n2.0.0 b2\n", healthy=False)
    system.starts([GOOD], [])
    check(system.confirmed() == ["1.0.0 b1", "2.0.0 b2"], "it is noted once", system.confirmed())


def a_new_version_is_confirmed_when_it_is_healthy(site):
    system = System(site, confirmed="1.0.0 b1\n")
    system.starts([], [HEALTH, GOOD])
    check(system.confirmed() == ["1.0.0 b1", "2.0.0 b2"], "it is noted", system.confirmed())
    system.starts([GOOD], [])


def who_installs_is_told_of_a_trial(site):
    """From before the gateway runs, until the version is confirmed."""
    for confirmed, early, late in (("1.0.0 b1\n", True, False), ("2.0.0 b2\n", False, False), (None, False, False)):
        system = System(site, confirmed=confirmed)
        system.mark("confirmed")
        check(system.has("run/sluice-on-trial") == early, "before the gateway", confirmed)
        system.mark("trial")
        check(system.has("run/sluice-on-trial") == late, "behind it", confirmed)
    for answer in ("sluicehealth", "raucstatus"):
        system = System(site, confirmed="1.0.0 b1\n")
        system.put("answers/" + answer, "fails")
        for how in ("confirmed", "trial"):
            system.mark(how)
        check(system.has("run/sluice-on-trial"), "what was not confirmed", answer)


def a_new_version_that_is_not_healthy_is_left(site):
    system = System(site, confirmed="1.0.0 b1\n", healthy=False)
    system.starts([], [HEALTH, BAD, RESTART])
    check(system.confirmed() == ["1.0.0 b1"], "it is not noted", system.confirmed())


def a_new_version_whose_gateway_hangs_is_left(site):
    system = System(site, confirmed="1.0.0 b1\n")
    system.put("bin/sluice", "#!/bin/sh\necho sluice $* >>$SYSTEM/calls\nexec sleep 100\n")
    system.put("bin/timeout", "#!/bin/sh\necho $1 >$SYSTEM/limit\nshift\nexec /usr/bin/timeout 1 \"$@\"\n")
    for name in ("sluice", "timeout"):
        os.chmod(os.path.join(system.root, "bin", name), 0o755)
    system.starts([], [HEALTH, BAD, RESTART])
    unit = read(FILES, "usr/lib/systemd/system/sluice-mark-good.service")
    limit = int(re.search(r"^TimeoutStartSec=(\d+)min$", unit, re.MULTILINE).group(1)) * 60
    check(10 * 60 < int(read(system.root, "limit")) < limit - 60, "between what health waits for and the unit's end", limit)


def another_build_of_a_confirmed_version_goes_on_trial(site):
    for before in ("2.0.0 b1\n", "2.0.0\n", "2.0.0 b22\n"):
        System(site, confirmed=before).starts([], [HEALTH, GOOD])
    System(site, version="2.0.0", confirmed="2x0.0 b2\n", healthy=False).starts([], [HEALTH, BAD, RESTART])


def without_the_data_partition_nothing_is_confirmed(site):
    for data in ("0:41", "fails", ""):
        system = System(site, data=data)
        system.starts([], [])
        check(system.confirmed() is None, "nothing is noted", system.confirmed())
        check("does not have the data partition" in read(system.root, "dev/console"), "it is said", data)
    system = System(site, data="fails")
    system.put("answers/mountpoint-x", "fails")
    system.starts([], [])


def what_the_boot_loader_did_not_take_is_not_noted(site):
    system = System(site, confirmed="1.0.0 b1\n")
    system.put("answers/raucstatus", "fails")
    called, status = system.mark("trial")
    check(called == [HEALTH, GOOD] and status != 0 and system.confirmed() == ["1.0.0 b1"], "a new version", called, status)


class Slots(System):
    """One that runs from slot A, with both slots as RAUC wrote them; `b` is what it noted of the other one."""
    CONTENTS = {"a": "what runs", "b": "the one before"}

    def __init__(self, site, b=True, good="good"):
        super().__init__(site)
        self.put("proc/cmdline", "ro rauc.slot=A panic=5\n")
        self.put("bin/dd", '#!/bin/sh\nn=$(cat $SYSTEM/reads)\necho $((n + 1)) >$SYSTEM/reads\n[ $n -ge $FAILING ] || exit 1\nexec cat "${1#if=}"\n')
        os.chmod(os.path.join(self.root, "bin/dd"), 0o755)
        for name, text in self.CONTENTS.items():
            self.put("dev/sluice/root-" + name, text + " and what is behind it")
        self.put("data/rauc/status", "".join("[slot.rootfs.%d]\nstatus=ok\nsha256=%s\nsize=%d\n\n" % (
            "ab".index(name), hashlib.sha256(text.encode()).hexdigest(), len(text)) for name, text in self.CONTENTS.items() if name == "a" or b))
        self.put("answers/raucstatus",
                 '{"slots":[{"rootfs.1":{"bootname":"B","boot_status":"%s"}},{"rootfs.0":{"bootname":"A","boot_status":"good"}}]}' % good)

    def check_slot(self, failing=0):
        """What it calls of RAUC and systemd, its exit status, and what it says."""
        self.put("reads", "0\n")
        self.failing = str(failing)
        calls, status = self.run("check-slot")
        return calls, status, read(self.root, "dev/console").strip()


ASKED = "rauc status --output-format=json"
DAMAGED = "sluice: version 2.0.0 is damaged on the disk"


def a_damaged_slot_is_left_for_one_that_is_whole(site):
    check(Slots(site).check_slot() == ([], 0, ""), "both are whole")
    for left in ("what rums and what", "what", ""):  # another byte; a sector that ends it; one at its begin
        system = Slots(site)
        system.put("dev/sluice/root-a", left)
        seen = system.check_slot()
        check(seen == ([ASKED, BAD, RESTART], 1, DAMAGED + ": going back to the version before"), left, seen)


def a_damaged_slot_without_another_is_told(site):
    for system in (Slots(site, b=False), Slots(site, good="bad"), Slots(site)):
        system.put("dev/sluice/root-a", "what rums and what")
        system.put("dev/sluice/root-b", system.CONTENTS["b"] if "bad" in read(system.root, "answers/raucstatus") else "the one")
        calls, status, said = system.check_slot()
        check(BAD not in calls and RESTART not in calls and status == 1, "it goes on", calls, status)
        check(said == DAMAGED + ", and there is no other to start: install one as an update", "it is said", said)


def an_error_of_the_moment_is_no_damage(site):
    check(Slots(site).check_slot(failing=1) == ([], 0, ""), "it was read again")
    check(Slots(site).check_slot(failing=2)[0] == [ASKED, BAD, RESTART], "twice is no moment")


def a_slot_that_nobody_noted_is_not_judged(site):
    system = Slots(site)
    system.put("data/rauc/status", "")
    check(system.check_slot() == ([], 0, ""), "nothing to compare with")


# Of its init, without what begins a machine: early.sh.
EARLY = """say() { echo "$*" >>/dev/console; }
begin() { :; }
load_modules() { :; }
partition() { [ "$1" = data ] && echo /dev/data; }
"""


def a_rescue_runs_with_what_the_gateway_ran_with(site):
    """The tiny one: the configuration of the data partition, or else the one that was preset on the card."""
    for preset, changed in (("preset", "changed on the page"), ("preset", None), (None, "changed on the page"), (None, None)):
        system = System(site)
        for name in ("ip", "umount", "mount", "hostname"):
            system.put("bin/" + name, "#!/bin/sh\n")
            os.chmod(os.path.join(system.root, "bin", name), 0o755)
        system.put("dev/vda", "")
        for name, text in (("mnt/sluice/sluice.json", preset), ("mnt/sluice/ca.pem", preset), ("data/etc/sluice/sluice.json", changed)):
            if text:
                system.put(name, text)
        text = read(IMAGE, "tiny/init").partition("# The daemon is started anew")[0].replace(". /lib/early.sh\n", EARLY).replace("-b ", "-e ")
        system.put("init", re.sub(r"(?<![\w.}/])/(data|dev|etc|mnt|proc|run|sys|tmp|var)\b", lambda found: system.root + found.group(), text))
        done = subprocess.run(["sh", "-u", os.path.join(system.root, "init")], capture_output=True, text=True, check=False,
                              env={"PATH": os.path.join(system.root, "bin") + ":" + os.environ["PATH"]})
        there = read(system.root, "etc/sluice/sluice.json") if system.has("etc/sluice/sluice.json") else None
        check(done.returncode == 0 and there == (changed or preset), "the configuration", preset, changed, there, done.stderr)
        check(system.has("etc/sluice/ca.pem") == bool(preset), "what is preset beside it", preset)
        check(("starts without a configuration" in read(system.root, "dev/console")) == (there is None), "what is said", read(system.root, "dev/console"))


def every_unit_that_can_be_enabled_is(site):
    preset = re.findall(r"^enable (\S+)$", read(FILES, "usr/lib/systemd/system-preset/00-sluice.preset"), re.MULTILINE)
    units = [path for folder in (os.path.join(TOP, "firmware/package"), os.path.join(FILES, "usr/lib/systemd/system"))
             for path in glob.glob(os.path.join(folder, "*.*")) if path.endswith((".service", ".socket", ".path", ".timer"))]
    installed = {os.path.basename(path) for path in units if "\n[Install]\n" in read(path)}
    check(len(installed) > 5, "units were found", installed)
    check(installed <= set(preset), "not in the preset", installed - set(preset))
    ours = {name for name in preset if name.startswith("sluice")}
    check(ours <= installed, "in the preset, but no unit", ours - installed)


def systemd_asks_of_no_watchdog_more_than_it_can(_site):
    text = read(FILES, "usr/lib/systemd/system.conf.d/sluice.conf")
    for path in glob.glob(os.path.join(TOP, "boards/*/board.json")):
        board = json.loads(read(path))
        if "image" in board:
            times = {name: int(time) for name, time in re.findall(r"^(\w+WatchdogSec)=(\d+)s$", root.watchdog_settings(board, text), re.MULTILINE)}
            longest = board["watchdog"]["timeout_s_max"]
            check(times == {"RuntimeWatchdogSec": min(30, longest), "RebootWatchdogSec": min(60, longest)}, board["id"], times)


def a_build_has_a_name_by_what_is_in_it(site):
    tree = site.path("tree")
    os.makedirs(os.path.join(tree, "usr/share/sluice"))

    def named():
        build = os.path.join(tree, "usr/share/sluice/build")
        if os.path.exists(build):
            os.unlink(build)
        root.write_build(tree)
        return read(build).strip()

    path = site.write("tree/file", "one")
    seen = [named()]
    check(named() == seen[0] and re.fullmatch("[0-9a-f]{16}", seen[0]), "the same again", seen)
    for change in (lambda: site.write("tree/file", "two"), lambda: os.chmod(path, 0o755), lambda: os.rename(path, path + "s"),
                   lambda: os.symlink("a", os.path.join(tree, "link")), lambda: os.mkdir(os.path.join(tree, "empty"))):
        change()
        seen.append(named())
    check(len(set(seen)) == len(seen), "each change gives another", seen)


def a_data_partition_that_grows_is_for_data(site):
    """Not for inodes, of which it keeps as many for each of its parts as when it was small."""
    os.makedirs(site.path("data/rauc"))
    path = site.path("data.img")
    disk.ext4(site.path("data"), path, 128 * disk.MIB, "sluice-data", 4, 1700000000, journal=True)
    os.truncate(path, 32 << 30)
    subprocess.run(["resize2fs", path], check=True, capture_output=True)
    told = subprocess.run(["dumpe2fs", "-h", path], check=True, capture_output=True, text=True).stdout
    inodes, blocks = (int(re.search(r"^%s count: +(\d+)$" % what, told, re.MULTILINE)[1]) for what in ("Inode", "Block"))
    check(blocks == 8 << 20 and inodes * 256 < (32 << 30) // 200, "how much of it is for inodes", inodes, blocks)
    check(inodes >= 32 << 14, "there are enough", inodes)


def a_disk_is_handed_out_whole(site):
    out, work = site.path("out"), site.path("work")
    for made in (("disk.img", "disk.img.xz"), ("disk.img",), ("disk.img", "disk.img.xz")):
        os.makedirs(work)
        for name in made:
            site.write("work/" + name, "%s of %d" % (name, len(made)))
        os.makedirs(out, exist_ok=True)
        gateway.hand_out(work, out)
        check({name: read(out, name) for name in os.listdir(out)} == {name: "%s of %d" % (name, len(made)) for name in made}, "what lies there", made)
        os.rmdir(work)


def links_are_those_that_packages_declare(site):
    os.makedirs(site.path("usr/lib/tmpfiles.d"))
    os.makedirs(site.path("etc"))
    site.write("usr/lib/tmpfiles.d/names.conf", "L! /etc/resolv.conf - - - - ../run/names\nd /run/more 0755 root root -\n")
    try:
        root.declared_links(site.folder)
        said = ""
    except Trouble as trouble:
        said = str(trouble)
    check("/etc/mtab" in said and "/etc/resolv.conf" not in said, "one that nobody declares", said)
    site.write("usr/lib/tmpfiles.d/mounts.conf", "L+ /etc/mtab - - - - ../proc/self/mounts\n")
    root.declared_links(site.folder)
    made = {name: os.readlink(site.path("etc", name)) for name in ("resolv.conf", "mtab")}
    check(made == {"resolv.conf": "../run/names", "mtab": "../proc/self/mounts"}, "where they lead", made)
    check(not os.path.exists(site.path("run/more")), "nothing else is made")


def the_user_has_the_same_number_in_every_image(site):
    rules = "usr/lib/sysusers.d/sluice-image.conf"
    number = re.search(r"^u sluice (\d+) ", read(FILES, rules), re.MULTILINE).group(1)
    os.makedirs(site.path("etc"))
    os.makedirs(os.path.dirname(site.path(rules)))
    site.write(rules, read(FILES, rules))
    ours = "sluice:x:%s:" % number
    for passwd, group, word in ((ours, ours, None), (ours, "sluice:x:993:\nother:x:%s:" % number, "other"),
                                (ours + "\nother:x:%s:" % number, ours, "other"), ("sluice:x:993:", ours, "has not"), (ours, "", "has not")):
        site.write("etc/passwd", passwd + "\n")
        site.write("etc/group", group + "\n" if group else "")
        try:
            root.check_numbers(site.folder)
            said = None
        except Trouble as trouble:
            said = str(trouble)
        check((said is None) == (word is None) and (word or "") in (said or ""), "numbers", passwd, group, said)


main(the_first_version_is_confirmed_before_the_gateway_runs, a_confirmed_version_has_its_tries_back_whatever_the_gateway_does,
     a_new_version_is_confirmed_when_it_is_healthy, a_new_version_that_is_not_healthy_is_left, who_installs_is_told_of_a_trial, a_new_version_whose_gateway_hangs_is_left,
     another_build_of_a_confirmed_version_goes_on_trial, without_the_data_partition_nothing_is_confirmed,
     what_the_boot_loader_did_not_take_is_not_noted, a_damaged_slot_is_left_for_one_that_is_whole, a_damaged_slot_without_another_is_told,
     an_error_of_the_moment_is_no_damage, a_slot_that_nobody_noted_is_not_judged,
     a_rescue_runs_with_what_the_gateway_ran_with, every_unit_that_can_be_enabled_is,
     systemd_asks_of_no_watchdog_more_than_it_can, a_build_has_a_name_by_what_is_in_it,
     a_data_partition_that_grows_is_for_data, a_disk_is_handed_out_whole, links_are_those_that_packages_declare, the_user_has_the_same_number_in_every_image)
