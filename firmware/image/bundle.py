"""The signed bundle that updates a running gateway, and the keys that it is signed with."""
import os
import shutil

from words import Trouble, read, run


# An authority that can also say which of its certificates are revoked.
AUTHORITY = """[ca]
default_ca = own
[own]
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
default_days = 7300
default_crl_days = 7300
policy = any
x509_extensions = signer
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[signer]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
"""


class Keys:
    """
    The keys in `folder`, made if there are none: keyring.pem is what a gateway trusts, signer.pem and signer.key sign.
    Those that are made here are for development: whoever has this folder can update every gateway that trusts them.
    """

    def __init__(self, folder):
        self.folder = folder
        self.keyring, self.certificate, self.key = map(self._path, ("keyring.pem", "signer.pem", "signer.key"))
        if not os.path.exists(folder):
            self._make()
        for path in (self.keyring, self.certificate, self.key):
            if not os.path.exists(path):
                raise Trouble("the folder with the keys for updates has no %s; see docs/image.md" % path)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _make(self):
        os.makedirs(self.folder, mode=0o700)
        for name, text in (("authority.cnf", AUTHORITY.format(folder=self.folder)), ("index.txt", ""), ("serial", "01\n"),
                           ("crlnumber", "01\n")):
            with open(self._path(name), "w") as out:
                out.write(text)
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("openssl", "req", "-x509", *curve, "-days", "7300", "-subj", "/CN=Sluice development updates",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self._path("ca.key"), "-out", self._path("ca.pem"))
        run("openssl", "req", *curve, "-subj", "/CN=Sluice development signer", "-keyout", self.key, "-out",
            self._path("signer.csr"))
        authority = ("openssl", "ca", "-config", self._path("authority.cnf"))
        run(*authority, "-batch", "-notext", "-in", self._path("signer.csr"), "-out", self.certificate)
        run(*authority, "-gencrl", "-out", self._path("crl.pem"))
        with open(self.keyring, "w") as out:
            out.write(read(self._path("ca.pem")) + read(self._path("crl.pem")))


def build(out, board, version, image, keys, date):
    """Makes OUT: the filesystem `image`, signed, for gateways of `board`."""
    folder = out + ".contents"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.link(image, os.path.join(folder, "rootfs.img"))
    with open(os.path.join(folder, "manifest.raucm"), "w") as manifest:
        manifest.write("[update]\ncompatible=sluice-%s\nversion=%s\nbuild=%s\n\n[bundle]\nformat=verity\n\n"
                       "[image.rootfs]\nfilename=rootfs.img\n" % (board, version, date))
    if os.path.exists(out):
        os.unlink(out)
    run("rauc", "bundle", "--cert=" + keys.certificate, "--key=" + keys.key, "--keyring=" + keys.keyring,
        "--mksquashfs-args=-comp zstd -Xcompression-level 19 -b 1M", folder, out)
    shutil.rmtree(folder)
