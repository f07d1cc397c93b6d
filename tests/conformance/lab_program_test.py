"""The program itself, the AWS CLI as its client, and the validator: it would be worth nothing if it passed everything."""
import io
import json
import os
import socket
import subprocess
import tempfile
import time
import unittest

import small_world as world
import validate
from lab_case import CLI, LAB, Case, Lab


@unittest.skipUnless(os.path.exists(CLI), "no AWS CLI")
class CommandLine(Case):
    def ok(self, *words):
        done = self.lab.cli(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def test_a_responders_evening(self):
        self.assertEqual(self.ok("sts", "get-caller-identity")["Account"], world.ACCOUNT)
        found = self.ok("ec2", "describe-instances")
        self.assertEqual(len(found["Reservations"]), 9)
        self.ok("ec2", "get-console-output", "--instance-id", world.INSTANCE, "--latest")
        made = self.ok("ec2", "create-snapshots", "--instance-specification", f"InstanceId={world.INSTANCE}",
                       "--tag-specifications", "ResourceType=snapshot,Tags=[{Key=a,Value=b c}]")["Snapshots"]
        self.wait_for(lambda: all(s["State"] == "completed" for s in self.lab.control("GET", "state")[world.REGION]["snapshots"]))
        page = self.ok("ebs", "list-snapshot-blocks", "--snapshot-id", made[0]["SnapshotId"])
        blocks = page["Blocks"]
        while "NextToken" in page:  # the CLI does not page this call itself
            page = self.ok("ebs", "list-snapshot-blocks", "--snapshot-id", made[0]["SnapshotId"], "--next-token", page["NextToken"])
            blocks += page["Blocks"]
        self.assertEqual([b["BlockIndex"] for b in blocks], sorted(world.ROOT_BLOCKS))
        with tempfile.TemporaryDirectory() as folder:
            self.ok("ebs", "get-snapshot-block", "--snapshot-id", made[0]["SnapshotId"], "--block-index", "5", "--block-token", blocks[2]["BlockToken"], folder + "/block")
            with open(folder + "/block", "rb") as file:
                self.assertEqual(file.read(), world.ROOT_BLOCKS[5] * world.BLOCK)
        self.assertEqual(len(self.ok("cloudtrail", "lookup-events")["Events"]), 120)
        self.ok("ec2", "describe-snapshots", "--owner-ids", "self")
        self.ok("ec2", "delete-snapshot", "--snapshot-id", made[1]["SnapshotId"])

    def test_errors_reach_the_terminal(self):
        done = self.lab.cli("ec2", "describe-instances", "--instance-ids", "i-0123456789abcdef0")
        self.assertEqual(done.returncode, 254)
        self.assertIn("(InvalidInstanceID.NotFound) when calling the DescribeInstances operation", done.stderr)


class Program(unittest.TestCase):
    def run_lab(self, *flags):
        with tempfile.TemporaryDirectory() as folder:
            world.build(folder)
            return subprocess.run([LAB, "--world", folder, *flags], capture_output=True, text=True, timeout=20, check=False)

    def test_loopback_only(self):
        done = self.run_lab("--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("loopback", done.stderr)

    def test_help_and_mistakes(self):
        done = subprocess.run([LAB, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("--endpoint-url", done.stdout)
        self.assertNotEqual(self.run_lab("--colour").returncode, 0)
        self.assertNotEqual(self.run_lab("--fault-script", '{"action": 1}').returncode, 0)

    def test_stops_cleanly_with_open_connections(self):
        lab = Lab()
        client = lab.client("ec2")
        client.describe_regions()
        start = time.time()
        lab.process.terminate()
        self.assertEqual(lab.process.wait(10), 0)
        self.assertLess(time.time() - start, 5)
        lab.__exit__()

    def test_raw_garbage(self):
        with Lab() as lab:
            for data in (b"\0" * 5000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"\r\n\r\n", b"GET"):
                with socket.create_connection(("127.0.0.1", lab.port)) as connection:
                    try:
                        connection.sendall(data)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except OSError:
                        pass  # the lab may hang up at once
            lab.client("ec2").describe_regions()


class Validator(unittest.TestCase):
    """validate.py itself: it would be worth nothing if it passed everything."""

    def complaints(self, spoil):
        with Lab() as lab:
            lab.client("ec2").describe_volumes()
            with open(lab.record, encoding="utf-8") as file:
                line = json.loads(file.readline())
            spoil(line)
            path = os.path.join(lab.folder.name, "spoiled.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            out = io.StringIO()
            count = validate.validate([path], out)[0]
            return count, out.getvalue()

    def test_a_good_exchange_passes(self):
        self.assertEqual(self.complaints(lambda line: None)[0], 0)

    def test_faults_are_found(self):
        def in_reply(old, new):
            return lambda line: line["reply"].update(body=line["reply"]["body"].replace(old, new))
        spoils = {
            "no such member of Volume": in_reply("volumeType>", "volumeTipe>"),
            "is not one of": in_reply("gp3", "gp33"),
            "list item <member>": in_reply("<volumeSet><item>", "<volumeSet><member></member><item>"),
            "invalid literal": in_reply("<size>1", "<size>one"),
            "no such member of DescribeVolumesRequest": lambda line: line["request"].update(body=line["request"]["body"] + "&Colour=1"),
            "is no integer": lambda line: line["request"].update(body=line["request"]["body"] + "&MaxResults=x"),
            "Version is": lambda line: line["request"].update(body=line["request"]["body"].replace("2016-11-15", "2010-01-01")),
            "without date": lambda line: line["reply"].update(headers=[h for h in line["reply"]["headers"] if h[0] != "Date"]),
        }
        for wanted, spoil in spoils.items():
            with self.subTest(wanted):
                count, text = self.complaints(spoil)
                self.assertGreater(count, 0)
                self.assertIn(wanted, text)


if __name__ == "__main__":
    unittest.main()
