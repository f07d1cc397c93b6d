"""What a question costs in blocks, and how fast verified blocks come: through the lab, counted in the lab's own record of requests."""
import json
import re
import statistics
import time

from harness import INCIDENT, ROOT_VOLUME, Case, Lab, start
from least import least_blocks
from measure import REPEATS, row

BLOCK = 524288


def root_image():
    world = json.loads((INCIDENT / "world.json").read_text())
    return next(item["_image"] for item in world["volumes"] if item["VolumeId"] == ROOT_VOLUME)


def snapshot_of_root(lab):
    """The attacked root volume as a snapshot of its own, made through the lab, so that nothing else is in the case."""
    case = Case(lab)
    ran = case.run("collect", ROOT_VOLUME, "--json")
    return json.loads(ran.out_bytes)["snapshots"][0]["snapshot"]


def fetched(lab, snapshot):
    """Indexes of the blocks that were asked for, from the lab's record."""
    wanted = re.compile(rf"/snapshots/{snapshot}/blocks/(\d+)")
    indexes = set()
    for line in lab.record.read_text().splitlines():
        if '"GetSnapshotBlock"' in line and (found := wanted.fullmatch(json.loads(line)["request"]["path"])):
            indexes.add(int(found.group(1)))
    return indexes


def written(lab, snapshot, case):
    """How many blocks the snapshot has: after acquiring it whole, that many were fetched."""
    case.run("acquire", snapshot)
    return len(fetched(lab, snapshot))


def timeline_blocks():
    lab = Lab()
    snapshot = snapshot_of_root(lab)
    case = Case(lab)
    case.run("timeline", snapshot, "--format", "bodyfile", "-o", "body")
    ours = len(fetched(lab, snapshot))
    everything = written(lab, snapshot, case)
    least = len(least_blocks(INCIDENT / root_image()))
    yield row("fetch.root.timeline_blocks", ours, "blocks", f"least by dumpe2fs, filefrag ({everything} written)", least, ours / least, "<= 1.2x", ours / least <= 1.2)


def triage_blocks():
    lab = Lab()
    snapshot = snapshot_of_root(lab)
    case = Case(lab)
    case.run("triage", snapshot, "--json")
    ours = len(fetched(lab, snapshot))
    everything = written(lab, snapshot, case)
    yield row("fetch.root.triage_blocks", ours, "blocks", "written blocks", everything, ours / everything)


def verified_rate():
    rates = []
    for flags in ([], ["--tls"]):
        lab = Lab(*flags)
        snapshot = snapshot_of_root(lab)
        values = []
        for _ in range(REPEATS):
            case = Case(lab)
            began = time.monotonic()
            case.run("acquire", snapshot)
            seconds = time.monotonic() - began
            values.append((case.cwd / f"case-{snapshot}/snapshots/{snapshot}/image.raw").stat().st_blocks * 512 / 2**20 / seconds)
            case.remove()
        rates.append(statistics.median(values))
        lab.stop()
    yield row("fetch.verified_mib_s", rates[0], "MiB/s", "the same over TLS", rates[1], rates[0] / rates[1])


def first_finding():
    lab = Lab("--fault-latency-ms", "30")
    snapshot = snapshot_of_root(lab)
    values = []
    for _ in range(REPEATS):
        case = Case(lab)
        began = time.monotonic()
        process = start(["triage", snapshot], case.env, case.cwd)
        seconds = None
        for line in process.stderr:
            if line.startswith(b"found: "):
                seconds = time.monotonic() - began
                break
        process.communicate()
        if seconds is None:
            raise SystemExit("bench: no finding was announced")
        values.append(seconds)
        case.remove()
    median = statistics.median(values)
    yield row("triage.first_finding_30ms_s", median, "s", None, None, None, "<= 10 s", median <= 10)


BENCHMARKS = {"fetch.root.timeline_blocks": timeline_blocks, "fetch.root.triage_blocks": triage_blocks, "fetch.verified_mib_s": verified_rate,
              "triage.first_finding_30ms_s": first_finding}
