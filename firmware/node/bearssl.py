"""The cryptography of the boot loader: BearSSL, from Debian's source package, which apt fetches and checks.

Nothing of it is in this tree: it is kept in the user's cache, and its hash is compared each time.
"""
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

import board as boards

PACKAGE = "bearssl"
VERSION = "0.6+dfsg.1"
ARCHIVE = "bearssl_%s.orig.tar.xz" % VERSION
SHA256 = "102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004"
FOLDER = "bearssl-0.6"  # in the archive

# ECDSA on P-256 with the generic arithmetic in words of 15 bits, and SHA-256.
SOURCES = (["ec/ec_prime_i15.c", "ec/ecdsa_i15_bits.c", "ec/ecdsa_i15_vrfy_raw.c", "ec/ec_secp256r1.c", "ec/ec_secp384r1.c",
            "ec/ec_secp521r1.c", "hash/sha2small.c", "codec/dec32be.c", "codec/enc32be.c", "codec/ccopy.c", "int/i32_div32.c"] +
           ["int/i15_%s.c" % name for name in ("add bitlen decmod decode decred encode fmont iszero moddiv modpow modpow2 "
                                               "montmul mulacc muladd ninv15 reduce rshift sub tmont").split()])


def cache():
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sluice"


def is_right(path):
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def source_lines():
    """The sources that this machine has packages from, as sources of source packages."""
    form = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)"
    done = subprocess.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], capture_output=True, text=True,
                          check=False)
    for line in sorted(set(done.stdout.splitlines())):
        origin, uri, release, component, signed_by = line.split("|")
        if origin == "Debian" and component == "main":
            signed = "[signed-by=%s] " % signed_by if signed_by.startswith("/") else ""
            yield "deb-src %s%s %s %s\n" % (signed, uri, release, component)


def fetch(folder):
    """Through apt, with lists of its own: those of the machine stay as they are."""
    folder = pathlib.Path(folder)
    lines = "".join(source_lines())
    if not lines:
        raise boards.Wrong("apt knows no sources of Debian packages here: run apt-get update, then this again")
    (folder / "sources.list").write_text(lines, encoding="utf-8")
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "archives" / "partial").mkdir(parents=True)
    apt = ["apt-get", "-qq", "-o", "Dir::Etc::SourceList=%s/sources.list" % folder, "-o", "Dir::Etc::SourceParts=/dev/null",
           "-o", "Dir::State::Lists=%s/lists" % folder, "-o", "Dir::Cache=%s" % folder, "-o", "APT::Sandbox::User="]
    for words in (["update"], ["source", "--download-only", PACKAGE]):
        done = subprocess.run(apt + words, cwd=folder, capture_output=True, text=True, check=False)
        # One file of it is wanted, whose hash is known: what else could not be had is no matter.
        if done.returncode != 0 and not is_right(folder / ARCHIVE):
            raise boards.Wrong("apt-get %s did not work:\n%s\nThe boot loader needs the source package %s; check the network"
                               % (" ".join(words), done.stderr.strip(), PACKAGE))
    if not is_right(folder / ARCHIVE):
        raise boards.Wrong("Debian has another %s now than %s with hash %s: look at what has changed, then change "
                           "firmware/node/bearssl.py" % (PACKAGE, ARCHIVE, SHA256))
    return folder / ARCHIVE


def folder():
    """Where its sources are; fetched when they are not there."""
    home = cache()
    archive, unpacked = home / ARCHIVE, home / FOLDER
    home.mkdir(parents=True, exist_ok=True)
    if not is_right(archive):
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=home) as temporary:
            os.replace(fetch(temporary), archive)
            shutil.rmtree(unpacked, ignore_errors=True)
    if not unpacked.exists():
        with tempfile.TemporaryDirectory(prefix="unpack-", dir=home) as temporary:
            with tarfile.open(archive) as packed:
                packed.extractall(temporary)
            try:
                os.replace(pathlib.Path(temporary) / FOLDER, unpacked)
            except OSError:  # another build was quicker
                if not unpacked.exists():
                    raise
    return unpacked
