#!/usr/bin/python3
"""What an image does at its first start, and with what is preset on its card: the script first-boot, with what it calls replaced."""
import glob
import hashlib
import json
import os
import subprocess
import sys

from harness import check, main
from harness.image_root import TOP, System, read
sys.path.insert(0, os.path.join(TOP, "tools"))
from flashing import network as settings  # noqa: E402


GROWS = ["sfdisk", "partx", "resize2fs"]


def the_data_partition_grows_once(site):
    """And again when the disk was copied to a larger one."""
    system = System(site)
    for size, wanted in (("15523840", GROWS), ("15523840", []), ("31047680", GROWS), ("31047680", [])):
        system.put("sys/class/block/disk/size", size + "\n")
        calls, status = system.run("first-boot")
        called = [call.split()[0] for call in calls]
        check(status == 0 and [name for name in called if name in GROWS] == wanted, "grows", size, calls, status)
    system.put("data/system/grown", "")  # as an earlier version of the image has noted it
    called = [call.split()[0] for call in system.run("first-boot")[0]]
    check(set(GROWS) <= set(called) and read(system.root, "data/system/grown") == "31047680\n", "it is noted", called)
    system = System(site)
    system.put("answers/resize2fs" + os.path.join(system.root, "dev/sluice/data"), "fails")
    calls, status = system.run("first-boot")
    check(status == 0 and not system.has("data/system/grown"), "again at the next start", calls)
    check("could not be grown" in read(system.root, "dev/console"), "it is said")


def a_disk_of_any_size_is_used(site):
    """With the real sfdisk: an MBR knows no more than 2 TiB, and what is behind them is left alone."""
    tables = {"dos": "label: dos\nstart=8192, size=131072\n", "gpt": "label: gpt\nfirst-lba: 34\nstart=8192, size=131072\n"}
    most = (1 << 32) - 1
    for label, sectors, wanted in (("dos", 1 << 21, (1 << 21) - 401408), ("dos", (1 << 32) + 1000, (1 << 32) + 1000 - 401408), ("dos", 1 << 33, most),
                                   ("dos", (1 << 32) + 401408 + 1000, most), ("gpt", 1 << 33, (1 << 33) - 401408 - 33)):
        system = System(site)
        os.unlink(os.path.join(system.root, "bin/sfdisk"))
        path = os.path.join(system.root, "dev/sluice/disk")
        os.truncate(path, 256 << 20)
        subprocess.run(["sfdisk", "-q", "--no-reread", "--no-tell-kernel", path], check=True, capture_output=True, text=True, input=tables[label] + (
            "start=139264, size=131072\nstart=270336, size=131072\nstart=401408, size=65536\n"))
        os.truncate(path, sectors * 512)
        system.put("sys/class/block/disk/size", "%d\n" % sectors)
        system.run("first-boot")
        told = subprocess.run(["sfdisk", "--json", path], check=True, capture_output=True, text=True).stdout
        size = json.loads(told)["partitiontable"]["partitions"][3]["size"]
        check(size == wanted and system.has("data/system/grown"), "its data partition", label, sectors, wanted, size)


def presets_are_taken_once_and_again_when_they_changed(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    system.put("boot/sluice/network.conf", "HOSTNAME=hall-7\r\nADDRESS = 10.0.7.2/24 \r\nGATEWAY=10.0.7.1\r\nDNS=10.0.7.3 10.0.7.4\r\n")
    system.put("boot/sluice/authorized_keys", "ssh-ed25519 AAAA anna\r\n")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{}", "the configuration")
    check(sorted(os.listdir(os.path.join(system.root, "etc/sluice"))) == ["board", "sluice.json"], "nothing else is there")
    check(read(system.root, "data/system/hostname") == "hall-7\n", "the name")
    check(read(system.root, "data/etc/ssh/authorized_keys") == "ssh-ed25519 AAAA anna\n", "the key")
    check(os.stat(os.path.join(system.root, "data/etc/ssh/authorized_keys")).st_mode & 0o777 == 0o600, "whom the key is readable for")
    network = read(system.root, "run/systemd/network/70-preset.network").splitlines()
    check({"Address=10.0.7.2/24", "Gateway=10.0.7.1", "DNS=10.0.7.3", "DNS=10.0.7.4"} <= set(network) and "DHCP=yes" not in network,
          "the network", network)
    system.put("etc/sluice/sluice.json", "changed on the page")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "changed on the page", "what was changed on the page stays")
    system.put("boot/sluice/sluice.json", "{ }")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{ }", "changed presets")


def a_gateway_of_presets(site):
    """One that has taken its presets, and whose configuration was changed on its page."""
    system = System(site)
    for name, text in (("sluice.json", "{}"), ("network.conf", "ADDRESS=10.0.7.2/24\n"), ("gw.key", "a key"), ("own/meter.csv", "a list")):
        system.put("boot/sluice/" + name, text)
    system.run("first-boot")
    check(read(system.root, "etc/sluice/gw.key") == "a key" and read(system.root, "etc/sluice/own/meter.csv") == "a list", "the files")
    check(os.stat(os.path.join(system.root, "etc/sluice/gw.key")).st_mode & 0o777 == 0o640, "whom the key is readable for")
    system.put("etc/sluice/sluice.json", "changed on the page")
    system.put("dev/console", "")
    return system


def page_is_kept(system, what):
    check(read(system.root, "etc/sluice/sluice.json") == "changed on the page", what, read(system.root, "dev/console"))


def one_preset_that_changed_takes_no_other_along(site):
    system = a_gateway_of_presets(site)
    system.put("boot/sluice/network.conf", "ADDRESS=10.0.7.9/24\n")
    system.put("boot/sluice/ca.pem", "a certificate")
    system.run("first-boot")
    page_is_kept(system, "another address")
    check("Address=10.0.7.9/24" in read(system.root, "run/systemd/network/70-preset.network"), "the network is the new one")
    check(read(system.root, "etc/sluice/ca.pem") == "a certificate", "one that was added")
    check(read(system.root, "dev/console") == "sluice: the presets of the boot partition are taken: ca.pem, network.conf\n", "what is told",
          read(system.root, "dev/console"))
    system.put("boot/sluice/sluice.json", "{ }")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{ }" and system.has("data/system/presets"), "another configuration")
    check(sorted(os.listdir(os.path.join(system.root, "etc/sluice"))) == ["board", "ca.pem", "gw.key", "own", "sluice.json"], "what is left")
    check(not system.has("run/sluice-presets"), "keys are left in memory")


def who_only_looks_at_a_card_changes_nothing(site):
    system = a_gateway_of_presets(site)
    for name in (".DS_Store", "._network.conf", ".Spotlight-V100/VolumeConfiguration.plist"):
        system.put("boot/sluice/" + name, "of a computer")
        system.run("first-boot")
        page_is_kept(system, name)
    check(not read(system.root, "dev/console"), "what is told", read(system.root, "dev/console"))
    check(not glob.glob(os.path.join(system.root, "etc/sluice/.*")), "what is not the gateway's is taken")


def what_an_earlier_version_took_is_taken(site):
    """It noted one sum over all; and when it is started again, after an update that failed, it does not take everything again either."""
    system = a_gateway_of_presets(site)
    files = [os.path.join(at, name) for at, _, names in os.walk(os.path.join(system.root, "boot/sluice")) for name in names]

    def sum_of_all():
        lines = sorted("%s  %s\n" % (hashlib.sha256(read(path).encode()).hexdigest(), path) for path in files)
        return hashlib.sha256("".join(lines).encode()).hexdigest() + "\n"

    check(read(system.root, "data/system/presets") == sum_of_all(), "what is noted for it", read(system.root, "data/system/presets"))
    os.unlink(os.path.join(system.root, "data/system/presets-taken"))
    system.run("first-boot")
    page_is_kept(system, "the first start after an update")
    system.put("boot/sluice/network.conf", "ADDRESS=10.0.7.9/24\n")
    system.run("first-boot")
    page_is_kept(system, "another address, after it")
    check(read(system.root, "data/system/presets") == sum_of_all(), "what is noted for it then", read(system.root, "data/system/presets"))
    # It takes another configuration while it runs again, and notes that in its own way.
    system.put("boot/sluice/sluice.json", "{ }")
    system.put("data/system/presets", sum_of_all())
    system.run("first-boot")
    page_is_kept(system, "what the earlier version took meanwhile")
    system.put("boot/sluice/network.conf", "ADDRESS=10.0.7.8/24\n")
    system.run("first-boot")
    page_is_kept(system, "another address, behind that")


def a_new_configuration_finds_its_files(site):
    """Also one that was removed on the page since, with the broker that it was for; one that is there stays as it is."""
    system = a_gateway_of_presets(site)
    os.unlink(os.path.join(system.root, "etc/sluice/gw.key"))
    system.put("etc/sluice/own/meter.csv", "changed")
    system.put("boot/sluice/network.conf", "ADDRESS=10.0.7.9/24\n")
    system.run("first-boot")
    check(not system.has("etc/sluice/gw.key"), "without a new configuration it stays away")
    system.put("boot/sluice/sluice.json", "{ }")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{ }" and read(system.root, "etc/sluice/gw.key") == "a key", "its files")
    check(read(system.root, "etc/sluice/own/meter.csv") == "changed", "one that is there")


def nobody_else_reads_a_preset_while_it_is_taken(site):
    """Before it has its own mode, it is root's alone."""
    system = System(site)
    for name in ("gw.key", "setup-code", "sluice.json", "authorized_keys"):
        system.put("boot/sluice/" + name, "{}")
    system.put("bin/chmod", '#!/bin/sh\nstat -c "%a %n" "$2" >>"$SYSTEM/modes"\nexec /bin/chmod "$@"\n')
    os.chmod(os.path.join(system.root, "bin/chmod"), 0o755)
    before = os.umask(0)
    try:
        system.run("first-boot")
    finally:
        os.umask(before)
    modes = dict(reversed(line.split(" ", 1)) for line in read(system.root, "modes").splitlines())
    check(set(modes.values()) == {"600"} and len(modes) == 6, "modes", modes)


def a_full_disk_leaves_what_was_there(site):
    system = a_gateway_of_presets(site)
    for name, text in (("sluice.json", "{ }"), ("gw.key", "another"), ("network.conf", "ADDRESS=10.0.7.9/24\n")):
        system.put("boot/sluice/" + name, text)
    fails = '#!/bin/sh\nfor to in "$@"; do :; done\ncase $to in %s) : >"$to"; exit 1 ;; esac\nexec /bin/cp "$@"\n'
    system.put("bin/cp", fails % "*etc/*")
    os.chmod(os.path.join(system.root, "bin/cp"), 0o755)
    system.run("first-boot")
    page_is_kept(system, "on a full disk")
    check(read(system.root, "etc/sluice/gw.key") == "a key" and "Address=10.0.7.2/24" in read(system.root, "data/etc/70-preset.network"), "the others")
    check(not glob.glob(os.path.join(system.root, "*etc/sluice/*.new")), "half a file is left")
    check("could not be taken" in read(system.root, "dev/console"), "it is said")
    # A configuration whose files could not be taken is not judged, and comes with them.
    system.put("bin/cp", fails % "*etc/sluice/gw.key*")
    system.put("answers/sluicecheck", "fails")
    system.run("first-boot")
    page_is_kept(system, "without its key")
    check("mistakes" not in read(system.root, "dev/console"), "what is said of it", read(system.root, "dev/console"))
    os.unlink(os.path.join(system.root, "bin/cp"))
    os.unlink(os.path.join(system.root, "answers/sluicecheck"))
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{ }" and read(system.root, "etc/sluice/gw.key") == "another", "at the next start")


def network(system, content):
    """What is made of these settings, and what is said of them."""
    with open(os.path.join(system.root, "boot/sluice/network.conf"), "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    system.put("dev/console", "")
    system.run("first-boot")
    said = [line for line in read(system.root, "dev/console").splitlines() if line.startswith("sluice: network.conf")]
    return read(system.root, "run/systemd/network/70-preset.network").splitlines(), said


def settings_of_the_network_that_make_no_sense_are_told_and_left_out(site):
    system = System(site)
    made, said = network(system, "\ufeffADDRESS=fd00::5/64\r\n# a comment\r\n\r\nGATEWAY=fd00::1\r\nNTP=ntp.example.com 10.0.7.1\r\nDNS= \r\n")
    check({"Address=fd00::5/64", "Gateway=fd00::1", "NTP=ntp.example.com", "NTP=10.0.7.1"} <= set(made) and not said, "good ones", made, said)
    for address in ("10.0.7.5", "10.0.7.500/24", "10.0.7.5/33", "10.0.7/24", "10.0.7.5/24 10.0.7.6/24", "*/24", "x"):
        made, said = network(system, "ADDRESS=%s\nGATEWAY=10.0.7.1\n" % address)
        check("DHCP=yes" in made and not [line for line in made if line.startswith(("Address=10", "Gateway="))], "by DHCP", address, made)
        check(len(said) == 1 and "ADDRESS=%s is not taken: expected is an address with" % address in said[0], "it is said", address, said)
    made, said = network(system, "ADDRESS=10.0.7.5/24\nGATEWAY=router\nDNS=10.0.7.1, 10.0.7.2\nHOSTNAME=plant 7\nip=10.0.7.6\n")
    check({"Address=10.0.7.5/24", "DNS=10.0.7.2"} <= set(made) and not [line for line in made if line.startswith(("Gateway=", "DNS=10.0.7.1"))],
          "what makes sense is taken", made)
    check(len(said) == 4 and '"ip=10.0.7.6" is not known' in said[0] and "HOSTNAME=plant 7" in said[1] and "GATEWAY=router" in said[2] and
          "DNS=10.0.7.1, is not" in said[3], "each is said", said)
    check(not system.has("data/system/hostname"), "no name is made of it")


MARK = b"\xef\xbb\xbf"
# What editors leave, and what of it is taken: an address, a router, servers, a name.
SOUND = (
    (b"ADDRESS=10.0.7.5/24\t\nGATEWAY=10.0.7.1 \t\n", "10.0.7.5/24", "10.0.7.1", "", ""),
    (b"\tADDRESS\t=\t10.0.7.5/24\n \tHOSTNAME = plant7\n", "10.0.7.5/24", "", "", "plant7"),
    (MARK + b"HOSTNAME=plant7\r\nDNS=10.0.7.1 \t fd00::1\r\n", "", "", "10.0.7.1 fd00::1", "plant7"),
    (b"ADDRESS=fd00::5/64\nGATEWAY=fe80::1\n", "fd00::5/64", "fe80::1", "", ""),
    (b"HOSTNAME=a\nHOSTNAME=b\nADDRESS=10.0.7.5/24\nADDRESS=", "", "", "", "b"),
    (b"\t# a comment in K\xc3\xb6ln\n\t\n#HOSTNAME=x\n\x0bHOSTNAME=plant7\x0c", "", "", "", "plant7"),
    (b"DNS=::ffff:10.0.7.1\nADDRESS=::/0\n", "::/0", "", "::ffff:10.0.7.1", ""),
)
STRANGE = (b"DNS=fe80::1%eth0\n", b"HOSTNAME=a" + MARK + b"b\n", b"# " + MARK + b"\n" + MARK + b"HOSTNAME=a\n", MARK + MARK + b"HOSTNAME=a\n",
           "ADDRESS=10.0.7.5/24\r\n".encode("utf-16"), "ADDRESS=10.0.7.5/24\r\n".encode("utf-16-le"), b"GATEWAY=10.0.7.1\n",
           b"HOSTNAME=a\\nb\n", b"HOSTNAME=\xc2\xa0a\n", b"ADDRESS=10.0.7.5/024\n", b"NTP=a\x0bb\n", b"HOSTNAME\n", b"\xc2\xa0HOSTNAME=a\n")


def the_tool_and_the_image_read_settings_of_the_network_alike(site):
    for content, *wanted in SOUND:
        system = System(site)
        made, said = network(system, content)
        kept = {key: " ".join(line.partition("=")[2] for line in made if line.startswith(key + "=") and "169.254" not in line)
                for key in ("Address", "Gateway", "DNS")}
        name = read(system.root, "data/system/hostname").strip() if system.has("data/system/hostname") else ""
        check([*kept.values(), name] == wanted and not said, "the image", content, made, name, said)
        found = settings.settings(content)
        check([" ".join(found.get(key, "").split()) for key in ("ADDRESS", "GATEWAY", "DNS", "HOSTNAME")] == wanted, "the tool", content, found)
        check(settings.mistake(content) is None, "the tool takes it", content, settings.mistake(content))
    for content in STRANGE:
        system = System(site)
        made, said = network(system, content)
        check(len(said) == 1 and "DHCP=yes" in made and not system.has("data/system/hostname"), "the image tells it", content, made, said)
        check(not [line for line in made if line.startswith(("Gateway=", "DNS=", "NTP="))], "and takes nothing", content, made)
        check(settings.mistake(content), "the tool tells it", content)
    return "%d sound, %d strange" % (len(SOUND), len(STRANGE))


def a_preset_with_mistakes_is_not_taken(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{")
    system.put("boot/sluice/ca.pem", "a certificate")
    system.put("answers/sluicecheck", "fails")
    system.run("first-boot")
    check(not system.has("etc/sluice/sluice.json") and system.has("etc/sluice/ca.pem"), "what is taken")
    check("the preset sluice.json is not taken" in read(system.root, "dev/console") and
          "are taken: ca.pem\n" in read(system.root, "dev/console"), "what is said", read(system.root, "dev/console"))
    system.put("dev/console", "")
    system.run("first-boot")
    check(not read(system.root, "dev/console"), "it is told once", read(system.root, "dev/console"))


def a_preset_is_judged_for_the_board_that_it_is_on(site):
    """By the labels of its ports, at the first start already: the gateway would not start with one that is not there."""
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    system.put("bin/sluice", "#!/bin/sh\n[ -h $SYSTEM/etc/sluice/board ]\n")
    os.chmod(os.path.join(system.root, "bin/sluice"), 0o755)
    system.run("first-boot")
    check(system.has("etc/sluice/sluice.json"), "the board is known by then", read(system.root, "dev/console"))


def a_preset_that_lacked_a_file_is_taken_with_it(site):
    """And with nothing else that changes on the card: by then the gateway has a configuration of its own."""
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    system.put("boot/sluice/gw.key", "a key")
    system.put("answers/sluicecheck", "fails")
    system.run("first-boot")
    for name in ("answers/sluicecheck", "etc/sluice/gw.key"):
        os.unlink(os.path.join(system.root, name))
    for name in ("network.conf", "authorized_keys", "setup-code"):
        system.put("boot/sluice/" + name, "HOSTNAME=plant7\n")
        system.run("first-boot")
        check(not system.has("etc/sluice/sluice.json") and not system.has("etc/sluice/gw.key"), "it waits", name, read(system.root, "dev/console"))
    system.put("answers/sluicecheck", "fails")
    system.put("boot/sluice/ca.pem", "another one's")
    system.put("dev/console", "")
    system.run("first-boot")
    check(read(system.root, "dev/console").count("is not taken, for it has mistakes") == 1, "it is looked at, and told", read(system.root, "dev/console"))
    os.unlink(os.path.join(system.root, "answers/sluicecheck"))
    system.run("first-boot")
    check(not system.has("etc/sluice/sluice.json"), "it waits again")
    system.put("boot/sluice/ca.pem", "the right one")
    system.run("first-boot")
    check(read(system.root, "etc/sluice/sluice.json") == "{}", "it is taken")
    system.put("etc/sluice/sluice.json", "changed on the page")
    system.put("boot/sluice/ca.pem", "a third one")
    system.run("first-boot")
    page_is_kept(system, "once")


def a_preset_that_cannot_be_checked_is_taken_at_the_next_start(site):
    system = System(site)
    system.put("boot/sluice/sluice.json", "{}")
    program = read(system.root, "bin/sluice")
    for broken in ("#!/nowhere\n", "#!/bin/sh\nkill -BUS $$\n"):
        system.put("bin/sluice", broken)
        system.run("first-boot")
        check(not system.has("etc/sluice/sluice.json") and not system.has("data/system/presets"), "nothing is taken", broken)
        check("could not be taken" in read(system.root, "dev/console"), "it is said", read(system.root, "dev/console"))
    system.put("bin/sluice", program)
    system.run("first-boot")
    check(system.has("etc/sluice/sluice.json") and system.has("data/system/presets"), "it is taken")


main(the_data_partition_grows_once, a_disk_of_any_size_is_used, presets_are_taken_once_and_again_when_they_changed, one_preset_that_changed_takes_no_other_along,
     who_only_looks_at_a_card_changes_nothing, what_an_earlier_version_took_is_taken, a_full_disk_leaves_what_was_there, nobody_else_reads_a_preset_while_it_is_taken, a_new_configuration_finds_its_files,
     settings_of_the_network_that_make_no_sense_are_told_and_left_out, the_tool_and_the_image_read_settings_of_the_network_alike,
     a_preset_with_mistakes_is_not_taken, a_preset_is_judged_for_the_board_that_it_is_on, a_preset_that_lacked_a_file_is_taken_with_it, a_preset_that_cannot_be_checked_is_taken_at_the_next_start)
