"""What a kernel (or its FUSE driver) shows of a mounted tree: path, type, size, times in nanoseconds, SHA-256 of the content; tabs between, path in hex."""
import hashlib
import os
import stat
import sys

root = os.fsencode(sys.argv[1])
for folder, folders, files in os.walk(root):
    for name in sorted(folders + files):
        path = os.path.join(folder, name)
        info = os.lstat(path)
        digest = "-"
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
        kind = "d" if stat.S_ISDIR(info.st_mode) else "l" if stat.S_ISLNK(info.st_mode) else "f"
        size = info.st_size if kind == "f" else 0
        print(path[len(root):].hex(), kind, size, info.st_mtime_ns, info.st_atime_ns, info.st_ctime_ns, digest, sep="\t")
