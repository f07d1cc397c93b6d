"""The fewest 512 KiB blocks that a timeline of an ext4 filesystem can read, by e2fsprogs and the kernel, not by us."""
import os
import re
import subprocess
import tempfile

BLOCK = 524288
LINUX = re.compile(r"\s*\d+\s+(\d+)\s+\d+\s+\S+ \S+\s+83\d\d\b")  # sgdisk -p: number, first, last sector, size, a short code 83xx


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def linux_partition(image):
    """Byte at which the last Linux partition begins."""
    found = [LINUX.match(line) for line in output("sgdisk", "-p", image).splitlines()]
    return [int(line.group(1)) * 512 for line in found if line][-1]


def directory_extents(image, offset):
    """(byte, length) of every directory's blocks, from FIEMAP on a read-only mount that replays nothing."""
    device = output("losetup", "-r", "-f", "--show", "-o", str(offset), image).strip()
    with tempfile.TemporaryDirectory() as mount:
        try:
            subprocess.run(["mount", "-o", "ro,noload", device, mount], check=True)
            try:
                folders = [folder for folder, _, _ in os.walk(mount)]
                for first in range(0, len(folders), 500):
                    for line in output("filefrag", "-v", "-b4096", *folders[first:first + 500]).splitlines():
                        found = re.match(r"\s*\d+:\s+\d+\.\.\s*\d+:\s+(\d+)\.\.\s*(\d+):", line)
                        if found:
                            yield int(found.group(1)) * 4096, (int(found.group(2)) - int(found.group(1)) + 1) * 4096
            finally:
                subprocess.run(["umount", mount], check=True)
        finally:
            subprocess.run(["losetup", "-d", device], check=True)


def table_extents(dump):
    """(byte, length) of superblock, descriptors and the used part of every inode table."""
    number = {name: int(re.search(rf"{name}:\s+(\d+)", dump).group(1)) for name in ("Block size", "Inodes per group", "Inode size")}
    size = number["Block size"]
    descriptors = re.search(r"Group descriptors at (\d+)-(\d+)", dump)
    yield 0, size
    yield int(descriptors.group(1)) * size, (int(descriptors.group(2)) - int(descriptors.group(1)) + 1) * size
    for group in re.split(r"\nGroup (?=\d+:)", dump)[1:]:
        table = int(re.search(r"Inode table at (\d+)", group).group(1))
        unused = re.search(r"(\d+) unused inodes", group)
        used = number["Inodes per group"] - (int(unused.group(1)) if unused else 0)
        if used:
            yield table * size, used * number["Inode size"]


def least_blocks(image, offset=None):
    """`offset`: the byte at which the filesystem begins; None for the last Linux partition."""
    offset = linux_partition(image) if offset is None else offset
    extents = list(table_extents(output("dumpe2fs", f"{image}?offset={offset}"))) + list(directory_extents(image, offset))
    blocks = set()
    for start, length in extents:
        blocks.update(range((offset + start) // BLOCK, (offset + start + length - 1) // BLOCK + 1))
    return blocks
