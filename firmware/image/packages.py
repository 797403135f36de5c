"""Debian's packages of an image: which versions, where from, and their files in a folder.

What an image is made of is locked: lock/NAME.txt has a line "NAME VERSION ARCHITECTURE SHA256" for each package. Nothing
of a package is run, so that no emulator is needed and the same packages always give the same files.

A version is Debian's when a signed index names the list that it is in. A mirror may have an index whose list of security fixes
it has not: a lock can be made without these, and then says so, and so does each build that takes it.
"""
import glob
import hashlib
import os
import re
import subprocess

from words import TOP, Trouble, read, run

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# What nobody reads on a gateway. The copyright files are kept together, see `copyrights`.
UNREAD = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./usr/share/info", "./usr/share/lintian",
          "./usr/share/bug", "./usr/share/doc-base", "./usr/share/bash-completion", "./usr/share/zsh", "./usr/share/i18n",
          "./usr/share/gdb", "./usr/share/reportbug", "./usr/share/perl5", "./usr/share/initramfs-tools", "./etc/init.d",
          "./etc/cron.daily", "./etc/cron.weekly", "./etc/logrotate.d", "./etc/default", "./etc/kernel", "./etc/rc*.d")

MERGED = ("bin", "sbin", "lib")

# The line of a lock that has no security fixes, up to the release that it has.
RELEASE_ALONE = "# Without security fixes: "


class Gone(Trouble):
    """A version that is locked is no longer to be had."""


class Archive:
    """Debian for one architecture, asked by an apt that has nothing installed."""

    def __init__(self, architecture, folder):
        self.architecture = architecture
        self.folder = os.path.join(folder, "apt", SUITE + "-" + architecture)
        self.pool = os.path.join(folder, "pool")
        for part in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(self.folder, part), exist_ok=True)
        os.makedirs(self.pool, exist_ok=True)
        self.sources = run(os.path.join(TOP, "tools/debian-sources"), SUITE, output=True).splitlines()
        self.take(security=True)
        open(self._path("status"), "a").close()
        with open(self._path("apt.conf"), "w") as out:
            out.write("""APT::Architecture "%s"; APT::Architectures { "%s"; };
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::Retries "3";
Dir::State "%s"; Dir::State::lists "lists"; Dir::State::status "%s"; Dir::Cache "%s"; Dir::Cache::archives "archives";
Dir::Etc::sourcelist "%s"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
""" % (architecture, architecture, self.folder, self._path("status"), self.folder, self._path("sources.list")))

    def take(self, security):
        """From here on with Debian's security fixes, or without them."""
        self.security = security
        self.current = False
        with open(self._path("sources.list"), "w") as out:
            for line in self.sources:
                if security or SUITE + "-security" not in line.split():
                    # What is not main is asked for by name alone: the firmware of the Raspberry Pi's own chip.
                    out.write(line.replace("deb ", "deb [signed-by=%s] " % KEYRING).replace(" main", " main non-free-firmware") + "\n")

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _apt(self, *arguments, **more):
        return run(*arguments, environment={"APT_CONFIG": self._path("apt.conf")}, **more)

    def _update(self):
        """Has apt know what there is."""
        if self.current:
            return
        try:
            self._apt("apt-get", "-qq", "update")
            self.current = True
        except Trouble as trouble:
            what = ("Nobody can say which versions are Debian's where a list is not the one that the mirror's signed index names. Try again "
                    "later, when the mirror has caught up, or with another mirror.")
            if SUITE + "-security/" in str(trouble):
                what += (" Where its list of security fixes stays so, --without-security locks Debian's release without them, which the lock "
                         "and each build then say.")
            raise Trouble("%s\n%s" % (trouble, what)) from None

    def release(self):
        """Which one the release is that there is: its number and date, as its index says."""
        self._update()
        for path in glob.glob(self._path("lists/*_dists_%s_*Release" % SUITE)):
            told = dict(re.findall(r"^(Version|Date): (.*)$", read(path), re.M))
            if len(told) == 2:
                return "Debian %s of %s" % (told["Version"], told["Date"])
        raise Trouble("apt has no index of %s in %s" % (SUITE, self._path("lists")))

    def newest(self, names):
        """The packages that `names` need, as Debian has them now: a list of (name, version, architecture)."""
        self._update()
        out = self._apt("apt-get", "install", "-qq", "--print-uris", *names, output=True)
        return _in_uris(out)

    def newest_alone(self, name):
        """The same of one package without what it needs; a name that stands for the newest kernel is followed to it."""
        self._update()
        needs = name.startswith("linux-image-") and re.search(r"^Depends: (linux-image-[0-9]\S+)", self._apt("apt-cache", "show", name, output=True), re.M)
        out = self._apt("apt-get", "download", "-qq", "--print-uris", needs.group(1) if needs else name, output=True)
        return _in_uris(out)[0]

    def file(self, name, version, architecture):
        """Where the package's file is, once it has been fetched."""
        return os.path.join(self.pool, "%s_%s_%s.deb" % (name, version.replace(":", "%3a"), architecture))

    def fetch(self, packages):
        """Has the files of `packages` in the pool."""
        missing = [package for package in packages if not os.path.exists(self.file(*package))]
        if not missing:
            return
        why = "Debian no longer has a version that is locked."
        try:
            self._update()
        except Trouble as trouble:
            # What is locked is known by its sum: whichever list names it will do.
            why = "A version that is locked is in none of the lists that the mirror has as it should, and one it has not:\n%s" % trouble
        wanted = ["%s:%s=%s" % (name, architecture if architecture != "all" else self.architecture, version)
                  for name, version, architecture in missing]
        try:
            self._apt("apt-get", "-qq", "download", *wanted, folder=self.pool)
        except Trouble as trouble:
            raise Gone("%s\n%s\n--newest takes what Debian has now and locks that; --substitute takes it this once" % (trouble, why)) from None


def _in_uris(printed):
    """What apt-get --print-uris names: [(name, version, architecture)], sorted."""
    files = re.findall(r"^'[^']*' (\S+)_(\S+)_(\S+)\.deb ", printed, re.M)
    if not files:
        raise Trouble("apt-get names no packages: %s" % printed)
    return sorted((name, version.replace("%3a", ":"), architecture) for name, version, architecture in files)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read_lock(lock):
    """The packages that it names, and the release that it has without security fixes, or None."""
    if not os.path.exists(lock):
        return [], None
    lines = read(lock).splitlines()
    alone = [line[len(RELEASE_ALONE):] for line in lines if line.startswith(RELEASE_ALONE)]
    return [tuple(line.split()) for line in lines if not line.startswith("#")], alone[0] if alone else None


def locked(archive, names, alone, lock, how="locked"):
    """
    Fetches `names` with what they need, and `alone` without, in the versions of the file `lock`. Debian drops a version
    when it has a newer one; `how` says what then: "locked" is Trouble; "substitute" takes the newest of all and says so;
    "newest" does that in any case, and locks it; "release" too, without security fixes. Returns [(name, version, path)].
    """
    old, release = _read_lock(lock)
    if how in ("newest", "release") or not old:
        archive.take(security=how != "release")
        return _lock_newest(archive, names, alone, lock, old)
    if release:
        archive.take(security=False)
        print("%s has %s and none of the security fixes since: --newest takes them in, where the mirror has a sound list of them" %
              (os.path.relpath(lock, TOP), release))
    try:
        archive.fetch([package[:3] for package in old])
    except Gone as gone:
        if how != "substitute":
            raise
        print("%s\n--substitute: taking the newest instead" % gone)
        return _newest(archive, names, alone)[1]
    for name, version, architecture, wanted in old:
        path = archive.file(name, version, architecture)
        if sha256(path) != wanted:
            raise Trouble("%s is not the file that %s names: remove it and try again; if it is so again, Debian has changed "
                          "it and somebody has to look why" % (path, lock))
    return [(name, version, archive.file(name, version, architecture))
            for name, version, architecture, _ in old]


def _newest(archive, names, alone):
    packages = sorted(set(archive.newest(names) + [archive.newest_alone(name) for name in alone]))
    archive.fetch(packages)
    return packages, [(package[0], package[1], archive.file(*package)) for package in packages]


def _lock_newest(archive, names, alone, lock, old):
    packages, files = _newest(archive, names, alone)
    new = [(*package, sha256(archive.file(*package))) for package in packages]
    for line in sorted(set(old) ^ set(new)):
        print("%s %s %s" % ("+" if line in new else "-", line[0], line[1]))
    os.makedirs(os.path.dirname(lock), exist_ok=True)
    with open(lock, "w") as out:
        out.write("# What tools/image --%s chose for: %s\n" % ("newest" if archive.security else "without-security", " ".join(names + alone)))
        if not archive.security:
            out.write(RELEASE_ALONE + archive.release() + "\n")
        out.writelines(" ".join(line) + "\n" for line in new)
    return files


def unpack(packages, root, leave=(), unread=UNREAD):
    """
    Puts the files of `packages` below `root`, where /bin, /sbin and /lib are links into /usr. `leave` are the names of
    packages that others ask for and that an image without a package manager has no use for.
    """
    for name in MERGED:
        os.makedirs(os.path.join(root, "usr", name), exist_ok=True)
        if not os.path.islink(os.path.join(root, name)):
            os.symlink("usr/" + name, os.path.join(root, name))
    for name, _, path in packages:
        if name in leave:
            continue
        contents = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
        try:
            run("tar", "-x", "-p", "--numeric-owner", "--keep-directory-symlink", "-C", root,
                *("--exclude=" + pattern for pattern in unread), input=contents.stdout)
        finally:
            contents.stdout.close()
            if contents.wait():
                raise Trouble("%s could not be unpacked: remove it, and it is fetched again" % path)


def copyrights(packages, out):
    """Writes the copyright files of `packages` one behind the other to the file `out`."""
    for name, version, path in packages:
        contents = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path], stdout=subprocess.PIPE)
        text = subprocess.run(["tar", "-x", "--to-stdout", "--wildcards", "./usr/share/doc/*/copyright"],
                              stdin=contents.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        contents.stdout.close()
        contents.wait()
        out.write(b"==== %s %s\n%s\n" % (name.encode(), version.encode(), text))
