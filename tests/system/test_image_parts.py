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

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
IMAGE = os.path.join(TOP, "firmware/image")
FILES = os.path.join(IMAGE, "root/files")
sys.path.insert(0, IMAGE)
import gateway  # noqa: E402
import root  # noqa: E402
from words import Trouble, read  # noqa: E402
sys.path.insert(0, os.path.join(TOP, "tools"))
from flashing import network as settings  # noqa: E402

# Each notes its call; an answer is the text of a file beside it, and it fails where that is "fails".
STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >>"$SYSTEM/calls"
answer=$(cat "$SYSTEM/answers/${0##*/}$1" 2>/dev/null)
[ "$answer" != fails ] || exit 1
echo "$answer"
"""
GOOD, BAD, RESTART, HEALTH = "rauc status mark-good", "rauc status mark-bad", "systemctl --no-block reboot", "sluice health --wait 10m"


class System:
    """A root folder with what the scripts read, and programs that stand in for those that they call."""
    failing = "0"  # how often the disk cannot be read

    def __init__(self, site, version="2.0.0", build="b2", confirmed=None, data="254:4", healthy=True):
        self.root = site.path("root-%d" % len(os.listdir(site.folder)))
        self.put("usr/lib/os-release", "ID=debian\nIMAGE_VERSION=%s\n" % version)
        self.put("usr/share/sluice/build", build + "\n")
        self.put("dev/console", "")
        self.put("answers/mountpoint-d", data)
        self.put("answers/mountpoint-x", "254:4")
        self.put("answers/sluicehealth", "" if healthy else "fails")
        for folder in ("boot/sluice", "data/etc", "data/system", "etc/sluice", "run"):
            os.makedirs(os.path.join(self.root, folder))
        if confirmed is not None:
            self.put("data/system/confirmed", confirmed)
        for name in ("chown", "hostname", "mount", "mountpoint", "partx", "rauc", "resize2fs", "sfdisk", "sluice",
                     "sync", "systemctl", "umount"):
            self.put("bin/" + name, STAND_IN)
            os.chmod(os.path.join(self.root, "bin", name), 0o755)

    def put(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as out:
            out.write(text)

    def run(self, script, *arguments):
        """Runs a script of the image in this root folder; returns what it called, and its exit status."""
        self.put("calls", "")
        text = re.sub(r"(?<![\w.}/])/(boot|data|dev|etc|proc|run|usr)\b", lambda found: self.root + found.group(),
                      read(FILES, "usr/lib/sluice", script).replace(">/dev/console", ">>/dev/console"))  # as a console, it keeps what was said
        self.put("script", text)
        done = subprocess.run(["sh", os.path.join(self.root, "script"), *arguments], check=False, stdout=subprocess.DEVNULL,
                              env={"SYSTEM": self.root, "FAILING": self.failing, "PATH": os.path.join(self.root, "bin") + ":" + os.environ["PATH"]})
        return read(self.root, "calls").splitlines(), done.returncode

    def mark(self, how):
        """What mark-good calls of that which changes or asks anything, and its exit status."""
        calls, status = self.run("mark-good", how)
        return [call for call in calls if call.split()[0] not in ("mountpoint", "sync")], status

    def starts(self, early, late):
        """Checks the calls of a start: those of the unit before the gateway, and those of the one behind it."""
        for how, wanted, status in (("confirmed", early, 0), ("trial", late, 1 if BAD in late else 0)):
            called, ended = self.mark(how)
            check(called == wanted and ended == status, "mark-good " + how, called, wanted, ended, read(self.root, "dev/console"))

    def has(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def confirmed(self):
        return read(self.root, "data/system/confirmed").splitlines() if self.has("data/system/confirmed") else None


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


def the_data_partition_grows_once(site):
    system = System(site)
    for wanted in (["sfdisk", "partx", "resize2fs"], []):
        calls, status = system.run("first-boot")
        called = [call.split()[0] for call in calls]
        check(status == 0 and [name for name in called if name in ("sfdisk", "partx", "resize2fs")] == wanted, "grows", calls, status)
    system = System(site)
    system.put("answers/resize2fs" + os.path.join(system.root, "dev/sluice/data"), "fails")
    calls, status = system.run("first-boot")
    check(status == 0 and not system.has("data/system/grown"), "again at the next start", calls)
    check("could not be grown" in read(system.root, "dev/console"), "it is said")


def presets_are_taken_once_and_again_when_they_changed(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    system.put("boot/sluice/network.conf", "HOSTNAME=hall-7\r\nADDRESS = 10.0.7.2/24 \r\nGATEWAY=10.0.7.1\r\nDNS=10.0.7.3 10.0.7.4\r\n")
    system.put("boot/sluice/authorized_keys", "ssh-ed25519 AAAA anna\r\n")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{}", "the configuration")
    check(sorted(os.listdir(os.path.join(system.root, "etc/sluice"))) == ["board", "sluice.json"], "nothing else is there")
    check(read(system.root, "data/system/hostname") == "hall-7\n", "the name")
    check(read(system.root, "data/etc/ssh/authorized_keys") == "ssh-ed25519 AAAA anna\n", "the key")
    network = read(system.root, "run/systemd/network/70-preset.network").splitlines()
    check({"Address=10.0.7.2/24", "Gateway=10.0.7.1", "DNS=10.0.7.3", "DNS=10.0.7.4"} <= set(network) and "DHCP=yes" not in network,
          "the network", network)
    system.put("etc/sluice/sluice.json", "changed on the page")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "changed on the page", "what was changed on the page stays")
    system.put("boot/sluice/sluice.json", "{ }")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{ }", "changed presets")


def network(system, content):
    """What is made of these settings, and what is said of them."""
    with open(os.path.join(system.root, "boot/sluice/network.conf"), "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    system.put("dev/console", "")
    system.run("first-boot")
    said = [line for line in read(system.root, "dev/console").splitlines() if "network.conf" in line]
    return read(system.root, "run/systemd/network/70-preset.network").splitlines(), said


def settings_of_the_network_that_make_no_sense_are_told_and_left_out(site):
    system = System(site)
    made, said = network(system, "\ufeffADDRESS=fd00::5/64\r\n# a comment\r\n\r\nGATEWAY=fd00::1\r\nNTP=ntp.example.com 10.0.7.1\r\nDNS= \r\n")
    check({"Address=fd00::5/64", "Gateway=fd00::1", "NTP=ntp.example.com", "NTP=10.0.7.1"} <= set(made) and not said, "good ones", made, said)
    for address in ("10.0.7.5", "10.0.7.500/24", "10.0.7.5/33", "10.0.7/24", "10.0.7.5/24 10.0.7.6/24", "*/24", "x"):
        made, said = network(system, "ADDRESS=%s\nGATEWAY=10.0.7.1\n" % address)
        check("DHCP=yes" in made and not [line for line in made if line.startswith(("Address=10", "Gateway="))], "by DHCP", address, made)
        check(len(said) == 1 and "ADDRESS=%s is not taken: expected is an address with" % address in said[0], "it is said", address, said)
    made, said = network(system, "ADDRESS=10.0.7.5/24\nGATEWAY=router\nDNS=10.0.7.1, 10.0.7.2\nHOSTNAME=plant 7\nip=10.0.7.6\n")
    check({"Address=10.0.7.5/24", "DNS=10.0.7.2"} <= set(made) and not [line for line in made if line.startswith(("Gateway=", "DNS=10.0.7.1"))],
          "what makes sense is taken", made)
    check(len(said) == 4 and '"ip=10.0.7.6" is not known' in said[0] and "HOSTNAME=plant 7" in said[1] and "GATEWAY=router" in said[2] and
          "DNS=10.0.7.1, is not" in said[3], "each is said", said)
    check(not system.has("data/system/hostname"), "no name is made of it")


MARK = b"\xef\xbb\xbf"
# What editors leave, and what of it is taken: an address, a router, servers, a name.
SOUND = (
    (b"ADDRESS=10.0.7.5/24\t\nGATEWAY=10.0.7.1 \t\n", "10.0.7.5/24", "10.0.7.1", "", ""),
    (b"\tADDRESS\t=\t10.0.7.5/24\n \tHOSTNAME = plant7\n", "10.0.7.5/24", "", "", "plant7"),
    (MARK + b"HOSTNAME=plant7\r\nDNS=10.0.7.1 \t fd00::1\r\n", "", "", "10.0.7.1 fd00::1", "plant7"),
    (b"ADDRESS=fd00::5/64\nGATEWAY=fe80::1\n", "fd00::5/64", "fe80::1", "", ""),
    (b"HOSTNAME=a\nHOSTNAME=b\nADDRESS=10.0.7.5/24\nADDRESS=", "", "", "", "b"),
    (b"\t# a comment in K\xc3\xb6ln\n\t\n#HOSTNAME=x\n\x0bHOSTNAME=plant7\x0c", "", "", "", "plant7"),
    (b"DNS=::ffff:10.0.7.1\nADDRESS=::/0\n", "::/0", "", "::ffff:10.0.7.1", ""),
)
STRANGE = (b"DNS=fe80::1%eth0\n", b"HOSTNAME=a" + MARK + b"b\n", b"# " + MARK + b"\n" + MARK + b"HOSTNAME=a\n", MARK + MARK + b"HOSTNAME=a\n",
           "ADDRESS=10.0.7.5/24\r\n".encode("utf-16"), "ADDRESS=10.0.7.5/24\r\n".encode("utf-16-le"), b"GATEWAY=10.0.7.1\n",
           b"HOSTNAME=a\\nb\n", b"HOSTNAME=\xc2\xa0a\n", b"ADDRESS=10.0.7.5/024\n", b"NTP=a\x0bb\n", b"HOSTNAME\n", b"\xc2\xa0HOSTNAME=a\n")


def the_tool_and_the_image_read_settings_of_the_network_alike(site):
    for content, *wanted in SOUND:
        system = System(site)
        made, said = network(system, content)
        kept = {key: " ".join(line.partition("=")[2] for line in made if line.startswith(key + "=") and "169.254" not in line)
                for key in ("Address", "Gateway", "DNS")}
        name = read(system.root, "data/system/hostname").strip() if system.has("data/system/hostname") else ""
        check([*kept.values(), name] == wanted and not said, "the image", content, made, name, said)
        found = settings.settings(content)
        check([" ".join(found.get(key, "").split()) for key in ("ADDRESS", "GATEWAY", "DNS", "HOSTNAME")] == wanted, "the tool", content, found)
        check(settings.mistake(content) is None, "the tool takes it", content, settings.mistake(content))
    for content in STRANGE:
        system = System(site)
        made, said = network(system, content)
        check(len(said) == 1 and "DHCP=yes" in made and not system.has("data/system/hostname"), "the image tells it", content, made, said)
        check(not [line for line in made if line.startswith(("Gateway=", "DNS=", "NTP="))], "and takes nothing", content, made)
        check(settings.mistake(content), "the tool tells it", content)
    return "%d sound, %d strange" % (len(SOUND), len(STRANGE))


def a_preset_with_mistakes_is_not_taken(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{")
    system.put("boot/sluice/ca.pem", "a certificate")
    system.put("answers/sluicecheck", "fails")
    system.run("first-boot")
    check(not system.has("etc/sluice/sluice.json") and system.has("etc/sluice/ca.pem"), "what is taken")


def a_preset_that_cannot_be_checked_is_taken_at_the_next_start(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    program = read(system.root, "bin/sluice")
    for broken in ("#!/nowhere\n", "#!/bin/sh\nkill -BUS $$\n"):
        system.put("bin/sluice", broken)
        system.run("first-boot")
        check(not system.has("etc/sluice/sluice.json") and not system.has("data/system/presets"), "nothing is taken", broken)
        check("could not be taken" in read(system.root, "dev/console"), "it is said", read(system.root, "dev/console"))
    system.put("bin/sluice", program)
    system.run("first-boot")
    check(system.has("etc/sluice/sluice.json") and system.has("data/system/presets"), "it is taken")


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
     a_new_version_is_confirmed_when_it_is_healthy, a_new_version_that_is_not_healthy_is_left, a_new_version_whose_gateway_hangs_is_left,
     another_build_of_a_confirmed_version_goes_on_trial, without_the_data_partition_nothing_is_confirmed,
     what_the_boot_loader_did_not_take_is_not_noted, a_damaged_slot_is_left_for_one_that_is_whole, a_damaged_slot_without_another_is_told,
     an_error_of_the_moment_is_no_damage, a_slot_that_nobody_noted_is_not_judged, the_data_partition_grows_once,
     presets_are_taken_once_and_again_when_they_changed, settings_of_the_network_that_make_no_sense_are_told_and_left_out,
     the_tool_and_the_image_read_settings_of_the_network_alike, a_preset_with_mistakes_is_not_taken,
     a_preset_that_cannot_be_checked_is_taken_at_the_next_start, every_unit_that_can_be_enabled_is,
     systemd_asks_of_no_watchdog_more_than_it_can, a_build_has_a_name_by_what_is_in_it,
     a_disk_is_handed_out_whole, links_are_those_that_packages_declare, the_user_has_the_same_number_in_every_image)
