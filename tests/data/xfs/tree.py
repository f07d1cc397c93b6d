#!/usr/bin/env python3
"""Prints the tree under a folder for kernels that only run as guests: a line a file, fields separated by tabs: path, status, content; path and
content in hex. The same text as tests/fs/xfs/tree.h, without birth times (version 4 has none)."""
import hashlib
import os
import stat
import sys

root = os.fsencode(sys.argv[1])


def time(ns):
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09}"


def content_hash(path, size):
    digest = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | os.O_NOATIME)
    at = 0
    while at < size:
        piece = os.pread(fd, 1 << 20, at)
        if not piece:
            break
        digest.update(piece)
        at += len(piece)
        if size > 64 << 20 and at < size - (1 << 20):
            at = size - (1 << 20)
    os.close(fd)
    return digest.hexdigest()[:16].encode()


def dump(path):
    full = root + path
    st = os.lstat(full)
    device = os.major(st.st_rdev) << 20 | os.minor(st.st_rdev)
    status = (f"ino={st.st_ino} mode={st.st_mode:o} uid={st.st_uid} gid={st.st_gid} links={st.st_nlink} size={st.st_size} a={time(st.st_atime_ns)} "
              f"m={time(st.st_mtime_ns)} c={time(st.st_ctime_ns)} b=none dev={device:x}")
    content = b""
    for name in sorted(os.listxattr(full, follow_symlinks=False), key=os.fsencode):
        value = os.getxattr(full, name, follow_symlinks=False)
        content += b" " + os.fsencode(name) + b"=" + hashlib.sha256(value).hexdigest()[:12].encode()
    if stat.S_ISLNK(st.st_mode):
        content += b" -> " + os.readlink(full)
    elif stat.S_ISREG(st.st_mode):
        content += b" sha256 " + content_hash(full, st.st_size)
    print(path.hex(), status, content.hex(), sep="\t")
    if stat.S_ISDIR(st.st_mode):
        for name in os.listdir(full):
            dump(path + b"/" + name)


dump(b"")
