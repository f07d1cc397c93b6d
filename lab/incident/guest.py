#!/usr/bin/python3
"""`init` of the guest (uml.py): mounts the images, sets the clock, does one phase, ends.

A phase is `incident.phase_<name>.run(guest, **args)`; what it returns goes to the host as JSON.
"""
import ctypes
import hashlib
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

LIBC = ctypes.CDLL(None, use_errno=True)
POWER_OFF = 0x4321FEDC  # linux/reboot.h LINUX_REBOOT_CMD_POWER_OFF: does not sync


class Guest:
    """The victim's file tree at `root`, mounted by this kernel, and the clock."""

    def __init__(self, place):
        self.place = Path(place)
        self.root = Path("/mnt/m")
        self.root.mkdir()

    def clock(self, seconds):
        # A fraction that depends on the moment alone: real files are never all at whole seconds.
        fraction = int.from_bytes(hashlib.sha256(f"{seconds:.3f}".encode()).digest()[:6], "big") / 2**48 * 0.95
        time.clock_settime(time.CLOCK_REALTIME, int(seconds) + fraction)

    def sh(self, *args, stdin=None, **more):
        done = subprocess.run([str(a) for a in args], input=stdin, text=True, capture_output=True, **more)
        if done.returncode != 0:
            raise RuntimeError(f"{args}: {done.returncode} {done.stdout[-500:]} {done.stderr[-1500:]}")
        return done.stdout

    def chroot(self, *args, stdin=None):
        """Run a program of the machine's own."""
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}
        return self.sh("chroot", self.root, *args, stdin=stdin, env=env)

    def mount(self, device, where="/", kind="ext4", options="rw"):
        self.sh("mount", "-i", "-t", kind, "-o", options, device, self.path(where))

    def unmount(self, where="/"):
        self.sh("umount", self.path(where))

    def path(self, name):
        """Where a path of the machine lies in this guest."""
        return self.root / str(name).lstrip("/")

    def write(self, name, content, mode=0o644, owner=(0, 0), append=False):
        """Write a file as an editor or a shell's redirection would: open, write, close."""
        path = self.path(name)
        new = not path.exists()
        with open(path, "ab" if append else "wb") as out:
            out.write(content.encode() if isinstance(content, str) else content)
        if new or not append:
            os.chown(path, *owner)
            path.chmod(mode)
        return path

    def mkdir(self, name, mode=0o755, owner=(0, 0)):
        path = self.path(name)
        path.mkdir(exist_ok=True)
        os.chown(path, *owner)
        path.chmod(mode)
        return path

    def fsync(self, name):
        """Commit one file (or folder) and the journal up to it; nothing is checkpointed."""
        handle = os.open(self.path(name), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def owner(self, user):
        for line in self.path("/etc/passwd").read_text().splitlines():
            parts = line.split(":")
            if parts[0] == user:
                return int(parts[2]), int(parts[3])
        raise KeyError(user)


def main():
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    place = os.environ["ICEJOB"]
    answer = {"error": "the phase did not end"}
    try:
        mount = lambda *a: subprocess.run(["mount", *a], check=True, stdin=subprocess.DEVNULL)
        mount("-n", "-t", "proc", "proc", "/proc")
        mount("-n", "-t", "tmpfs", "tmpfs", "/mnt")
        subprocess.run(["mount", "-n", "-t", "devtmpfs", "dev", "/dev"], stderr=subprocess.DEVNULL)  # the kernel may have done so
        job = json.loads(Path(place, "job.json").read_text())
        phase = importlib.import_module("incident.phase_" + job["phase"])
        answer = {"value": phase.run(Guest(place), **job["args"])}
    except BaseException:  # noqa: the host must hear of everything
        answer = {"error": traceback.format_exc()}
    Path(place, "result.tmp").write_text(json.dumps(answer))
    os.rename(Path(place, "result.tmp"), Path(place, "result.json"))
    LIBC.reboot(POWER_OFF)


if __name__ == "__main__":
    main()
