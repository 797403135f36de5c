"""tools/flash as a person calls it, and what is to be seen of its end."""
import pathlib
import subprocess

from .site import check

TREE = pathlib.Path(__file__).resolve().parents[3]
FLASH = TREE / "tools/flash"


def run(*words, tool=FLASH, **more):
    return subprocess.run([tool, *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **more)


def refused(answer, *words):
    check(answer.returncode == 1, "it is refused", answer.returncode, answer.stdout, answer.stderr)
    check("Traceback" not in answer.stderr, "a sentence", answer.stderr)
    for word in words:
        check(word in answer.stderr, "it says why", word, answer.stderr)


def done(answer, *words):
    check(answer.returncode == 0, "it is done", answer.stdout, answer.stderr)
    for word in words:
        check(word in answer.stdout + answer.stderr, "it says", word, answer.stdout, answer.stderr)
    return answer


def site_folder(site, name, text):
    """A folder with that sluice.json: of one site, or the template of many."""
    folder = pathlib.Path(site.path(name))
    folder.mkdir()
    (folder / "sluice.json").write_text(text)
    return folder


def tool(*words, **more):
    return subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True, **more).stdout
