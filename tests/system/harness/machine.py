"""A network of a test's own with the interface eth0, the real program that manages it, and root's part of what the gateway asks for."""
import json
import os
import shutil
import subprocess
import sys
import threading

from .gateway import Gateway
from .api import Api
from .run import main
from .site import Skip, check, program, wait_for

INSIDE = "SLUICE_NETWORK_OF_ITS_OWN"
SLUICE = program("sluice")


def run(*command, may_fail=False):
    done = subprocess.run(command, capture_output=True, text=True)
    check(may_fail or done.returncode == 0, " ".join(command), done.returncode, done.stderr)
    return done


class Networkd:
    """systemd-networkd, which the system has given an address of its own."""

    program = "/lib/systemd/systemd-networkd"
    needs = ("dbus-daemon", "ip", "networkctl")
    file = "/run/systemd/network/40-sluice-%s.network"
    # For a cable that was set here it has one beside its own.
    beside = ["169.254.77.77/16"]
    folders = ("/run/systemd",)

    @classmethod
    def start(cls, machine):
        for folder in ("network", "netif/links", "netif/leases"):
            os.makedirs("/run/systemd/" + folder)
        run("chown", "-R", "systemd-network", "/run/systemd/netif")
        with open("/run/systemd/network/80-wired.network", "w") as file:
            file.write("[Match]\nName=eth0\n[Network]\nLinkLocalAddressing=no\nAddress=10.9.8.7/24\n")
        machine.run_beside(cls.program)


class NetworkManager:
    """The same of NetworkManager. What it keeps, and the names of the machine, are not touched."""

    program = "/usr/sbin/NetworkManager"
    needs = ("dbus-daemon", "ip", "nmcli")
    file = "/run/NetworkManager/system-connections/sluice-%s.nmconnection"
    beside = []
    folders = ("/run/NetworkManager", "/etc/NetworkManager/system-connections")

    @classmethod
    def start(cls, machine):
        for folder in ("/etc/NetworkManager", "/var/lib/NetworkManager"):
            if not os.path.ismount(folder):
                run("mount", "-t", "tmpfs", "tmpfs", folder)
        os.makedirs("/etc/NetworkManager/system-connections")
        with open("/etc/NetworkManager/NetworkManager.conf", "w") as file:
            file.write("[main]\nplugins=keyfile\ndns=none\nhostname-mode=none\nno-auto-default=*\n[connectivity]\nenabled=false\n")
        wired = "/etc/NetworkManager/system-connections/wired.nmconnection"
        with open(wired, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write("[connection]\nid=wired\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.9.8.7/24\n[ipv6]\nmethod=disabled\n")
        machine.run_beside(cls.program, "--no-daemon")


class Machine:
    """eth0, who manages it, and what the unit sluice-wish.path runs as root."""

    def __init__(self, site, manager, **more):
        self.manager = manager
        self.processes = []
        self.words = open(site.path("network.log"), "w")
        self.ended = threading.Event()
        self.root = threading.Thread(target=self._carry_out)
        self.gateway = Gateway(site, [], [], [], **more)
        self.api = Api(self.gateway)
        self.wishes = os.path.join(os.path.dirname(self.gateway.socket), "wish")

    def __enter__(self):
        run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far0")
        run("ip", "link", "set", "far0", "up")
        run("ip", "link", "set", "lo", "up")
        os.makedirs("/run/dbus")
        os.mkdir(self.wishes)
        self.run_beside("dbus-daemon", "--system", "--nofork", "--nopidfile")
        wait_for(lambda: os.path.exists("/run/dbus/system_bus_socket"), 10, "the bus")
        self.manager.start(self)
        self.wait_address("10.9.8.7/24", "the interface is set up")
        self.gateway.start()
        self.root.start()
        return self

    def run_beside(self, *command):
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.words))

    def _carry_out(self):
        while not self.ended.wait(0.02):
            if os.path.exists(os.path.join(self.wishes, "network")):
                subprocess.run([SLUICE, "wishes", self.wishes, "--state", self.gateway.state], stdout=subprocess.DEVNULL, stderr=self.words)

    def end_root(self):
        self.ended.set()
        if self.root.ident:
            self.root.join()

    def __exit__(self, *failure):
        if not failure[0]:
            self.gateway.stop()
        self.end_root()
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.words.close()
        run("ip", "link", "delete", "eth0")
        for folder in (*self.manager.folders, "/run/dbus"):
            shutil.rmtree(folder)

    @staticmethod
    def addresses():
        known = json.loads(run("ip", "-j", "-4", "addr", "show", "eth0").stdout)
        return ["%s/%d" % (one["local"], one["prefixlen"]) for one in known[0].get("addr_info", [])] if known else []

    def network(self, *words, may_fail=False):
        return run(SLUICE, "network", *words, "--socket", self.gateway.socket, may_fail=may_fail)

    def wait_address(self, address, why):
        wait_for(lambda: address in self.addresses(), 20, why)

    def file(self, interface="eth0"):
        """What Sluice writes for the manager."""
        return self.manager.file % interface


def in_a_network_of_its_own(manager, *tests):
    """Runs the tests there; skips where that is not allowed, or the manager is missing."""
    def cannot(_site):
        raise Skip("%s with a network of its own needs root, unshare and %s" % (manager.__name__, ", ".join((manager.program, *manager.needs))))

    if os.environ.get(INSIDE):
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        # Without udev, neither waits for anybody where /sys cannot be written.
        run("mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys")
        main(*tests)
    elif (os.geteuid() == 0 and os.path.exists(manager.program) and all(map(shutil.which, ("unshare", *manager.needs))) and
          subprocess.run(["unshare", "-n", "-m", "-u", "true"], stderr=subprocess.DEVNULL).returncode == 0):
        os.execvpe("unshare", ["unshare", "-n", "-m", "-u", "--propagation", "private", sys.executable, "-B", *sys.argv],
                   dict(os.environ, **{INSIDE: "yes"}))
    else:
        main(cannot)
