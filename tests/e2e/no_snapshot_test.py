"""Without a snapshot the control plane alone is judged: the cloud's rows are found all the same, and nothing is made in the account."""
import unittest

from harness import DONE, Case, Lab


class NoSnapshotTest(unittest.TestCase):
    def test_the_cloud_rows_are_found_and_nothing_is_created(self):
        lab = Lab()
        before = lab.snapshots()
        case = Case(lab)
        ran = case.investigate("--no-snapshot")
        self.assertEqual(ran.code, DONE, ran)
        rules = {finding["rule"] for finding in case.findings()["findings"]}
        wanted = {"cloud-key-recon", "cloud-mass-launch", "cloud-logging-tampered", "cloud-user-data-changed", "user-data-download-run"}
        self.assertEqual(wanted - rules, set())
        self.assertEqual(lab.snapshots(), before)
        lab.stop()
        case.remove()


if __name__ == "__main__":
    unittest.main()
