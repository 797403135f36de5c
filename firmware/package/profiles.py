"""profiles.py OUT FOLDER: the profiles of FOLDER in one archive, each behind the one that it resembles most, so that less of it is new."""
import io
import os
import subprocess
import sys
import tarfile
import zlib

PIECE = 10  # bytes; how alike two files are is told by how many pieces they have in common
SAMPLE = 256  # of the pieces, by their sums


def sample(data):
    return set(sorted({zlib.crc32(data[at:at + PIECE]) for at in range(len(data) - PIECE)})[:SAMPLE])


def in_order(samples):
    """Names, from the first on each followed by the one that is most like it of those that are left."""
    left = sorted(samples)
    order = [left.pop(0)]
    while left:
        order.append(max(left, key=lambda name: len(samples[name] & samples[order[-1]])))
        left.remove(order[-1])
    return order


def main(out, folder):
    names = [os.path.relpath(os.path.join(at, name), folder) for at, _, files in os.walk(folder) for name in files if name.endswith((".json", ".tsv"))]
    contents = {}
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            contents[name] = file.read()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in in_order({name: sample(content) for name, content in contents.items()}):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(contents[name]), 0o644
            archive.addfile(entry, io.BytesIO(contents[name]))
    with open(out + ".tar", "wb") as file:
        file.write(plain.getvalue())
    with open(out, "wb") as file:
        subprocess.run(["zopfli", "-c", out + ".tar"], stdout=file, check=True)
    os.unlink(out + ".tar")


main(*sys.argv[1:])
