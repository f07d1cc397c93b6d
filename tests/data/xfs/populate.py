#!/usr/bin/env python3
"""Fills a mounted XFS with each form of directory, fork and attribute. Arguments: folder, seed, scale (percent)."""
import errno
import fcntl
import os
import random
import socket
import stat
import sys

root, seed, scale = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
os.chdir(root)


def write(path, data):
    with open(path, "wb") as out:
        out.write(data)


def directory(name, count, length):
    os.mkdir(name)
    for i in range(count):
        path = f"{name}/{i:06d}-".ljust(len(name) + 1 + length, "n")
        if i % 3 == 0:
            write(path, b"x" * (i % 77))
        elif i % 3 == 1:
            os.symlink(f"target {i}", path)
        else:
            os.mknod(path, stat.S_IFIFO | 0o600)


directory("short", 3, 10)
directory("block", 30, 20)
directory("leaf", 320, 24)
directory("node", 2200 * scale // 100, 60)

# A directory in many pieces: something else takes the blocks between its own.
os.mkdir("pieces")
for i in range(1500 * scale // 100):
    write(f"pieces/{i:06d}".ljust(220, "p"), b"")
    if i % 10 == 0:
        with open(f"filler{i % 7}", "ab") as out:
            out.write(b"f" * 9000)
            os.fsync(out.fileno())
for i in range(0, 1500 * scale // 100, 3):
    os.unlink(f"pieces/{i:06d}".ljust(220, "p"))
os.mkdir("deep")
path = "deep"
for i in range(40):
    path += f"/level{i}"
    os.mkdir(path)
    write(path + "/here", str(i).encode())

write("empty", b"")
write("small", b"hello\n")
write("large", rng.randbytes(3_000_000))
with open("fragmented", "wb") as out:
    for i in range(400):
        out.seek(i * 2 * 4096)
        out.write(rng.randbytes(4096))
        if i % 16 == 0:
            os.fsync(out.fileno())
with open("sparse", "wb") as out:
    out.seek(5_000_000_000)
    out.write(b"end")
with open("unwritten", "wb") as out:
    out.write(b"begin")
    out.flush()
    os.posix_fallocate(out.fileno(), 0, 300_000)
FICLONE = 0x40049409
with open("large", "rb") as source, open("shared", "wb") as out:
    try:
        fcntl.ioctl(out.fileno(), FICLONE, source.fileno())
        out.seek(500_000)
        out.write(b"changed after sharing")
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise

os.symlink("s", "link-short")
os.symlink("m" * 200, "link-middle")
os.symlink("/".join(["l" * 99] * 10), "link-long")
os.mknod("char", stat.S_IFCHR | 0o620, os.makedev(4, 64))
os.mknod("blockdev", stat.S_IFBLK | 0o660, os.makedev(259, 70000))
listener = socket.socket(socket.AF_UNIX)
listener.bind("socket")
listener.close()
os.link("small", "hard link")
write(b"odd \xff\x01\n name", b"odd")
write("n" * 255, b"longest")
os.chmod("small", 0o4755)
os.chown("small", 1000, 4_000_000_000)
os.mkdir("sticky")
os.chmod("sticky", 0o1777)

os.mkdir("attributes")
for name in ("few", "leaf", "tree", "remote", "acl"):
    write("attributes/" + name, b"data")
os.setxattr("attributes/few", "user.one", b"1")
os.setxattr("attributes/few", "trusted.two", b"22")
os.setxattr("attributes/few", "security.three", b"333")
os.setxattr("attributes/few", "user.none", b"")
for i in range(12):
    os.setxattr("attributes/leaf", f"user.number{i}", rng.randbytes(40 + i))
for i in range(250):
    os.setxattr("attributes/tree", f"user.{i:03d}" + "t" * 150, rng.randbytes(i % 200))
os.setxattr("attributes/remote", "user.big", rng.randbytes(65536))
os.setxattr("attributes/remote", "user.bigger than a block", rng.randbytes(5000))
acl = bytes.fromhex("02000000" "01000600ffffffff" "02000400e8030000" "04000400ffffffff" "10000600ffffffff" "20000400ffffffff")
os.setxattr("attributes/acl", "system.posix_acl_access", acl)
os.setxattr("attributes", "user.of a folder", b"folder")
os.setxattr("attributes", "system.posix_acl_default", acl)

os.utime("small", ns=(1_234_567_890_123_456_789, 987_654_321_000_000_001))
os.utime("empty", ns=(-1_000_000_001, -1))
if os.environ.get("FAR_TIMES"):
    os.utime("large", ns=(7_000_000_000_999_999_999, 10_000_000_000_000_000_001 // 2))
