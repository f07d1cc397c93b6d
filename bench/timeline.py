"""Timelines of whole disks beside the peers, page cache warm."""
import os
import pathlib
import subprocess
import tempfile

from harness import ICECORE
from measure import in_turn, row, run

CACHE = pathlib.Path(os.environ.get("ICECORE_CACHE", pathlib.Path.home() / ".cache/icecore")) / "bench"
MAKE = pathlib.Path(__file__).resolve().parent / "make_images"


def image(name):
    path = CACHE / f"{name}.img"
    if not path.exists():
        subprocess.run([MAKE, name, "--folder", CACHE], check=True)
    return path


def bodyfile(path):
    return [ICECORE, "timeline", path, "--format", "bodyfile"]


class Mounted:
    """A read-only kernel mount, for find."""

    def __init__(self, path, options):
        self.folder = tempfile.mkdtemp()
        subprocess.run(["mount", "-o", f"ro,loop,{options}", path, self.folder], check=True)

    def find(self):
        return ["find", self.folder, "-printf", "%p|%i|%M|%U|%G|%s|%A@|%T@|%C@|%B@\\n"]

    def close(self):
        subprocess.run(["umount", self.folder], check=True)
        os.rmdir(self.folder)


def against(name, path, peers, options):
    mounted = Mounted(path, options)
    try:
        times = in_turn({"icecore": bodyfile(path), **peers, "find": mounted.find()})
    finally:
        mounted.close()
    return times


def big():
    path = image("big")
    times = against("big", path, {"fls": ["fls", "-r", "-m", "/", path], "e2fsck": ["e2fsck", "-fn", path]}, "noload")
    ours = times["icecore"]
    yield row("timeline.big.fls_ratio", ours, "s", "fls -r -m /", times["fls"], times["fls"] / ours, ">= 10x", times["fls"] / ours >= 10)
    yield row("timeline.big.e2fsck_ratio", ours, "s", "e2fsck -fn", times["e2fsck"], times["e2fsck"] / ours)
    yield row("timeline.big.find_ratio", ours, "s", "find -printf on a mount", times["find"], times["find"] / ours)
    _, peak, _ = run(bodyfile(path))
    yield row("timeline.big.peak_mib", peak, "MiB", None, None, None, "<= 300 MiB", peak <= 300)


def mid_xfs():
    path = image("mid_xfs")
    times = against("mid_xfs", path, {"xfs_repair": ["xfs_repair", "-n", path]}, "norecovery,nouuid")
    ours = times["icecore"]
    yield row("timeline.mid_xfs.xfs_repair_ratio", ours, "s", "xfs_repair -n", times["xfs_repair"], times["xfs_repair"] / ours, "> 1x", times["xfs_repair"] > ours)
    yield row("timeline.mid_xfs.find_ratio", ours, "s", "find -printf on a mount", times["find"], times["find"] / ours)


BENCHMARKS = {"timeline.big": big, "timeline.mid_xfs": mid_xfs}
