"""Peers that read a disk without a kernel: libyal's (Debian), and dissect.target and plaso (PyPI, in a venv of their own). One that is not to be had gives no row."""
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from where import KEPT

VENV = KEPT / "peers"
PACKAGES = ["dissect.target==3.25.1", "dissect.extfs==3.15", "dissect.xfs==3.13", "plaso==20260720"]
# They take from minutes to an hour on 150,000 files: they are stopped then, and what they did until then is what is counted.
LIMIT_SECONDS = 120


def fsinfo(tool, path):
    """{tool: its command for a bodyfile of the whole hierarchy}."""
    return {tool: [tool, "-H", "-B", "/dev/null", path]} if shutil.which(tool) else {}


@functools.cache
def venv():
    """The venv's bin folder, made once; None where PyPI gives it not."""
    if not (VENV / "complete").exists():
        made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode == 0
        if not made or subprocess.run([VENV / "bin/pip", "install", "-q", *PACKAGES], check=False).returncode != 0:
            print("bench: dissect.target and plaso cannot be installed: the rows are without them", file=sys.stderr)
            return None
        (VENV / "complete").touch()
    return VENV / "bin"


def within_limit(command, out=None):
    """Seconds, and whether it ended by itself."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out or subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        code = process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return time.monotonic() - began, False
    if code != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {code}")
    return time.monotonic() - began, True


def walkers(path, files):
    """(name, what it is, seconds for all `files`) of each."""
    if venv() is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/walked", "w+b") as out:
            seconds, ended = within_limit([venv() / "target-query", "-q", "-s", "-f", "walkfs", path], out)
            out.seek(0)
            records = sum(1 for _ in out)
        if records:
            yield "dissect", "dissect walkfs" if ended else f"dissect walkfs (by {records} of {files} files)", seconds if ended else seconds * files / records
        seconds, ended = within_limit([venv() / "log2timeline", "--parsers", "filestat", "--status_view", "none", "-q", "-u", "--partitions", "all",
                                       "--logfile", f"{folder}/log.gz", "--storage_file", f"{folder}/plaso", path])
        yield "plaso", "plaso filestat" if ended else "plaso filestat (stopped: at least)", seconds
