"""What every clear error has in common."""
import unittest

import ledger
from harness import DONE, FAILED, Case, Lab


class BadInput(unittest.TestCase):
    """One lab for a class; each test a case folder of its own."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(*cls.flags)

    @classmethod
    def tearDownClass(cls):
        cls.lab.stop()

    def case(self, **changes):
        case = Case(self.lab, **changes)
        self.addCleanup(case.remove)
        return case

    def assert_error(self, ran, *words, code=FAILED):
        """One clear line on standard error that has all the words, nothing on standard output, and the exit code."""
        self.assertEqual(ran.code, code, ran)
        errors = [line for line in ran.err.splitlines() if line.startswith("icecore: error:")]
        self.assertEqual(len(errors), 1, ran)
        for word in words:
            self.assertIn(word, errors[0], ran)
        self.assertEqual(ran.out, "", ran)

    def assert_nothing_made(self, before):
        self.assertEqual(set(self.lab.snapshots()), before)

    def assert_clean(self, case):
        """Whatever is left of a case is whole: the ledger chains, icecore finds it intact, no half-written file lies about."""
        left = [path for path in case.cwd.rglob("*.tmp")]
        self.assertEqual(left, [])
        for file in case.cwd.rglob("ledger.jsonl"):
            ledger.entries(file.parent)
            ran = case.run("verify", file.parent)
            self.assertEqual(ran.code, DONE, ran)
