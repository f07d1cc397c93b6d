"""The builder's own doubts: are the two views different, is what was deleted still there, is what must be hidden hidden?"""
import hashlib
import re
import struct
from pathlib import Path

from . import disk, last_acts, story as s, uml
from .run import Failed, loop, run

EXT4_BLOCK = 4096


def look(root, data, work, names):
    """Both views of the finished images (phase_check). The images themselves are not written."""
    copies = [Path(work) / "check-root.raw", Path(work) / "check-data.raw"]
    originals = [Path(root), Path(data)]
    before = [p.stat().st_mtime_ns for p in originals]
    try:
        for original, copy in zip(originals, copies):
            disk.copy_sparse(original, copy)
        views = uml.work("check", originals + copies, read_only=2, names=sorted(names))
        # After recovery both must be sound: what is evidence here must not be mistaken for damage.
        with loop(copies[0], disk.ROOT_OFFSET) as device:
            run(["e2fsck", "-fn", device])
        run(["xfs_repair", "-n", "-f", copies[1]])
    finally:
        for copy in copies:
            copy.unlink(missing_ok=True)
    if before != [p.stat().st_mtime_ns for p in originals]:
        raise Failed("check: looking at the images has changed them")
    return views


def places(answers):
    """Every place on a disk that truth.json names, the deleted files apart."""
    facts = [fact for row in answers["rows"] for fact in row["facts"] if "path" in fact and fact["rules"] != ["deleted-recovered"]]
    return [place for fact in facts for place in [fact, *fact.get("or", [])]]


def against(answers, views):
    """Inodes and checksums of truth.json are those of the recovered view; journal-only files are not in the other one."""
    for place in places(answers):
        found = views["recovered"][place["path"]]
        if not found or found["inode"] != place["inode"] or ("sha256" in place and found["sha256"] != place["sha256"]):
            raise Failed(f"check: truth.json has {place}, the disk {found}")
    for number, what in enumerate(["ext4", "XFS"]):
        if views["stale-tree"][number] == views["recovered-tree"][number]:
            raise Failed(f"check: {what} looks the same with and without recovery")
    for row in answers["rows"]:
        for fact in row["facts"] if row["journal_only"] else []:
            if "path" in fact and views["stale"][fact["path"]] == views["recovered"][fact["path"]]:
                raise Failed(f"check: {row['id']}: {fact['path']} is the same without recovery")


def two_views(views, before):
    """The last acts are only in the journals: invisible without recovery, complete with it."""
    stale, good = views["stale"], views["recovered"]
    for number, what in enumerate(["ext4", "XFS"]):
        if views["stale-tree"][number] == views["recovered-tree"][number]:
            raise Failed(f"check: {what} looks the same with and without recovery; the image is not crash-consistent")
    for name in [last_acts.MASKED, last_acts.STAGED]:
        if stale[name] is not None or good[name] is None:
            raise Failed(f"check: {name} must be visible after recovery only (stale: {stale[name]}, recovered: {good[name]})")
    for name, (size, atime) in before.items():
        if stale[name] is None or (stale[name]["size"], stale[name]["atime"]) != (size, atime):
            raise Failed(f"check: {name} without recovery is not as it was at the checkpoint: {stale[name]} instead of {size}, {atime}")
        if (good[name]["size"], good[name]["atime"]) == (size, atime):
            raise Failed(f"check: {name} after recovery shows nothing of the last acts")
    for name, fact in good.items():
        if fact is None and name not in (s.DROPPER, "/var/log/auth.log.1"):
            raise Failed(f"check: {name} is missing after recovery")
        if fact and fact["size"] == 0 and "target" not in fact:
            raise Failed(f"check: {name} is empty after recovery: its data never reached the disk")


def recoverable(root, deleted):
    """H14: the data blocks are untouched, the inodes are free, and the journal holds the inode as it was before. Returns dtimes."""
    times = {}
    with loop(root, disk.ROOT_OFFSET) as device, open(device, "rb") as source:
        journal = _journal_blocks(device, source)
        for item in deleted:
            content = b""
            for _, physical, count in item["extents"]:
                source.seek(physical * EXT4_BLOCK)
                content += source.read(count * EXT4_BLOCK)
            if hashlib.sha256(content[:item["size"]]).hexdigest() != item["sha256"]:
                raise Failed(f"check: the blocks of the deleted {item['path']} were used again")
            text = run(["debugfs", "-R", f"stat <{item['inode']}>", device])
            gone = re.search(r"dtime: 0x([0-9a-f]{8})", text)
            if not gone or "Links: 0" not in text:
                raise Failed(f"check: inode {item['inode']} of the deleted {item['path']} was used again")
            times[item["path"]] = int(gone.group(1), 16)
            logical, physical, count = item["extents"][0]
            leaf = struct.pack("<IHHI", logical, count, physical >> 32, physical & 0xFFFFFFFF)
            if leaf not in journal:
                raise Failed(f"check: the journal holds no old copy of inode {item['inode']} ({item['path']})")
    return times


def _journal_blocks(device, source):
    """The bytes of ext4's internal journal (inode 8)."""
    data = b""
    for line in run(["debugfs", "-R", "dump_extents <8>", device]).splitlines():
        leaf = re.search(r"(\d+) - +(\d+) +(\d+) - +(\d+)", line)  # logical range, physical range; index lines have no second
        if leaf:
            start, end = int(leaf.group(3)), int(leaf.group(4))
            source.seek(start * EXT4_BLOCK)
            data += source.read((end - start + 1) * EXT4_BLOCK)
    if not data:
        raise Failed("check: the journal's extents cannot be read")
    return data
