"""Reading the first GiB of an acquired image through the FUSE mount beside reading the file itself. The kernel's pages of the mount are dropped before every reading."""
import os
import statistics
import subprocess
import time

from fetch import snapshot_of_root
from fuse import Fuse
from harness import ROOT_VOLUME, Case, Lab
from measure import REPEATS, row


def forget(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def cat(path):
    began = time.monotonic()
    with open(path, "rb") as file:
        subprocess.run(["head", "-c", str(1 << 30)], stdin=file, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def cat_ratio():
    lab = Lab()
    snapshot = snapshot_of_root(lab)
    case = Case(lab)
    case.run("acquire", snapshot)
    file = case.cwd / f"case-{snapshot}/snapshots/{snapshot}/image.raw"
    with Fuse(snapshot, env=case.env, cwd=case.cwd) as mount:
        shown = mount.folder / "volumes" / ROOT_VOLUME / "image.raw"
        first = cat(shown)  # every block's SHA-256 is checked in this pass
        times = {"file": [], "mount": [], "cached file": [], "mount of cached file": []}
        for _ in range(REPEATS):
            forget(file)
            times["file"].append(cat(file))
            forget(file)
            forget(shown)
            times["mount"].append(cat(shown))
            cat(file)
            times["cached file"].append(cat(file))
            forget(shown)
            times["mount of cached file"].append(cat(shown))
    lab.stop()
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = median["file"] / median["mount"]
    yield row("mount.cat_ratio", median["mount"], "s", "cat of the file, not in memory", median["file"], ratio, ">= 0.5x", ratio >= 0.5)
    cached = median["cached file"] / median["mount of cached file"]
    yield row("mount.cat_cached_ratio", median["mount of cached file"], "s", "cat of the file, in memory", median["cached file"], cached)
    yield row("mount.cat_first", first, "s", "cat of the file, not in memory", median["file"], median["file"] / first)


BENCHMARKS = {"mount.cat_ratio": cat_ratio}
