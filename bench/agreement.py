"""Whether the timeline of a whole disk is right: each live file of the kernel's mount is live in ours, none more, with its inode, mode, owner, size and four
times to the nanosecond."""
import json
import os
import subprocess
import tempfile

from harness import ICECORE
from measure import row
from timeline import Mounted
from where import image

TIMES = {"Last Access Time": "%.9X", "Content Modification Time": "%.9Y", "Metadata Modification Time": "%.9Z", "Creation Time": "%.9W"}
OPTIONS = {"big": "noload", "mid_ext4": "noload", "mid_xfs": "norecovery,nouuid", "deb_ext4": "noload", "deb_xfs": "norecovery,nouuid"}


def kernels(path, options):
    """{path: (inode, mode, uid, gid, size, {time: nanoseconds})}"""
    mounted = Mounted(path, options)
    try:
        form = "\\0".join(["%n", "%i", "%A", "%u", "%g", "%s", *TIMES.values()]) + "\\0\\n"
        found = subprocess.run(f"find . -print0 | xargs -0 stat --printf '{form}'", shell=True, cwd=mounted.folder, capture_output=True, check=True).stdout
    finally:
        mounted.close()
    files = {}
    for line in found.decode("utf-8", "surrogateescape").split("\0\n")[:-1]:
        name, inode, mode, uid, gid, size, *times = line.split("\0")
        files[name[1:] or "/"] = (int(inode), mode, int(uid), int(gid), int(size), {what: nanoseconds(time) for what, time in zip(TIMES, times)})
    return files


def nanoseconds(epoch):
    seconds, fraction = epoch.split(".")
    return int(seconds) * 10**9 + int(fraction)


def ours(path):
    files = {}
    place = f"/volumes/{os.path.basename(path)}/filesystem"  # of a disk that is no machine's root
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ICECORE, "timeline", path, "--files-only", "-o", f"{folder}/timeline"], check=True, capture_output=True)
        with open(f"{folder}/timeline", encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                event = json.loads(line)
                if not event["is_allocated"] or event["timestamp_desc"] not in TIMES:
                    continue
                known = (event["inode"], event["mode"], event["uid"], event["gid"], event["file_size"])
                times = files.setdefault(event["path"].removeprefix(place) or "/", (*known, {}))[5]
                times[event["timestamp_desc"]] = event["timestamp"] // 10**6 * 10**9 + int(event["datetime"][-10:-1])
    return files


def compare(name):
    path = image(name)
    kernel, mine = kernels(path, OPTIONS[name]), ours(path)
    missing, extra = len(kernel.keys() - mine.keys()), len(mine.keys() - kernel.keys())
    other = sum(kernel[file] != mine[file] for file in kernel.keys() & mine.keys())
    yield row(f"timeline.{name}.disagreements", missing + extra + other, "files", "files on the kernel's mount", len(kernel), None, "0", missing + extra + other == 0)


BENCHMARKS = {f"timeline.{name}.disagreements": lambda name=name: compare(name) for name in OPTIONS}
