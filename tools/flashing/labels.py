"""A sheet of labels for the housings: who the gateway is, how it is opened, and how its first visitor proves to stand before it."""
import collections
import html
import subprocess
import urllib.parse

from .words import Refused, need

Label = collections.namedtuple("Label", "id name serial address code fingerprint")
WORDS = {
    "en": {"id": "id", "serial": "serial", "open": "open", "code": "code", "certificate": "SHA-256 of its certificate",
           "address": "its address is on its console", "title": "Labels of %d gateways"},
    "de": {"id": "Kennung", "serial": "Seriennr.", "open": "öffnen", "code": "Code", "certificate": "SHA-256 seines Zertifikats",
           "address": "seine Adresse steht auf seiner Konsole", "title": "Schilder von %d Gateways"},
}

STYLE = """
@page { size: A4; margin: 10mm }
body { margin: 0; font: 9pt/1.3 system-ui, sans-serif; color: #000; background: #fff }
main { display: grid; grid-template-columns: repeat(2, 92mm); gap: 4mm; justify-content: center }
article { box-sizing: border-box; height: 51mm; padding: 3mm; border: 0.2mm dashed #888; display: grid;
  grid-template-columns: 31mm 1fr; gap: 3mm; break-inside: avoid; overflow: hidden }
svg { width: 31mm; height: 31mm; display: block }
h2 { font-size: 11pt; line-height: 1.15; margin: 0 0 1mm; overflow: hidden; max-height: 9.5mm }
dl { margin: 0; display: grid; grid-template-columns: auto 1fr; gap: 0 2mm }
dt { color: #444 }
dd { margin: 0; overflow-wrap: anywhere }
.code { font: 700 12pt/1.2 ui-monospace, monospace; white-space: nowrap }
.fingerprint { grid-column: 1 / -1; align-self: end; font: 7pt/1.3 ui-monospace, monospace }
.no-qr { width: 31mm; height: 31mm; border: 0.2mm solid #888; display: grid; place-items: center; text-align: center; font-size: 7pt }
"""


def link(label):
    """What the QR code opens: the setup page with the code, which a browser never sends to the network (it is behind the #)."""
    return "https://%s/#/?code=%s" % ("[%s]" % label.address if ":" in label.address else label.address, urllib.parse.quote(label.code, safe=""))


def qr(text):
    done = subprocess.run([need("qrencode", "qrencode"), "--type=SVG", "--inline", "--svg-path", "--rle", "--margin=2", "--level=M", "--output=-", text],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused("qrencode could not draw \"%s\": %s" % (text, done.stderr.strip()))
    return done.stdout[done.stdout.index("<svg"):]


def row(name, value, kind=""):
    return "<dt>%s</dt><dd%s>%s</dd>" % (name, ' class="%s"' % kind if kind else "", html.escape(value)) if value else ""


def one(label, words):
    picture = qr(link(label)) if label.address else '<div class="no-qr">%s</div>' % words["address"]
    fingerprint = '<div class="fingerprint">%s<br>%s</div>' % (words["certificate"], "<br>".join(
        (label.fingerprint[:48], label.fingerprint[48:]))) if label.fingerprint else ""
    return "<article>%s<div><h2>%s</h2><dl>%s</dl></div>%s</article>" % (picture, html.escape(label.name), "".join([
        row(words["id"], label.id), row(words["serial"], label.serial), row(words["open"], "https://" + label.address if label.address else ""),
        row(words["code"], label.code, "code")]), fingerprint)


def sheet(made, language):
    """An HTML page that prints ten labels on a sheet of A4."""
    words = WORDS[language]
    return ('<!doctype html>\n<html lang="%s">\n<meta charset="utf-8">\n<title>%s</title>\n<style>%s</style>\n<main>\n%s\n</main>\n'
            % (language, words["title"] % len(made), STYLE, "\n".join(one(label, words) for label in made)))
