#!/usr/bin/python3
"""The page's TLS: its certificate over restarts, clocks and replacements, its ports, and what sslscan says of it."""
import hashlib
import os
import shutil
import socket
import ssl
import subprocess
import xml.etree.ElementTree as ElementTree

from harness import Authority, Gateway, Page, check, free_port, main, wait_for
from harness.faked_clock import clock_at


def fingerprint(der):
    return ":".join("%02X" % byte for byte in hashlib.sha256(der).digest())


def openssl(*arguments, text=None):
    done = subprocess.run(("openssl",) + arguments, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check(done.returncode == 0, "openssl", arguments, done.stderr.decode())
    return done.stdout


def public_key(path):
    return openssl("x509", "-in", path, "-noout", "-pubkey")


def dates(path):
    return openssl("x509", "-in", path, "-noout", "-dates").decode()


def plant(site, **web):
    return Gateway(site, [], [], [], web=web or True)


def curl(gateway, path, *arguments):
    return subprocess.run(["curl", "--silent", "--show-error", "--compressed", "--cacert", gateway.certificate, *arguments,
                           gateway.url + path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def the_certificate_outlives_a_restart_and_curl_believes_it(site):
    gateway = plant(site).start()
    done = curl(gateway, "/api/v1/nothing", "--write-out", "%{http_code} %{http_version}")
    check(done.returncode == 0, "curl", done.stderr)
    check(done.stdout.endswith(" 1.1"), "its version", done.stdout)
    from_s, until_s = (ssl.cert_time_to_seconds(line.split("=", 1)[1]) for line in dates(gateway.certificate).splitlines())
    check(until_s - from_s == 825 * 86400, "telephones refuse what is valid for longer than 825 days", dates(gateway.certificate))
    check(curl(gateway, "/").returncode == 0, "the page")
    status = gateway.status()["web"]
    shown = fingerprint(Page(gateway).certificate())
    check(status["fingerprint"] == shown, "the status's fingerprint", status, shown)
    check(status["urls"] == [gateway.url + "/"] and status["self_signed"] and not status["error"], "the status", status)
    told = gateway.cli("status").stdout
    check(shown in told and gateway.url in told, "sluice status", told)
    key = os.path.join(gateway.state, "web", "tls.key")
    check(os.stat(key).st_mode & 0o777 == 0o600, "the key's mode", oct(os.stat(key).st_mode))
    gateway.stop()
    gateway.start()
    check(fingerprint(Page(gateway).certificate()) == shown, "another certificate after a restart")


def a_stranger_is_not_believed(site):
    gateway = plant(site).start()
    other = Authority(site.folder, "other")
    done = subprocess.run(["curl", "--silent", "--cacert", other.path, gateway.url + "/"])
    check(done.returncode == 60, "curl with a foreign authority", done.returncode)


def damaged_files_are_made_anew(site):
    gateway = plant(site).start()
    shown = public_key(gateway.certificate)
    gateway.stop()
    with open(gateway.certificate, "w") as out:
        out.write("-----BEGIN CERTIFICATE-----\nnonsense\n")
    gateway.start()
    check(public_key(gateway.certificate) == shown, "the key stays when only the certificate is damaged")
    check(curl(gateway, "/").returncode == 0, "curl")
    gateway.stop()
    with open(os.path.join(gateway.state, "web", "tls.key"), "w") as out:
        out.write("nonsense")
    gateway.start()
    check(public_key(gateway.certificate) != shown, "another key")
    check(curl(gateway, "/").returncode == 0, "curl")


def a_clock_of_1970_makes_a_certificate_that_holds_later(site):
    gateway = plant(site).start(before=clock_at("1970-01-02 00:00:00"))
    first = public_key(gateway.certificate)
    check("notBefore=Jan  1 00:00:00 2026" in dates(gateway.certificate), "its begin", dates(gateway.certificate))
    gateway.stop()
    gateway.start(before=clock_at("2027-06-01 00:00:00"))
    check("2026" in dates(gateway.certificate), "it is kept", dates(gateway.certificate))
    gateway.stop()
    gateway.start(before=clock_at("2031-01-01 00:00:00"))
    check("notBefore=Dec 31" in dates(gateway.certificate) and "2030" in dates(gateway.certificate), "it is renewed",
          dates(gateway.certificate))
    check(public_key(gateway.certificate) == first, "its key stays")
    gateway.stop()
    gateway.start(before=clock_at("2052-01-01 00:00:00"))
    check("2051" in dates(gateway.certificate), "behind 2050, too", dates(gateway.certificate))


def ones_own_certificate_is_shown_and_replaced_without_a_restart(site):
    authority = Authority(site.folder)
    certificate, key = authority.issue("first")
    gateway = plant(site, cert=certificate, key=key).start()
    gateway.certificate = authority.path
    visitor = Page(gateway)
    shown = visitor.certificate()
    check(fingerprint(shown) == gateway.status()["web"]["fingerprint"], "the one that is configured")
    check(not gateway.status()["web"]["self_signed"], "signed by an authority")
    for old, new in zip((certificate, key), authority.issue("second")):
        shutil.copy(new, old)
    gateway.hup()
    wait_for(lambda: Page(gateway).certificate() != shown, 10, "the new certificate")
    check(visitor.certificate() == shown and visitor.get("/nothing").status > 0, "the open connection goes on")
    with open(certificate, "w") as out:
        out.write("nonsense")
    gateway.hup()
    status = wait_for(lambda: gateway.status()["web"]["error"] and gateway.status()["web"], 10, "an error in the status")
    check("web.cert" in status["error"], "its words", status)
    check(status["self_signed"], "the gateway's own takes its place", status)
    gateway.certificate = os.path.join(gateway.state, "web", "tls.crt")
    check(curl(gateway, "/").returncode == 0, "curl by the gateway's own certificate")


def plain_http_leads_to_https(site):
    gateway = plant(site).start()
    for port in (gateway.http, gateway.https):
        done = subprocess.run(["curl", "--silent", "--include", "http://localhost:%d/a?b" % port],
                              stdout=subprocess.PIPE, text=True)
        check("308" in done.stdout and "https://localhost:%d/a?b" % gateway.https in done.stdout, "redirect", done.stdout)
        done = subprocess.run(["curl", "--silent", "--include", "-H", "Host: evil.example", "http://localhost:%d/" % port],
                              stdout=subprocess.PIPE, text=True)
        check("400" in done.stdout and "Location" not in done.stdout, "a foreign host", done.stdout)


def a_port_that_is_taken_is_told_and_tried_again(site):
    gateway = plant(site)
    with socket.create_server(("127.0.0.1", gateway.https)):
        gateway.start()
        error = gateway.status()["web"]["error"]
        check(str(gateway.https) in error and "web.https" in error, "the status tells", error)
        check(gateway.status()["web"]["urls"] == [], "nothing to type yet")
        check(error in gateway.process.log(), "the log tells", gateway.process.log())
    wait_for(lambda: not gateway.status()["web"]["error"], 30, "the port is had")
    check(curl(gateway, "/").returncode == 0, "curl")


def only_what_changed_restarts(site):
    gateway = plant(site).start()
    visitor = Page(gateway)
    shown = visitor.certificate()
    old, new = gateway.https, free_port()
    gateway.https = new
    gateway.tell(lambda settings: settings["web"].update(https=new))
    wait_for(lambda: gateway.status()["web"]["urls"] == [gateway.url + "/"], 10, "the new port")
    check(Page(gateway).certificate() == shown, "the same certificate")
    check(visitor.get("/nothing").status > 0, "the open connection goes on")
    with socket.socket() as probe:
        check(probe.connect_ex(("127.0.0.1", old)) != 0, "the old port is closed")
    gateway.tell(lambda settings: settings["web"].update(enabled=False))
    wait_for(lambda: gateway.status()["web"] == {"enabled": False}, 10, "the page is off")
    with socket.socket() as probe:
        check(probe.connect_ex(("127.0.0.1", new)) != 0, "its port is closed")
    gateway.tell(lambda settings: settings["web"].update(enabled=True))
    wait_for(lambda: gateway.status()["web"].get("urls"), 10, "the page is on again")
    check(Page(gateway).certificate() == shown, "the same certificate after that")


def sslscan_finds_nothing(site):
    gateway = plant(site).start()
    done = subprocess.run(["sslscan", "--no-colour", "--show-sigs", "--xml=-", "127.0.0.1:%d" % gateway.https], stdout=subprocess.PIPE,
                          text=True)
    test = ElementTree.fromstring(done.stdout).find("ssltest")
    protocols = {"%s %s" % (item.get("type"), item.get("version")) for item in test.findall("protocol")
                 if item.get("enabled") == "1"}
    check(protocols and protocols <= {"tls 1.2", "tls 1.3"}, "protocols", sorted(protocols))
    ciphers = test.findall("cipher")
    check(ciphers and all(item.get("strength") in ("strong", "acceptable") for item in ciphers), "ciphers", done.stdout)
    check(all(int(item.get("bits")) >= 128 and ("GCM" in item.get("cipher") or "CHACHA20" in item.get("cipher"))
              for item in ciphers), "ciphers without AEAD", done.stdout)
    groups = test.findall("group")
    check(all(int(item.get("bits")) >= 128 for item in groups), "weak groups", done.stdout)
    check(all(item.get("supported") == "0" for item in test.findall("compression")), "compression")
    check(all(item.get("vulnerable") == "0" for item in test.findall("heartbleed")), "heartbleed")
    renegotiation = test.find("renegotiation")
    check(renegotiation.get("supported") == "0" or renegotiation.get("secure") == "1", "renegotiation", done.stdout)
    fallback = test.find("fallback")
    # Mbed TLS 3 has no signalling suite for it any more: with 1.3 the server's random number tells of a downgrade.
    newest = any(item.get("version") == "1.3" and item.get("enabled") == "1" for item in test.findall("protocol"))
    check(fallback is None or fallback.get("supported") == "1" or newest, "a fall-back can be forced", done.stdout)
    weak = [item.get("name") for item in test.findall("connection-signature-algorithm") if "sha1" in item.get("name").lower()]
    check(not weak, "weak signatures", weak)
    # And it is still there.
    check(curl(gateway, "/").returncode == 0, "curl after the scan")


main(the_certificate_outlives_a_restart_and_curl_believes_it, a_stranger_is_not_believed, damaged_files_are_made_anew,
     a_clock_of_1970_makes_a_certificate_that_holds_later, ones_own_certificate_is_shown_and_replaced_without_a_restart,
     plain_http_leads_to_https, a_port_that_is_taken_is_told_and_tried_again, only_what_changed_restarts,
     sslscan_finds_nothing)
