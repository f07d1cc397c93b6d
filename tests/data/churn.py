#!/usr/bin/env python3
"""Works on a mounted filesystem (ext4, XFS) like a busy machine, and ends in the middle: create, append, rewrite, truncate, rename, link, remove, attributes, holes,
sharing. Arguments: folder, seed, number of acts."""
import ctypes
import errno
import fcntl
import os
import random
import struct
import sys

root, seed, acts = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
os.chdir(root)
libc = ctypes.CDLL(None, use_errno=True)
here = os.open(".", os.O_RDONLY)
files, folders = [], ["."]
counter = 0
FICLONE = 0x40049409


def fresh(folder=None):
    global counter
    counter += 1
    length = rng.choice((0, 0, 20, 120))
    return os.path.join(folder or rng.choice(folders), f"{seed}-{counter}" + "x" * length)


def create():
    path = fresh()
    with open(path, "wb") as out:
        out.write(rng.randbytes(rng.choice((0, 10, 3000, 70000))))
    files.append(path)


def append():
    with open(rng.choice(files), "ab") as out:
        out.write(rng.randbytes(rng.choice((1, 5000))))


def rewrite():
    with open(rng.choice(files), "r+b") as out:
        out.seek(rng.randrange(100_000))
        out.write(rng.randbytes(5000))
        if rng.random() < 0.3:
            os.fsync(out.fileno())


def truncate():
    os.truncate(rng.choice(files), rng.choice((0, 100, 50_000, 1_000_000)))


def rename():
    i = rng.randrange(len(files))
    path = fresh()
    os.rename(files[i], path)
    files[i] = path


def link():
    path = fresh()
    os.link(rng.choice(files), path)
    files.append(path)


def remove():
    os.unlink(files.pop(rng.randrange(len(files))))


def mkdir():
    if len(folders) < 40:
        path = fresh()
        os.mkdir(path)
        folders.append(path)


def symlink():
    path = fresh()
    os.symlink("t" * rng.choice((5, 900)), path)


def attribute():
    try:
        os.setxattr(rng.choice(files), f"user.{rng.randrange(8)}", rng.randbytes(rng.choice((10, 300, 9000))))
    except OSError as error:
        if error.errno != errno.ENOSPC:  # ext4 has one block for all of a file's
            raise


def unattribute():
    path = rng.choice(files)
    names = os.listxattr(path)
    if names:
        os.removexattr(path, rng.choice(names))


def pieces():
    path = fresh()
    with open(path, "wb") as out:
        for i in range(rng.choice((5, 60))):
            out.seek(i * 16384)
            out.write(rng.randbytes(4096))
    files.append(path)


def punch():
    # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
    with open(rng.choice(files), "r+b") as out:
        libc.fallocate(out.fileno(), 3, ctypes.c_long(rng.randrange(20) * 4096), ctypes.c_long(8192))


def share():
    path = fresh()
    with open(rng.choice(files), "rb") as source, open(path, "wb") as out:
        try:
            fcntl.ioctl(out.fileno(), FICLONE, source.fileno())
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
    files.append(path)


acts_list = [create] * 8 + [append] * 3 + [rewrite] * 3 + [truncate] * 2 + [rename] * 3 + [link, mkdir, symlink, pieces, punch, share] + [
    remove] * 4 + [attribute] * 3 + [unattribute]
for _ in range(10):
    create()
for i in range(acts):
    if len(files) < 5:
        create()
        continue
    rng.choice(acts_list)()
    if i % max(1, acts // 3) == 0:
        libc.syncfs(here)  # of this filesystem only: the machine has others, and they are busy
# The last thing that reaches the log; nothing forces the rest of the metadata to its place.
last = fresh(".")
fd = os.open(last, os.O_CREAT | os.O_WRONLY)
os.write(fd, b"last")
os.fsync(fd)
# Left open, removed: what the kernel frees after recovery.
gone = fresh(".")
with open(gone, "wb") as out:
    out.write(b"gone" * 5000)
    out.flush()
    os.fsync(out.fileno())
    os.unlink(gone)
    os.fsync(fd)
    if os.environ.get("CRASH"):
        # XFS_IOC_GOINGDOWN with XFS_FSOP_GOING_FLAGS_NOLOGFLUSH, and EXT4_IOC_SHUTDOWN, which is the same: what is in the log stays, nothing more is written.
        fcntl.ioctl(here, 0x8004587D, struct.pack("I", 2))
        os._exit(0)
