"""A filesystem of its own, of which the power can be taken."""
import fcntl
import os
import struct
import subprocess

from .site import Skip, wait_for

SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), as xfstests uses it
SHUTDOWN_NO_FLUSH = 2


class Disk:
    """An ext4 filesystem in a file of the site, mounted at `path`."""

    def __init__(self, site, name="disk"):
        self.image = site.path(name + ".img")
        self.path = site.path(name)
        os.mkdir(self.path)
        with open(self.image, "wb") as file:
            file.truncate(32 << 20)
        self.run("mkfs.ext4", "-q", "-F", self.image)
        self.run("mount", "-o", "loop", self.image, self.path)
        site.at_end(lambda: subprocess.run(["umount", "-l", self.path], stderr=subprocess.DEVNULL, check=False))

    @staticmethod
    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skip("needs root and loop devices: " + done.stderr.strip())
        return done

    def cut(self):
        handle = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, struct.pack("I", SHUTDOWN_NO_FLUSH))
        os.close(handle)

    def again(self):
        self.run("umount", self.path)
        # The loop device is let go of a moment later: one that is on its way out would be mounted, and read nothing.
        wait_for(lambda: not self.run("losetup", "--noheadings", "--associated", self.image).stdout, 20, "the loop device is free")
        self.run("mount", "-o", "loop", self.image, self.path)
