"""What the lab's conformance tests share: a lab of its own for each class, boto3 and the AWS CLI as its clients, and its record held against botocore's models.

    ICECORE_LAB=BUILD/icecore-lab python3 -m unittest discover -s tests/conformance -p 'lab_*_test.py'

ICECORE_LAB names the program (default: build/release/icecore-lab). ICECORE_LAB_WHOLE=1 says that all of the tests are run, so that the last of them may ask
for a call that none has made.
"""
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions

import small_world as world
import validate

LAB = str(Path(os.environ.get("ICECORE_LAB", Path(__file__).resolve().parents[2] / "build/release/icecore-lab")).resolve())
if not os.path.exists(LAB):
    sys.exit(f"tests/conformance: {LAB} is missing; ./dev build makes it")
CLI = "/usr/bin/aws"
SEEN = {}  # service:operation -> how often, of all tests of this run
ALL_PAGES = ["--page-size", "2", "--empty-pages", "--ec2-rate", "0", "--ec2-write-rate", "0", "--cloudtrail-rate", "0", "--ebs-list-rate", "0",
             "--ebs-get-rate", "0", "--snapshot-seconds", "0.4", "--volume-seconds", "0.1", "--instance-seconds", "0.1"]


class Lab:
    """A lab of its own with a world of its own; a context manager."""

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory(prefix="lab-test-")
        self.world = world.build(self.folder.name)
        self.record = os.path.join(self.folder.name, "record.jsonl")
        port_file = os.path.join(self.folder.name, "port")
        self.process = subprocess.Popen([LAB, "--world", self.folder.name, "--record", self.record, "--port-file", port_file, *flags],
                                        stdout=subprocess.PIPE, text=True)
        for _ in range(200):
            if os.path.exists(port_file):
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"the lab ended with {self.process.returncode}")
            time.sleep(0.05)
        with open(port_file, encoding="ascii") as file:
            self.port = int(file.read())
        self.authority = os.path.join(self.folder.name, "lab-ca.pem")
        self.url = f"http{'s' if '--tls' in flags else ''}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        code = self.process.wait(20)
        self.process.stdout.close()
        self.folder.cleanup()
        if code != 0:
            raise AssertionError(f"the lab ended with {code}")

    def client(self, service, key=world.KEY, region=world.REGION, **config):
        config.setdefault("retries", {"max_attempts": 0})
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                            aws_session_token=key[2] if len(key) > 2 else None, verify=self.authority if self.url.startswith("https") else None,
                            config=botocore.config.Config(**config))

    def cli(self, *words, key=world.KEY):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": key[0], "AWS_SECRET_ACCESS_KEY": key[1], "AWS_REGION": world.REGION, "AWS_PAGER": "",
                       "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        environment.pop("AWS_SESSION_TOKEN", None)
        return subprocess.run([CLI, "--endpoint-url", self.url, "--output", "json", *words], env=environment, capture_output=True, text=True, timeout=120, check=False)

    def control(self, method, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_lab/{path}", data=data, method=method)
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


class Case(unittest.TestCase):
    flags = ALL_PAGES

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*cls.flags)
        cls.ec2, cls.ebs, cls.trail, cls.sts, cls.iam = (cls.lab.client(name) for name in ("ec2", "ebs", "cloudtrail", "sts", "iam"))

    @classmethod
    def tearDownClass(cls):
        problems = io.StringIO()
        count, cls.seen = validate.validate([cls.lab.record], problems)
        cls.lab.__exit__()
        if count:
            raise AssertionError("botocore's models disagree:\n" + problems.getvalue())
        SEEN.update(cls.seen)

    def refused(self, code, call, *positional, **members):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(*positional, **members)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception.response)
        return caught.exception.response

    def pages(self, client, name, **members):
        return list(client.get_paginator(name).paginate(**members))

    def snapshot_of(self, volume, **members):
        made = self.ec2.create_snapshot(VolumeId=volume, **members)
        self.ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[made["SnapshotId"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        return made["SnapshotId"]

    def wait_for(self, what, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            if what():
                return
            time.sleep(0.05)
        self.fail("it did not happen in time")
