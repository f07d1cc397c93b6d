"""Runs last, by its name: was there a call of the lab's that no test made?"""
import json
import os
import unittest

from lab_case import SEEN


def operations_of_the_lab():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lab/model/services.json")
    with open(path, encoding="utf-8") as file:
        models = json.load(file)
    return {f"{service}:{name}" for service, model in models.items() for name in model["ops"]} | {"ebs:GetSnapshotBlock", "ebs:PutSnapshotBlock"}


@unittest.skipUnless(os.environ.get("ICECORE_LAB_WHOLE", "0") not in ("", "0"), "only a part of the tests is run")
class EveryCall(unittest.TestCase):
    def test_every_call_was_made(self):
        self.assertEqual(operations_of_the_lab() - set(SEEN), set())


if __name__ == "__main__":
    unittest.main()
