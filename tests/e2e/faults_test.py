"""A bad day at AWS: the same findings, no wrong byte stored, nothing made twice."""
import json
import unittest

import blocks
import ledger
import verdict
from conformance import complaints
from harness import DATA_VOLUME, DONE, INCIDENT, ROOT_VOLUME, Case, Lab, investigated, slow

IMAGES = {ROOT_VOLUME: INCIDENT / "root.raw", DATA_VOLUME: INCIDENT / "data.raw"}


class Faults(unittest.TestCase):
    def investigate(self, *flags):
        lab = Lab(*flags)
        self.addCleanup(lab.stop)
        case = Case(lab)
        self.addCleanup(case.remove)
        before = set(lab.snapshots())
        ran = case.investigate(timeout=600)
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(verdict.essence(case.findings()), verdict.essence(investigated().findings()))
        made = {key: value for key, value in lab.snapshots().items() if key not in before}
        self.assertEqual(sorted(item["VolumeId"] for item in made.values()), sorted(IMAGES), "not one snapshot of each volume")
        self.assertEqual(set(made), set(ledger.created(ledger.entries(case.folder))))
        checked = 0
        for folder in (case.folder / "snapshots").iterdir():
            volume = json.loads((folder / "snapshot.json").read_text())["volume"]
            wrong, count = blocks.wrong_blocks(folder, IMAGES[volume])
            self.assertEqual(wrong, [], f"{folder.name} of {volume}")
            checked += count
        self.assertGreater(checked, 50)
        verified = case.run("verify", case.folder)
        self.assertEqual(verified.code, DONE, verified)
        return lab, case, ran


class ReplyLostTest(Faults):
    """Quick enough for every day: the one call that must not be sent twice."""

    def test_the_reply_to_create_snapshots_is_lost_after_it_was_done(self):
        script = json.dumps({"action": "CreateSnapshots", "nth": 1, "lose_reply": True})
        lab, _, _ = self.investigate("--fault-script", script)
        self.assertEqual([line["action"] for line in lab.requests()].count("CreateSnapshots"), 1)


@slow
class BadDayTest(Faults):
    def test_throttled_reset_corrupted_and_slow(self):
        lab, _, _ = self.investigate("--fault-throttle", "20", "--fault-reset", "1", "--fault-corrupt", "1", "--fault-latency-ms", "30")
        spoiled = [line for line in lab.requests() if line["fault"] or line["reply"]["status"] >= 400]
        self.assertGreater(len(spoiled), 20, "the lab was to be bad")
        lab.stop()
        self.assertEqual(complaints(lab.record), [])

    def test_truncated_bodies(self):
        self.investigate("--fault-truncate", "5")

    def test_errors_inside_aws(self):
        self.investigate("--fault-5xx", "10")

    def test_replies_that_stall(self):
        self.investigate("--fault-stall", "1", "--fault-stall-seconds", "60", "--fault-only", "GetSnapshotBlock")

    def test_a_clock_that_is_an_hour_off(self):
        for skew in ("3600", "-3600"):
            with self.subTest(skew=skew):
                self.investigate("--fault-skew-seconds", skew)

    def test_small_and_empty_pages(self):
        self.investigate("--page-size", "7", "--empty-pages")

    def test_tokens_that_expire_and_snapshots_that_show_late(self):
        self.investigate("--block-token-seconds", "1", "--page-token-seconds", "2", "--ebs-hidden-seconds", "2", "--fault-latency-ms", "30")

    def test_the_wrong_answer_after_the_act(self):
        script = json.dumps({"action": "CreateSnapshots", "nth": 1, "code": "InternalError", "status": 500, "after": True})
        self.investigate("--fault-script", script)


if __name__ == "__main__":
    unittest.main()
