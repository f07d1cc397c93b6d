"""Nonsense on the command line: refused before anything is asked or made."""
import os
import stat
import subprocess
import unittest

import verdict
from harness import DONE, FAILED, ICECORE, PARTIAL, USAGE, environment, icecore, scratch


class UsageTest(unittest.TestCase):
    def test_nonsense_arguments(self):
        folder = scratch()
        env = environment(home=folder)
        for arguments in ([], ["frobnicate"], ["triage"], ["investigate"], ["triage", "x", "--frob"], ["timeline", "x", "--format", "xml"],
                          ["investigate", "i-1", "--threads", "0"], ["investigate", "i-1", "--threads", "many"], ["cat", "x"],
                          ["collect", "foo"], ["investigate", "foo"], ["triage", "i-05203422c5203422c"],
                          ["collect", "i-1", "--no-snapshot", "--snapshot-volume", "vol-1"],
                          ["investigate", "i-1", "i-2", "--case", "one"], ["triage", ""], ["investigate", ""], ["investigate", "-5"],
                          ["investigate", "i-xyz"], ["ls", "vol-1"], ["acquire", "i-1", "i-2", "--case", "one"], ["investigate", "i-1", "--snapshot-volume", "all"]):
            with self.subTest(arguments=arguments):
                ran = icecore(*arguments, env={**env, "AWS_REGION": "us-west-2", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
                                               "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, cwd=folder, timeout=60)
                self.assertEqual(ran.code, USAGE, ran)
                self.assertNotEqual(ran.err, "", ran)
                self.assertLess(ran.seconds, 20, ran)
                self.assertEqual([path.name for path in folder.iterdir()], [], "a case was made of nonsense")

    def test_help_says_what_the_exit_codes_are(self):
        folder = scratch()
        ran = icecore("--help", env=environment(home=folder), cwd=folder)
        self.assertEqual(ran.code, DONE, ran)
        for word in ("Exit codes", "130", "investigate", "verify"):
            self.assertIn(word, ran.out)

    def test_help_can_be_read(self):
        folder = scratch()
        env = environment(home=folder)
        commands = [line.split()[0] for line in icecore("--help", env=env, cwd=folder).out.split("Subcommands:")[-1].splitlines() if line.startswith("  ")]
        self.assertIn("recover", commands)
        for command in commands:
            ran = icecore(command, "--help", env=env, cwd=folder)
            self.assertEqual(ran.code, DONE, ran)
            self.assertEqual([byte for byte in ran.out_bytes if byte < 32 and byte != 10], [], ran)
            self.assertNotIn("->", ran.out, "CLI11's map of names to numbers")

    def test_not_a_case(self):
        folder = scratch()
        env = environment(home=folder / "home")
        (folder / "empty").mkdir()
        for command in ("verify", "report", "triage"):
            with self.subTest(command=command):
                ran = icecore(command, "empty", env=env, cwd=folder)
                self.assertIn(ran.code, (FAILED, USAGE), ran)
                self.assertIn("empty", ran.err, ran)
        self.assertEqual(list((folder / "empty").iterdir()), [])

    def test_output_into_a_device_leaves_the_device(self):
        folder = scratch()
        device = folder / "null"
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        ran = icecore("timeline", verdict.clean_twin(), "--files-only", "-o", device, env=environment(home=folder), cwd=folder)
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        self.assertTrue(stat.S_ISCHR(device.stat().st_mode), "the device was replaced by a file")

    def test_a_pipe_that_closes_ends_it_quietly(self):
        folder = scratch()
        env = environment(home=folder)
        command = f"{ICECORE} timeline {verdict.clean_twin()} --files-only | head -n 1"
        ran = subprocess.run(["bash", "-c", command + "; echo ${PIPESTATUS[0]} >&2"], env=env, cwd=folder, capture_output=True, text=True, check=False)
        self.assertEqual(len(ran.stdout.splitlines()), 1)
        self.assertNotIn("terminate", ran.stderr)
        self.assertLessEqual(len(ran.stderr.splitlines()), 2, ran.stderr)


if __name__ == "__main__":
    unittest.main()
