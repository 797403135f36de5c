#!/usr/bin/python3
"""The programs in tools/ with typical mistakes: each has its help, and says in one sentence what is wrong."""
import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

from harness import check, main, sluice, wait_for
from harness.first_run import PARTY, FirstRun
from harness.site import BUILD

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS_MAX = 400  # a sentence, and no trace of the interpreter


def run(*words):
    return subprocess.run([str(ROOT / "tools" / words[0]), *map(str, words[1:])], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def each_has_its_help(site):
    tools = sorted(path.name for path in (ROOT / "tools").iterdir() if path.is_file() and os.access(path, os.X_OK))
    check(len(tools) > 10, "there are tools", tools)
    for name in tools:
        for flag in ("--help", "-h"):
            done = run(name, flag)
            check(done.returncode == 0 and not done.stderr, "help is no mistake", name, flag, done.returncode, done.stderr)
            check("tools/" + name in done.stdout and len(done.stdout.splitlines()) > 2, "it says how it is called, and what it does",
                  name, flag, done.stdout)


def refuses(words, *told, status=1):
    done = run(*words)
    sentence = done.stderr.strip()
    check(done.returncode == status, "exit status", words, done.returncode, sentence)
    check(len(sentence) < WORDS_MAX and "Traceback" not in sentence, "one sentence", words, sentence)
    check(sentence.startswith("tools/" + words[0]), "who says so", words, sentence)
    for part in told:
        check(part in sentence, "the sentence has its words", words, part, sentence)


def totals_of_trials_are_recorded(site):
    os.mkdir(site.path("totals"))
    page = site.write("page.md", "| date |\n")
    site.write("totals/a.json", '{"routes": 81}\n')
    refuses(("record-totals", site.path("totals"), page), "holds no totals")
    site.write("totals/b.json", '{"what": "cuts", "count": 9, "lost": 0, "seed": 7}\n')
    done = run("record-totals", site.path("totals"), page)
    with open(page, encoding="utf-8") as file:
        rows = file.read().splitlines()
    check(done.returncode == 0 and len(rows) == 2 and rows[1].endswith("| cuts | 9 | 0 | seed 7 |"), "the row of the trial alone", done.stderr, rows)


def a_version_is_not_signed_with_what_is_no_key(site):
    def sign(key, *told, version="1.4.0"):
        refuses(("node", "sign", "microbit", "--key", key, "--version", version), *told)

    key = site.path("node.pem")
    check(run("node", "keygen", key).returncode == 0, "a key is made")
    text = pathlib.Path(key).read_text(encoding="ascii")
    folder, missing = site.path("folder"), site.path("no.pem")
    os.mkdir(folder)
    sign(missing, missing, "keygen")
    sign(folder, folder, "directory")
    sign(site.write("words.pem", "three plain words\n"), "words.pem", "no key")
    sign(site.write("half.pem", text[:80] + text[120:]), "half.pem", "damaged")
    sign(site.path("node.pub"), "node.pub", "secret")
    sign(key, "1.4", "three numbers", version="1.4")
    rsa = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], capture_output=True, text=True,
                         timeout=60, check=True)
    sign(site.write("rsa.pem", rsa.stdout), "P-256")
    refuses(("node", "sign", "microbitt", "--key", key, "--version", "1.4.0"), "microbitt", "nodes are")
    refuses(("node", "keygen", key), "already")
    refuses(("node", "keygen", site.write("file", "") + "/node.pem"), "cannot be used")
    refuses(("node", "build", "microbit", "--key", folder), "directory")


def presets_say_what_is_wrong_with_the_table(site):
    template = site.write("template.json", '{ "version": 1, "gateway": { "id": "{{id}}" } }')
    table = site.write("sites.csv", "id,name\nnorth,North\n")
    out = site.path("out")

    def make(sites, *told, template=template, out=out, more=()):
        refuses(("flash", "presets", sites, template, out, *more), *told)

    make(site.path("none.csv"), "none.csv", "table")
    make(site.folder, site.folder, "directory")
    make(site.write("empty.csv", ""), "no column \"id\"")
    make(site.write("other.csv", "site,name\nnorth,North\n"), "no column \"id\"", "it has site, name")
    make(site.write("twice.csv", "id,name,name\nnorth,a,b\n"), "two columns of one name", "name")
    make(site.write("wide.csv", "id,name\nnorth,North,x\n"), "line 2", "more values")
    make(site.write("huge.csv", "id,name\nnorth,\"" + "x" * 200000 + "\"\n"), "line", "field")
    make(site.write("column.csv", "id\nnorth\n"), "{{city}}", "no such column", template=site.write("city.json", '{ "gateway": { "id": "{{id}} {{city}}" } }'))
    make(table, "no template", template=site.path("none.json"))
    make(table, "cannot be made", out=table)
    make(table, "no program", more=("--sluice", site.path("none")))
    make(table, "no gateway \"rpi9\"", more=("--board", "rpi9", "--sluice", "/bin/true"))
    refuses(("flash", "build", "rpi9"), "no board \"rpi9\"", "rpi4")


def what_is_called_wrongly_says_how_it_is_called(site):
    for words, told in ((("prepare", "tset"), "tset"), (("debian-sources", "buster"), "buster"), (("demo", "--second", "30"), "--second"),
                        (("demo", "--seconds", "soon"), "whole number"), (("package", "--to", site.path("none")), "a folder that is there"),
                        (("demo", "--first-run", "--json"), "no --json"), (("demo", "--first-run", "--keep"), "a folder")):
        refuses(words, told, status=2)
    for words in (("sysroot", "m68k"), ("record-totals",), ("node",), ("flash",), ("package", "--arch", "m68k"), ("test", "--lang"),
                  ("clean-room",), ("clean-room", "buster")):
        done = run(*words)
        told = done.stderr + done.stdout
        check(done.returncode == 2 and "tools/" + words[0] in told and "Traceback" not in told, "how it is called", words,
              done.returncode, told)


def the_benchmarks_know_all_their_parts(site):
    """What they import is found under one name each; an unknown part is told with those that there are."""
    done = subprocess.run([sys.executable, "-B", str(ROOT / "tests/bench/bench.py"), "speed"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    check(done.returncode == 2 and "no such part: speed; there are journal, " in done.stderr, "told", done.returncode, done.stderr)


def a_figure_is_a_line_of_json_and_is_held_against_its_goal(site):
    """Beside what it is compared with; and what falls short is named, at whichever end of the goal it is."""
    sys.path.insert(0, str(ROOT / "tests/bench"))
    import figures  # not before: of the same name may be others
    out, said = figures.Out(True), io.StringIO()
    with contextlib.redirect_stdout(said):
        out.figure("journal", "append_sqlite_100", 3000.0, "events/s", 2000.0, commit="100 events")
        out.figure("journal", "append_sqlite_1000", 8000.0, "events/s", 2000.0)
        out.figure("journal", "open_10m", 0.2, "s")
        out.figure("gateway", "e2e_latency_p99", 20.5, "ms")
        out.figure("gateway", "of_no_goal", 1, "s")
    rows = [json.loads(line) for line in said.getvalue().splitlines()]
    check(rows[0] == {"bench": "journal", "figure": "append_sqlite_100", "value": 3000.0, "unit": "events/s", "baseline": 2000.0, "ratio": 1.5,
                      "settings": {"commit": "100 events"}}, "compared", rows[0])
    check(rows[2] == {"bench": "journal", "figure": "open_10m", "value": 0.2, "unit": "s"} and len(rows) == 5, "by itself", rows)
    check(out.short == ["append_sqlite_100", "e2e_latency_p99"], "what falls short", out.short)


def stand_in(path, words):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + words + "\n")
    path.chmod(0o755)


def ends(folder, *words):
    """Exit status and last line of a tool that stands among stand-ins."""
    done = subprocess.run([str(folder / words[0]), *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "PATH": "%s:%s" % (folder / "bin", os.environ["PATH"])})
    return done.returncode, done.stdout.splitlines()[-1]


def the_tests_fail_as_a_whole_when_one_does(site):
    """By the exit status, and by the line that they end with; the same when nothing could be built or no test was run."""
    folder = pathlib.Path(site.path("tree"))
    (folder / "tests/browser/node_modules").mkdir(parents=True)
    (folder / "tools").mkdir()
    shutil.copy(ROOT / "tools/test", folder / "tools/test")
    stand_in(folder / "tools/prepare", "exit 0")
    for built, status, told, expected in ((0, 0, "100% tests passed, 0 tests failed out of 20", (0, "20 passed, 0 failed")),
                                          (0, 8, "90% tests passed, 2 tests failed out of 20", (1, "18 passed, 2 failed")),
                                          (0, 8, "No tests were found!!!", (1, "0 passed, 1 failed")),
                                          (0, 8, "100% tests passed, 0 tests failed out of 20", (1, "20 passed, 0 failed")),
                                          (1, 0, "", (1, "0 passed, 1 failed"))):
        stand_in(folder / "bin/cmake", "exit %d" % built)
        stand_in(folder / "bin/ctest", "echo '%s'\nexit %d" % (told, status))
        check(ends(folder, "tools/test") == expected, "the end", told, ends(folder, "tools/test"), expected)


def a_change_is_refused_when_the_demo_or_a_test_fails(site):
    folder = pathlib.Path(site.path("change"))
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
    for demo, tests in ((0, 0), (1, 0), (0, 1), (1, 1)):
        stand_in(folder / "tools/demo", "exit %d" % demo)
        stand_in(folder / "tools/test", "echo the tests ran\nexit %d" % tests)
        status, last = ends(folder, ".ci/run")
        check((status == 0) == (not demo and not tests) and last == "the tests ran", "the end", demo, tests, status, last)


def a_first_run_has_what_its_owner_needs(site):
    """The page and its code, a line on which meters answer, and a broker that takes the files, with somebody who listens there."""
    first = FirstRun(site)
    told = first.told
    status = first.status()
    check([bus["id"] for bus in status["buses"]] == [told["line"]] and not status["uplinks"] and not status["buses"][0]["devices"], "nothing is set up", status)
    check(told["page"] in status["web"]["urls"] and told["code"] in sluice("setup", "--socket", told["socket"]).stdout, "the page and its code", told, status["web"])
    log = first.party.log()
    for name in ("page", "code", "host", "broker", "ca", "cert", "key"):
        check(told[name] in log, "people are told", name, log)
    for unit, on in (("2", told["line"]), ("1", told["host"])):
        done = sluice("read", on, "--unit", unit, "--table", "input", "--reg", "0", "--socket", told["socket"])
        check(done.returncode == 0, "it answers", on, done.stdout, done.stderr)
    event = {"n": 1, "k": "reading", "d": "probe", "p": "level", "v": 7, "q": "good", "t": 1}
    port = told["broker"].rsplit(":", 1)[1]
    subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "--cafile", told["ca"], "--cert", told["cert"], "--key", told["key"], "-q", "1",
                    "-t", "sluice/any/data", "-m", json.dumps({"epoch": "e", "events": [event]})], timeout=20, check=True)
    wait_for(lambda: "arrived from probe: level = 7" in first.party.log(), 10, "it is told")
    begun = subprocess.run([sys.executable, "-B", PARTY, "--build", BUILD, "--keep", site.path("first-run")], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
    check(begun.returncode == 1 and "was begun before" in begun.stderr, "what was set up is kept", begun.returncode, begun.stderr)


main(each_has_its_help, totals_of_trials_are_recorded, a_first_run_has_what_its_owner_needs, a_version_is_not_signed_with_what_is_no_key,
     presets_say_what_is_wrong_with_the_table, what_is_called_wrongly_says_how_it_is_called, the_benchmarks_know_all_their_parts,
     a_figure_is_a_line_of_json_and_is_held_against_its_goal, the_tests_fail_as_a_whole_when_one_does,
     a_change_is_refused_when_the_demo_or_a_test_fails)
