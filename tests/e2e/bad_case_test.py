"""A disk that is full, a case that is somebody else's: nothing of it is lost, and the next run goes on."""
import os
import signal
import subprocess
import unittest

import verdict
from bad_input import BadInput
from harness import DONE, FAILED, INCIDENT, INSTANCE, USAGE, Lab, finish, investigated, scratch, start


BASELINE = "snap-0b5e11ea0ba5e11ea"


class CaseFolderTest(BadInput):
    def begin(self, case):
        """A case in the folder of the investigation to come, made without CloudTrail's two calls a second."""
        return case.run("collect", BASELINE, "--case", case.folder)

    def test_a_full_disk_and_then_more_of_it(self):
        case = self.case()
        disk = case.cwd / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", disk], check=False)
        case.folder = disk / "case"
        ran = case.investigate("--case", case.folder)
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn("No space left on device", ran.err, ran)
        self.assertIn(str(disk), ran.err, ran)
        made = set(self.lab.snapshots())
        subprocess.run(["mount", "-o", "remount,size=900m", disk], check=True)
        ran = case.investigate("--case", case.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(verdict.essence(case.findings()), verdict.essence(investigated().findings()))
        self.assertLessEqual(len(set(self.lab.snapshots()) - made), 2)
        self.assert_clean(case)

    def test_in_use_by_another_run(self):
        case = self.case()
        process = start(["collect", INSTANCE], case.env, case.cwd)
        try:
            while not (case.folder / "case.json").exists() and process.poll() is None:
                pass
            os.killpg(process.pid, signal.SIGSTOP)
            ran = case.investigate()
            self.assert_error(ran, str(case.folder.name), str(process.pid))
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        self.assertEqual(finish(process, ["collect", INSTANCE]).code, DONE)
        self.assert_clean(case)

    def test_of_another_account(self):
        world = scratch()
        for path in INCIDENT.iterdir():
            if path.name != "world.json" and not path.name.startswith("."):
                (world / path.name).symlink_to(path)
        (world / "world.json").write_text((INCIDENT / "world.json").read_text().replace("111122223333", "222233334444"))
        other = Lab(world=world)
        self.addCleanup(other.stop)
        case = self.case()
        self.assertEqual(self.begin(case).code, DONE)
        before = set(other.snapshots())
        case.env.update(other.exports)
        ran = case.investigate()
        self.assert_error(ran, "111122223333", "222233334444", case.folder.name)
        self.assertEqual(set(other.snapshots()), before)
        self.assert_clean(case)

    def test_of_another_region(self):
        case = self.case()
        self.assertEqual(self.begin(case).code, DONE)
        ran = case.investigate("--region", "eu-central-1")
        self.assert_error(ran, "us-west-2", "eu-central-1")
        self.assert_clean(case)

    def test_a_folder_that_is_something_else(self):
        case = self.case()
        case.folder.mkdir()
        (case.folder / "holiday.jpg").write_bytes(b"x")
        ran = case.investigate()
        self.assert_error(ran, case.folder.name)
        self.assertEqual([path.name for path in case.folder.iterdir()], ["holiday.jpg"])

    def test_a_file_where_the_folder_should_be(self):
        case = self.case()
        case.folder.write_text("x")
        ran = case.investigate()
        self.assertIn(ran.code, (FAILED, USAGE), ran)
        self.assertIn(case.folder.name, ran.err, ran)

    def test_a_case_that_cannot_be_written(self):
        case = self.case()
        ran = case.investigate("--case", "/proc/case")
        self.assertIn(ran.code, (FAILED, USAGE), ran)
        self.assertIn("/proc/case", ran.err, ran)

    def test_a_ledger_that_was_tampered_with(self):
        case = self.case()
        self.assertEqual(self.begin(case).code, DONE)
        file = case.folder / "ledger.jsonl"
        text = file.read_bytes()
        file.write_bytes(text.replace(b"GetCallerIdentity", b"GetCallerIdentitx", 1))
        ran = case.investigate()
        self.assert_error(ran, "ledger.jsonl", code=5)
        self.assertEqual(file.read_bytes(), text.replace(b"GetCallerIdentity", b"GetCallerIdentitx", 1), "evidence of tampering was touched")


if __name__ == "__main__":
    unittest.main()
