#!/usr/bin/python3
"""Certificates that do not fit: each is refused, each with words of its own, and nothing else suffers."""
from harness import (EXIT_CONFIG, EXIT_OK, EXIT_USAGE, Audit, Authority, Broker, Gateway, ModbusTcp, Subscriber, check,
                     finish, main, sluice, wait_for)


def each_wrong_certificate_has_its_own_message(site):
    good = Broker(site)
    subscriber, audit = Subscriber(site, good), Audit(site, good)
    elsewhere = Broker(site, name="elsewhere",
                       server=lambda ca: ca.issue("elsewhere-server", "DNS:broker.example.com"))
    expired = Broker(site, name="expired", server=lambda ca: ca.issue("expired-server", expired=True))
    stranger = Authority(site.folder, "stranger")

    wrong_ca = good.uplink(id="wrong-ca")
    wrong_ca["tls"] = {**wrong_ca["tls"], "ca": stranger.path}
    no_client = good.uplink(id="no-client")
    no_client["tls"] = {"ca": good.authority.path}
    foreign_client = good.uplink(id="foreign-client")
    certificate, key = stranger.issue("plant7-stranger")
    foreign_client["tls"] = {"ca": good.authority.path, "cert": certificate, "key": key}
    own_expired = good.uplink(id="own-expired")
    certificate, key = good.authority.issue("plant7-expired", expired=True)
    own_expired["tls"] = {"ca": good.authority.path, "cert": certificate, "key": key}
    no_tls = {"id": "no-tls", "url": "mqtts://127.0.0.1:%d" % good.port, "tls": {"ca": good.authority.path}}
    uplinks = [good.uplink(), wrong_ca, elsewhere.uplink(id="wrong-host"), expired.uplink(id="expired"), no_client,
               foreign_client, own_expired, no_tls]

    hall = ModbusTcp(site, "hall", ["1:meter"])
    gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], uplinks).start()
    gateway.wait_online()
    expected = {
        "wrong-ca": ["not signed by", "not trusted", "unknown authority", "CA"],
        "wrong-host": ["name", "127.0.0.1"],
        "expired": ["expired"],
        "no-client": ["client certificate"],
        "foreign-client": ["this gateway's certificate"],
        "own-expired": ["expired"],
        "no-tls": ["TLS"],
    }
    errors = {name: gateway.wait_error(words, 30, name) for name, words in expected.items()}
    check(len(set(errors.values())) == len(errors), "two causes, one message", errors)
    for name in errors:
        check(not gateway.is_online(name), "online all the same", name)

    def all_are_shown():
        # Each attempt may meet another of several ways in which a broker says no.
        text = gateway.cli("status").stdout
        return all(gateway.uplink(name)["error"] in text for name in errors)

    wait_for(all_are_shown, 30, "sluice status shows what each uplink suffers from")
    for broker in (elsewhere, expired):
        check(" as plant7" not in broker.process.log(), "the gateway logged in", broker.process.log())
    site.wait_values(50)
    finish(gateway, [hall], subscriber, audit, 50, ("cloud",))
    audits_speak_of_their_flags(good)
    return "\n  ".join([""] + ["%s: %s" % item for item in errors.items()])


def audits_speak_of_their_flags(broker):
    """Not of the configuration's options, which an audit has none of."""
    url = "mqtts://127.0.0.1:%d" % broker.tls_port
    for arguments, flag in (((), "--ca"), (("--ca", "nowhere.pem"), "--ca"),
                            (("--ca", broker.authority.path, "--key", broker.client[1]), "--cert")):
        done = sluice("audit", "-u", url, "-g", "plant7", "--for", "5", *arguments)
        check(done.returncode != EXIT_OK and flag in done.stderr and "tls." not in done.stderr, "words", arguments,
              done.returncode, done.stderr)
    for seconds in ("nan", "inf", "0", "-1", "1e300"):
        done = sluice("audit", "-u", url, "-g", "plant7", "--for", seconds)
        check(done.returncode == EXIT_USAGE and "--for takes seconds" in done.stderr, "no time", seconds, done.returncode, done.stderr)
    wrong = sluice("audit", "-u", "https://127.0.0.1", "-g", "plant7", "--for", "1")
    check(wrong.returncode == EXIT_USAGE and "--url: found" in wrong.stderr, "a wrong url", wrong.stderr)


def a_certificate_file_that_does_not_fit_is_told_by_check(site):
    """Before anything starts: another's key, a file that is none or is not there, half a pair."""
    broker = Broker(site)
    certificate, key = broker.client
    _, other_key = broker.authority.issue("other")
    garbage = site.write("garbage.pem", "this is no certificate\n")
    cases = [({"cert": certificate, "key": other_key}, ["key"]),
             ({"cert": garbage, "key": key}, ["garbage.pem"]),
             ({"cert": certificate, "key": site.path("nowhere.key")}, ["nowhere.key"]),
             ({"cert": certificate}, ["key"]),
             ({"ca": garbage}, ["garbage.pem"])]
    hall = ModbusTcp(site, "hall", ["1:meter"])
    for tls, words in cases:
        uplink = broker.uplink()
        uplink["tls"] = {"ca": broker.authority.path, **tls}
        gateway = Gateway(site, [hall.bus()], [hall.device("meter", 1)], [uplink])
        done = sluice("check", gateway.config_path)
        told = done.stdout + done.stderr
        check(all(word in told for word in words), "what check says", tls, told)
        check(done.returncode == EXIT_CONFIG, "exit status of check", done.returncode, tls, told)


main(each_wrong_certificate_has_its_own_message, a_certificate_file_that_does_not_fit_is_told_by_check)
