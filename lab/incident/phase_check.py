"""Guest: look at the finished images as a reader without recovery and as one with recovery would, and describe named files.

ubda, ubdb: root and data as they are (read-only). ubdc, ubdd: copies that may be recovered.
"""
import hashlib
import os

FORMAT = "%i|%s|%.9X|%.9Y|%.9Z|%.9W|%n"
BUSY = ["etc", "home", "var", "root"]  # the root's trees that the last acts change; a walk through all of /usr would only cost time


def run(guest, names):
    out = {}
    # XFS refuses a second filesystem of the same UUID, so one view at a time.
    for view, root, data, ext, xfs in [("stale", "/dev/ubda1", "/dev/ubdb", "ro,noload", "ro,norecovery"), ("recovered", "/dev/ubdc1", "/dev/ubdd", "rw,noatime", "rw,noatime")]:
        guest.mount(root, options=ext)
        guest.mount(data, "/srv", "xfs", options=xfs)
        out[view] = describe(guest, names)
        out[view + "-tree"] = [_tree([guest.path(name) for name in BUSY]), _tree([guest.path("/srv")])]
        guest.unmount("/srv")
        guest.unmount()
    return out


def describe(guest, names):
    """{name: facts, or None where there is nothing}. One stat(1) for all: Python has no birth time, and a fork is dear under UML."""
    out = dict.fromkeys(names)
    there = [name for name in names if os.path.lexists(guest.path(name))]
    lines = guest.sh("stat", "-c", FORMAT, *[guest.path(name) for name in there]).splitlines()
    for name, line in zip(there, lines):
        inode, size, *times, where = line.split("|")
        if where != str(guest.path(name)):
            raise RuntimeError(f"stat answers for {where} instead of {name}")
        atime, mtime, ctime, crtime = (_ns(t) for t in times)
        out[name] = {"inode": int(inode), "size": int(size), "atime": atime, "mtime": mtime, "ctime": ctime, "crtime": crtime}
    for name in there:
        path = guest.path(name)
        if path.is_symlink():
            out[name]["target"] = os.readlink(path)
        elif path.is_file():
            out[name]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    return out


def _ns(text):
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def _tree(tops):
    """A digest of names, inodes, sizes and times: enough to tell two views apart."""
    lines, todo = [], list(tops)
    while todo:
        for entry in os.scandir(todo.pop()):
            info = entry.stat(follow_symlinks=False)
            lines.append(f"{entry.path} {info.st_ino} {info.st_size} {info.st_mtime_ns} {info.st_atime_ns}")
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
    return [len(lines), hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()]
