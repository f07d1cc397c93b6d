"""`icecore mount` as a context: `with Fuse(target, env, cwd) as mount:` — mount.folder is the mounted folder; afterwards mount.ran is the finished run."""
import os
import signal
import subprocess
import time

from harness import finish, scratch, start


def mounted(folder):
    """By the kernel's table: another user's mount cannot be looked at, not even by root."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return any(line.split()[1] == str(folder) for line in mounts)


class Fuse:
    def __init__(self, target, *flags, env, cwd, folder=None, **popen):
        self.folder = folder or scratch() / "mnt"
        self.arguments = ["mount", str(target), str(self.folder), *map(str, flags)]
        self.env, self.cwd, self.popen, self.ran = env, cwd, popen, None

    def __enter__(self):
        self.process = start(self.arguments, self.env, self.cwd, **self.popen)
        deadline = time.monotonic() + 120
        while not mounted(self.folder):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"nothing is mounted: {finish(self.process, self.arguments, 10)}")
            time.sleep(0.02)
        return self

    def stop(self, number=signal.SIGINT):
        if self.ran is None:
            self.process.send_signal(number)
            self.ran = finish(self.process, self.arguments, 60)
        return self.ran

    def unmount(self):
        subprocess.run(["fusermount3", "-u", self.folder], check=True)
        self.ran = finish(self.process, self.arguments, 60)
        return self.ran

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if mounted(self.folder):
                subprocess.run(["umount", "-l", self.folder], check=False)
