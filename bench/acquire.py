"""The complete image beside coldsnap and beside the bare minimum, and what a fleet and a mount cost. Through the lab, on loopback.

Like is held against like: coldsnap makes no hash of the whole file, so the ratios are taken with --no-image-hash; the time with it is a row of its own.
"""
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

from harness import ICECORE, INCIDENT, Case, Lab, scratch
from measure import REPEATS, row
from where import CACHE, KEPT
from world import BLOCK, GIB, world_with

HERE = pathlib.Path(__file__).resolve().parent
COLDSNAP = KEPT / "coldsnap/bin/coldsnap"
# name → (size of the volume in GiB, GiB written)
VOLUMES = {"snap-0be9c00000000000a": (16, 2), "snap-0be9c00000000000b": (1024, 8)}
SMALL, HUGE = VOLUMES


def volume_image(snapshot):
    """A sparse file with random runs of 8 MiB spread over it: made once."""
    size, written = VOLUMES[snapshot]
    path = CACHE / f"{snapshot}.raw"
    if path.exists():
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    run = 16 * BLOCK
    runs = written * GIB // run
    with open(partial, "wb") as file:
        file.truncate(size * GIB)
        for number in range(runs):
            file.seek(number * (size * GIB // runs) // BLOCK * BLOCK)
            file.write(os.urandom(run))
    partial.rename(path)
    return path


def world():
    """The practice incident's world with the two volumes' snapshots in it."""
    return world_with({snapshot: volume_image(snapshot) for snapshot in VOLUMES})


@functools.cache
def coldsnap():
    """The peer's program, built where cargo is; None where it cannot be had: then our rows stand without a peer."""
    if COLDSNAP.exists():
        return COLDSNAP
    if not shutil.which("cargo"):
        print("bench: no coldsnap, and no cargo to build it: the rows are without the peer", file=sys.stderr)
        return None
    if subprocess.run(["cargo", "install", "--locked", "coldsnap", "--root", COLDSNAP.parent.parent], check=False).returncode != 0:
        print("bench: coldsnap cannot be built: the rows are without the peer", file=sys.stderr)
        return None
    return COLDSNAP


class Spent:
    """Wall seconds, CPU seconds and peak MiB of a command."""

    def __init__(self, command, env, cwd, stdin=None):
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], env=env, cwd=cwd, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {process.returncode}: {error[-400:].decode(errors='replace')}")
        self.seconds, self.cpu, self.peak = time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def ours(lab, snapshot, *flags):
    case = Case(lab)
    try:
        return Spent([ICECORE, "acquire", snapshot, "-q", *flags], case.env, case.cwd)
    finally:
        case.remove()


def theirs(lab, snapshot):
    folder = scratch()
    env = {**os.environ, **lab.exports, "SSL_CERT_FILE": lab.exports.get("AWS_CA_BUNDLE", "")}
    try:
        return Spent([coldsnap(), "--endpoint", lab.url, "--region", "us-west-2", "download", "--no-progress", snapshot, folder / "disk"], env, folder)
    finally:
        shutil.rmtree(folder)


def bare(lab, snapshot):
    """Downloading and hashing alone; the listing is not counted."""
    program = scratch() / "bare_fetch"
    subprocess.run(["g++", "-O2", "-std=c++20", HERE / "peers/bare_fetch.cpp", "-o", program, "-lcurl", "-lcrypto"], check=True)
    ebs = lab.boto("ebs")
    listed, token = scratch() / "listed", {}
    with open(listed, "w") as file:
        while True:
            page = ebs.list_snapshot_blocks(SnapshotId=snapshot, **token)
            file.writelines(f"{block['BlockIndex']} {block['BlockToken']}\n" for block in page["Blocks"])
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
    env = {**os.environ, **lab.exports}

    def run(*written_to):
        with open(listed) as blocks:
            return Spent([program, lab.url, "us-west-2", snapshot, "32", *written_to], env, "/", blocks)

    return run


def median(values):
    return statistics.median(values)


def requests_of(lab):
    counts = [line["action"] for line in lab.requests()]
    return counts.count("GetSnapshotBlock"), counts.count("ListSnapshotBlocks")


def against_coldsnap(name, snapshot, repeats, *flags):
    """Rows of one volume over one kind of connection."""
    lab = Lab("--ebs-get-rate", "0", *flags, world=world())
    ours_spent, theirs_spent = [], []
    for turn in range(repeats + 1):
        one, other = ours(lab, snapshot, "--no-image-hash"), theirs(lab, snapshot) if coldsnap() else None
        if turn:  # the first warms the page cache
            ours_spent.append(one)
            theirs_spent += [other] if other else []
    lab.stop()
    mine, my_cpu, my_peak = summed_up(ours_spent)
    their, their_cpu, their_peak = summed_up(theirs_spent)
    yield beside(f"acquire.{name}.coldsnap_ratio", mine, "s", their, ">= 1.5x", lambda: their / mine >= 1.5)
    yield beside(f"acquire.{name}.cpu_s", my_cpu, "s", their_cpu)
    yield row(f"acquire.{name}.peak_mib", my_peak, "MiB", *peer_of(my_peak, their_peak), "<= 200 MiB", my_peak <= 200)


def summed_up(spent):
    """(median seconds, median CPU seconds, peak MiB); Nones where nothing was run."""
    if not spent:
        return None, None, None
    return median([one.seconds for one in spent]), median([one.cpu for one in spent]), max(one.peak for one in spent)


def peer_of(mine, their):
    """The peer, its value and how many times ours it is."""
    return ("coldsnap download", their, their / mine) if their is not None else (None, None, None)


def beside(name, mine, unit, their, target=None, met=None):
    """A row whose target is a ratio: without the peer it says nothing of being met."""
    return row(name, mine, unit, *peer_of(mine, their), target, met() if met and their is not None else None)


def plain():
    yield from against_coldsnap("plain", SMALL, REPEATS)


def tls():
    yield from against_coldsnap("tls", SMALL, REPEATS, "--tls")


def plain_30ms():
    yield from against_coldsnap("plain_30ms", SMALL, 3, "--fault-latency-ms", "30")


def huge():
    """1 TiB with 8 GiB written: what grows with the size of a volume would show."""
    yield from against_coldsnap("huge", HUGE, 1)


def wire():
    """How many requests each of the two makes."""
    def counted(fetch):
        lab = Lab("--ebs-get-rate", "0", world=world())
        fetch(lab)
        count = sum(requests_of(lab))
        lab.stop()
        return count

    mine = counted(lambda lab: ours(lab, SMALL, "--no-image-hash"))
    yield beside("acquire.wire_requests", mine, "calls", counted(lambda lab: theirs(lab, SMALL)) if coldsnap() else None)


def limit():
    lab = Lab("--ebs-get-rate", "0", world=world())
    run = bare(lab, SMALL)
    file = scratch() / "bare"
    bounds, writing, times, hashed = [], [], [], []
    for turn in range(REPEATS + 1):
        bound, written, mine, whole = run(), run(file), ours(lab, SMALL, "--no-image-hash"), ours(lab, SMALL)
        file.unlink()
        if turn:
            bounds.append(bound.seconds)
            writing.append(written.seconds)
            times.append(mine.seconds)
            hashed.append(whole.seconds)
    bound, written, mine = median(bounds), median(writing), median(times)
    yield row("acquire.limit_ratio", mine, "s", "libcurl and SHA-256 alone, nothing written", bound, bound / mine, ">= 0.9x", bound / mine >= 0.9)
    yield row("acquire.limit_written_ratio", mine, "s", "the same, written to a file and flushed once", written, written / mine)
    yield row("acquire.image_hash_s", median(hashed), "s", "the same without the whole file's SHA-256", mine, mine / median(hashed))
    lab.stop()


def fleet():
    """Ten instances of one AMI: blocks over the wire against the blocks that differ at all."""
    description = json.loads((INCIDENT / "world.json").read_text())
    volumes = [item for item in description["volumes"] if item["Size"] == 4]
    unique, first = set(), 0
    for item in volumes:
        patches = {int(index): INCIDENT / file for index, file in item.get("_patches", {}).items()}
        with open(INCIDENT / item["_image"], "rb") as image:
            for index in range(item["Size"] * GIB // BLOCK):
                image.seek(index * BLOCK)
                content = patches[index].read_bytes() if index in patches else image.read(BLOCK)
                if content.strip(b"\0"):
                    unique.add((index, hashlib.sha256(content).digest()))
        first = first or len(unique)
    lab = Lab("--ebs-get-rate", "0")
    case = Case(lab)
    ran = case.run("acquire", *[item["VolumeId"] for item in volumes], "--no-image-hash", timeout=1200)
    if ran.code != 0:
        raise SystemExit(f"bench: {ran}")
    wanted = re.compile(r"/snapshots/(snap-[0-9a-f]+)/blocks/(\d+)")
    fetched = sum(1 for line in lab.record.read_text().splitlines() if '"GetSnapshotBlock"' in line and wanted.fullmatch(json.loads(line)["request"]["path"]))
    yield row("fleet.wire_blocks_ratio", fetched, "blocks", f"one instance ({first}) and the differences of {len(volumes) - 1}", len(unique),
              fetched / len(unique), "<= 1.1x", fetched / len(unique) <= 1.1)
    lab.stop()


BENCHMARKS = {"acquire.plain": plain, "acquire.tls": tls, "acquire.plain_30ms": plain_30ms, "acquire.huge": huge, "acquire.wire": wire,
              "acquire.limit": limit, "fleet": fleet}
