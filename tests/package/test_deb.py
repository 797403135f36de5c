#!/usr/bin/python3
"""The Debian package: built, checked, installed on a bare Debian, upgraded, removed; and under a systemd that really runs."""
import concurrent.futures
import itertools
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
from harness import LONG, check, main, run, wait_for  # noqa: E402
from harness.site import Skip, program  # noqa: E402
from container import SOURCE, Container, tool  # noqa: E402

MACHINES = {"arm64": "AArch64", "armhf": "ARM"}
UNIT = os.path.join(SOURCE, "firmware/package/sluice.service")
EXPOSURE_MAX = 1.5
SUITES = ("bookworm", "trixie") if LONG else ("bookworm",)
CONFIG = {"version": 1, "gateway": {"id": "plant7"},
          "buses": [{"id": "hall", "driver": "modbus-tcp", "host": "127.0.0.1:1502"}],
          "devices": [{"id": "meter", "bus": "hall", "unit": 1, "numbering": "0-based",
                       "points": [{"id": "counter", "reg": 0, "type": "u32", "every": "100ms"}]}]}


def the_unit_gives_the_daemon_little(site):
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT], capture_output=True, text=True)
    exposure = re.search(r"Overall exposure level for sluice.service: ([0-9.]+)", done.stdout)
    check(exposure and float(exposure[1]) <= EXPOSURE_MAX, "systemd-analyze security", done.stdout[-300:], done.stderr)
    return "exposure " + exposure[1]


def packages(site, suite):
    """An older one and the newest, for this test alone: another one builds them beside it."""
    def build(*words):
        return tool("package", "--suite", suite, "--to", site.folder, *words)
    return build("--version", "0.0.9"), build()


def is_built_and_lintian_finds_no_error(site):
    for suite in SUITES:
        _, newest = packages(site, suite)
        if not shutil.which("lintian"):
            raise Skip("no lintian")
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", newest], capture_output=True, text=True)
        check(done.returncode == 0, "lintian", done.stdout)


def a_package_is_built_for_each_processor(site):
    if not LONG:
        raise Skip("takes some minutes: SLUICE_LONG=1")
    def contents(arch, suite):
        package = tool("package", "--arch", arch, "--suite", suite)
        folder = site.path(suite + arch)
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        header = subprocess.run(["readelf", "-h", os.path.join(folder, "usr/bin/sluice")], capture_output=True, text=True, check=True)
        check(re.search(r"Machine: +%s$" % MACHINES[arch], header.stdout, re.MULTILINE), package, header.stdout)
        return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)
    # Beside each other, as the tests and the images ask for them.
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        of = list(pool.map(contents, *zip(*itertools.product(MACHINES, ("bookworm", "trixie")))))
    for arch in range(0, len(of), 2):
        check(of[arch] == of[arch + 1], "files are missing", of[arch], of[arch + 1])


def is_installed_on_a_bare_debian(site):
    for suite in SUITES:
        debian = Container(site, suite)
        first, second = (debian.put(package) for package in packages(site, suite))
        debian.apt("update")
        without_systemd(debian, first, second)
    return ", ".join(SUITES)


def runs_under_systemd(site):
    for suite in SUITES:
        debian = Container(site, suite, "systemd-sysv", "udev", "dbus")
        first, second = (debian.put(package) for package in packages(site, suite))
        debian.apt("update")
        debian.apt("install", first)
        under_systemd(debian, first, second)
        debian.halt()
    return ", ".join(SUITES)


def without_systemd(debian, first, second):
    words = debian.apt("install", first)
    by_hand = re.search(r"sluice:   (mkdir -p /run/sluice .*) &$", words, re.MULTILINE)
    check(by_hand and "sluice setup --page" in words, "what is to be done without systemd", words[-1500:])
    # What it says is what works.
    script = "%s & sluice setup --page --wait 30s && sluice health --wait 30s; kill $! && wait $!" % by_hand[1]
    words = debian.run("sh", "-c", script)
    check(re.search(r"https://\S+/", words) and re.search(r"^Setup code: \S+$", words, re.MULTILINE), "its page", words)
    check("confirmed" in words, "its health", words)
    journal = debian.run("sluice", "journal", "stat", "/var/lib/sluice/journal")
    check(owner(debian, "/var/lib/sluice/journal") == owner(debian, "/etc/sluice") == "sluice", "whose its folders are")
    debian.apt("install", second)
    check(debian.run("sluice", "journal", "stat", "/var/lib/sluice/journal") == journal, "an upgrade changed the journal")
    words = debian.apt("remove", "sluice")
    check("apt purge sluice" in words, "what stays", words[-800:])
    check(os.path.isdir(debian.path("/var/lib/sluice/journal")), "removing took the journal")
    debian.apt("purge", "sluice")
    for folder in ("/var/lib/sluice", "/etc/sluice", "/usr/share/sluice"):
        check(not os.path.exists(debian.path(folder)), "purged, and there is still", folder)


def owner(debian, path):
    return debian.run("stat", "-c", "%U", path).strip()


def under_systemd(debian, first, second):
    os.makedirs(debian.path("/etc/sluice"), exist_ok=True)
    with open(debian.path("/etc/sluice/sluice.json"), "w") as out:
        json.dump(CONFIG, out)
    debian.run("chown", "-R", "sluice:sluice", "/etc/sluice")
    debian.boot()
    debian.start_outside("hall", program("sim_tcp"), "--listen", "127.0.0.1:1502", "--unit", "1:meter")
    debian.run("sluice", "health", "--wait", "60s")
    check("Type=notify" in debian.run("systemctl", "show", "-p", "Type,StatusText", "sluice"), "its type")
    wait_for(lambda: "StatusText=1 of 1 devices answer" in debian.run("systemctl", "show", "-p", "StatusText", "sluice"), 30, "its status")
    # Its unit may not ask the kernel, and no systemd-timesyncd leaves a sign: then root's part says whether a time server is followed.
    wait_for(lambda: "followed 1: " in debian.run("journalctl", "-u", "sluice-wish", "--no-pager"), 30, "who the clock follows")
    urls = status(debian)["web"]["urls"]
    check(urls == ["https://127.0.0.1/"], "the page is not on port 443", urls)
    a_restart_is_an_upgrade(debian, second)
    a_removed_one_goes_on_when_it_is_installed_again(debian, second)
    one_that_was_not_removed_after_all_goes_on(debian)
    a_refused_configuration_stops_nothing(debian, first)
    a_cut_between_unpacking_and_configuring_leaves_what_accepts(debian, second)
    what_refused_does_not_start_until_it_accepts(debian, second)
    a_hung_daemon_is_started_anew(debian)


def status(debian):
    return json.loads(debian.run("sluice", "status", "--json"))


def main_pid(debian):
    return debian.run("systemctl", "show", "-p", "MainPID", "--value", "sluice").strip()


def a_restart_is_an_upgrade(debian, second):
    before, pid = status(debian)["journal"], main_pid(debian)
    words = debian.run("dpkg", "-i", second)
    check(re.search(r"https://127.0.0.1/\n", words) and "Setup code: " in words, "how an upgrade ends", words)
    after = status(debian)["journal"]
    check(main_pid(debian) != pid and after["epoch"] == before["epoch"] and after["newest"] > before["newest"],
          "the journal goes on", before, after)


def a_removed_one_goes_on_when_it_is_installed_again(debian, second):
    before = status(debian)["journal"]
    debian.run("dpkg", "-r", "sluice")
    check(main_pid(debian) == "0", "a removed one runs")
    words = debian.run("dpkg", "-i", second)
    check(re.search(r"https://127.0.0.1/\n", words) and "not started" not in words, "how it ends", words)
    debian.run("sluice", "health", "--wait", "60s")
    after = status(debian)
    check(after["journal"]["epoch"] == before["epoch"] and after["journal"]["newest"] > before["newest"], "the journal goes on", before, after)
    check(after["web"]["urls"] == ["https://127.0.0.1/"], "the page is on port 443", after["web"])
    # That was for once: what somebody stops afterwards, an upgrade leaves alone.
    debian.run("systemctl", "stop", "sluice")
    words = debian.run("dpkg", "-i", second)
    check("it was not running, and is not started" in words, "an upgrade of what was stopped", words)
    debian.run("systemctl", "start", "sluice")


def one_that_was_not_removed_after_all_goes_on(debian):
    debian.run("/var/lib/dpkg/info/sluice.prerm", "remove")
    debian.run("/var/lib/dpkg/info/sluice.postinst", "abort-remove")
    debian.run("sluice", "health", "--wait", "60s")


def a_refused_configuration_stops_nothing(debian, first):
    """The way back to an older version, with a file that it does not know."""
    pid = main_pid(debian)
    with open(debian.path("/etc/sluice/sluice.json"), "w") as out:
        json.dump({**CONFIG, "version": 99}, out)
    words = debian.run("dpkg", "-i", first)
    check("REFUSES THE CONFIGURATION" in words and "sluice.json" in words, "what is said", words)
    check(main_pid(debian) == pid and status(debian)["buses"], "the version before goes on running")
    configure(debian)
    debian.run("systemctl", "restart", "sluice")
    debian.run("sluice", "health", "--wait", "60s")


# A version that refuses what its own program would accept.
REFUSING = """#!/bin/sh
if grep -q "not for the newer one" /etc/sluice/sluice.json; then
    case $0,$1 in
    *sluiced,* | *,check) echo "/etc/sluice/sluice.json: refused" >&2; exit 3 ;;
    esac
fi
case $0 in
*sluiced) exec /usr/bin/sluice.own run "$@" ;;
esac
exec /usr/bin/sluice.own "$@"
"""


def refusing(debian, package, version):
    """That package as a newer one which refuses a configuration with certain words in it; its name in the container."""
    folder = debian.site.path("refusing-" + version)
    subprocess.run(["dpkg-deb", "-R", package, folder], check=True)
    program_path = os.path.join(folder, "usr/bin/sluice")
    os.rename(program_path, program_path + ".own")
    for path, text in ((program_path, REFUSING),
                       (os.path.join(folder, "DEBIAN/control"), re.sub("(?m)^Version: .*", "Version: " + version, read(folder, "DEBIAN/control")))):
        with open(path, "w") as out:
            out.write(text)
    os.chmod(program_path, 0o755)
    out = debian.site.path("sluice_%s.deb" % version)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", folder, out], check=True, stdout=subprocess.DEVNULL)
    return debian.put(out)


def read(*parts):
    with open(os.path.join(*parts)) as file:
        return file.read()


def configure(debian, words=""):
    with open(debian.path("/etc/sluice/sluice.json"), "w") as out:
        out.write(json.dumps(CONFIG) + words)


def runs(debian, which):
    """Waits until the gateway is that program, and healthy."""
    def seen():
        pid = main_pid(debian)
        return pid != "0" and debian.run_quietly("readlink", "/proc/%s/exe" % pid).strip() == which
    wait_for(seen, 60, "%s runs" % which)
    debian.run("sluice", "health", "--wait", "60s")


BEFORE, NEWER = "/usr/lib/sluice/before/bin/sluice", "/usr/bin/sluice.own"
LEFT_BY_AN_UPGRADE = ("/usr/lib/sluice/before", "/usr/lib/systemd/system/sluice.service.d", "/var/lib/sluice/version-taken")


def starts_again(debian):
    debian.halt()
    debian.boot()
    debian.start_outside("hall", program("sim_tcp"), "--listen", "127.0.0.1:1502", "--unit", "1:meter")


def nothing_is_left(debian):
    for path in LEFT_BY_AN_UPGRADE:
        check(not os.path.exists(debian.path(path)), "an upgrade that was accepted left", path)


def a_cut_between_unpacking_and_configuring_leaves_what_accepts(debian, second):
    configure(debian, "// not for the newer one\n")
    debian.run("dpkg", "--unpack", refusing(debian, debian.path(second), "8.0"))
    starts_again(debian)
    runs(debian, BEFORE)
    words = debian.run("dpkg", "--configure", "-a")
    check("REFUSES THE CONFIGURATION" in words and "starts again with this machine" in words, "what is said", words)
    runs(debian, BEFORE)
    configure(debian)
    debian.run("dpkg", "--unpack", second)
    starts_again(debian)
    runs(debian, "/usr/bin/sluice")
    debian.run("dpkg", "--configure", "-a")
    runs(debian, "/usr/bin/sluice")
    nothing_is_left(debian)


def what_refused_does_not_start_until_it_accepts(debian, second):
    package = debian.path(second)
    configure(debian, "// not for the newer one\n")
    debian.run("systemctl", "reload", "sluice")
    pid = main_pid(debian)
    words = debian.run("dpkg", "-i", refusing(debian, package, "9.0"))
    check("REFUSES THE CONFIGURATION" in words and "starts again with this machine" in words, "what is said", words)
    check(main_pid(debian) == pid, "the version before goes on running")
    debian.run("sh", "-c", "kill -KILL " + pid)
    runs(debian, BEFORE)
    starts_again(debian)
    runs(debian, BEFORE)
    # Refused again: what is kept is what has run, and not what was refused.
    debian.run("dpkg", "-i", refusing(debian, package, "9.1"))
    debian.run("systemctl", "restart", "sluice")
    runs(debian, BEFORE)

    configure(debian)
    debian.run("systemctl", "restart", "sluice")
    runs(debian, NEWER)
    # It has run, so that its mistakes are no reason to go back.
    configure(debian, "// not for the newer one\n")
    debian.run("systemctl", "restart", "sluice", expect=1)
    wait_for(lambda: int(debian.run("systemctl", "show", "-p", "NRestarts", "--value", "sluice")) > 1, 60, "it tries again")
    check("version before it runs" not in debian.run("journalctl", "-u", "sluice", "-n", "3", "--no-pager"), "it went back")
    configure(debian)
    runs(debian, NEWER)

    debian.run("dpkg", "-i", second)
    runs(debian, "/usr/bin/sluice")
    nothing_is_left(debian)


def a_hung_daemon_is_started_anew(debian):
    if not LONG:
        return
    pid = main_pid(debian)
    debian.run("sh", "-c", "kill -STOP " + pid)
    wait_for(lambda: main_pid(debian) not in (pid, "0"), 150, "systemd starts it anew")
    debian.run("sluice", "health", "--wait", "60s")
    check("watchdog" in debian.run("journalctl", "-u", "sluice", "--no-pager").lower(), "why")


run.TEST_S_MAX = 1500 if LONG else 600  # apt waits for a mirror, and others build meanwhile
main(the_unit_gives_the_daemon_little, is_built_and_lintian_finds_no_error, a_package_is_built_for_each_processor,
     is_installed_on_a_bare_debian, runs_under_systemd)
