#!/usr/bin/python3
"""The archive of profiles that a package has: made anew whenever what belongs in it is another."""
import os
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "../..")
sys.path.insert(0, os.path.join(HERE, "../system"))
from harness import check, main  # noqa: E402

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(few NONE)
include(GNUInstallDirs)
set(SLUICE_PACKAGE ON)
add_subdirectory(drivers)
"""


def the_archive_has_the_profiles_that_there_are(site):
    for name, text in (("CMakeLists.txt", PROJECT), ("drivers/modbus/CMakeLists.txt", ""), ("drivers/serial/CMakeLists.txt", ""),
                       ("drivers/profiles/maker/one.json", "{}"), ("drivers/profiles/maker/two.json", "{ }"), ("drivers/profiles/three.tsv", "a\tb")):
        os.makedirs(os.path.dirname(site.path(name)), exist_ok=True)
        site.write(name, text)
    os.makedirs(site.path("firmware/package"))
    shutil.copy(os.path.join(SOURCE, "firmware/package/profiles.py"), site.path("firmware/package"))
    shutil.copy(os.path.join(SOURCE, "drivers/CMakeLists.txt"), site.path("drivers"))
    build, profiles = site.path("build"), site.path("drivers/profiles")
    subprocess.run(["cmake", "-G", "Ninja", "-S", site.folder, "-B", build], check=True, stdout=subprocess.DEVNULL)

    def packed():
        subprocess.run(["cmake", "--build", build], check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(os.path.join(build, "drivers/profiles.tar.gz")) as archive:
            return sorted(archive.getnames())

    check(packed() == ["maker/one.json", "maker/two.json", "three.tsv"], "all of them", packed())
    os.rename(os.path.join(profiles, "maker/two.json"), os.path.join(profiles, "maker/second.json"))
    check(packed() == ["maker/one.json", "maker/second.json", "three.tsv"], "one that was renamed", packed())
    os.unlink(os.path.join(profiles, "three.tsv"))
    check(packed() == ["maker/one.json", "maker/second.json"], "one that was removed", packed())


main(the_archive_has_the_profiles_that_there_are)
