#!/usr/bin/python3
"""tools/flash presets: one template for many sites, and a label for each."""
import html
import os
import pathlib
import re
import shutil
import sys
import urllib.parse

from harness import Gateway, check, main, program
from harness.api import Api
from harness.flashing import TREE, done, refused, run, site_folder, tool
sys.path.insert(0, str(TREE / "tools"))
from flashing import labels, presets  # noqa: E402

EXAMPLE = TREE / "docs/examples/sites"


def read_qr(site, label):
    """What a phone reads on a label."""
    path = site.path("label.html")
    with open(path, "w") as out:
        out.write('<body style="margin:0;background:#fff"><div style="width:300px">%s</div>' % label.replace("<svg", '<svg style="width:300px;height:300px"'))
    tool("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--screenshot=" + site.path("label.png"), "--window-size=400,400", "file://" + path)
    return tool("zbarimg", "--quiet", "--raw", site.path("label.png")).strip()


def one_template_makes_many_sites_and_their_labels(site):
    out = pathlib.Path(site.path("out"))
    words = ("presets", EXAMPLE / "sites.csv", EXAMPLE / "template", out, "--board", "rpi4", "--sluice", program("sluice"))
    answer = done(run(*words), "3 sites")
    check(answer.stdout.split() == [str(out / name) for name in ("plant7", "plant8", "brewery")], "the folders", answer.stdout)
    check(out.stat().st_mode & 0o777 == 0o700 and (out / "plant7/page.key").stat().st_mode & 0o777 == 0o600, "secrets are kept")
    check('"hall \\"north\\"' in (out / "plant8/sluice.json").read_text().replace("Plant 8, ", '"'), "quotes", (out / "plant8/sluice.json").read_text())
    check("HOSTNAME=brewery" in (out / "brewery/network.conf").read_text(), "network")
    sheet = (out / "labels.html").read_text()
    labels = re.findall(r"<article>.*?</article>", sheet, re.S)
    check(len(labels) == 3 and "Brauerei Übersee" in labels[2] and "SL-000119" in labels[2], "the labels", sheet[-3000:])
    code = (out / "plant7/setup-code").read_text().strip()
    check(re.fullmatch("[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", code) and code in html.unescape(labels[0]), "its code", code)
    seen = read_qr(site, re.search(r"<svg.*?</svg>", labels[0], re.S)[0])
    check(seen == "https://10.0.7.5/#/?code=" + code, "what a phone reads", seen)
    # What is printed stays true when a site is added.
    before = {path: path.read_bytes() for path in out.rglob("*") if path.name in ("setup-code", "page.key", "page.crt")}
    table = pathlib.Path(site.path("more.csv"))
    table.write_bytes(b"\xef\xbb\xbf" + (EXAMPLE / "sites.csv").read_bytes() + b"plant9,,,10.0.9.5/24,10.0.9.1,3\n\n")
    done(run("presets", table, *words[2:], "--language", "de"), "4 sites")
    check("Seriennr." in (out / "labels.html").read_text(), "in German")
    check(len(before) == 9 and all(path.read_bytes() == content for path, content in before.items()), "what was made is kept")
    check('"name": "plant9"' in (out / "plant9/sluice.json").read_text(), "a name that is not given is the id")


def the_setup_code_and_the_certificate_of_a_label_are_the_gateways(site):
    out = pathlib.Path(site.path("out"))
    done(run("presets", EXAMPLE / "sites.csv", EXAMPLE / "template", out, "--sluice", program("sluice")))
    folder = out / "plant7"
    code = (folder / "setup-code").read_text().strip()
    gateway = Gateway(site, [], [], [], web={"cert": "page.crt", "key": "page.key"})
    for name in ("setup-code", "page.crt", "page.key"):
        shutil.copy(folder / name, os.path.dirname(gateway.config_path))
    gateway.start()
    api = Api(gateway)
    check(api.get("/api/v1/setup")["code"] == code, "the daemon's code", api.get("/api/v1/setup"), code)
    answer = api.ask("POST", "/api/v1/setup", {"code": code, "password": "three plain words"}, {"Content-Type": "application/json"})
    check(answer.status == 200, "it makes its bearer the owner", answer.status, answer.text)
    shown = tool("openssl", "x509", "-noout", "-fingerprint", "-sha256", input=tool(
        "openssl", "s_client", "-connect", gateway.url.split("//")[1], input="")).strip().split("=")[-1]
    sheet = (out / "labels.html").read_text().replace("<br>", "")
    check(shown in sheet, "the fingerprint on the label", shown)
    gateway.stop()


MISTAKES = (
    ("name\nx\n", None, "no column \"id\""),
    ("id\n", None, "names no site"),
    ("id\na\nA\n", None, "two sites of the id A"),
    ("id\n../a\n", None, "can be no name of a folder"),
    ("id,gateway\nlabels.html,a\n", '{"version":1,"gateway":{"id":"{{gateway}}","name":"{{id}}"}}', "the id \"labels.html\" is the name of the sheet of labels"),
    ("id,gateway\nLabels.html,a\n", '{"version":1,"gateway":{"id":"{{gateway}}","name":"{{id}}"}}', "the id \"Labels.html\" is the name of the sheet of labels"),
    ("id,serial\na,1\nb,1\n", None, "two sites of the serial number 1"),
    ("id,setup_code\na,1234567\n", None, "too short"),
    ("id,setup_code\na,abcd-efgh\nb,ABCDEFGH\n", None, "two sites of one setup code"),
    ("id,id\na,b\n", None, "two columns of one name"),
    ("id,name\na,\"x\ny\"\n", None, "the value of name has a line end"),
    ("id\na,b\n", None, "more values than columns"),
    ("id,,\na,,b\n", None, "more values than columns"),
    ("id,%s\na,b\n" % ("x" * 200000), None, "line 1 is no line of a table"),
    ("id\na\n", '{"version":1,"gateway":{"id":"{{id}}","name":"{{town}}"}}', "speaks of {{town}}"),
    ("id\na\n", '{"version":1,"gateway":{"id":"plant7"}}', "gives every site the same id"),
    ("id,unit\na,x\n", '{"version":1,"gateway":{"id":"{{id}}"},"unit":"{{unit}}"}', "the configuration of a has mistakes"),
    ("id,file:../x\na,y\n", None, "names no file"),
    ("id,file:ca.pem\na,y.pem\n", None, "y.pem cannot be read"),
    ("id\na\n", '{"version":1,"gateway":{"id":"{{id}}"},"web":{"cert":"page.crt","key":"page.key"}}', "needs the address"),
    ("id,address\na,a.example.com\n", None, "would not answer to a.example.com"),
)


def a_table_is_read_as_any_spreadsheet_leaves_it(site):
    path = pathlib.Path(site.path("sites.csv"))
    wanted = [{"id": "plant7", "name": "Köln, Süd"}, {"id": "plant8", "name": ""}]
    for table in ('id,name\nplant7,"Köln, Süd"\nplant8,\n', '\ufeffid;name\r\nplant7;Köln, Süd\r\n\r\nplant8;\r\n;\r\n', "id\tname\rplant7\tKöln, Süd\rplant8\r",
                  'id,name,,\nplant7,"Köln, Süd",,\nplant8,,,\n,,,\n', ' id ,name\nplant7,"Köln, Süd" ,,,\n\nplant8'):
        path.write_bytes(table.encode())
        check(presets.read_sites(path) == wanted, "the sites", table, presets.read_sites(path))


def what_a_label_opens_has_the_code_whole(_site):
    label = labels.Label("a", "a", "", "fd00::5", "AB&CD#12 3%4+5", "")
    address, _, query = labels.link(label).partition("?")
    check(address == "https://[fd00::5]/#/" and urllib.parse.parse_qs(query) == {"code": [label.code]}, "as the page reads it", labels.link(label))


def mistakes_in_tables_and_templates_are_told(site):
    for number, (table, template, words) in enumerate(MISTAKES):
        folder = site_folder(site, "case%d" % number, template or '{"version":1,"gateway":{"id":"{{id}}"}}')
        (folder / "sites.csv").write_text(table)
        refused(run("presets", folder / "sites.csv", folder / "sluice.json", folder / "out", "--sluice", program("sluice")), words)
    return "%d mistakes" % len(MISTAKES)


NETWORKS = (
    ("ADDRESS=10.0.7.5\n", "line 1, \"ADDRESS=10.0.7.5\": expected is an address with the size of its network"),
    ("\nADDRESS=10.0.7.500/24\n", "line 2, \"ADDRESS=10.0.7.500/24\""),
    ("ADDRESS=10.0.7.5/33\n", "the size of its network"),
    ("ADDRESS=10.0.7.5/255.255.255.0\n", "the size of its network"),
    ("IP=10.0.7.5/24\n", "\"IP=10.0.7.5/24\", is not known: there are ADDRESS, GATEWAY"),
    ("address=10.0.7.5/24\n", "is not known"),
    ("10.0.7.5/24\n", "is not known"),
    ("ADDRESS=10.0.7.5/24\nGATEWAY=10.0.8.1\n", "is not in the network of"),
    ("ADDRESS=10.0.7.5/24\nGATEWAY=fe80::1\n", "is not in the network of"),
    ("ADDRESS=fd00::5/64\nGATEWAY=fd01::1\n", "is not in the network of"),
    ("GATEWAY=10.0.7.1\nADDRESS=\n", "GATEWAY=10.0.7.1 is not taken without an ADDRESS"),
    ("DNS=10.0.7.1, 10.0.7.2\n", "expected is addresses"),
    ("DNS=fe80::1%eth0\n", "expected is addresses"),
    ("HOSTNAME=a\0b\n", "it is no plain text"),
    ("HOSTNAME=plant_7\n", "letters, digits and dashes"),
)
NETWORK = "\ufeff# this site\r\n\r\n ADDRESS = fd00::5/64\r\nGATEWAY=fd00::1\nDNS=10.0.7.1 fd00::1\nNTP=ntp.example.com 10.0.7.1\nHOSTNAME=\n"


def settings_of_a_network_that_make_none_are_told(site):
    template = site_folder(site, "template", '{"version":1,"gateway":{"id":"{{id}}"}}')
    table = site.write("sites.csv", "id\na\n")
    out = pathlib.Path(site.path("out"))
    words = ("presets", table, template, out, "--sluice", program("sluice"))
    for text, said in NETWORKS:
        (template / "network.conf").write_text(text)
        refused(run(*words), "a: network.conf: ", said)
        # By hand it is made as easily.
        refused(run("write", "rpi4", site.path("card"), "--image", table, "--presets", template, "--yes"), "network.conf: ", said)
    (template / "network.conf").write_text(NETWORK, newline="")
    done(run(*words), "1 sites")
    (template / "network.conf").write_text("ADDRESS=fd00::5/64\nGATEWAY=fe80::1\n")
    done(run(*words), "1 sites")
    # However an editor has left it, the label has the address that the image takes.
    (template / "network.conf").write_bytes(b"\xef\xbb\xbfADDRESS\t=10.0.7.4/24\r\n\tADDRESS = 10.0.7.9/24\t\r\n")
    done(run(*words), "1 sites")
    check("https://10.0.7.9<" in (out / "labels.html").read_text(), "the label")
    (template / "network.conf").write_bytes("HOSTNAME=hällo".encode("latin-1"))
    refused(run("write", "rpi4", site.path("card"), "--image", table, "--presets", template, "--yes"), "it is not UTF-8")
    return "%d mistakes" % len(NETWORKS)


def what_has_a_mistake_is_not_handed_out(site):
    good = '{"version":1,"gateway":{"id":"{{id}}"}}'
    template, out = site_folder(site, "template", good), pathlib.Path(site.path("out"))
    table = pathlib.Path(site.write("sites.csv", "id\na\n"))
    words = ("presets", table, template, out, "--sluice", program("sluice"))
    done(run(*words))
    (out / "a/by-hand.pem").write_text("what somebody put there")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    table.write_text("id\na\nb\n")
    (template / "sluice.json").write_text(good[:-1] + ',"buses":[{}]}')
    answer = run(*words)
    refused(answer, "the configuration of a has mistakes", "a/sluice.json")
    check(str(out) not in answer.stderr, "a folder that is gone is not named", answer.stderr)
    left = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    check(left == before and os.listdir(out / "a") and not (out / "b").exists(), "it is as it was", sorted(left))
    check(sorted(os.listdir(out)) == [".made.json", "a", "labels.html"], "nothing else is left", os.listdir(out))
    # A mistake in the second one leaves the first one, and the labels, as they were.
    table.write_text("id,ip\na,10.0.7.5/24\nb,10.0.7.6\n")
    (template / "sluice.json").write_text(good)
    (template / "network.conf").write_text("ADDRESS={{ip}}\n")
    refused(run(*words), "b: network.conf: ")
    left = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    check(left == before and sorted(os.listdir(out)) == [".made.json", "a", "labels.html"], "all is as it was", sorted(left))
    (template / "network.conf").unlink()
    (template / "setup-code").write_text("abcd-efgh")
    refused(run(*words), "would be that of every site")
    (template / "setup-code").unlink()
    done(run(*words), "2 sites")
    check((out / "a/by-hand.pem").exists() and (out / "a/setup-code").read_bytes() == before[out / "a/setup-code"], "what was there stays")


def what_a_template_has_no_more_goes(site):
    template, out = site_folder(site, "template", '{"version":1,"gateway":{"id":"{{id}}"}}'), pathlib.Path(site.path("out"))
    table = pathlib.Path(site.write("sites.csv", "id,file:tls/gw.key\na,a.key\nb,a.key\n"))
    site.write("a.key", "a key")
    for name in ("authorized_keys", ".DS_Store"):
        (template / name).write_text("of the template")
    words = ("presets", table, template, out, "--sluice", program("sluice"))
    answer = done(run(*words))
    check("note: " not in answer.stderr and (out / "a/authorized_keys").exists() and not (out / "a/.DS_Store").exists(), "the first run", answer.stderr)
    code = (out / "a/setup-code").read_text()
    (out / "a/by-hand.pem").write_text("what somebody put there")
    (template / "authorized_keys").unlink()
    table.write_text("id,file:tls/gw.key\na,\n")
    answer = done(run(*words))
    check("removed, as the template does not have them any more: a/authorized_keys, a/tls/gw.key\n" in answer.stderr, "what went", answer.stderr)
    check("going onto the cards as they are: a/by-hand.pem\n" in answer.stderr, "what is not the tool's", answer.stderr)
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    check(left >= {"a/sluice.json", "a/setup-code", "a/by-hand.pem", "b/authorized_keys"} and not left & {"a/authorized_keys", "a/tls/gw.key"}, "what is there", left)
    check((out / "a/setup-code").read_text() == code, "the code of the label stays")
    # A site that was out of the table for a while.
    table.write_text("id,file:tls/gw.key\na,\nb,a.key\n")
    answer = done(run(*words))
    check("any more: b/authorized_keys\n" in answer.stderr and (out / "b/tls/gw.key").exists(), "what went then", answer.stderr)


main(one_template_makes_many_sites_and_their_labels, the_setup_code_and_the_certificate_of_a_label_are_the_gateways,
     a_table_is_read_as_any_spreadsheet_leaves_it, what_a_label_opens_has_the_code_whole, mistakes_in_tables_and_templates_are_told, settings_of_a_network_that_make_none_are_told, what_has_a_mistake_is_not_handed_out,
     what_a_template_has_no_more_goes)
