"""Running programs, and telling what went wrong."""
import os
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))


class Trouble(Exception):
    """Something that whoever builds the image has to mend; its text says what."""


def run(*command, output=False, input=None, folder=None, environment=None):
    """Runs a program. Returns what it printed, with `output`; Trouble with its last words when it fails."""
    try:
        done = subprocess.run(command, stdin=input or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=folder, env={**os.environ, **(environment or {})}, check=False)
    except FileNotFoundError:
        raise Trouble("the program %s is missing: tools/prepare image installs it" % command[0]) from None
    if done.returncode:
        last = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-12:]
        raise Trouble("%s failed:\n  %s" % (" ".join(command)[:400], "\n  ".join(last)))
    return done.stdout.decode(errors="replace") if output else None


def read(*parts):
    """A text file's contents."""
    with open(os.path.join(*parts)) as file:
        return file.read()


def names(*parts):
    """The words of a text file, without its comments."""
    return [word for line in read(*parts).splitlines() for word in line.split("#")[0].split()]
