"""The root volume's layout (that of a Debian cloud image) and the cached image of the vendor's disk."""
import json
import os
import shutil
from pathlib import Path

from .run import log, run
from . import uml

FORMAT = 3  # raise when the layout or phase_base changes
ROOT_BYTES = 4 << 30
DATA_BYTES = 2 << 30
SECTOR = 512
# Numbered as Debian numbers them: the root is partition 1 and lies last, so that growpart can grow it.
BIOS_START, ESP_START, ROOT_START = 2048, 8192, 262144
ROOT_OFFSET = ROOT_START * SECTOR
DISK_GUID = "6A1CEC0E-0000-4000-8000-000000000001"
ROOT_GUID = "6A1CEC0E-0000-4000-8000-000000000101"
ROOT_UUID = "6a1cec0e-2014-4000-8000-00000000c0de"
DATA_UUID = "6a1cec0e-2014-4000-8000-0000000da7a0"
DATA_LABEL = "shop-data"


def sparse(path, size):
    with open(path, "wb") as out:
        out.truncate(size)


def copy_sparse(source, target):
    """A copy with the same holes."""
    run(["cp", "--sparse=auto", "--reflink=auto", source, target])


def partition(path):
    sparse(path, ROOT_BYTES)
    run(["sgdisk", "-a", "1", "-U", DISK_GUID,
         "-n", f"14:{BIOS_START}:{ESP_START - 1}", "-t", "14:ef02", "-u", "14:6A1CEC0E-0000-4000-8000-00000000010E",
         "-n", f"15:{ESP_START}:{ROOT_START - 1}", "-t", "15:ef00", "-u", "15:6A1CEC0E-0000-4000-8000-00000000010F",
         "-n", f"1:{ROOT_START}:0", "-t", "1:8304", "-u", f"1:{ROOT_GUID}", path])
    run(["mkfs.vfat", "-F", "16", "-i", "6A1CEC0E", "-n", "EFI", "--offset", str(ESP_START), path, str((ROOT_START - ESP_START) // 2)])


def base_image(root_cache, fresh=False):
    """The vendor's disk, as the AMI's maker left it. It depends on the root's tarball only, so it is kept beside it."""
    place = Path(root_cache)
    path = place / f"base-{FORMAT}.raw"
    if not path.exists() or fresh:
        meta = json.loads((place / "meta.json").read_text())
        work = path.with_suffix(f".tmp{os.getpid()}")
        try:
            partition(work)
            log("filling the vendor's disk (once; kept in the cache)")
            uml.work("base", [work], tar=str(place / "root.tar"), when=meta["image_time"], uuid=ROOT_UUID)
            os.rename(work, path)
        finally:
            work.unlink(missing_ok=True)
    return path


def extents(path):
    """(offset, length) of every data extent of a sparse file."""
    size, at, found = os.path.getsize(path), 0, []
    handle = os.open(path, os.O_RDONLY)
    try:
        while at < size:
            try:
                start = os.lseek(handle, at, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing but a hole up to the end
                break
            at = os.lseek(handle, start, os.SEEK_HOLE)
            found.append((start, at - start))
    finally:
        os.close(handle)
    return found


def disk_use(folder):
    return sum(p.stat().st_blocks * 512 for p in Path(folder).rglob("*") if p.is_file() and not p.is_symlink())


def free_or_fail(folder, needed):
    left = shutil.disk_usage(folder).free
    if left < needed:
        raise SystemExit(f"build: {folder} has {left >> 20} MiB free, and {needed >> 20} MiB are needed")
