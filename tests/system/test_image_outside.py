#!/usr/bin/python3
"""The image on a cable without DHCP, as a laptop sees it that is plugged in: by its name, and by the address that it always has."""
import gzip
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.request

import zeroconf

from harness import LONG, Skip, check, main, wait_for
from harness.emulated import Board, image

BOARD = "qemu-arm64"
QEMU = ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53", "-m", "512", "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
        "-device", "i6300esb")
PORT = ("-netdev", "tap,id=cable,ifname=cable,script=no,downscript=no", "-device", "virtio-net-pci,netdev=cable")
START_S = 300
INSIDE = "SLUICE_NETWORK_OF_ITS_OWN"
ADDRESS, LAPTOP = "169.254.77.77", "169.254.3.4"


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    check(done.returncode == 0, "ip " + " ".join(words), done.stderr)


def plug_in():
    """The laptop's end of the cable, with the address that systems give themselves where nobody else does."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("there is no /dev/net/tun")
    ip("link", "set", "lo", "up")
    ip("tuntap", "add", "cable", "mode", "tap")
    ip("addr", "add", LAPTOP + "/16", "brd", "+", "dev", "cable")
    ip("link", "set", "cable", "up")
    ip("route", "add", "default", "dev", "cable")


def is_found_without_dhcp(site):
    if not LONG:
        raise Skip("it takes minutes: tools/test --long")
    plug_in()
    original, = image(BOARD, "disk.img")
    disk = site.path("disk.img")
    subprocess.run(["cp", "--sparse=always", original, disk], check=True)
    board = Board(site, "board", *QEMU, "-drive", "file=%s,format=raw,if=virtio" % disk, net=PORT)
    board.wait_says("Setup code:", START_S)
    wait_for(lambda: "https://%s/" % ADDRESS in board.console(), 120, "the console shows the address")
    name, told = re.search(r"Sluice  \((sluice-[0-9a-f]{4})\.local\)", board.console()), fingerprint(board.console())
    check(name and told, "what the console shows", board.console()[-1500:])

    seen = ssl.get_server_certificate((ADDRESS, 443), timeout=60)
    check(sum_of(seen) == told, "the certificate is the one on the console", sum_of(seen), told)
    request = urllib.request.Request("https://%s/" % ADDRESS, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=60) as page:
        check(b"<title>Sluice" in gzip.decompress(page.read()), "the page")
    found = wait_for(lambda: resolve(name[1]), 120, "%s.local is answered for" % name[1])
    check(ADDRESS in found["addresses"] and found["port"] == 443, "what multicast DNS says", found)
    return "%s.local, %s" % (name[1], ", ".join(found["addresses"]))


def fingerprint(console):
    found = re.search(r"Its SHA-256 is\s+([0-9A-F:\s]{95,})", console)
    return re.sub(r"[^0-9A-F]", "", found[1])[:64] if found else None


def sum_of(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()


def resolve(name):
    """Asks for the page of that name as any computer does; what is there, or None."""
    client = zeroconf.Zeroconf(interfaces=[LAPTOP], ip_version=zeroconf.IPVersion.V4Only)
    try:
        info = client.get_service_info("_https._tcp.local.", name + "._https._tcp.local.", timeout=10000)
    finally:
        client.close()
    if not info or info.server != name + ".local.":
        return None
    return {"addresses": info.parsed_addresses(), "port": info.port}


def no_network_of_its_own(_site):
    raise Skip("a network of its own needs root, unshare and iproute2")


if os.environ.get(INSIDE) or not LONG:
    main(is_found_without_dhcp)
elif os.geteuid() == 0 and all(map(shutil.which, ("unshare", "ip"))):
    os.execvpe("unshare", ["unshare", "-n", sys.executable, "-B", *sys.argv], dict(os.environ, **{INSIDE: "yes"}))
else:
    main(no_network_of_its_own)
