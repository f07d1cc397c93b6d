"""The practice incident's world with images of ours in it as snapshots."""
import json

from harness import INCIDENT, scratch

BLOCK = 524288
GIB = 2**30


def world_with(images):
    """A lab's world folder: the incident's, and {snapshot id: path of a raw image} as snapshots of the victim's own account."""
    folder = scratch()
    for item in INCIDENT.iterdir():
        if item.name != "world.json":
            (folder / item.name).symlink_to(item)
    description = json.loads((INCIDENT / "world.json").read_text())
    pattern = next(item for item in description["snapshots"] if item["OwnerId"] == "111122223333")
    for snapshot, path in images.items():
        (folder / f"{snapshot}.raw").symlink_to(path)
        size = -(-path.stat().st_size // GIB)
        description["snapshots"].append({**pattern, "SnapshotId": snapshot, "VolumeId": "vol-ffffffff", "VolumeSize": size, "_image": f"{snapshot}.raw"})
    (folder / "world.json").write_text(json.dumps(description))
    return folder
