"""Last by its name, which is another than that of the end-to-end tests (both folders are in the path): every request that any test of the workstation
sent, and every reply to it, is valid by botocore's service models."""
import unittest

import bench  # noqa: F401  # finds the end-to-end tests' helpers
import conformance


class RecordsTest(unittest.TestCase):
    def test_all_exchanges_of_all_tests(self):
        self.assertEqual(conformance.complaints_of_all(), {})


if __name__ == "__main__":
    unittest.main()
