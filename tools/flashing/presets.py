"""One template, many sites: for each row of a table a folder that goes onto the boot partition, and a label."""
import csv
import io
import json
import os
import pathlib
import re
import secrets
import shutil
import subprocess
import tempfile

from . import boards, labels, network
from .words import Refused, need, say

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none like another; as the gateway makes its own codes
CODE_LETTERS_MIN = 8
CODE_SIZE_MAX = 64
VALID_DAYS = 825  # phones refuse certificates that are valid for longer
SITE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
PLACE = re.compile(r"{{ *([^{}]*?) *}}")
OWN_COLUMNS = {"id", "name", "serial", "address", "setup_code", "board"}
FILE_COLUMN = "file:"
PAGE_CERTIFICATE, PAGE_KEY = "page.crt", "page.key"
LABELS = "labels.html"
MADE = ".made.json"  # what an earlier run has put into the folder of each site
STAY = {"setup-code", PAGE_CERTIFICATE, PAGE_KEY}  # once made, they are that site's


def read_sites(path):
    """The rows of the table, each a dictionary; what spreadsheets write, with commas, semicolons or tabs."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise Refused("there is no %s: the table of the sites, as docs/flashing.md shows it" % path) from None
    except OSError as error:
        raise Refused("%s cannot be read: %s" % (path, error.strerror)) from None
    except UnicodeDecodeError:
        raise Refused("%s is not UTF-8: save it as \"CSV UTF-8\"" % path) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    rows = rows_of(reader, path)
    columns = next(rows, [])
    named = [name for name in columns if name]
    if "id" not in named:
        raise Refused("%s has no column \"id\"%s: its first line names the columns, as id,name,serial,address" %
                      (path, "; it has " + ", ".join(named) if named else ""))
    if len(set(named)) != len(named):
        raise Refused("%s has two columns of one name: %s" % (path, ", ".join(sorted({name for name in named if named.count(name) > 1}))))
    sites = []
    for row in rows:
        cells = dict(enumerate(row))
        site = {name: cells.pop(number, "") for number, name in enumerate(columns) if name}
        if any(cells.values()):
            raise Refused("%s, line %d: there are more values than columns" % (path, reader.line_num))
        if any(site.values()):
            check_site(site, "%s, line %d" % (path, reader.line_num), sites)
            sites.append(site)
    if not sites:
        raise Refused("%s names no site" % path)
    return sites


def rows_of(reader, path):
    """The cells of each line. Spreadsheets leave empty ones at the ends of lines, also of the first one."""
    try:
        for row in reader:
            yield [value.strip() for value in row]
    except csv.Error as error:
        raise Refused("%s, line %d is no line of a table: %s" % (path, reader.line_num, error)) from None


def letters_of(code):
    """What of a code counts for the gateway."""
    return re.sub(r"[^A-Za-z0-9]", "", code).upper()


def check_site(site, where, before):
    if not SITE_ID.fullmatch(site["id"]):
        raise Refused("%s: the id \"%s\" can be no name of a folder: letters, digits, dot, dash and underscore" % (where, site["id"]))
    if site["id"].lower() == LABELS:
        raise Refused("%s: the id \"%s\" is the name of the sheet of labels, which lies beside the sites' folders: take another one" %
                      (where, site["id"]))
    if site["id"].lower() in [other["id"].lower() for other in before]:
        raise Refused("%s: there are two sites of the id %s: two gateways of one id take each other's connection" % (where, site["id"]))
    serial = site.get("serial")
    if serial and serial in [other.get("serial") for other in before]:
        raise Refused("%s: there are two sites of the serial number %s" % (where, serial))
    code = site.get("setup_code", "")
    if code and (len(letters_of(code)) < CODE_LETTERS_MIN or len(code) > CODE_SIZE_MAX or not code.isascii()):
        raise Refused("%s: the setup code \"%s\" is too short: at least %d letters and digits; leave it empty to have one made" %
                      (where, code, CODE_LETTERS_MIN))
    if code and letters_of(code) in [letters_of(other["setup_code"]) for other in before]:
        raise Refused("%s: there are two sites of one setup code: who knows it of one could make the other one his own" % where)
    for name, value in site.items():
        if re.search(r"[\x00-\x1f]", value):
            raise Refused("%s: the value of %s has a line end or another control character" % (where, name))


def read_template(path):
    """Name -> bytes of every file of the template: a folder, or a sluice.json alone. What begins with a dot no image takes."""
    if path.is_file():
        return {"sluice.json": path.read_bytes()}
    if not path.is_dir():
        raise Refused("there is no template %s: it is a folder with a sluice.json, or a sluice.json" % path)
    names = [file.relative_to(path) for file in sorted(path.rglob("*")) if file.is_file()]
    files = {str(name): (path / name).read_bytes() for name in names if not any(part.startswith(".") for part in name.parts)}
    if "sluice.json" not in files:
        raise Refused("%s has no sluice.json" % path)
    return files


def text_of(content):
    """None for what is no text."""
    try:
        return None if b"\0" in content else content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def filled(name, text, site):
    """The text with {{COLUMN}} filled in; in JSON inside quotes, so that quotes and umlauts in a table do no harm."""
    def one(match):
        value = site[match[1]]
        return json.dumps(value, ensure_ascii=False)[1:-1] if name.endswith(".json") else value
    return PLACE.sub(one, text)


def used_columns(template):
    """Column -> the file of the template that speaks of it."""
    texts = {name: text_of(content) or "" for name, content in template.items()}
    return {match[1]: name for name, text in texts.items() for match in PLACE.finditer(text)}


def check_template(template, sites):
    used = used_columns(template)
    strange = [column for column in used if column not in sites[0]]
    if strange:
        raise Refused("the template's %s speaks of {{%s}}, and the table has no such column; it has %s" %
                      (used[strange[0]], strange[0], ", ".join(sites[0])))
    if "id" not in used_columns({"sluice.json": template["sluice.json"]}):
        raise Refused("the template's sluice.json gives every site the same id: write \"gateway\": { \"id\": \"{{id}}\" }")
    if "setup-code" in template:
        raise Refused("the template has a file setup-code, which would be that of every site: the column setup_code gives each its own, "
                      "and one is made where it has none")
    unused = [name for name in sites[0] if name not in set(used) | OWN_COLUMNS and not name.startswith(FILE_COLUMN)]
    if unused:
        say("note: the template does not use the columns %s" % ", ".join(unused))


def save(path, content, secret=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)


def is_secret(name):
    return name.endswith((".key", ".password")) or name == "setup-code"


def keep_code(folder, site):
    """The code of the table, else the one of an earlier run, which may be printed already, else a new one."""
    path = folder / "setup-code"
    code = site.get("setup_code") or (path.read_text(encoding="ascii").strip() if path.exists() else "")
    if not code:
        letters = [secrets.choice(LETTERS) for _ in range(8)]
        code = "".join(letters[:4]) + "-" + "".join(letters[4:])
    save(path, (code + "\n").encode(), secret=True)
    return code


def is_number(address):
    """Whether it is an IP address, and no name."""
    return re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", address) is not None


def address_of(settings, site):
    """What a browser opens; "" where nobody knows before it is switched on. `settings` are those of the network."""
    return site.get("address") or settings.get("ADDRESS", "").split("/")[0] or (settings["HOSTNAME"] + ".local" if "HOSTNAME" in settings else "")


def check_address(folder, settings, address):
    """A page answers to the names that it knows, and refuses others: a label must not lead to a refusal."""
    name = settings.get("HOSTNAME")
    known = {name.lower(), name.lower() + ".local"} if name else set()
    if address and not is_number(address) and address.lower() not in known and '"%s"' % address not in (folder / "sluice.json").read_text(encoding="utf-8"):
        raise Refused("%s: its page would not answer to %s: add \"web\": { \"names\": [\"{{address}}\"] } to the template's sluice.json" %
                      (folder.name, address))


def openssl(*arguments):
    done = subprocess.run([need("openssl", "openssl"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused("openssl could not do it: %s" % done.stderr.strip())
    return done.stdout


def keep_certificate(folder, settings, address):
    """The page's certificate where the configuration names one, made once; its fingerprint, or ""."""
    certificate, key = folder / PAGE_CERTIFICATE, folder / PAGE_KEY
    if '"%s"' % PAGE_CERTIFICATE not in (folder / "sluice.json").read_text(encoding="utf-8"):
        return ""
    if not certificate.exists() or not key.exists():
        name = settings.get("HOSTNAME", "")
        names = [entry for entry in dict.fromkeys([address, name, name + ".local" if name else "", settings.get("ADDRESS", "").split("/")[0]]) if entry]
        if not names:
            raise Refused("%s: a certificate needs the address that the page is opened at: a column \"address\", or ADDRESS or HOSTNAME "
                          "in the template's network.conf" % folder.name)
        kinds = ["%s:%s" % ("IP" if is_number(entry) else "DNS", entry) for entry in names]
        save(key, b"", secret=True)  # no moment in which others could read it
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(VALID_DAYS),
                "-subj", "/CN=" + names[0][:64], "-addext", "subjectAltName=" + ",".join(kinds),
                "-addext", "extendedKeyUsage=serverAuth", "-keyout", str(key), "-out", str(certificate))
    return openssl("x509", "-in", str(certificate), "-noout", "-fingerprint", "-sha256").strip().split("=")[-1]


def find_sluice(wanted):
    """The program that checks the configurations."""
    if wanted:
        if not shutil.which(wanted):
            raise Refused("--sluice: %s is no program that can be run here" % wanted)
        return wanted
    for place in ("build/release/sluice", "build/asan/sluice"):
        if (boards.ROOT / place).exists():
            return str(boards.ROOT / place)
    found = shutil.which("sluice")
    if not found:
        raise Refused("sluice is neither built nor installed, and nothing is handed out that it has not checked: "
                      "cmake --preset release && cmake --build --preset release, or --sluice PROGRAM")
    return found


def check_made(sluice, folder, board):
    environment = dict(os.environ)
    if board:
        environment["SLUICE_BOARD"] = str(boards.ROOT / "boards" / boards.find(board, "gateway")["id"])
    done = subprocess.run([sluice, "check", str(folder / "sluice.json")], capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().replace(str(folder), folder.name)
        raise Refused("the configuration of %s has mistakes:\n%s" % (folder.name, said))


def files_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def read_made(out):
    """Site -> the names of the files that earlier runs made for it."""
    try:
        return {name: set(files) for name, files in json.loads((out / MADE).read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise Refused("%s, which notes what earlier runs have made, cannot be read: %s; remove it, and look yourself for files that the "
                      "template does not have any more" % (out / MADE, error)) from None


def make_sites(sites, template, tables, out, wanted, sluice):
    """Makes the folders and the labels, once all that is in all of them was checked. What an earlier run made, and this one does not, goes."""
    earlier, made, gone, others = read_made(out), [], [], []
    names = dict(earlier)
    with tempfile.TemporaryDirectory(dir=out, prefix=".") as place:
        place = pathlib.Path(place)
        for site in sites:
            folder, now = place / site["id"], names_of(site, template)
            if (out / site["id"]).is_dir():
                shutil.copytree(out / site["id"], folder)
            stale = files_of(folder) & earlier.get(site["id"], set()) - now
            for name in stale:
                (folder / name).unlink()
            made.append(fill_site(site, template, tables, folder, sluice, wanted.board))
            gone += [out / site["id"] / name for name in sorted(stale)]
            others += ["%s/%s" % (site["id"], name) for name in sorted(files_of(folder) - now)]
            names[site["id"]] = files_of(folder) & now
        # The sheet comes last: what it says is so by then.
        save(place / LABELS, labels.sheet(made, wanted.language).encode(), secret=True)
        for path in [path for site in sites for path in sorted((place / site["id"]).rglob("*"))] + [place / LABELS]:
            if path.is_file():
                replace(path, out / path.relative_to(place))
        for path in gone:
            path.unlink()
        save(place / MADE, json.dumps({name: sorted(files) for name, files in names.items()}, indent=1).encode())
        replace(place / MADE, out / MADE)
    if gone:
        say("note: removed, as the template does not have them any more: %s" % ", ".join(str(path.relative_to(out)) for path in gone))
    if others:
        say("note: not made by this tool, and going onto the cards as they are: %s" % ", ".join(others))


def replace(path, target):
    """A file in the place of one from an earlier run: it is that or this one, whenever this ends."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)


def given_files(site):
    """Name -> where it is, of the files that the table names for the site."""
    return {column[len(FILE_COLUMN):]: value for column, value in site.items() if column.startswith(FILE_COLUMN) and value}


def names_of(site, template):
    """The files that are made for a site."""
    return {str(pathlib.PurePath(name)) for name in [*template, *given_files(site), *STAY]}


def fill_site(site, template, tables, folder, sluice, board):
    for name, content in template.items():
        text = text_of(content)
        save(folder / name, content if text is None else filled(name, text, site).encode(), is_secret(name))
    for name, value in given_files(site).items():
        if name.startswith("/") or ".." in pathlib.PurePath(name).parts or not name:
            raise Refused("the column %s%s names no file of a site's folder" % (FILE_COLUMN, name))
        try:
            save(folder / name, (tables / value).read_bytes(), is_secret(name))
        except OSError as error:
            raise Refused("%s: %s cannot be read: %s" % (site["id"], tables / value, error.strerror)) from None
    network.check(folder)
    settings = network.settings_of(folder)
    code = keep_code(folder, site)
    address = address_of(settings, site)
    check_address(folder, settings, address)
    fingerprint = keep_certificate(folder, settings, address)
    check_made(sluice, folder, site.get("board") or board)
    return labels.Label(site["id"], site.get("name") or site["id"], site.get("serial", ""), address, code, fingerprint)


def make(wanted):
    table, out = pathlib.Path(wanted.sites), pathlib.Path(wanted.out)
    sites, template = read_sites(table), read_template(pathlib.Path(wanted.template))
    for site in sites:
        site["name"] = site.get("name") or site["id"]
    check_template(template, sites)
    sluice = find_sluice(wanted.sluice)
    need("qrencode", "qrencode")
    try:
        out.mkdir(parents=True, exist_ok=True)
        out.chmod(0o700)  # setup codes and keys
    except OSError as error:
        raise Refused("the folder %s cannot be made: %s; name another one" % (out, error.strerror)) from None
    make_sites(sites, template, table.parent, out, wanted, sluice)
    say("%d sites in %s, each checked. Labels: %s (print it, then keep it as you keep passwords)" % (len(sites), out, out / LABELS))
    print("\n".join(str(out / site["id"]) for site in sites))
