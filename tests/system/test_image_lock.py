#!/usr/bin/python3
"""Which of Debian's packages an image has: locks made from a mirror of our own, also where one of its lists is not the one that its index names."""
import contextlib
import hashlib
import io
import lzma
import os
import shutil
import subprocess
import sys

from harness import Skip, check, main

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.insert(0, os.path.join(TOP, "firmware/image"))
import packages  # noqa: E402
from words import Trouble, read  # noqa: E402

ARCHITECTURE = "armhf"
LISTED = "main/binary-%s/Packages.xz" % ARCHITECTURE
INDEX = """Origin: Debian
Suite: oldstable
Codename: %s
Version: 12.15
Date: Sat, 11 Jul 2026 10:16:37 UTC
Architectures: armhf
Components: main
SHA256:
%s"""


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    check(done.returncode == 0, command, done.stdout.decode(errors="replace"))
    return done.stdout


class Mirror:
    """A mirror in a folder: a release, and its security fixes, signed with a key of its own."""

    def __init__(self, site):
        self.site = site
        self.folder = site.path("mirror")
        self.home = site.path("keys")
        os.mkdir(self.home, 0o700)
        self._gpg("--quick-gen-key", "mirror", "ed25519", "sign", "never")
        self.keyring = site.path("keyring.gpg")
        self._gpg("--output", self.keyring, "--export")
        self.sums = {}
        self.publish("debian", packages.SUITE, [("needed", "1.0"), ("wanted", "1.0", "needed")])
        self.publish("debian-security", packages.SUITE + "-security", [("needed", "1.1")])

    def _gpg(self, *words):
        run("gpg", "--homedir", self.home, "--batch", "--yes", "--passphrase", "", *words)

    def end(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=True)

    def publish(self, archive, suite, wanted):
        """Has the suite consist of these: (name, version, what it needs)."""
        told = []
        for name, version, *needs in wanted:
            file = "pool/%s_%s_%s.deb" % (name, version, ARCHITECTURE)
            path = os.path.join(self.folder, archive, file)
            control = "Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: nobody <nobody@example.org>\nDescription: %s\n%s" % (
                name, version, ARCHITECTURE, name, "".join("Depends: %s\n" % need for need in needs))
            os.makedirs(self.site.path("deb/DEBIAN"), exist_ok=True)
            os.utime(self.site.write("deb/DEBIAN/control", control), (1, 1))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            run("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", self.site.path("deb"), path,
                env={**os.environ, "SOURCE_DATE_EPOCH": "1"})  # built again it is the same
            self.sums[name, version] = packages.sha256(path)
            told.append("%sFilename: %s\nSize: %d\nSHA256: %s\n" % (control, file, os.path.getsize(path), self.sums[name, version]))
        listed = "\n".join(told).encode()
        packed = lzma.compress(listed)
        place = os.path.join(self.folder, archive, "dists", suite)
        os.makedirs(os.path.join(place, os.path.dirname(LISTED)), exist_ok=True)
        with open(os.path.join(place, LISTED), "wb") as out:
            out.write(packed)
        index = self.site.write("index", INDEX % (suite, "".join(" %s %d %s\n" % (hashlib.sha256(data).hexdigest(), len(data), name) for data, name in (
            (listed, LISTED.removesuffix(".xz")), (packed, LISTED)))))
        self._gpg("--output", os.path.join(place, "InRelease"), "--clearsign", index)

    def spoil(self):
        """As a mirror that has the index of today and the list of another day."""
        with open(os.path.join(self.folder, "debian-security/dists", packages.SUITE + "-security", LISTED), "ab") as out:
            out.write(b"\0" * 4)

    def sources(self):
        place = "copy:" + self.folder
        return "deb %s/debian %s main\ndeb %s/debian-security %s-security main\n" % (place, packages.SUITE, place, packages.SUITE)


class Locks:
    """What tools/image does about versions, with such a mirror and a lock in the site."""

    def __init__(self, site, mirror):
        self.site, self.mirror = site, mirror
        self.lock = site.path("lock/board.txt")

    def made(self, how, names=("wanted",)):
        """What it says, and the packages with their versions, or what is wrong."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            try:
                chosen = packages.locked(packages.Archive(ARCHITECTURE, self.site.path("image")), list(names), ["wanted"], self.lock, how)
                got = [package[:2] for package in chosen]
            except Trouble as trouble:
                got = str(trouble)
        return said.getvalue(), got

    def text(self):
        return read(self.lock)


@contextlib.contextmanager
def mirror_of(site):
    if not shutil.which("gpg") or not shutil.which("apt-get"):
        raise Skip("there is no gpg, or no apt")
    mirror = Mirror(site)
    real, keyring = packages.run, packages.KEYRING
    packages.run = lambda *words, **more: mirror.sources() if words[0].endswith("debian-sources") else real(*words, **more)
    packages.KEYRING = mirror.keyring
    try:
        yield mirror, Locks(site, mirror)
    finally:
        packages.run, packages.KEYRING = real, keyring
        mirror.end()


def a_lock_has_the_security_fixes(site):
    with mirror_of(site) as (mirror, locks):
        wanted = [("needed", "1.1"), ("wanted", "1.0")]
        check(locks.made("newest") == ("+ needed 1.1\n+ wanted 1.0\n", wanted), "what is locked", locks.text())
        check("needed 1.1 armhf " + mirror.sums["needed", "1.1"] in locks.text() and "Without" not in locks.text(), "the lock", locks.text())
        check(locks.made("locked") == ("", wanted), "what is built")
        # What is locked is taken though the list says more, and though it is not sound.
        mirror.publish("debian-security", packages.SUITE + "-security", [("needed", "1.2"), ("needed", "1.1")])
        shutil.rmtree(site.path("image/pool"))
        check(locks.made("locked") == ("", wanted), "the locked version of two")
        shutil.rmtree(site.path("image"))
        mirror.spoil()
        said, got = locks.made("locked")
        check("in none of the lists" in got and "signed index" in got and "no longer" not in got, "it is only in the list that is not sound", said, got)


def a_list_that_is_not_sound_is_told_and_can_be_left_out(site):
    with mirror_of(site) as (mirror, locks):
        mirror.spoil()
        said, got = locks.made("newest")
        check("signed index" in got and "another mirror" in got and "--without-security" in got, "what to do", got)
        check(not os.path.exists(locks.lock), "no lock is made of what nobody can prove")
        wanted = [("needed", "1.0"), ("wanted", "1.0")]
        said, got = locks.made("release")
        check(got == wanted, "the release alone", said, got)
        check("# What tools/image --without-security chose for: wanted wanted\n"
              "# Without security fixes: Debian 12.15 of Sat, 11 Jul 2026 10:16:37 UTC\n" in locks.text(), "the lock says it", locks.text())
        for how in ("locked", "substitute"):
            said, got = locks.made(how)
            check(got == wanted and "none of the security fixes since" in said and "Debian 12.15 of" in said, "each build says it", how, said, got)
        # What is gone is replaced by what made the lock.
        mirror.publish("debian", packages.SUITE, [("needed", "1.0"), ("wanted", "1.0.1", "needed")])
        shutil.rmtree(site.path("image/pool"))
        check("Debian no longer has a version that is locked" in locks.made("locked")[1], "a version that is gone")
        said, got = locks.made("substitute")
        check(got == [("needed", "1.0"), ("wanted", "1.0.1")], "its substitute", said, got)
        mirror.publish("debian-security", packages.SUITE + "-security", [("needed", "1.1")])
        said, got = locks.made("newest")
        check(got == [("needed", "1.1"), ("wanted", "1.0.1")] and "Without" not in locks.text(), "with the fixes again", said, locks.text())


def a_list_of_the_release_that_is_not_sound_is_not_left_out(site):
    with mirror_of(site) as (mirror, locks):
        with open(os.path.join(mirror.folder, "debian/dists", packages.SUITE, LISTED), "ab") as out:
            out.write(b"\0" * 4)
        for how in ("newest", "release"):
            said, got = locks.made(how)
            check("signed index" in got and "--without-security" not in got, "what to do", how, said, got)
            check(not os.path.exists(locks.lock), "no lock", how)


main(a_lock_has_the_security_fixes, a_list_that_is_not_sound_is_told_and_can_be_left_out,
     a_list_of_the_release_that_is_not_sound_is_not_left_out)
