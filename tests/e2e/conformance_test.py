"""What the commands send and the lab replies is valid by botocore's service models (tests/conformance/validate.py), and is what was to be sent.

z_records_test.py holds the records of all the other tests against the models.
"""
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


if __name__ == "__main__":
    unittest.main()
