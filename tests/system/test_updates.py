#!/usr/bin/python3
"""Updates of the whole system through Debian's own RAUC: what is installed, what is refused and why, and the way back."""
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

from harness import EXIT_FAILED, EXIT_OK, EXIT_SYSTEM, Gateway, Skip, check, main, wait_for
from harness.api import Api
from harness.rauc import BOARD, Box
from harness.site import free_port, program

UPDATE = "/api/v1/update"
INSTALLS = "an update is being installed; wait for its end"
OTHERS = "an update is being installed that somebody else began, or this gateway before its last start"
POLICY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../firmware/package/de.pengutronix.rauc.conf")


def start(site, box, **environment):
    return Gateway(site, [], [], []).start(before=box.before + ["%s=%s" % pair for pair in environment.items()])


def state(gateway):
    return Api(gateway).get(UPDATE)


def ended(gateway):
    """How the update ended, once it has."""
    def look():
        job = state(gateway)["job"]
        return job["phase"] in ("installed", "refused") and job
    return wait_for(look, 60, "the update ends")


def install(gateway, path, *flags):
    """Exit status and job of `sluice update install`."""
    done = gateway.cli("update", "install", path, "--json", *flags)
    return done, json.loads(done.stdout) if done.stdout else {}


def notes(gateway, what):
    return [event for event in gateway.replay("--kind", "config") if "did=" + what in json.dumps(event)]


def installs_and_goes_back(site):
    box = Box(site)
    gateway = start(site, box)
    before = state(gateway)
    check(before["by"] == "bundles" and before["board"] == BOARD, "how it is updated", before)
    check([(slot["name"], slot["state"]) for slot in sorted(before["slots"], key=lambda slot: slot["name"])] ==
          [("A", "running"), ("B", "empty")], "its slots", before["slots"])
    check(gateway.cli("update", "rollback").returncode == EXIT_FAILED, "goes back to an empty slot")

    bundle = box.bundle("new.raucb", "1.1.0", size=700000)
    running = box.slot("A")
    done, job = install(gateway, bundle)
    check(done.returncode == EXIT_OK and job["phase"] == "installed" and job["version"] == "1.1.0", "installed", done.stderr, job)
    with open(box.path("content/rootfs.img"), "rb") as file:
        content = file.read()
    check(box.slot("B")[:len(content)] == content, "what is in slot B")
    check(box.slot("A") == running, "the slot that runs was written")
    check(box.primary() == "B", "what starts next", box.primary())
    after = state(gateway)
    other = next(slot for slot in after["slots"] if slot["name"] == "B")
    check(after["restart_due"] and other["version"] == "1.1.0" and other["next"] and other["installed"] > 0, "the other slot", after)
    check("1.1.0" in gateway.cli("update").stdout, "sluice update", gateway.cli("update").stdout)
    check(not os.listdir(os.path.join(gateway.state, "update")), "the bundle is left lying")
    check(len(notes(gateway, "update-started")) == len(notes(gateway, "update-installed")) == 1, "the audit trail")

    # Before the restart it is taken back; then the other one can still be chosen.
    check(gateway.cli("update", "rollback").returncode == EXIT_OK and box.primary() == "A", "taken back", box.primary())
    check(not state(gateway)["restart_due"], "a restart is due")
    done = gateway.cli("update", "rollback")
    check(done.returncode == EXIT_OK and "1.1.0" in done.stdout and box.primary() == "B", "to the other one", done.stdout, done.stderr)
    gateway.stop()
    return job


def refuses_each_with_its_reason(site):
    box = Box(site)
    gateway = start(site, box)
    check(install(gateway, box.bundle("first.raucb", "1.0.0"))[0].returncode == EXIT_OK, "a good one")
    good = box.bundle("good.raucb", "1.1.0")
    with open(good, "rb") as file:
        whole = file.read()
    other, primary = box.slot("B"), box.primary()

    def made(name, data):
        with open(site.path(name), "wb") as out:
            out.write(data)
        return site.path(name)

    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 1
    cases = {
        "wrong-board": box.bundle("board.raucb", board="sluice-other"),
        "older": box.bundle("older.raucb", "0.0.9"),
        "wrongly-signed": box.bundle("foreign.raucb", key="foreign"),
        "revoked": box.bundle("revoked.raucb", key="revoked"),
        "changed": made("flipped.raucb", bytes(flipped)),
        "truncated": made("truncated.raucb", whole[:len(whole) * 2 // 3]),
        "not-a-bundle": made("noise.raucb", os.urandom(200000)),
    }
    for why, path in cases.items():
        done, job = install(gateway, path)
        check(done.returncode == EXIT_FAILED and job["phase"] == "refused" and job["why"] == why, why, done.returncode, done.stderr, job)
        check(job["error"] in done.stderr and job["next"] in done.stderr, "told in words", done.stderr)
        check(why != "wrong-board" or ("sluice-other" in job["error"] and BOARD in job["error"]), "for which and on which", job)
        check(box.slot("B") == other and box.primary() == primary, "something was written: " + why)
        check(not os.listdir(os.path.join(gateway.state, "update")), "the bundle is left lying: " + why)
    for cut in (0, 1, 100, len(whole) - 1):
        job = install(gateway, made("cut.raucb", whole[:cut]))[1]
        check(job["phase"] == "refused" and box.slot("B") == other, "cut", cut, job)

    # Two halves of two good bundles.
    with open(box.bundle("second.raucb", "1.2.0"), "rb") as file:
        second = file.read()
    job = install(gateway, made("mixed.raucb", whole[:len(whole) // 2] + second[len(second) // 2:]))[1]
    check(job["phase"] == "refused" and job["why"] in ("changed", "truncated"), "mixed", job)

    check(install(gateway, cases["older"], "--older")[0].returncode == EXIT_OK, "an older one that is asked for")
    refused = notes(gateway, "update-refused")
    check(len(refused) == len(cases) + 5, "the audit trail", len(refused))
    return sorted(cases)


def a_file_that_goes_while_it_is_sent_is_told(site):
    """As of a stick that is pulled out. These two say that they have a page of bytes: one has fewer, the other cannot be read."""
    box = Box(site)
    gateway = start(site, box)
    for name, words in (("mtu", "it is shorter than it was"), ("speed", "Invalid argument")):
        path = "/sys/class/net/lo/" + name
        done = gateway.cli("update", "install", path)
        check(done.returncode == EXIT_SYSTEM and "of %d: %s. Was its medium pulled out?" % (os.stat(path).st_size, words) in done.stderr,
              name, done.returncode, done.stderr)
        # It may be over before the gateway has looked at it.
        wait_for(lambda: state(gateway)["job"]["phase"] in ("none", "refused"), 20, "the update ends")
    check(install(gateway, box.bundle("good.raucb"))[0].returncode == EXIT_OK, "another one is taken")


def put(gateway, headers, parts, answer=True):
    """A raw upload: the parts as they are, and the begin of what comes back; "" where nothing does."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(30)
        raw.connect(gateway.socket)
        raw.sendall(("PUT %s/bundle HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n\r\n" % (UPDATE, headers)).encode())
        try:
            for part in parts:
                raw.sendall(part)
            return raw.recv(4096).decode(errors="replace") if answer else ""
        except (BrokenPipeError, ConnectionResetError):
            return ""


def what_never_ends_is_refused(site):
    box = Box(site)
    state_folder = site.path("state")
    os.makedirs(state_folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", state_folder]).returncode:
        raise Skip("mounting is not permitted here")
    site.endings.append(lambda: subprocess.run(["umount", "-l", state_folder], check=True))
    gateway = start(site, box)
    answer = put(gateway, "Content-Length: 2000000000", [])
    check(answer.startswith("HTTP/1.1 413"), "larger than any may be", answer)
    answer = put(gateway, "Content-Length: 30000000", [])
    check(answer.startswith("HTTP/1.1 507") and "room" in answer, "larger than there is room", answer)

    # One whose file cannot be made.
    held = "/proc/%d/fd" % gateway.process.pid
    shutil.rmtree(os.path.join(state_folder, "update"), ignore_errors=True)
    with open(os.path.join(state_folder, "update"), "w"):
        before = len(os.listdir(held))
        answer = put(gateway, "Content-Length: 1000000", [b"x" * 1000000])
    check(answer.startswith("HTTP/1.1 ") and ended(gateway)["phase"] == "refused", "a file that cannot be made", answer)
    wait_for(lambda: len(os.listdir(held)) <= before, 20, "the connection is let go")
    os.unlink(os.path.join(state_folder, "update"))

    # One that does not say how large it is: it ends where the room ends that has to stay free.
    block = b"%x\r\n" % 65536 + b"x" * 65536 + b"\r\n"
    sent = 0

    def endless():
        nonlocal sent
        while ended_or_none(gateway) is None and sent < 1 << 30:
            sent += 65536
            yield block
    put(gateway, "Transfer-Encoding: chunked", endless(), answer=False)
    job = ended(gateway)
    check(job["why"] == "no-space" and sent < 64 << 20, "one without an end", job, sent)
    check(job["received"] < 10 << 20, "what the journal needs stays free", job)
    room = os.statvfs(state_folder)
    check(room.f_bavail * room.f_frsize > 31 << 20, "its bytes are left lying")

    # One that breaks off.
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(gateway.socket)
        raw.sendall(("PUT %s/bundle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" % UPDATE).encode() + b"x" * 50000)
        wait_for(lambda: state(gateway)["job"].get("received") == 50000, 20, "half of it came")
        other = put(gateway, "Content-Length: 100", [])
        check(other.startswith("HTTP/1.1 409"), "two at once", other)
    job = ended(gateway)
    check(job["why"] == "broken-off", "one that breaks off", job)

    # One that is cancelled.
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(gateway.socket)
        raw.sendall(("PUT %s/bundle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" % UPDATE).encode() + b"x" * 50000)
        wait_for(lambda: state(gateway)["job"].get("received") == 50000, 20, "half of it came")
        check(gateway.cli("update", "cancel").returncode == EXIT_OK, "it is cancelled")
    job = ended(gateway)
    check(job["why"] == "cancelled", "one that is cancelled", job)
    check(gateway.cli("update", "cancel").returncode == EXIT_FAILED, "nothing is there to be cancelled")
    check(box.primary() == "A", "what starts next")

    # The daemon ends in the middle of one.
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(gateway.socket)
        raw.sendall(("PUT %s/bundle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" % UPDATE).encode() + b"x" * 50000)
        wait_for(lambda: state(gateway)["job"].get("received") == 50000, 20, "half of it came")
        gateway.stop()
    check(not os.listdir(os.path.join(state_folder, "update")), "it is left lying")
    # And without a chance to clear it away: the next start does.
    gateway = start(site, box)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(gateway.socket)
        raw.sendall(("PUT %s/bundle HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" % UPDATE).encode() + b"x" * 50000)
        wait_for(lambda: state(gateway)["job"].get("received") == 50000, 20, "half of it came")
        gateway.kill()
    check(os.listdir(os.path.join(state_folder, "update")), "half of it is there")
    gateway.start(before=box.before)
    check(not os.listdir(os.path.join(state_folder, "update")), "it is left lying")


def more_than_a_bundle_may_have_is_refused_in_words(site):
    """Also where nobody says before how large it is: its last byte is one too many."""
    room = os.statvfs(site.folder)
    if room.f_bavail * room.f_frsize < 3 << 30:
        raise Skip("there is no room for such a bundle here")
    gateway = start(site, Box(site))
    block = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    put(gateway, "Transfer-Encoding: chunked", [block] * 1024 + [b"1\r\nx\r\n0\r\n\r\n"])
    job = ended(gateway)
    check(job["why"] == "too-large" and (1 << 30) - 65536 < job["received"] <= 1 << 30, "one byte too many", job)
    check(not os.listdir(os.path.join(gateway.state, "update")), "it is left lying")


def ended_or_none(gateway):
    job = state(gateway)["job"]
    return job if job["phase"] == "refused" else None


class Source(http.server.BaseHTTPRequestHandler):
    """Bundles over https, well and badly."""
    folder = None

    def do_GET(self):
        name = self.path.strip("/")
        if name == "plain":
            self.send_response(302)
            self.send_header("Location", "http://localhost:1/new.raucb")
            self.end_headers()
            return
        if name == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                return
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            self.send_error(404)
            return
        with open(path, "rb") as file:
            data = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) * (2 if "?" in self.path or name == "half.raucb" else 1)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def comes_from_an_address(site):
    if not shutil.which("curl"):
        raise Skip("the package curl is not installed")
    box = Box(site)
    bundle = box.bundle("new.raucb", "1.3.0")
    shutil.copy(bundle, box.path("half.raucb"))
    shutil.copy(bundle, box.path("[1-3].raucb"))
    with open(box.path(".curlrc"), "w") as out:
        out.write("insecure\nurl = https://localhost:1/\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", box.path("web.key"), "-out",
                    box.path("web.pem")], check=True, capture_output=True)
    Source.folder = box.folder
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(box.path("web.pem"), box.path("web.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site.endings.append(server.shutdown)
    url = "https://localhost:%d/" % server.server_port

    gateway = start(site, box, CURL_CA_BUNDLE=box.path("web.pem"))
    for address in ("http://localhost/new.raucb", "https://", "https://a b", "file:///etc/passwd", "https://me@localhost/x"):
        answer = Api(gateway).ask("POST", UPDATE, {"url": address})
        check(answer.status == 400 and "https" in answer.text, "an address that is none", address, answer.status, answer.text)
    for name, words in (("none.raucb", ("404",)), ("half.raucb", ("transfer closed", "unexpected eof"))):  # the second as in Debian 13
        job = install(gateway, url + name)[1]
        check(job["why"] == "download" and any(each in job["error"] for each in words), name, job)
    job = install(gateway, "https://localhost:%d/x" % free_port())[1]
    check(job["why"] == "download" and "connect" in job["error"], "nobody there", job)
    job = install(gateway, url + "[1-3].raucb")[1]
    check(job["phase"] == "installed" and job["received"] == os.path.getsize(bundle), "brackets are no pattern", job)
    job = install(gateway, url + "plain")[1]
    check(job["why"] == "download" and "rotocol" in job["error"], "sent on to where nothing is encrypted", job)
    done, job = install(gateway, url + "new.raucb")
    check(done.returncode == EXIT_OK and job["kind"] == "download" and job["size"] == os.path.getsize(bundle) == job["received"],
          "downloaded", done.stderr, job)
    check(box.primary() == "B", "what starts next")
    Api(gateway).ask("POST", UPDATE, {"url": url + "endless"})
    wait_for(lambda: state(gateway)["job"]["received"] > 1 << 20, 20, "it comes")
    check(gateway.cli("update", "cancel").returncode == EXIT_OK and ended(gateway)["why"] == "cancelled", "one without an end is cancelled")
    gateway.stop()

    stranger = start(site, box, HOME=box.folder, CURL_HOME=box.folder)
    job = install(stranger, url + "new.raucb")[1]
    check(job["why"] == "download" and "certificate" in job["error"], "a server that nobody knows", job)


# An image's own words about itself, in a mount namespace.
IMAGE = """
mount --bind "$1" /usr/share && mount --bind "$2" /usr/lib/os-release && shift 2 && exec "$@"
"""


def the_image_says_which_version_runs_and_the_oldest_that_may(site):
    box = Box(site)
    if not shutil.which("unshare"):
        raise Skip("unshare is not installed")
    os.makedirs(site.path("share/sluice"))
    with open(site.path("share/sluice/update-minimum"), "w") as out:
        out.write("MINIMUM_VERSION=1.5.0\n")
    with open(site.path("os-release"), "w") as out:
        out.write('NAME="Debian GNU/Linux"\nIMAGE_VERSION="2.0.0"\n')
    image = ["unshare", "--mount", "sh", "-c", IMAGE, "sh", site.path("share"), site.path("os-release")]
    if subprocess.run([*image, "true"], capture_output=True).returncode:
        raise Skip("mounting is not permitted here")
    gateway = Gateway(site, [], [], []).start(before=box.before + image)
    told = state(gateway)
    check(told["version"] == "2.0.0" and told["minimum"] == "1.5.0", "its versions", told)
    check(next(slot for slot in told["slots"] if slot["name"] == "A")["version"] == "2.0.0", "the slot that runs", told["slots"])
    too_old, oldest, older = box.bundle("1.4.raucb", "1.4.9"), box.bundle("1.5.raucb", "1.5.0"), box.bundle("1.6.raucb", "1.6.0")
    for flags in ([], ["--older"]):
        job = install(gateway, too_old, *flags)[1]
        check(job["why"] == "older" and "1.5.0" in job["error"], "below the oldest", flags, job)
    job = install(gateway, older)[1]
    check(job["why"] == "older" and "2.0.0" in job["error"], "older than what runs", job)
    check(install(gateway, older, "--older")[0].returncode == EXIT_OK and box.primary() == "B", "when it is asked for")
    check(install(gateway, oldest, "--older")[0].returncode == EXIT_OK, "the oldest that is allowed")
    check("1.5.0" in gateway.cli("update").stdout, "sluice update", gateway.cli("update").stdout)
    gateway.stop()


TRIAL = """
mount -t tmpfs tmpfs /run && touch /run/sluice-on-trial && exec "$@"
"""


def a_version_on_trial_is_not_replaced_by_a_third(site):
    """It would take the place of the one before, which is all that there is to go back to."""
    box = Box(site)
    trial = ["unshare", "--mount", "sh", "-c", TRIAL, "sh"]
    if subprocess.run([*trial, "true"], capture_output=True).returncode:
        raise Skip("mounting is not permitted here")
    bundle, other = box.bundle("next.raucb", "1.2.0"), box.slot("B")
    gateway = Gateway(site, [], [], []).start(before=box.before + trial)
    done, job = install(gateway, bundle)[0], ended(gateway)
    check(done.returncode == EXIT_FAILED and job["why"] == "on-trial" and "or go back" in done.stderr, "it is refused", done.stderr, job)
    check(box.slot("B") == other and box.primary() == "A", "nothing was written")
    gateway.stop()
    gateway.start(before=box.before)
    check(install(gateway, bundle)[0].returncode == EXIT_OK, "when it is confirmed")
    gateway.stop()


def only_root_and_the_gateway_speak_to_rauc(site):
    """The policy that is shipped, with a user whom every machine has in the gateway's place."""
    box = Box(site, policy=POLICY)

    def asked_by(user):
        done = subprocess.run(["setpriv", "--reuid", user, "--clear-groups", "rauc", "status", "mark-active", "other"],
                              capture_output=True, text=True, env={**os.environ, **box.environment})
        return done.returncode, done.stdout + done.stderr
    os.chmod(site.folder, 0o755)
    os.chmod(box.folder, 0o755)
    code, words = asked_by("nobody")
    check(code != 0 and box.primary() == "A", "a stranger", code, words)
    code, words = asked_by("daemon")
    check(code == 0 and box.primary() == "B", "the gateway", code, words)


def elsewhere_the_package_manager_does_it(site):
    gateway = Gateway(site, [], [], []).start(before=["env", "PATH=" + site.folder])
    told = state(gateway)
    check(told["by"] == "packages" and "apt install" in told["next"] and told["slots"] == [], "how it is updated", told)
    done = gateway.cli("update", "install", "/etc/hostname")
    check(done.returncode == EXIT_FAILED and "apt install" in done.stderr, "sluice update install", done.returncode, done.stderr)
    check(Api(gateway).ask("POST", UPDATE + "/rollback", {}).status == 409, "a way back")


# Stands for RAUC where it is to be slow: an installation that never ends; and where `gate` is a pipe, an answer that waits until somebody opens that.
SLOW_RAUC = """#!/bin/sh
case $1 in
status) echo asked >>"${0%/*}/asked"; [ ! -p "${0%/*}/gate" ] || cat "${0%/*}/gate"; echo '{"compatible":"sluice-test","boot_primary":"rootfs.0","slots":[{"rootfs.0":{"bootname":"A","state":"booted","boot_status":"good"}}]}' ;;
info) echo '{"compatible":"sluice-test","version":"9.0.0"}' ;;
install) echo ' 40% Copying image'; exec sleep 600 ;;
esac
"""


def an_end_during_an_installation_is_not_told_as_its_success(site):
    with open(site.path("rauc"), "w") as out:
        out.write(SLOW_RAUC)
    os.chmod(site.path("rauc"), 0o755)
    gateway = Gateway(site, [], [], []).start(before=["env", "PATH=%s:%s" % (site.folder, os.environ["PATH"])])
    put(gateway, "Content-Length: 100", [b"x" * 100])
    wait_for(lambda: state(gateway)["job"].get("percent") == 40, 20, "it is being installed")
    check(gateway.cli("update", "cancel").returncode == EXIT_FAILED, "it is cancelled in the middle of it")
    restart = gateway.cli("update", "restart")
    check(restart.returncode == EXIT_FAILED and INSTALLS in restart.stderr and "cancel" not in restart.stderr, "a restart in the middle of it", restart.stderr)
    gateway.stop()
    log = gateway.process.log()
    check("how that came out is not known" in log and "9.0.0 is installed" not in log, "its outcome", log)


def who_waits_for_an_update_is_told_when_the_gateway_begins_anew(site):
    """It knows of none then; whoever asks seldom does not see that it was away."""
    rauc = site.write("rauc", SLOW_RAUC)
    os.chmod(rauc, 0o755)
    before = ["env", "PATH=%s:%s" % (site.folder, os.environ["PATH"])]
    gateway = Gateway(site, [], [], []).start(before=before)
    waits = subprocess.Popen([program("sluice"), "update", "install", site.write("new.raucb", "x" * 100), "--socket", gateway.socket],
                             stderr=subprocess.PIPE, text=True)
    wait_for(lambda: state(gateway)["job"].get("percent") == 40, 20, "it is being installed")
    waits.send_signal(signal.SIGSTOP)
    gateway.stop()
    gateway.start(before=before)
    waits.send_signal(signal.SIGCONT)
    told = waits.communicate(timeout=60)[1]
    check(waits.returncode == EXIT_FAILED and "has begun anew meanwhile" in told, "what it says", waits.returncode, told)


def rauc_brings_to_its_end_what_a_killed_daemon_began(site):
    box = Box(site)
    box.hold()
    gateway = start(site, box)
    path = box.bundle("new.raucb", "1.1.0")
    with open(path, "rb") as file:
        put(gateway, "Content-Length: %d" % os.path.getsize(path), [file.read()])
    wait_for(lambda: box.is_busy(), 20, "RAUC says nothing else")  # before anybody has asked the gateway
    begun = time.monotonic()

    def stays_known():
        told = state(gateway)
        check(told["by"] == "bundles" and len(told["slots"]) == 2 and told["sentence"] == "", "what it is updated by", told)
        return time.monotonic() > begun + 6  # longer than an answer of RAUC's is kept
    wait_for(stays_known, 20, "an answer is old")
    gateway.kill()
    gateway = gateway.start(before=box.before)
    told, words = state(gateway), OTHERS
    check(told["by"] == "bundles" and told["sentence"] == words and told["job"]["phase"] == "none", "what it says of it", told)
    check(words in gateway.cli("update").stdout, "sluice update", gateway.cli("update").stdout)
    done = gateway.cli("update", "install", path)
    check(done.returncode == EXIT_FAILED and words in done.stderr and "wait for its end" in done.stderr, "another one meanwhile", done.stderr)
    with open(path, "rb") as file:
        put(gateway, "Content-Length: %d" % os.path.getsize(path), [file.read()])
    check(ended(gateway)["why"] == "busy", "one that is sent all the same", state(gateway))
    for way in ("restart", "rollback"):
        done = gateway.cli("update", way)
        check(done.returncode == EXIT_FAILED and INSTALLS in done.stderr and "cancel" not in done.stderr, way, done.stderr)
    box.let_go()
    wait_for(lambda: state(gateway)["restart_due"], 60, "it is installed")
    check(box.primary() == "B", "what starts next", box.primary())


def what_somebody_else_installs_is_told(site):
    box = Box(site)
    box.hold()
    gateway = start(site, box)
    check(state(gateway)["sentence"] == "", "nothing goes on", state(gateway))
    site.start("by-hand", *box.before, "rauc", "install", box.bundle("new.raucb", "1.1.0"))
    told = wait_for(lambda: state(gateway)["sentence"] and state(gateway), 20, "it is told")
    check(told["sentence"] == OTHERS and told["by"] == "bundles" and len(told["slots"]) == 2 and told["job"]["phase"] == "none", "what it says of it", told)
    box.let_go()
    wait_for(lambda: state(gateway)["restart_due"], 60, "it is installed")
    check(state(gateway)["sentence"] == "", "it has come to its end", state(gateway))


def who_only_looks_has_rauc_asked_once(site):
    with open(site.path("rauc"), "w") as out:
        out.write(SLOW_RAUC)
    os.chmod(site.path("rauc"), 0o755)
    gateway = Gateway(site, [], [], []).start(before=["env", "PATH=%s:%s" % (site.folder, os.environ["PATH"])])
    looking = [threading.Thread(target=state, args=(gateway,)) for _ in range(12)]
    for thread in looking:
        thread.start()
    for thread in looking:
        thread.join()
    check(state(gateway)["board"] == "sluice-test", "what is answered")
    with open(site.path("asked")) as file:
        times = len(file.readlines())
    check(times <= 4, "thirteen that look", times)  # an answer is kept for five seconds; a slow machine takes some


def who_asks_what_is_slow_keeps_nobody_else_out(site):
    gate, asked = site.path("gate"), site.path("asked")
    with open(site.path("rauc"), "w") as out:
        out.write(SLOW_RAUC)
    os.chmod(site.path("rauc"), 0o755)
    gateway = Gateway(site, [], [], []).start(before=["env", "PATH=%s:%s" % (site.folder, os.environ["PATH"])])
    api, account = Api(gateway), {"name": "anna", "password": "three plain words"}
    made = api.ask("PUT", "/api/v1/accounts/anna", {"role": "owner", "password": account["password"]})
    check(made.status < 300, "an account", made.status, made.text)

    def times():
        with open(asked) as file:
            return len(file.readlines())

    def look_until_it_is_asked():
        while times() < 2:
            state(gateway)
    check(state(gateway)["board"] == "sluice-test", "what is known")
    os.mkfifo(gate)
    done = {}
    looking = threading.Thread(target=look_until_it_is_asked, daemon=True)
    back = threading.Thread(target=lambda: done.update(back=api.ask("POST", UPDATE + "/rollback", {})), daemon=True)
    looking.start()
    wait_for(lambda: times() == 2, 30, "what is known is old, and RAUC hangs")
    told = state(gateway)
    check(told["board"] == "sluice-test" and looking.is_alive(), "what is told meanwhile", told)
    back.start()
    wait_for(lambda: times() == 3, 10, "another one hangs")
    login = api.ask("POST", "/api/v1/login", account, {"Content-Type": "application/json"})
    check(login.status == 200, "a login", login.status, login.text)
    api.get("/api/v1/config")
    check(looking.is_alive() and back.is_alive(), "they waited for RAUC's end")
    with open(gate, "w"):
        os.unlink(gate)
    looking.join()
    back.join()
    check(done["back"].status == 409 and "no other system" in done["back"].text, "the way back", done["back"].text)


def root_restarts_the_machine(site):
    """What stands for the unit sluice-wish.path, without a restart of the machine that tests."""
    gateway = Gateway(site, [], [], []).start()
    refused = gateway.cli("update", "restart")
    check(refused.returncode == EXIT_FAILED and "sudo reboot" in refused.stderr, "nobody carries it out", refused.stderr)
    wish = site.path("wish")
    os.makedirs(wish)
    done = {}
    asking = threading.Thread(target=lambda: done.update(restart=gateway.cli("update", "restart")))
    asking.start()
    wait_for(lambda: os.path.exists(os.path.join(wish, "restart")), 20, "the wish")
    helper = subprocess.run([program("sluice"), "wishes", "--dry", wish], capture_output=True, text=True)
    asking.join()
    check(helper.returncode == EXIT_OK and "restart" in helper.stdout, "carried out", helper.stdout, helper.stderr)
    check(done["restart"].returncode == EXIT_OK, "told", done["restart"].stderr)
    check(gateway.process.log().count("did=machine-restarted") == 1, "the audit trail has it once, and not the refused one")
    # The folder is the daemon's: nothing in it leads root elsewhere.
    target = site.path("target")
    with open(target, "w") as out:
        out.write("1\n")
    os.symlink(target, os.path.join(wish, "clock"))
    helper = subprocess.run([program("sluice"), "wishes", "--dry", wish], capture_output=True, text=True)
    check(helper.returncode == EXIT_FAILED and os.path.exists(target), "a link", helper.stdout)


main(installs_and_goes_back, refuses_each_with_its_reason, a_file_that_goes_while_it_is_sent_is_told, what_never_ends_is_refused, more_than_a_bundle_may_have_is_refused_in_words, comes_from_an_address,
     the_image_says_which_version_runs_and_the_oldest_that_may, a_version_on_trial_is_not_replaced_by_a_third, only_root_and_the_gateway_speak_to_rauc,
     elsewhere_the_package_manager_does_it, an_end_during_an_installation_is_not_told_as_its_success,
     who_waits_for_an_update_is_told_when_the_gateway_begins_anew, rauc_brings_to_its_end_what_a_killed_daemon_began, what_somebody_else_installs_is_told, who_only_looks_has_rauc_asked_once,
     who_asks_what_is_slow_keeps_nobody_else_out, root_restarts_the_machine)
