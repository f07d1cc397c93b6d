"""SIGKILL at random moments of up, attach, reset and down: running again finishes, nothing is made twice, cleanup leaves the account as it was.

ICECORE_KILLS: how many moments (default 6, or 50 with ICECORE_SLOW=1). ICECORE_SEED repeats a run's moments.
"""
import os
import random
import signal
import time
import unittest

from bench import ledger, DONE, QUICK, Desk, Lab, alive, finish, start, tagged
from harness import SLOW

KILLS = int(os.environ.get("ICECORE_KILLS", 50 if SLOW else 6))
SEED = int(os.environ.get("ICECORE_SEED", random.SystemRandom().randrange(10**6)))
STEPS = (("up",), ("attach", "--print-script"), ("reset", "--print-script"), ("down",))


class KillTest(unittest.TestCase):
    def setUp(self):
        # With some time between a call and its answer, so that kills fall there too.
        self.lab = Lab(*QUICK, "--fault-latency-ms", "5")
        self.addCleanup(self.lab.stop)
        self.desk = Desk(self.lab)
        self.addCleanup(self.desk.remove)
        self.before, self.evidence = alive(self.lab), self.lab.snapshots()

    def lines(self):
        return (self.desk.folder / "ledger.jsonl").read_bytes().count(b"\n")

    def run_until(self, step, lines):
        """Killed once its ledger has grown by so many lines: by acts and not by the clock, so that a loaded machine kills alike."""
        arguments = ["workstation", step[0], "case", *step[1:]]
        goal = self.lines() + lines
        process = start(arguments, self.desk.case.env, self.desk.cwd)
        while process.poll() is None and self.lines() < goal:
            time.sleep(0.0005)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        return finish(process, arguments)

    def lengths(self):
        """How many lines each step writes when nobody disturbs it."""
        out = []
        for step in STEPS:
            before = self.lines()
            ran = self.desk.ws(*step)
            self.assertEqual(ran.code, DONE, ran)
            out.append(self.lines() - before)
        return out

    def test_killed_at_any_moment(self):
        lengths = self.lengths()
        self.assertEqual(alive(self.lab), self.before)
        chance = random.Random(SEED)
        for number in range(KILLS):
            where = chance.randrange(len(STEPS))
            at = chance.randrange(1, lengths[where])
            with self.subTest(seed=SEED, number=number, step=STEPS[where][0], at=at):
                self.one(where, at)

    def one(self, where, at):
        for index, step in enumerate(STEPS):
            if index == where:
                self.run_until(step, at)
                if step[0] == "down" or at % 3 == 0:
                    break  # some go straight to cleanup
            ran = self.desk.ws(*step)
            self.assertEqual(ran.code, DONE, ran)
            if step[0] == "down":
                break
            self.assertEqual(len(self.desk.workstations()), 1)
            self.assertEqual(len(tagged(self.lab, "security_groups", self.desk.case_id)), 1)
            self.assertEqual(len(self.desk.copies()), 0 if step[0] == "up" else 2)
        ran = self.desk.run("cleanup", "case")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(alive(self.lab), self.before)
        self.assertEqual(self.lab.snapshots(), self.evidence)
        entries = ledger.entries(self.desk.folder)
        open_acts = [intent["body"] for intent, outcome in ledger.acts(entries) if outcome is None]
        self.assertEqual([body for body in open_acts if body["act"] == "make-resource"], [])


if __name__ == "__main__":
    unittest.main()
