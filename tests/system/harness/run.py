"""Runs the tests of one file: functions that take a Site, named as sentences."""
import os
import signal
import sys
import time
import traceback

from .site import LONG, Failure, Site, Skip, slowness

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
TEST_S_MAX = 1500 if LONG else 150


def _watch(begun):
    """Ends a test that takes too long, be it for a machine that has much to do."""
    def look(*_):
        left_s = TEST_S_MAX * slowness() - (time.monotonic() - begun)
        if left_s <= 0:
            raise Failure("not done within %d s" % (time.monotonic() - begun))
        signal.alarm(int(left_s) + 1)
    signal.signal(signal.SIGALRM, look)
    signal.alarm(TEST_S_MAX)


def _processor_s():
    """What this program and those that it has started, and that have ended, took of the processors."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _prepare(prepare):
    try:
        prepare()
    except Skip as reason:
        print("skipped: %s" % reason, flush=True)
        sys.exit(SKIPPED)


def main(*tests, prepare=None):
    """
    Runs those that are named on the command line, or all. Ends the program. What they all need is made by `prepare`,
    which takes the time it takes, and may skip them.
    """
    wanted = sys.argv[1:]
    names = [test.__name__ for test in tests]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit("unknown: %s; the tests are: %s" % (", ".join(unknown), ", ".join(names)))
    chosen = [test for test in tests if not wanted or test.__name__ in wanted]
    failed, skipped = 0, 0
    if prepare:
        _prepare(prepare)
    for test in chosen:
        begun = time.monotonic()
        before_s = _processor_s()
        _watch(begun)
        try:
            with Site(test.__name__) as site:
                remark = test(site)
            print("ok", end=" ")
        except Skip as reason:
            skipped += 1
            remark = str(reason)
            print("skipped", end=" ")
        except Failure as failure:
            failed += 1
            remark = str(failure)
            traceback.print_tb(failure.__traceback__)
            print("FAILED", end=" ")
        except Exception:
            failed += 1
            remark = ""
            traceback.print_exc()
            print("FAILED", end=" ")
        signal.alarm(0)
        print("%s, %.1f s, %.1f s of a processor%s" % (test.__name__.replace("_", " "), time.monotonic() - begun, _processor_s() - before_s,
                                                       ": " + str(remark) if remark else ""), flush=True)
    sys.exit(1 if failed else SKIPPED if skipped == len(chosen) else 0)
