"""A machine with two slots, made of files: Debian's own RAUC with its service on a bus of its own, and bundles signed by a
certificate authority of the test."""
import os
import shutil
import subprocess

from .site import Skip, check, wait_for

BOARD = "sluice-test"

CA_SETTINGS = """
[ca]
default_ca = own
[own]
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 3650
default_crl_days = 3650
policy = any
crlnumber = crlnumber
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = CA:TRUE
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:FALSE
"""

BUS_SETTINGS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>system</type>
 <listen>unix:path=%s</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
  <allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/>
 </policy>
 %s
</busconfig>
"""

SYSTEM_SETTINGS = """
[system]
compatible=%(board)s
bootloader=custom
statusfile=%(folder)s/status
mountprefix=%(folder)s/mnt
bundle-formats=plain verity
[keyring]
path=%(folder)s/keyring.pem
check-crl=true
[handlers]
bootloader-custom-backend=%(folder)s/bootloader
[slot.rootfs.0]
device=%(folder)s/a.img
type=raw
bootname=A
[slot.rootfs.1]
device=%(folder)s/b.img
type=raw
bootname=B
"""

# As a real one: what is started next has its tries again. One that is slow takes no slot before the file "hold" is gone.
BOOTLOADER = """#!/bin/sh
cd %s/boot
case $1 in
set-primary) while [ -e hold ]; do sleep 0.1; done ;;
esac
case $1 in
get-primary) cat primary ;;
set-primary) echo "$2" >primary; echo good >"state.$2" ;;
get-state) cat "state.$2" ;;
set-state) echo "$3" >"state.$2" ;;
get-current) echo A ;;
esac
"""


class Box:
    """
    Slot A runs, B has nothing in it yet. `bundle` makes what is installed. With `policy` the bus permits only what that file
    does, in which the user daemon stands for the gateway's.
    """

    def __init__(self, site, policy=None):
        if os.geteuid() != 0 or not shutil.which("rauc") or not shutil.which("dbus-daemon"):
            raise Skip("RAUC's service needs root and the packages rauc and dbus")
        self.site = site
        self.folder = site.path("box")
        for name in ("", "boot", "mnt", "bin", "content"):
            os.makedirs(self.path(name))
        self._make_authority()
        for slot in "ab":
            with open(self.path(slot + ".img"), "wb") as out:
                out.truncate(1 << 20)
        for name, text in (("primary", "A"), ("state.A", "good"), ("state.B", "bad")):
            self._write("boot/" + name, text + "\n")
        self._write("bootloader", BOOTLOADER % self.folder, 0o755)
        self._write("system.conf", SYSTEM_SETTINGS % {"board": BOARD, "folder": self.folder})
        self._write("bin/rauc", '#!/bin/sh\nexec %s --conf=%s "$@"\n' % (shutil.which("rauc"), self.path("system.conf")), 0o755)
        if policy:
            with open(policy) as file:
                self._write("policy.conf", file.read().replace('user="sluice"', 'user="daemon"'))
        include = "<include>%s</include>" % self.path("policy.conf") if policy else ""
        self._write("bus.conf", BUS_SETTINGS % (self.path("bus"), include))
        site.start("dbus", "dbus-daemon", "--config-file=" + self.path("bus.conf"), "--nofork", "--nopidfile")
        wait_for(lambda: os.path.exists(self.path("bus")), 10, "the bus")
        site.at_end(self.unmount)
        self.environment = {"PATH": self.path("bin") + ":" + os.environ["PATH"],
                            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + self.path("bus")}
        site.start("rauc", "rauc", "--conf=" + self.path("system.conf"), "--mount=" + self.path("mnt"),
                   "--override-boot-slot=A", "service", environment=self.environment)
        wait_for(lambda: self.rauc("status").returncode == 0, 20, "RAUC answers")

    def path(self, name):
        return os.path.join(self.folder, name)

    def hold(self):
        """From now on an installation does not come to its end, until `let_go`."""
        self._write("boot/hold", "")

    def let_go(self):
        os.unlink(self.path("boot/hold"))

    def unmount(self):
        """A bundle whose installation was cut off stays mounted when RAUC is gone."""
        for name in os.listdir(self.path("mnt")):
            if os.path.ismount(self.path("mnt/" + name)):
                subprocess.run(["umount", "--lazy", self.path("mnt/" + name)], check=True)

    def _write(self, name, text, mode=0o644):
        with open(self.path(name), "w") as out:
            out.write(text)
        os.chmod(self.path(name), mode)

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True)
        check(done.returncode == 0, "openssl", arguments, done.stderr)

    def _make_authority(self):
        self._write("ca.cnf", CA_SETTINGS)
        for name, text in (("index.txt", ""), ("index.txt.attr", "unique_subject = no\n"), ("serial", "01\n"), ("crlnumber", "01\n")):
            self._write(name, text)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config", "ca.cnf")
        self._openssl("req", "-x509", *curve, "-extensions", "authority", "-days", "3650", "-subj", "/CN=test", "-keyout", "ca.key", "-out", "ca.pem")
        self._openssl("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=stranger", "-keyout", "foreign.key", "-out", "foreign.pem")
        for name in ("good", "revoked"):
            self._openssl("req", "-new", *curve, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
            self._openssl("ca", "-batch", "-config", "ca.cnf", "-extensions", "leaf", "-in", name + ".csr", "-out", name + ".pem", "-notext")
        self._openssl("ca", "-config", "ca.cnf", "-revoke", "revoked.pem")
        self._openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "crl.pem")
        with open(self.path("ca.pem")) as ca, open(self.path("crl.pem")) as revoked:
            self._write("keyring.pem", ca.read() + revoked.read())

    def bundle(self, name, version="1.1.0", board=BOARD, key="good", size=300000):
        """The path of a bundle with a root filesystem of random bytes."""
        content = self.path("content/rootfs.img")
        with open(content, "wb") as out:
            out.write(os.urandom(size))
        self._write("content/manifest.raucm", "[update]\ncompatible=%s\nversion=%s\n[bundle]\nformat=plain\n[image.rootfs]\n"
                    "filename=rootfs.img\n" % (board, version))
        path = self.path(name)
        done = subprocess.run(["rauc", "bundle", "--cert=" + self.path(key + ".pem"), "--key=" + self.path(key + ".key"),
                               self.path("content"), path], capture_output=True, text=True)
        check(done.returncode == 0, "rauc bundle", done.stderr)
        return path

    def rauc(self, *arguments):
        return subprocess.run(["rauc", *arguments], capture_output=True, text=True, env={**os.environ, **self.environment})

    def is_busy(self):
        return "already processing" in self.rauc("status").stderr

    def primary(self):
        """The slot that starts next."""
        with open(self.path("boot/primary")) as file:
            return file.read().strip()

    def slot(self, name):
        """What is in the slot's medium."""
        with open(self.path(name.lower() + ".img"), "rb") as file:
            return file.read()

    @property
    def before(self):
        """What makes the daemon one of this machine: for Gateway.start."""
        return ["env", *("%s=%s" % pair for pair in self.environment.items())]
