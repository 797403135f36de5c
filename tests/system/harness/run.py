"""Runs the tests of one file: functions that take a Site, named as sentences."""
import signal
import sys
import time
import traceback

from .site import LONG, Failure, Site, Skip

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
TEST_S_MAX = 1500 if LONG else 150


def _too_long(*_):
    raise Failure("not done within %d s" % TEST_S_MAX)


def main(*tests):
    """Runs those that are named on the command line, or all. Ends the program."""
    wanted = sys.argv[1:]
    names = [test.__name__ for test in tests]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        sys.exit("unknown: %s; the tests are: %s" % (", ".join(unknown), ", ".join(names)))
    chosen = [test for test in tests if not wanted or test.__name__ in wanted]
    failed, skipped = 0, 0
    signal.signal(signal.SIGALRM, _too_long)
    for test in chosen:
        begun = time.monotonic()
        signal.alarm(TEST_S_MAX)
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
        print("%s, %.1f s%s" % (test.__name__.replace("_", " "), time.monotonic() - begun,
                                ": " + str(remark) if remark else ""), flush=True)
    sys.exit(1 if failed else SKIPPED if skipped == len(chosen) else 0)
