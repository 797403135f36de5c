"""The gateway's images: how large they are, how soon the tiny one publishes, and what power cuts during an install leave."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def _test(out, site, part, name, *tests):
    """Runs a test, and returns what it has counted as `part`: also one that fails, as a slow machine has figures, too."""
    done = subprocess.run([sys.executable, "-B", os.path.join(TOP, "tests/system", name), *tests], capture_output=True, text=True,
                          env={**os.environ, "SLUICE_LONG": "1", "SLUICE_TOTALS": site.folder, "SLUICE_CUTS_BOOTED": "1"}, check=False)
    path = site.path(part + ".json")
    if not os.path.exists(path):
        raise RuntimeError("%s: %s" % (name, done.stdout[-2000:]))
    if done.returncode:
        out.note("firmware: %s does not pass here: %s" % (name, done.stdout.strip().splitlines()[-1]))
    with open(path) as file:
        return json.load(file)


def run(out, site):
    if os.geteuid() != 0:
        out.note("firmware: images are made by root, and this is not root: no figures of them")
        return
    out.note("firmware: the images, and power cuts during an install (about ten minutes)")
    for board in ("tiny", "qemu-arm64"):
        subprocess.run([os.path.join(TOP, "tools/image"), "--substitute", board], check=True, stdout=sys.stderr)
    packed = os.path.join(TOP, "build/image/qemu-arm64/disk.img.xz")
    out.figure("firmware", "image_bytes", os.path.getsize(packed), "bytes", board="qemu-arm64", form="the whole disk under xz")
    tiny = _test(out, site, "tiny", "test_tiny_image.py")
    out.figure("firmware", "tiny_bytes", tiny["tiny_bytes"], "bytes", form="kernel and archive")
    out.figure("firmware", "tiny_boot_s", tiny["tiny_boot_s"], "s", form="from power to the first event over TLS", emulated="QEMU")
    cuts = _test(out, site, "install_cuts", "test_image.py", "survives_power_cuts_during_an_install")
    out.figure("firmware", "install_cuts", cuts["count"], "cuts", without_a_system=cuts["lost"], booted=cuts["booted"])
