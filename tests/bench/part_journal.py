"""The journal: durable appends, opening, memory; and the codec. Written in C: see bench_journal.c, bench_codec.c."""
import json
import subprocess

from harness import program


def run(out, site):
    out.note("journal: appends against a plain file and SQLite, opening, memory (about a minute)")
    for arguments in ([program("bench_codec")], [program("bench_journal"), site.folder]):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bench:
            for line in bench.stdout:
                out.row(json.loads(line))
        if bench.returncode:
            raise RuntimeError("%s ended with %d" % (arguments[0], bench.returncode))
