"""Deleted files given back, beside the peers: a Debian root in ext4 and in XFS, some hundred of its files deleted by the kernel, unmounted.

A file counts where a recovered one has its SHA-256, whatever its name; `named` counts those that also stand under their old path.
"""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import ICECORE
from measure import row
from where import CACHE, image

EMPTY = hashlib.sha256(b"").hexdigest()


def prepared(name):
    """The image and what was deleted: {path: {"sha256", "size"}}."""
    path = image(name)
    return path, json.loads(path.with_suffix(".json").read_text())


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def contents_below(folder):
    """{SHA-256: [path below the folder]} of every regular file."""
    found = {}
    for place, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.setdefault(digest(path), []).append("/" + os.path.relpath(path, folder))
    return found


def count(deleted, found):
    """(byte-exact, of these under their own path)"""
    exact = [path for path, was in deleted.items() if was["sha256"] in found]
    return len(exact), sum(path in found[deleted[path]["sha256"]] for path in exact)


def tried(command, folder):
    """What a tool that writes below `folder` gave back; nothing where it is not installed."""
    if not shutil.which(command[0]) and not os.path.exists(command[0]):
        return None
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=1800, check=False)
    return contents_below(folder)


def compare(name, peers):
    image, deleted = prepared(name)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        scratch = pathlib.Path(scratch)
        ours = count(deleted, tried([ICECORE, "recover", image, scratch / "ours"], scratch / "ours"))
        best = None
        for peer, command in peers.items():
            (scratch / peer).mkdir()
            found = tried(command(image, scratch / peer), scratch / peer)
            if found is not None and (best is None or count(deleted, found) > best[1]):
                best = (peer, count(deleted, found))
    peer, theirs = best if best else ("no other tool recovers from this", None)
    target = f">= {peer}" if best else ">= 1"
    met = ours[0] >= theirs[0] if best else ours[0] > 0
    yield row(f"recover.{name}.files", ours[0], f"of {len(deleted)}", peer, theirs[0] if best else None, None, target, met)
    yield row(f"recover.{name}.named", ours[1], f"of {len(deleted)}", peer, theirs[1] if best else None)


def deb_ext4():
    yield from compare("deb_ext4", {
        "ext4magic -m": lambda image, out: ["ext4magic", image, "-m", "-d", out],
        "ext4magic -R": lambda image, out: ["ext4magic", image, "-R", "-a", "1", "-d", out],
        "tsk_recover": lambda image, out: ["tsk_recover", image, out],
    })


def deb_xfs():
    yield from compare("deb_xfs", {"xfs_undelete": lambda image, out: ["xfs_undelete", "-o", out, image]})


BENCHMARKS = {"recover.deb_ext4": deb_ext4, "recover.deb_xfs": deb_xfs}
