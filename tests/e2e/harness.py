"""What every end-to-end test needs: the two programs, a scratch folder, a lab with the practice incident, and a run of icecore in it.

Environment: ICECORE, ICECORE_LAB, ICECORE_INCIDENT name the programs and the incident (default: build/release/… and build/incident); ICECORE_SLOW=1
asks for what takes minutes.
"""
import atexit
import fcntl
import hashlib
import json
import os
import pty
import shlex
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import urllib.request
from pathlib import Path

import boto3
import botocore.config

sys.dont_write_bytecode = True
REPOSITORY = Path(__file__).resolve().parents[2]
ICECORE = Path(os.environ.get("ICECORE", REPOSITORY / "build/release/icecore"))
ICECORE_LAB = Path(os.environ.get("ICECORE_LAB", REPOSITORY / "build/release/icecore-lab"))
INCIDENT = Path(os.environ.get("ICECORE_INCIDENT", REPOSITORY / "build/incident"))
SLOW = os.environ.get("ICECORE_SLOW", "0") not in ("", "0")

INSTANCE = "i-05203422c5203422c"
ROOT_VOLUME, DATA_VOLUME = "vol-0a5203422c0000001", "vol-0a5203422c0000002"
DONE, FAILED, USAGE, PARTIAL, FINDINGS, INTEGRITY, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

slow = unittest.skipUnless(SLOW, "takes minutes: set ICECORE_SLOW=1 (./dev test --all does)")

# What only a bug of ours prints.
CRASH_WORDS = ("this should not have happened", "terminate called", "Assertion `", "AddressSanitizer", "runtime error:", "Traceback")

for needed in (ICECORE, ICECORE_LAB, INCIDENT / "world.json", INCIDENT / "truth.json"):
    if not needed.exists():
        sys.exit(f"tests/e2e: {needed} is missing; ./dev build makes the programs, ./dev demo the incident")


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scratch():
    """A new private folder that is gone when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="icecore-e2e-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Ran:
    """A finished run of icecore."""

    def __init__(self, arguments, code, out, err, seconds):
        self.arguments, self.code, self.out_bytes, self.err_bytes, self.seconds = arguments, code, out, err, seconds
        self.out, self.err = out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace")

    def json(self):
        return json.loads(self.out_bytes)

    def __str__(self):
        return f"\n$ icecore {shlex.join(map(str, self.arguments))}\n{self.out[-3000:]}\n{self.err[-3000:]}\nexit code {self.code} after {self.seconds:.1f} s"


def environment(lab=None, home=None, **changes):
    """Nothing of the user's: a home of its own, and the lab's address and keys. A change to None takes a variable away."""
    wanted = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home or scratch()), "AWS_EC2_METADATA_DISABLED": "true"}
    wanted.update({name: os.environ[name] for name in ("TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ})
    wanted.update(lab.exports if lab else {})
    wanted.update(changes)
    return {name: str(value) for name, value in wanted.items() if value is not None}


def start(arguments, env, cwd, **popen):
    """icecore in a process group of its own."""
    return subprocess.Popen([ICECORE, *arguments], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            start_new_session=True, **popen)


def finish(process, arguments, timeout=300, began=None):
    began = began or time.monotonic()
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"hangs: {Ran(arguments, None, out, err, timeout)}") from None
    ran = Ran(arguments, process.returncode, out, err, time.monotonic() - began)
    crashed = ran.code < 0 and ran.code not in (-signal.SIGKILL, -signal.SIGINT) or any(word in ran.out + ran.err for word in CRASH_WORDS)
    if crashed:
        raise AssertionError(f"icecore crashed: {ran}")
    return ran


def icecore(*arguments, env, cwd, timeout=300):
    arguments = [os.fsdecode(argument) for argument in arguments]
    return finish(start(arguments, env, cwd), arguments, timeout)


def on_a_terminal(arguments, env, cwd, columns=80, error=True):
    """What icecore writes to the terminal that is its standard input, output and (where `error`) error, as bytes."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([ICECORE, *arguments], env=env, cwd=cwd, stdin=its, stdout=its, stderr=its if error else subprocess.DEVNULL) as process:
        os.close(its)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # EIO: the last writer has gone
            pass
        os.close(ours)
        process.wait(60)
    return shown


class Lab:
    """icecore-lab on a free port, with the practice incident; `flags` are its own. Stopped by stop() or at the end of the tests."""

    labs = []  # all of this process, for z_records_test.py

    def __init__(self, *flags, world=INCIDENT):
        self.folder = scratch()
        self.record = self.folder / "record.jsonl"
        port = self.folder / "port"
        command = [ICECORE_LAB, "--world", world, "--port-file", port, "--record", self.record, "--tls-dir", self.folder / "tls", "--exports", *flags]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        atexit.register(self.stop)
        deadline = time.monotonic() + 60
        while not port.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"icecore-lab did not start: {(self.folder / 'log').read_text()}")
            time.sleep(0.02)
        lines = [line for line in (self.folder / "log").read_text().splitlines() if line.startswith("export ")]
        self.exports = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        self.url = self.exports["AWS_ENDPOINT_URL"]
        self.clients = []
        Lab.labs.append(self)

    def boto(self, service, key=None):
        """A client that is not ours. `key`: (id, secret) of another principal than the exported one."""
        identifier, secret = key or (self.exports["AWS_ACCESS_KEY_ID"], self.exports["AWS_SECRET_ACCESS_KEY"])
        client = boto3.client(service, endpoint_url=self.url, region_name="us-west-2", aws_access_key_id=identifier, aws_secret_access_key=secret,
                              verify=self.exports.get("AWS_CA_BUNDLE"), config=botocore.config.Config(s3={"addressing_style": "path"}))
        self.clients.append(client)
        return client

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_lab/{path}", method=method, data=data)
        context = ssl.create_default_context(cafile=self.exports["AWS_CA_BUNDLE"]) if self.url.startswith("https") else None
        with urllib.request.urlopen(request, context=context, timeout=60) as reply:
            return json.load(reply)

    def state(self):
        return self.control("GET", "state")

    def snapshots(self):
        return {item["SnapshotId"]: item for item in self.state()["us-west-2"].get("snapshots", [])}

    def requests(self):
        return self.control("GET", "requests")

    def patch(self, table, identifier, members):
        return self.control("PATCH", f"{table}/{identifier}", members)

    def stop(self):
        while self.clients:
            self.clients.pop().close()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


class Case:
    """A scratch folder with a home, and `icecore investigate` run in it against `lab`."""

    def __init__(self, lab, **changes):
        self.lab, self.cwd = lab, scratch()
        self.env = environment(lab, home=self.cwd / "home", **changes)
        self.folder = self.cwd / f"case-{INSTANCE}"

    def run(self, *arguments, timeout=300):
        return icecore(*arguments, env=self.env, cwd=self.cwd, timeout=timeout)

    def investigate(self, *flags, timeout=300):
        return self.run("investigate", INSTANCE, *flags, timeout=timeout)

    def findings(self):
        return json.loads((self.folder / "analysis/findings.json").read_text())

    def remove(self):
        shutil.rmtree(self.cwd, ignore_errors=True)


_investigated = []


def investigated():
    """One undisturbed investigation, made on first use and shared by the tests that only look at its case."""
    if not _investigated:
        lab = Lab()
        before = lab.snapshots()
        case = Case(lab)
        case.ran = case.investigate()
        case.snapshots_before = before
        _investigated.append(case)
    return _investigated[0]
