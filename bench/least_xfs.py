"""The fewest 512 KiB blocks that a timeline of an XFS filesystem can read, by the kernel's walk and xfs_db, not by us.

The superblock and each group's headers, the chunks of the inodes in use, and the directories' data blocks: without the inode trees, which a reader
needs too, so this is a little less than what is possible.
"""
import os
import re
import subprocess
import tempfile

BLOCK = 524288
CHUNK = 64  # inodes
LEAF_OFFSET = 1 << 35  # of a directory's address space: what follows is its hash index, which a timeline does not need
EXTENT = re.compile(r"data offset (\d+) startblock \d+ \((\d+)/(\d+)\) count (\d+)")


def xfs_db(image, script):
    return subprocess.run(["xfs_db", "-r", image], input=script, capture_output=True, text=True, check=True).stdout


def geometry(image):
    shown = xfs_db(image, "sb 0\np agblocks agcount blocksize inodesize agblklog inopblog\n")
    return {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", shown)}


def walked(image):
    """(inode numbers, inode numbers of directories) on a read-only mount that replays nothing."""
    with tempfile.TemporaryDirectory() as mount:
        subprocess.run(["mount", "-o", "ro,loop,norecovery,nouuid", image, mount], check=True)
        try:
            inodes, folders = {os.stat(mount).st_ino}, {os.stat(mount).st_ino}
            waiting = [mount]
            while waiting:
                with os.scandir(waiting.pop()) as entries:
                    for entry in entries:
                        inodes.add(entry.inode())
                        if entry.is_dir(follow_symlinks=False):
                            folders.add(entry.inode())
                            waiting.append(entry.path)
            return inodes, folders
        finally:
            subprocess.run(["umount", mount], check=True)


def least_blocks(image):
    shape = geometry(image)
    group_bytes, bits = shape["agblocks"] * shape["blocksize"], shape["agblklog"] + shape["inopblog"]
    extents = [(group * group_bytes, 4096) for group in range(shape["agcount"])]
    inodes, folders = walked(image)
    for chunk in {inode // CHUNK * CHUNK for inode in inodes}:
        extents.append(((chunk >> bits) * group_bytes + (chunk & ((1 << bits) - 1)) * shape["inodesize"], CHUNK * shape["inodesize"]))
    maps = xfs_db(image, "".join(f"inode {inode}\nbmap -d\n" for inode in sorted(folders)))
    for offset, group, block, count in (map(int, found.groups()) for found in EXTENT.finditer(maps)):
        if offset * shape["blocksize"] < LEAF_OFFSET:
            extents.append((group * group_bytes + block * shape["blocksize"], count * shape["blocksize"]))
    return {block for start, length in extents for block in range(start // BLOCK, (start + length - 1) // BLOCK + 1)}
