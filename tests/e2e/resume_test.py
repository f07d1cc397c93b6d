"""Killed at any moment and started again, `investigate` ends in the verdict of an undisturbed run, with no second snapshot made.

ICECORE_KILLS: how many moments (default 5, or 50 with ICECORE_SLOW=1). ICECORE_SEED repeats a run's moments.
"""
import os
import random
import signal
import time
import unittest

import ledger
import verdict
from conformance import complaints
from harness import DATA_VOLUME, DONE, INSTANCE, INTERRUPTED, ROOT_VOLUME, SLOW, WHOLE, Case, Lab, finish, start

KILLS = int(os.environ.get("ICECORE_KILLS", 50 if SLOW else 5))
SEED = int(os.environ.get("ICECORE_SEED", random.SystemRandom().randrange(10**6)))


def stop_after(case, seconds, number):
    """Starts an investigation and sends it the signal; its result, which may be that of a run that had ended by then."""
    arguments = ["investigate", INSTANCE]
    process = start(arguments, case.env, case.cwd)
    time.sleep(seconds)
    os.killpg(process.pid, number) if process.poll() is None else None
    return finish(process, arguments)


class ResumeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        case = Case(cls.lab)
        cls.undisturbed = case.investigate()
        cls.wanted = verdict.essence(case.findings())
        case.remove()

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def assert_whole(self, case, before, said):
        self.assertEqual(said.code, self.undisturbed.code, said)
        self.assertEqual(verdict.essence(case.findings()), self.wanted)
        entries = ledger.entries(case.folder)
        left_open = [intent for intent, outcome in ledger.acts(entries) if outcome is None]
        # What was in flight when a run died stays open, unless it changed the account: that has to be cleared up.
        self.assertEqual([i for i in left_open if i["body"]["act"] == "create-snapshots"], [])
        made = {key: value for key, value in self.lab.snapshots().items() if key not in before}
        self.assertEqual(sorted(item["VolumeId"] for item in made.values()), [ROOT_VOLUME, DATA_VOLUME])
        self.assertEqual(set(made), set(ledger.created(entries)), "an orphan: made, and not in the ledger")
        self.assertEqual(set(made), {path.name for path in (case.folder / "snapshots").iterdir()})
        ran = case.run("verify", case.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual([path for path in case.folder.rglob("*.tmp")], [])

    def test_killed_at_any_moment(self):
        moments = random.Random(SEED)
        self.assertEqual(self.undisturbed.code, WHOLE, self.undisturbed)
        killed = 0
        for number in range(KILLS):
            # One moment in each equal part of a run, so that all of it is covered.
            moment = (number + moments.random()) / KILLS * self.undisturbed.seconds
            with self.subTest(kill=number, of=KILLS, seed=SEED, moment=round(moment, 3)):
                case, before = Case(self.lab), set(self.lab.snapshots())
                first = stop_after(case, moment, signal.SIGKILL)
                killed += first.code == -signal.SIGKILL
                if (case.folder / "ledger.jsonl").exists():
                    ledger.entries(case.folder)  # what was acknowledged chains
                self.assert_whole(case, before, case.investigate())
                case.remove()
        self.assertGreater(killed, KILLS // 2)

    def test_killed_twice(self):
        case, before = Case(self.lab), set(self.lab.snapshots())
        for part in (0.3, 0.3):
            stop_after(case, part * self.undisturbed.seconds, signal.SIGKILL)
        self.assert_whole(case, before, case.investigate())

    def test_a_killed_case_verifies_before_it_is_resumed(self):
        case = Case(self.lab)
        killed = stop_after(case, 0.7 * self.undisturbed.seconds, signal.SIGKILL)
        self.assertEqual(killed.code, -signal.SIGKILL, killed)
        ran = case.run("verify", case.folder, "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assertFalse(ran.json()["finished"])

    def test_ctrl_c_ends_it_at_once_and_the_next_run_goes_on(self):
        case, before = Case(self.lab), set(self.lab.snapshots())
        began = time.monotonic()
        stopped = stop_after(case, 0.4 * self.undisturbed.seconds, signal.SIGINT)
        self.assertEqual(stopped.code, INTERRUPTED, stopped)
        self.assertLess(time.monotonic() - began, 0.4 * self.undisturbed.seconds + 5)
        self.assertIn("interrupted", stopped.err)
        self.assert_whole(case, before, case.investigate())

    def test_a_second_run_of_a_finished_case_makes_no_second_snapshot(self):
        case, before = Case(self.lab), set(self.lab.snapshots())
        self.assertEqual(case.investigate().code, WHOLE)
        self.assert_whole(case, before, case.investigate())

    def test_z_all_of_it_was_valid_by_botocores_models(self):
        self.assertEqual(complaints(self.lab.record), [])


if __name__ == "__main__":
    unittest.main()
