"""Timelines of whole disks beside the peers, page cache warm; and what they cost in blocks, through the lab with 30 ms latency."""
import os
import subprocess
import tempfile
import time

import least
import least_xfs
import peer_tools
from fetch import fetched
from harness import ICECORE, Case, Lab
from measure import in_turn, row, run
from where import image
from world import world_with


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
    times = against("big", path, {"fls": ["fls", "-r", "-m", "/", path], "e2fsck": ["e2fsck", "-fn", path], **peer_tools.fsinfo("fsextinfo", path)}, "noload")
    ours = times["icecore"]
    yield row("timeline.big.fls_ratio", ours, "s", "fls -r -m /", times["fls"], times["fls"] / ours, ">= 10x", times["fls"] / ours >= 10)
    yield row("timeline.big.e2fsck_ratio", ours, "s", "e2fsck -fn", times["e2fsck"], times["e2fsck"] / ours)
    yield row("timeline.big.find_ratio", ours, "s", "find -printf on a mount", times["find"], times["find"] / ours)
    if "fsextinfo" in times:
        yield row("timeline.big.fsextinfo_ratio", ours, "s", "fsextinfo -H -B", times["fsextinfo"], times["fsextinfo"] / ours)
    _, peak, _ = run(bodyfile(path))
    yield row("timeline.big.peak_mib", peak, "MiB", None, None, None, "<= 300 MiB", peak <= 300)


def growth():
    """Peak memory of one more million files, from the two ext4 images of the same generator."""
    peaks = {name: run(bodyfile(image(name)))[1] for name in ("mid_ext4", "big")}
    yield row("timeline.mib_per_million_files", (peaks["big"] - peaks["mid_ext4"]) / 0.35, "MiB", "150,000 files", peaks["mid_ext4"])


def mid(name, checker, fsinfo, options):
    """One of the two images of 150,000 files, with the peers that take minutes for more."""
    path = image(name)
    times = against(name, path, {checker[0]: [*checker, path], **peer_tools.fsinfo(fsinfo, path)}, options)
    ours, kept = times["icecore"], checker[0] == "xfs_repair"
    for peer, shown in ((checker[0], " ".join(checker)), ("find", "find -printf on a mount"), (fsinfo, f"{fsinfo} -H -B")):
        if peer in times:
            target = ("> 1x", times[peer] > ours) if kept and peer == checker[0] else (None, None)
            yield row(f"timeline.{name}.{peer}_ratio", ours, "s", shown, times[peer], times[peer] / ours, *target)
    for peer, shown, seconds in peer_tools.walkers(path, 150_000):
        yield row(f"timeline.{name}.{peer}_ratio", ours, "s", shown, seconds, seconds / ours)


def mid_xfs():
    yield from mid("mid_xfs", ["xfs_repair", "-n"], "fsxfsinfo", "norecovery,nouuid")


def mid_ext4():
    yield from mid("mid_ext4", ["e2fsck", "-fn"], "fsextinfo", "noload")


SNAPSHOT = "snap-0be9c0000000000c0"


def blocks(name, count_least, target):
    """Distinct blocks fetched for the timeline of a snapshot nothing of which is here, and the time it takes."""
    path = image(name)
    lab = Lab("--ebs-get-rate", "0", "--fault-latency-ms", "30", world=world_with({SNAPSHOT: path}))
    case = Case(lab)
    began = time.monotonic()
    ran = case.run("timeline", SNAPSHOT, "--format", "bodyfile", "-o", "body", timeout=600)
    seconds = time.monotonic() - began
    if ran.code != 0:
        raise SystemExit(f"bench: {ran}")
    ours = len(fetched(lab, SNAPSHOT))
    fewest = len(count_least(path))
    lab.stop()
    yield row(f"timeline.{name}.blocks_ratio", ours, "blocks", "least possible", fewest, ours / fewest, f"<= {target}x", ours / fewest <= target)
    yield row(f"timeline.{name}.lab_30ms_s", seconds, "s", "blocks", ours, None)


def big_blocks():
    yield from blocks("big", lambda path: least.least_blocks(path, 0), 1.05)


def mid_xfs_blocks():
    yield from blocks("mid_xfs", least_xfs.least_blocks, 1.1)


BENCHMARKS = {"timeline.big": big, "timeline.mid_xfs": mid_xfs, "timeline.mid_ext4": mid_ext4, "timeline.big.blocks": big_blocks,
              "timeline.mid_xfs.blocks": mid_xfs_blocks, "timeline.mib_per_million": growth}
