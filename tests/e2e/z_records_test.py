"""Last by its name: every request that any test's icecore sent, and every reply to it, is valid by botocore's service models."""
import unittest

import conformance


class RecordsTest(unittest.TestCase):
    def test_all_exchanges_of_all_tests(self):
        self.assertEqual(conformance.complaints_of_all(), {})


if __name__ == "__main__":
    unittest.main()
