"""Keys, signatures and the file of an update: docs/node-update.md."""
import hashlib
import pathlib
import struct
import subprocess
import tempfile

import board as boards

HEADER = struct.Struct("<4sHH24sIIIHH32s")
SIGNATURE_SIZE = 64
ALIGN = 8
CONFIRM_WITHIN_S = 600
MARKS_AT, MARK_SIZE = 192, 8
MARKS_OF_NEW = (0, 4)  # wanted and confirmed: what a new node begins with


def openssl(*words, data=None):
    try:
        done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=False)
    except FileNotFoundError:
        raise boards.Wrong("openssl is missing: tools/prepare firmware installs it") from None
    if done.returncode != 0:
        raise boards.Wrong("openssl %s: %s" % (words[0], done.stderr.decode(errors="replace").strip()))
    return done.stdout


def keygen(secret):
    """Makes NAME.pem, for its owner alone, and NAME.pub."""
    secret = pathlib.Path(secret)
    if secret.exists():
        raise boards.Wrong("%s is there already: a key is never overwritten" % secret)
    secret.parent.mkdir(parents=True, exist_ok=True)
    made = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    secret.touch(mode=0o600)
    secret.write_bytes(made)
    public = secret.with_suffix(".pub")
    public.write_bytes(openssl("pkey", "-in", secret, "-pubout"))
    return public


def key_text(path):
    """What is in the file of a key."""
    try:
        text = pathlib.Path(path).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        raise boards.Wrong("there is no key %s: tools/node keygen makes one" % path) from None
    except OSError as error:
        raise boards.Wrong("the key %s cannot be read: %s" % (path, error.strerror)) from None
    if "-----BEGIN" not in text:
        raise boards.Wrong("%s is no key: a file in PEM form is expected, as tools/node keygen makes it" % path)
    return text


def check_secret(path):
    """Whether it can sign: before anything else is done."""
    if "PRIVATE" not in key_text(path):
        raise boards.Wrong("%s is no secret key, and only that can sign: name the .pem that tools/node keygen made beside the .pub" % path)
    public_point(path)


def public_point(path):
    """The 65 bytes of a public key, from its file or from that of the secret one."""
    kind = () if "PRIVATE" in key_text(path) else ("-pubin",)
    try:
        point = openssl("pkey", *kind, "-in", path, "-pubout", "-outform", "DER")[-65:]
    except boards.Wrong:
        raise boards.Wrong("the key %s is damaged: openssl cannot read it" % path) from None
    if point[0] != 4 or b"prime256v1" not in openssl("pkey", *kind, "-in", path, "-noout", "-text_pub"):
        raise boards.Wrong("%s is no key for ECDSA on P-256: tools/node keygen makes one" % path)
    return point


def raw_signature(der):
    """r and s of 32 bytes each, out of the form that openssl writes."""
    numbers, at = b"", 2
    for _ in range(2):
        length = der[at + 1]
        numbers += int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big")
        at += 2 + length
    return numbers


def number_of(version):
    words = version.split(".")
    try:
        major, minor, patch = (int(word) for word in words)
    except ValueError:
        raise boards.Wrong("%s is no version: three numbers, as 1.4.0" % version) from None
    if not (0 <= major < 256 and 0 <= minor < 256 and 0 <= patch < 65536):
        raise boards.Wrong("%s is no version: the numbers are at most 255, 255 and 65535" % version)
    return major << 24 | minor << 16 | patch


def part(key, board, slot, body, version, oldest="0.0.0", confirm_within_s=CONFIRM_WITHIN_S):
    """A version for slot 0 or 1, with its header."""
    body += b"\xff" * (-len(body) % ALIGN)
    if not 1 <= confirm_within_s <= 65535:
        raise boards.Wrong("a version is confirmed within 1 to 65535 seconds")
    signed = HEADER.pack(b"SLN1", HEADER.size + SIGNATURE_SIZE, slot, board.encode("ascii"), number_of(version),
                         number_of(oldest), len(body), confirm_within_s, 0, hashlib.sha256(body).digest())
    with tempfile.NamedTemporaryFile() as file:
        file.write(signed)
        file.flush()
        signature = openssl("dgst", "-sha256", "-sign", key, file.name)
    return signed + raw_signature(signature) + body


def update_file(parts):
    return b"SLNU" + struct.pack("<I", len(parts)) + b"".join(parts)


def slot_image(made):
    """What a new node has in a slot: the header, marks, and the version behind them."""
    room = bytearray(b"\xff" * boards.HEADER_ROOM)
    header = HEADER.size + SIGNATURE_SIZE
    room[:header] = made[:header]
    for mark in MARKS_OF_NEW:
        room[MARKS_AT + mark * MARK_SIZE:MARKS_AT + (mark + 1) * MARK_SIZE] = bytes(MARK_SIZE)
    return bytes(room) + made[header:]
