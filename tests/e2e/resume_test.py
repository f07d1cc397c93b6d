"""Killed at any moment and started again, `investigate` ends in the verdict of an undisturbed run, with no second snapshot made.

ICECORE_KILLS: how many moments (default 5, or 50 with ICECORE_SLOW=1). ICECORE_SEED repeats a run's moments.
"""
import concurrent.futures
import json
import os
import random
import signal
import time
import unittest

import ledger
import verdict
from conformance import complaints
from harness import DATA_VOLUME, DONE, INSTANCE, INTERRUPTED, ROOT_VOLUME, SLOW, Case, Lab, finish, start

KILLS = int(os.environ.get("ICECORE_KILLS", 50 if SLOW else 5))
SEED = int(os.environ.get("ICECORE_SEED", random.SystemRandom().randrange(10**6)))
AT_ONCE = 4  # a run mostly waits for CloudTrail, which allows two calls a second
ARGUMENTS = ["investigate", INSTANCE]


def after(seconds):
    began = time.monotonic()
    return lambda case: time.monotonic() - began >= seconds


def once_the_ledger_has(size):
    """By acts instead of by the clock: most of a run's time is waiting."""
    file = "ledger.jsonl"
    return lambda case: (case.folder / file).exists() and (case.folder / file).stat().st_size >= size


def stop(case, moment, number):
    """An investigation that gets a signal at the moment; its result, which may be that of a run that had ended by then."""
    process = start(ARGUMENTS, case.env, case.cwd)
    while process.poll() is None and not moment(case):
        time.sleep(0.001)
    if process.poll() is None:
        os.killpg(process.pid, number)
    return finish(process, ARGUMENTS)


class ResumeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("--cloudtrail-rate", "0")  # icecore keeps to two a second by itself
        cls.before = set(cls.lab.snapshots())
        cls.known = set()  # snapshots that a ledger of these tests names
        case = Case(cls.lab)
        cls.undisturbed = case.investigate()
        if cls.undisturbed.code != DONE:
            raise AssertionError(cls.undisturbed)
        cls.wanted = verdict.essence(case.findings())
        cls.acts = (case.folder / "ledger.jsonl").stat().st_size
        cls.known.update(ledger.created(ledger.entries(case.folder)))
        case.remove()

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def assert_whole(self, case, said):
        self.assertEqual(said.code, DONE, said)
        self.assertEqual(verdict.essence(case.findings()), self.wanted)
        entries = ledger.entries(case.folder)
        left_open = [intent["body"] for intent, outcome in ledger.acts(entries) if outcome is None]
        # A reading call that was in flight when its run died stays open. What changes the account has to be cleared up.
        self.assertEqual([body for body in left_open if body["act"] == "create-snapshots"], [])
        identity = json.loads((case.folder / "case.json").read_text())
        ours = {"Key": "icecore:case", "Value": next(value for value in identity.values() if str(value).startswith("case-"))}
        made = {key: value for key, value in self.lab.snapshots().items() if ours in value["Tags"]}
        self.assertEqual(sorted(item["VolumeId"] for item in made.values()), [ROOT_VOLUME, DATA_VOLUME], "not one snapshot of each volume")
        self.assertEqual(set(made), set(ledger.created(entries)), "an orphan: made, and not in the ledger")
        self.assertEqual(set(made), {path.name for path in (case.folder / "snapshots").iterdir()})
        self.known.update(made)
        ran = case.run("verify", case.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([path for path in case.folder.rglob("*.tmp")], [])

    def moments(self):
        """One in each equal part of a run, so that all of it is covered; in turn of its time and of its acts."""
        chance = random.Random(SEED)
        for number in range(KILLS):
            part = (number + chance.random()) / KILLS
            yield (after, part * self.undisturbed.seconds) if number % 2 else (once_the_ledger_has, part * self.acts)

    def kill_and_resume(self, kind, limit):
        """Whether it was killed before it had ended."""
        case = Case(self.lab)
        first = stop(case, kind(limit), signal.SIGKILL)
        if (case.folder / "ledger.jsonl").exists():
            ledger.entries(case.folder)  # what was acknowledged chains
        self.assert_whole(case, case.investigate())
        case.remove()
        return first.code == -signal.SIGKILL

    def test_killed_at_any_moment(self):
        killed = 0
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            runs = {pool.submit(self.kill_and_resume, kind, limit): f"{kind.__name__} {limit:.3f}" for kind, limit in self.moments()}
            for run in concurrent.futures.as_completed(runs):
                with self.subTest(killed=runs[run], seed=SEED):
                    killed += run.result()
        self.assertGreater(killed, KILLS // 2)

    def test_killed_twice_and_verified_in_between(self):
        case = Case(self.lab)
        for size in (self.acts // 4, self.acts // 2):
            killed = stop(case, once_the_ledger_has(size), signal.SIGKILL)
            self.assertEqual(killed.code, -signal.SIGKILL, killed)
            ran = case.run("verify", case.folder, "--json")
            self.assertEqual(ran.code, DONE, ran)
            self.assertFalse(ran.json()["finished"])
        self.assert_whole(case, case.investigate())

    def test_ctrl_c_ends_it_at_once_and_the_next_run_goes_on(self):
        case = Case(self.lab)
        began = time.monotonic()
        stopped = stop(case, after(0.4 * self.undisturbed.seconds), signal.SIGINT)
        self.assertEqual(stopped.code, INTERRUPTED, stopped)
        self.assertLess(time.monotonic() - began, 0.4 * self.undisturbed.seconds + 5)
        self.assertIn("interrupted", stopped.err)
        self.assert_whole(case, case.investigate())

    def test_a_second_run_of_a_finished_case_makes_no_second_snapshot(self):
        case = Case(self.lab)
        self.assertEqual(case.investigate().code, DONE)
        self.assert_whole(case, case.investigate())

    def test_z_the_account_holds_no_orphan_and_all_calls_were_valid(self):
        """Last by its name: what all of the above has left in the account."""
        killed_for_good = {key for key, item in self.lab.snapshots().items() if key not in self.before | self.known}
        self.assertEqual(killed_for_good, set())
        self.lab.stop()
        self.assertEqual(complaints(self.lab.record), [])


if __name__ == "__main__":
    unittest.main()
