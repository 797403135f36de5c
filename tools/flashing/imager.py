"""What Raspberry Pi Imager reads (--repo URL, or its settings) to offer the images beside its own."""
import datetime
import hashlib
import json
import lzma
import os

from . import boards, build
from .words import MIB, Refused


def measure(stream):
    """Size and SHA-256 of all that is in it."""
    digest, size = hashlib.sha256(), 0
    while True:
        block = stream.read(MIB)
        if not block:
            return size, digest.hexdigest()
        digest.update(block)
        size += len(block)


def entry(board, url):
    image = build.image_of(board)
    with open(image, "rb") as packed:
        download_size, download_sha256 = measure(packed)
    with (lzma.open(image) if str(image).endswith(".xz") else open(image, "rb")) as plain:
        size, sha256 = measure(plain)
    day = datetime.datetime.fromtimestamp(os.stat(image).st_mtime, datetime.timezone.utc).date().isoformat()
    made = {
        "name": "Sluice for %s" % board["name"],
        "description": "MQTT edge gateway. %s" % {
            "booted": "Started in emulation by its tests.",
            "built": "Built only: nobody has seen it start yet.",
        }.get(board["state"], "Not tried yet."),
        "url": "%s/%s/%s" % (url.rstrip("/"), board["id"], image.name),
        "release_date": day,
        "extract_size": size,
        "extract_sha256": sha256,
        "image_download_size": download_size,
        "image_download_sha256": download_sha256,
        # The image makes its own keys and asks for its owner on its page: there is nothing that Imager could set.
        "init_format": "none",
    }
    if "imager" in board:
        made["devices"] = board["imager"]
    return made


def offer(wanted):
    cards = [board for board in boards.every() if any(way["how"] == "card" for way in board["flash"])]
    if wanted.boards:
        chosen = [boards.find(name, "gateway") for name in wanted.boards]
        strange = [board["id"] for board in chosen if board not in cards]
        if strange:
            raise Refused("%s is not started from a card" % strange[0])
    else:
        folder = boards.ROOT / "build" / "image"
        chosen = [board for board in cards if any((folder / board["id"] / name).exists() for name in build.IMAGES)]
        if not chosen:
            raise Refused("no image of a card is in %s: sudo tools/flash build BOARD makes one" % folder)
    print(json.dumps({"os_list": [entry(board, wanted.url) for board in chosen]}, indent=2))
