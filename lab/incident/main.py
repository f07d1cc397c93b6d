"""The builder's main: from a cached Debian root to world.json, the images and truth.json in one folder.

usage: build --out DIR [--cache DIR] [--seed N] [--force] | --packages
A second run does nothing while the stamp DIR/.complete fits the builder's own files, the seed and the root.
"""
import argparse
import fcntl
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import check, console, disk, fleet, journal, keys, packages, payload, records, root, screenshot, sessions, story as s, truth, uml, world
from .run import Failed, log

AFTER = 600  # seconds from T to the build: the alarm was ten minutes ago


def arguments():
    parser = argparse.ArgumentParser(description="Build icecore's practice incident.")
    parser.add_argument("--out", type=Path, help="folder for world.json, images and truth.json")
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("ICECORE_CACHE") or Path.home() / ".cache/icecore"), help="keeps the Debian root (default %(default)s)")
    parser.add_argument("--seed", type=int, default=20140416, help="of everything random (default %(default)s)")
    parser.add_argument("--force", action="store_true", help="build even if the stamp is up to date")
    parser.add_argument("--check", action="store_true", help="build nothing: hold the finished DIR/truth.json against DIR's images, with and without recovery")
    parser.add_argument("--packages", action="store_true", help="print the Debian packages that the builder needs, and stop")
    return parser.parse_args()


def stamp(seed):
    """A digest of what the result depends on."""
    digest = hashlib.sha256(f"{seed} {root.cache_key()}".encode())
    for path in sorted(set(Path(__file__).parent.glob("*.py")) - {Path(__file__).with_name("scoring.py")}):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def up_to_date(out, wanted):
    done = out / ".complete"
    return done.exists() and done.read_text().strip() == wanted and all((out / name).exists() for name in ["world.json", "truth.json", world.ROOT_FILE, world.DATA_FILE, world.BASELINE_FILE])


def main():
    args = arguments()
    if args.packages:
        print(" ".join(packages.HOST))
        return 0
    if not args.out:
        print("build: --out DIR is needed", file=sys.stderr)
        return 2
    wanted = stamp(args.seed)
    if not args.check and not args.force and up_to_date(args.out, wanted):
        return 0
    if os.geteuid() != 0:
        print("build: must run as root (debootstrap and loop devices need it); try sudo", file=sys.stderr)
        return 1
    missing = [tool for tool in ["debootstrap", "linux.uml", "mkfs.ext4", "mkfs.xfs", "mkfs.vfat", "sgdisk", "gcc", "openssl", "debugfs", "insmod", "e2fsck", "xfs_repair"] if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")]
    if missing or not Path(journal.TOOL).exists():
        print(f"build: missing: {' '.join(missing) or journal.TOOL}; install: {' '.join(packages.HOST)}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that context managers run
    try:
        if args.check:
            check_built(args.out.resolve())
            return 0
        args.out.mkdir(parents=True, exist_ok=True)
        with open(args.out / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second builder waits, and then finds the work done
            if args.force or not up_to_date(args.out, wanted):
                build(args.out.resolve(), args.cache, args.seed, wanted)
    except Failed as problem:
        print(f"build: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("build: interrupted; nothing is left mounted", file=sys.stderr)
        return 130
    return 0


def build(out, cache, seed, wanted):
    began = time.time()
    for left in out.glob(".build-*"):  # of a builder that was killed
        shutil.rmtree(left, ignore_errors=True)
    (out / ".complete").unlink(missing_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    disk.free_or_fail(out, 5 << 30)
    vendor = root.cached_root(cache)
    base = disk.base_image(vendor)
    base_time = json.loads((vendor / "meta.json").read_text())["image_time"]
    story = s.Story(int(time.time()) // 60 * 60 - AFTER, seed)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=out) as work:
        work = Path(work)
        materials(story, work)
        facts = images(story, vendor, base, work)
        seen = check.look(work / world.ROOT_FILE, work / world.DATA_FILE, work, truth.names(story))
        check.two_views(seen, facts["checkpointed"])
        dtimes = check.recoverable(work / world.ROOT_FILE, facts["deleted"])
        shutil.rmtree(out / "fleet", ignore_errors=True)
        patches = fleet.build(story, work / world.BASELINE_FILE, out, work)
        account, event_ids = world.document(story, patches, int(time.time()), base_time)
        answers = truth.document(story, seen["recovered"], event_ids, dtimes, facts["deleted"])
        for name in [world.ROOT_FILE, world.DATA_FILE, world.BASELINE_FILE]:
            os.replace(work / name, out / name)
    (out / "console.txt").write_text(console.main_console(story), newline="")
    (out / "console-fleet.txt").write_text(console.fleet_console(story, "ip-10-0-2-41", fleet.members(story)[0][0]), newline="")
    (out / "console.jpg").write_bytes(screenshot.jpeg(["", f"Debian GNU/Linux 12 {s.HOSTNAME} tty1", "", f"{s.HOSTNAME} login: _"]))
    (out / "world.json").write_text(json.dumps(account, indent=1) + "\n")
    (out / "truth.json").write_text(json.dumps(answers, indent=1) + "\n")
    (out / ".complete").write_text(wanted + "\n")
    log(f"{out}: {disk.disk_use(out) >> 20} MiB on disk, built in {time.time() - began:.0f} s")


def check_built(out):
    """The self-check of a finished incident; raises Failed."""
    answers = json.loads((out / "truth.json").read_text())
    with tempfile.TemporaryDirectory(prefix=".check-", dir=out) as work:
        seen = check.look(out / world.ROOT_FILE, out / world.DATA_FILE, Path(work), {p["path"] for p in check.places(answers)})
    check.against(answers, seen)
    log(f"{out}: truth.json holds")


def materials(story, work):
    """What the guest needs ready-made: compiled payloads and journal files."""
    payload.compile_all(work)
    everything, boots = records.all_records(story, keys.all_keys(story)), sessions.boots(story)
    golden, main_id = story.hex("machine/golden", 32), story.hex("machine/main", 32)
    journal.build(work / "golden.journal", story, everything, golden, boots, s.GOLDEN_BOOT - s.DAY, s.GOLDEN_IMAGED)
    journal.build(work / "main-1.journal", story, everything, main_id, boots, s.GOLDEN_IMAGED, s.LAST_CHECKPOINT)
    journal.build(work / "main-2.journal", story, everything, main_id, boots, s.GOLDEN_IMAGED, s.LAST_ACT)
    if (work / "main-1.journal").stat().st_size != (work / "main-2.journal").stat().st_size:
        raise Failed("the two versions of the journal differ in size; journald would not have grown the file")


def images(story, vendor, base, work):
    """Three guests in turn: the golden machine, the instance's life, the attack."""
    common = {"t0": story.t0, "seed": story.seed}
    baseline, top, data = work / world.BASELINE_FILE, work / world.ROOT_FILE, work / world.DATA_FILE
    disk.copy_sparse(base, baseline)
    uml.work("golden", [baseline], materials=str(work), updates=str(vendor / "updates"), **common)
    disk.copy_sparse(baseline, top)
    disk.sparse(data, disk.DATA_BYTES)
    uml.work("life", [top, data], data_uuid=disk.DATA_UUID, data_label=disk.DATA_LABEL, **common)
    return uml.work("attack", [top, data], materials=str(work), **common)
