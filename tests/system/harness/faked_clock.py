"""A daemon whose clock begins at another time, by libfaketime."""
import functools
import glob
import shutil
import subprocess

from .site import Skip, program


def words(moment):
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not library or not shutil.which("setpriv"):
        raise Skip("libfaketime or setpriv is not installed")
    # The sanitizer's own library has to come first.
    sanitizer = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    return ["setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time", "env", "TZ=UTC", "FAKETIME=@" + moment,
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "LD_PRELOAD=%s %s" % (sanitizer, library[0])]


@functools.cache
def works():
    """With the sanitizer of Debian 13 the library goes round in circles for ever."""
    try:
        return subprocess.run([*words("1970-01-02 00:00:00"), program("sluiced"), "--version"], capture_output=True, timeout=20,
                              check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def clock_at(moment):
    """What makes the daemon's clock begin at "2027-06-01 00:00:00"; nothing that it sets reaches the machine's."""
    if not works():
        raise Skip("libfaketime and the sanitizer do not get on here")
    return words(moment)
