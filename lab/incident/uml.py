"""User Mode Linux: a real kernel as an ordinary process, with a clock of its own.

Inode times, journal transactions and deletion times are written by the kernel and cannot be chosen from outside, and this machine's
clock is not ours to set. So all work on the images is done under Debian's UML kernel: its ext4 and XFS are the kernel's, its root is
this machine's file tree (hostfs), its `init` is guest.py, and it sets its own clock to the minute that each act of the story needs.
A job ends by unmounting, or by a power cut: what is not on the disk by then is lost, as in a snapshot of a running machine.
"""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .run import Failed, log

KERNEL = "/usr/bin/linux.uml"
GUEST = Path(__file__).with_name("guest.py")


class Job:
    """A guest at work. `disks` become /dev/ubda, /dev/ubdb, …; `args` is what the phase gets (JSON)."""

    def __init__(self, phase, disks, args, read_only=0, memory="640M", seconds=600):
        self.phase, self.deadline, self.began = phase, time.time() + seconds, time.time()
        self.place = Path(tempfile.mkdtemp(prefix="icecore-uml-"))
        (self.place / "job.json").write_text(json.dumps({"phase": phase, "args": args}))
        # The guest's memory is a file that must be mapped executable; tmpfs is faster where it is large enough.
        shm = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else 0
        env = dict(os.environ, TMPDIR="/dev/shm" if shm > 2**30 else str(self.place))
        self.console = open(self.place / "console", "wb")
        # The kernel's command line knows no quoting, and a comma in a disk's name has a meaning: links have plain names.
        for i, source in enumerate(disks):
            (self.place / f"disk{i}").symlink_to(Path(source).resolve())
        (self.place / "init").symlink_to(GUEST.resolve())
        drives = [f"ubd{i}{'r' if i < read_only else ''}={self.place}/disk{i}" for i in range(len(disks))]
        self.process = subprocess.Popen(
            [KERNEL, f"mem={memory}", *drives, "root=/dev/root",
             "rootfstype=hostfs", "rootflags=/", "rw", f"init={self.place}/init", "quiet", "con=null", "con0=null,fd:1", f"ICEJOB={self.place}"],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT, env=env, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        # The guest's threads are one process group of their own.
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.console.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def alive(self):
        if time.time() > self.deadline:
            raise Failed(f"guest phase {self.phase}: no end in time\n{self._tail()}")
        return self.process.poll() is None

    def wait_file(self, name):
        """Wait until the guest has written a file into the job's folder."""
        while not (self.place / name).exists():
            if not self.alive():
                self.result()
            time.sleep(0.02)

    def tell(self, name):
        (self.place / name).touch()

    def result(self):
        """Wait for the end and give what the phase returned."""
        while self.alive():
            time.sleep(0.02)
        path = self.place / "result.json"
        answer = json.loads(path.read_text()) if path.exists() else {"error": "the guest kernel stopped\n" + self._tail()}
        if "error" in answer:
            raise Failed(f"guest phase {self.phase}: {answer['error']}")
        log(f"{self.phase}: {time.time() - self.began:.1f} s")
        return answer["value"]

    def _tail(self):
        self.console.flush()
        return (self.place / "console").read_text(errors="replace")[-3000:]


def work(phase, disks, read_only=0, **args):
    """Run one phase to its end; the first `read_only` disks cannot be written."""
    with Job(phase, disks, args, read_only) as job:
        return job.result()
