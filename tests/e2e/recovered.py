"""A copy of an image, mounted read-only by the kernel after it has replayed the journal: the oracle for what a disk holds."""
import json
import shutil
import subprocess
from pathlib import Path

from harness import scratch


def linux_partition(image):
    """Byte offset of the Linux partition, 0 where the filesystem fills the disk."""
    ran = subprocess.run(["sfdisk", "--json", image], capture_output=True, text=True, check=False)
    if ran.returncode:
        return 0
    table = json.loads(ran.stdout)["partitiontable"]
    return max(table["partitions"], key=lambda p: p["size"])["start"] * table.get("sectorsize", 512)


class Mounted:
    """`with Mounted(image) as root:` — root is the mounted tree's Path."""

    def __init__(self, image):
        self.image, self.folder = image, scratch()

    def __enter__(self):
        copy, root = self.folder / "copy.raw", self.folder / "root"
        subprocess.run(["cp", "--sparse=always", "--reflink=auto", self.image, copy], check=True)
        offset = linux_partition(copy)
        self.device = subprocess.run(["losetup", "--find", "--show", "--offset", str(offset), copy], capture_output=True, text=True, check=True).stdout.strip()
        root.mkdir()
        mounted = subprocess.run(["mount", "-o", "ro,noatime", self.device, root], check=False)
        if mounted.returncode:
            subprocess.run(["losetup", "--detach", self.device], check=True)
            raise AssertionError(f"the kernel does not mount a copy of {self.image}")
        return Path(root)

    def __exit__(self, *_):
        subprocess.run(["umount", self.folder / "root"], check=True)
        subprocess.run(["losetup", "--detach", self.device], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)
