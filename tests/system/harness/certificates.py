"""Certificates made on the spot by openssl: one authority, and what it or a stranger signs."""
import os
import subprocess
import time

CA_CONFIG = """
[ca]
default_ca = authority
[authority]
dir = {folder}
database = {folder}/{name}.index
new_certs_dir = {folder}
serial = {folder}/{name}.serial
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
"""


def _openssl(*arguments):
    done = subprocess.run(("openssl",) + arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError("openssl %s: %s" % (" ".join(arguments), done.stdout))


class Authority:
    """`path` is its certificate; `issue` makes further ones."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.name = name
        self.path = os.path.join(folder, name + ".pem")
        self.key = os.path.join(folder, name + ".key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-subj", "/CN=%s of the tests" % name, "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self.key, "-out", self.path)
        self.config = os.path.join(folder, name + ".cnf")
        with open(self.config, "w") as out:
            out.write(CA_CONFIG.format(folder=folder, name=name))
        open(os.path.join(folder, name + ".index"), "w").close()
        with open(os.path.join(folder, name + ".serial"), "w") as out:
            out.write("1000\n")

    def issue(self, name, names="DNS:localhost,IP:127.0.0.1", expired=False, days=30):
        """Makes a certificate with the common name `name`, good for so many days and a half, and its key; returns both paths."""
        base = os.path.join(self.folder, "%s-%s." % (self.name, name))
        certificate, key, request, extensions = (base + ending for ending in ("crt", "key", "csr", "ext"))
        with open(extensions, "w") as out:
            out.write("subjectAltName=%s\nbasicConstraints=CA:FALSE\n" % names)
        _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                 "-keyout", key, "-out", request)
        validity = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z") if expired else ("-enddate", time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + (days + 0.5) * 86400)))
        _openssl("ca", "-batch", "-notext", "-config", self.config, "-cert", self.path, "-keyfile", self.key, "-in",
                 request, "-out", certificate, "-extfile", extensions, *validity)
        os.chmod(key, 0o600)
        return certificate, key
