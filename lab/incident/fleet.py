"""The fleet: nine more instances of the same image. Each shares the baseline's file and differs in a few 512 KiB blocks."""
import os
from pathlib import Path

from . import disk, uml

BLOCK = 512 * 1024
COUNT = 9


def members(story):
    """[(instance id, host name, private address)]"""
    out = []
    for n in range(COUNT):
        address = f"10.0.2.{41 + n}"
        out.append((f"i-0f1ee7{story.hex(f'fleet/{n}', 11)}", "ip-" + address.replace(".", "-"), address))
    return out


def build(story, baseline, out, work):
    """Write patches below out/fleet/; returns {instance: {"block index": file}}."""
    out, scratch = Path(out), Path(work) / "fleet.raw"
    (out / "fleet").mkdir(exist_ok=True)
    disk.copy_sparse(baseline, scratch)
    found = {}
    fleet = members(story)
    with uml.Job("fleet", [scratch], {"t0": story.t0, "seed": story.seed, "fleet": [m[:2] for m in fleet]}) as job:
        for number, (instance, _, _) in enumerate(fleet):
            job.wait_file(f"done-{number}")
            found[instance] = _patches(baseline, scratch, out, f"fleet/{number + 1}")
            _undo(baseline, scratch, found[instance])  # each machine begins with the image, not with its neighbour's disk
            job.tell(f"go-{number}")
        job.result()
    scratch.unlink()
    return found


def _patches(baseline, changed, out, prefix):
    """The blocks in which two images differ, each written to a file of its own."""
    blocks = sorted({b for path in (baseline, changed) for start, length in disk.extents(path) for b in range(start // BLOCK, (start + length - 1) // BLOCK + 1)})
    found = {}
    old, new = os.open(baseline, os.O_RDONLY), os.open(changed, os.O_RDONLY)
    try:
        for block in blocks:
            data = os.pread(new, BLOCK, block * BLOCK)
            if data != os.pread(old, BLOCK, block * BLOCK):
                name = f"{prefix}-{block}.block"
                (out / name).write_bytes(data)
                found[str(block)] = name
    finally:
        os.close(old)
        os.close(new)
    return found


def _undo(baseline, changed, patches):
    """Put the baseline's blocks back. The guest has unmounted, so it holds nothing of them in its cache."""
    old, new = os.open(baseline, os.O_RDONLY), os.open(changed, os.O_WRONLY)
    try:
        for block in map(int, patches):
            os.pwrite(new, os.pread(old, BLOCK, block * BLOCK), block * BLOCK)
    finally:
        os.close(old)
        os.close(new)
