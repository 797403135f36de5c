"""One test's folder, the processes in it, and waiting for conditions."""
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LONG = bool(os.environ.get("SLUICE_LONG"))
BUILD = os.environ.get("SLUICE_BUILD") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "../../../build/asan"))

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """The product did not do what the test says it does."""


class Skip(Exception):
    """This machine does not permit the test."""


def check(truth, *what):
    """Fails with `what`, the things that were seen, unless `truth`."""
    if not truth:
        raise Failure(": ".join(item if isinstance(item, str) else json.dumps(item, default=str)
                                for item in what))


def slowness():
    """
    How many times longer things may take here at present than on a machine that has nothing else to do: as many as
    there are programs to each processor that want it. At most eight: what takes longer still does not come.
    """
    return min(8.0, max(1.0, os.getloadavg()[0] / os.cpu_count()))


def is_in_chroot():
    """There nothing is mounted at /: what its files lie on has no name, and no container can be made."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return "/" not in [line.split()[4] for line in mounts]


def wait_for(condition, deadline_s, what):
    """Polls until `condition` returns something true, and returns that. The deadline is for a machine that is ours."""
    begun = time.monotonic()
    while True:
        seen = condition()
        if seen:
            return seen
        waited_s = time.monotonic() - begun
        if waited_s > deadline_s and waited_s > deadline_s * slowness():
            raise Failure("not within %g s (%g s on a machine that is ours): %s" % (waited_s, deadline_s, what))
        time.sleep(0.02)


def program(name):
    """The path of one of our programs in the build folder."""
    for folder, folders, files in os.walk(BUILD):
        folders[:] = [entry for entry in folders if entry != "CMakeFiles"]
        path = os.path.join(folder, name)
        if name in files and os.access(path, os.X_OK):
            return path
    raise Failure("there is no program %s below %s: build it, or set SLUICE_BUILD" % (name, BUILD))


def totals(name, **figures):
    """Leaves what this test has counted for the reliability page."""
    folder = os.environ.get("SLUICE_TOTALS")
    if folder:
        with open(os.path.join(folder, name + ".json"), "w") as out:
            json.dump(figures, out)


def _end_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program of the test. Its output goes to a log in the folder, unless `pipe`."""

    def __init__(self, name, arguments, log_path, pipe=False, environment=None):
        self.name = name
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if pipe else log, stderr=log,
                preexec_fn=_end_with_parent, env={**os.environ, **(environment or {})})

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def is_idle(self):
        """Whether it did next to nothing with the processor for two seconds: nothing more comes in."""
        before = self._ticks()
        time.sleep(2)
        return self._ticks() - before <= 5

    def _ticks(self):
        with open("/proc/%d/stat" % self.pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        """SIGKILL, and gone when this returns."""
        self.popen.kill()
        self.popen.wait()

    def end(self, deadline_s=20):
        """SIGTERM; returns the exit status."""
        if self.alive():
            self.popen.terminate()
        try:
            return self.popen.wait(deadline_s * slowness())
        except subprocess.TimeoutExpired:
            raise Failure("%s did not end within %g s of SIGTERM" % (self.name, deadline_s)) from None


class Site:
    """A context: at its end nothing that was started runs, and the folder is gone unless the test failed."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="sluice-system-" + name[:24].replace(" ", "-") + "-")
        self.truth = self.path("truth")
        open(self.truth, "w").close()
        self.processes = []
        self.endings = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for ending in reversed(self.endings):
            ending()
        for process in reversed(self.processes):
            if process.alive():
                process.kill()
            if process.popen.stdout:
                process.popen.stdout.close()
        if kind and kind is not Skip:
            self._tell()
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _tell(self):
        for process in self.processes:
            lines = process.log().splitlines()[-40:]
            print("--- %s (pid %d, status %s)" % (process.name, process.pid, process.popen.returncode))
            print("\n".join(lines))
        print("--- everything is in", self.folder, flush=True)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        return self.path(name)

    def at_end(self, ending):
        """Calls `ending` when the test is over, the last one first."""
        self.endings.append(ending)

    def start(self, name, *arguments, pipe=False, environment=None):
        process = Process(name, arguments, self.path(name + ".log"), pipe, environment)
        self.processes.append(process)
        return process

    def wait_values(self, count, deadline_s=60):
        """Until the simulators have sent `count` more values."""
        wanted = len(self.witnesses()) + count
        wait_for(lambda: len(self.witnesses()) >= wanted, deadline_s, "%d more values from the field" % count)

    def witnesses(self):
        """What the simulators say they sent, so far."""
        with open(self.truth) as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]


_claims = []  # of this program, until it ends


def _claim(port):
    """Whether no other test has been given that port, which it may not listen on at present."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind("\0sluice-test-port-%d" % port)
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def free_port():
    """A TCP port of the loopback that nobody has at present, and that is this test's alone from now on.

    None of those that the system gives to clients: a client that tries to reach a party that is away would sooner or
    later be given that very port, reach itself, and keep the party from coming back.
    """
    for port in random.sample(range(10000, 32768), 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if _claim(port):
            return port
    raise Failure("no free port below those of clients")
