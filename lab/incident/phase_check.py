"""Guest: look at the finished images as a reader without recovery and as one with recovery would, and describe named files.

ubda, ubdb: root and data as they are (read-only). ubdc, ubdd: copies that may be recovered.
"""
import hashlib
import os

FORMAT = "%i|%s|%.9X|%.9Y|%.9Z|%.9W|%f"


def run(guest, names):
    out = {}
    # XFS refuses a second filesystem of the same UUID, so one view at a time.
    for view, root, data, ext, xfs in [("stale", "/dev/ubda1", "/dev/ubdb", "ro,noload", "ro,norecovery"), ("recovered", "/dev/ubdc1", "/dev/ubdd", "rw", "rw")]:
        guest.mount(root, options=ext)
        guest.mount(data, "/srv", "xfs", options=xfs)
        out[view] = {name: describe(guest, name) for name in names}
        out[view + "-tree"] = [_tree(guest.path("/")), _tree(guest.path("/srv"))]
        guest.unmount("/srv")
        guest.unmount()
    return out


def describe(guest, name):
    path = guest.path(name)
    if not os.path.lexists(path):
        return None
    inode, size, *times, mode = guest.sh("stat", "-c", FORMAT, path).strip().split("|")
    atime, mtime, ctime, crtime = (_ns(t) for t in times)
    fact = {"inode": int(inode), "size": int(size), "atime": atime, "mtime": mtime, "ctime": ctime, "crtime": crtime, "mode": int(mode, 16)}
    if path.is_symlink():
        fact["target"] = os.readlink(path)
    elif path.is_file():
        handle = os.open(path, os.O_RDONLY | os.O_NOATIME)
        with os.fdopen(handle, "rb") as source:
            fact["sha256"] = hashlib.sha256(source.read()).hexdigest()
    return fact


def _ns(text):
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def _tree(top):
    """A digest of names, sizes and inodes of one filesystem: enough to tell two views apart."""
    lines, device = [], os.lstat(top).st_dev
    for folder, folders, files in os.walk(top):
        folders[:] = [f for f in folders if os.lstat(os.path.join(folder, f)).st_dev == device]
        for name in folders + files:
            info = os.lstat(os.path.join(folder, name))
            lines.append(f"{folder}/{name} {info.st_ino} {info.st_size} {info.st_mtime_ns} {info.st_atime_ns}")
    return [len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()]
