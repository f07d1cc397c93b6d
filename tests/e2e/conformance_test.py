"""Every request that icecore sends and every reply of the lab is valid by botocore's service models (tests/conformance/validate.py)."""
import unittest

import conformance
from harness import DONE, INSTANCE, ROOT_VOLUME, Case, Lab, investigated

BASELINE = "snap-0b5e11ea0ba5e11ea"


class ConformanceTest(unittest.TestCase):
    def test_an_investigation(self):
        record = investigated().lab.record
        self.assertEqual(conformance.complaints(record), [])
        wanted = {"ec2:CreateSnapshots", "ec2:DescribeInstances", "ec2:GetConsoleOutput", "ec2:GetConsoleScreenshot", "cloudtrail:LookupEvents",
                  "sts:GetCallerIdentity", "ebs:ListSnapshotBlocks", "ebs:GetSnapshotBlock"}
        self.assertEqual(wanted - conformance.operations(record), set())

    def test_the_other_commands_over_tls_with_small_pages(self):
        lab = Lab("--tls", "--page-size", "40", "--empty-pages")
        case = Case(lab)
        for arguments in (["collect", INSTANCE, "--dry-run"], ["collect", ROOT_VOLUME], ["collect", BASELINE], ["acquire", BASELINE], ["ls", BASELINE, "/etc"],
                          ["investigate", INSTANCE, "--no-snapshot"], ["collect", INSTANCE, "--snapshot-volume", ROOT_VOLUME]):
            ran = case.run(*arguments)
            self.assertEqual(ran.code, DONE, ran)
        lab.stop()
        self.assertEqual(conformance.complaints(lab.record), [])
        self.assertIn("ec2:CreateSnapshot", conformance.operations(lab.record))
        case.remove()

    def test_what_the_tests_before_this_one_sent(self):
        """bad_*_test.py come before this file; resume_test.py and faults_test.py look at their own records."""
        for lab in Lab.labs:
            if lab.process.poll() is not None and lab.record.stat().st_size:
                self.assertEqual(conformance.complaints(lab.record), [], lab.process.args)


if __name__ == "__main__":
    unittest.main()
