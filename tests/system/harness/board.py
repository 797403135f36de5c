"""A machine whose only number is the address of its network interface, in a mount namespace of its own."""
import os
import shutil
import subprocess

from .site import Skip

SCRIPT = """
mount -t tmpfs tmpfs /sys/class/net && mkdir -p /sys/class/net/eth0/device &&
echo 0 >/sys/class/net/eth0/addr_assign_type && echo "$1" >/sys/class/net/eth0/address && shift && exec "$@"
"""


def on_board(address):
    """What makes the daemon one of that board: for Gateway.start."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Skip("a machine of its own needs root and the program unshare")
    before = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", address]
    if subprocess.run([*before, "true"], capture_output=True).returncode:
        raise Skip("mounting is not permitted here")
    return before
