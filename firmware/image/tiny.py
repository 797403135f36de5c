"""The tiny variant: a kernel and one archive with busybox, the gateway and its libraries, that run in memory."""
import os
import re
import shutil

import kernel
import packages
import sluice
from words import Trouble, names, run

HERE = os.path.dirname(os.path.abspath(__file__))
# The programs of busybox that its init and a person at the console use.
APPLETS = os.path.join(HERE, "tiny/applets.txt")


def libraries(program, root):
    """The paths below `root` of the shared libraries that `program` needs, with theirs, and of what loads them."""
    found, wanted = {}, [program]
    places = [os.path.join(root, "usr/lib", name) for name in sorted(os.listdir(os.path.join(root, "usr/lib")))
              if "-linux-gnu" in name] + [os.path.join(root, "usr/lib")]
    while wanted:
        out = run("readelf", "-d", "-l", wanted.pop(), output=True)
        loader = re.findall(r"interpreter: \S*/([^/\]]+)\]", out)
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", out) + loader:
            path = next((os.path.join(place, name) for place in places if os.path.exists(os.path.join(place, name))), None)
            if path is None:
                raise Trouble("the library %s is in none of the packages" % name)
            if name not in found:
                found[name] = path
                wanted.append(path)
    return found


def build(folder, out, architecture, how):
    """Makes OUT/vmlinuz and OUT/tiny.cpio.gz."""
    deb = sluice.deb(architecture)
    archive = packages.Archive(architecture, folder)
    chosen = packages.locked(archive, ["busybox-static", *sluice.needs(deb)], ["linux-image-cloud-" + architecture],
                             os.path.join(HERE, "lock", "%s-%s-tiny.txt" % (packages.SUITE, architecture)), how)
    whole, root = os.path.join(out, "unpacked"), os.path.join(out, "root")
    for place in (whole, root):
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
    packages.unpack(chosen, whole)
    packages.unpack([("sluice", "", deb)], whole)

    for name in ("bin", "lib/modules", "etc/sluice", "proc", "sys", "dev", "mnt", "data", "tmp", "run", "var/lib",
                 "usr/share", "usr/lib"):
        os.makedirs(os.path.join(root, name))
    for link, target in (("sbin", "bin"), ("usr/bin", "../bin"), ("usr/sbin", "../bin"), ("bin/sluiced", "sluice"), ("lib64", "lib")):
        os.symlink(target, os.path.join(root, link))
    shutil.copy(os.path.join(whole, "usr/bin/busybox"), os.path.join(root, "bin/busybox"))
    for applet in names(APPLETS):
        os.symlink("busybox", os.path.join(root, "bin", applet))
    program = os.path.join(whole, "usr/bin/sluice")
    shutil.copy(program, os.path.join(root, "bin/sluice"))
    for name, path in libraries(program, whole).items():
        shutil.copy(path, os.path.join(root, "lib", name))
    shutil.copytree(os.path.join(whole, "usr/share/sluice"), os.path.join(root, "usr/share/sluice"),
                    ignore=shutil.ignore_patterns("boards", "*.schema.json"))
    modules = kernel.Modules(whole)
    order = modules.order(names(HERE, "tiny/modules.txt"))
    for path in order:
        shutil.copy(os.path.join(modules.folder, path), os.path.join(root, "lib/modules"))
    with open(os.path.join(root, "lib/modules/load"), "w") as load:
        load.writelines(os.path.basename(path) + "\n" for path in order)
    shutil.copy(os.path.join(HERE, "tiny/init"), root)
    shutil.copy(os.path.join(HERE, "tiny/dhcp"), os.path.join(root, "lib"))
    shutil.copy(os.path.join(HERE, "initramfs/early.sh"), os.path.join(root, "lib"))

    kernel.pack(root, os.path.join(out, "tiny.cpio.gz"))
    kernel.compressed(os.path.join(whole, "boot", "vmlinuz-" + modules.version), os.path.join(out, "vmlinuz"))
    shutil.rmtree(whole)
    shutil.rmtree(root)
