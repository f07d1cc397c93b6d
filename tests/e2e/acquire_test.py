"""The complete image: every block the volume's, none asked for twice, siblings and earlier snapshots spared, killed and started again."""
import collections
import json
import os
import re
import signal
import shutil
import sqlite3
import subprocess
import time
import unittest

import blocks
from harness import (DATA_VOLUME, DONE, FAILED, INCIDENT, INSTANCE, INTEGRITY, PARTIAL, ROOT_VOLUME, SLOW, USAGE, Case, Lab, finish, on_a_terminal,
                     scratch, sha256, slow, start)

BLOCK = blocks.BLOCK
WORLD = json.loads((INCIDENT / "world.json").read_text())
PUBLIC = "snap-0ccd3e9c6da7a0000"  # another account's
VOLUMES = {item["VolumeId"]: item for item in WORLD["volumes"]}
# Nine more of the AMI, each with a few blocks of its own.
SIBLINGS = [item for item in WORLD["volumes"] if "_patches" in item]
KILLS = int(os.environ.get("ICECORE_KILLS", 100 if SLOW else 3))


def truth_of(volume):
    """The volume's bytes as a file: what the lab was given."""
    item = VOLUMES[volume]
    if "_patches" not in item:
        return INCIDENT / item["_image"]
    patched = scratch() / f"{volume}.raw"
    subprocess.run(["cp", "--sparse=always", INCIDENT / item["_image"], patched], check=True)
    with open(patched, "r+b") as file:
        for index, source in item["_patches"].items():
            file.seek(int(index) * BLOCK)
            file.write((INCIDENT / source).read_bytes())
    return patched


def asked(lab):
    """{(snapshot, index): how often} of all blocks that were asked for."""
    wanted = re.compile(r"/snapshots/(snap-[0-9a-f]+)/blocks/(\d+)")
    counts = collections.Counter()
    for line in lab.record.read_text().splitlines():
        if '"GetSnapshotBlock"' in line and (found := wanted.fullmatch(json.loads(line)["request"]["path"])):
            counts[found.group(1), int(found.group(2))] += 1
    return counts


def images_of(case_folder):
    return {json.loads((folder / "snapshot.json").read_text())["volume"]: folder for folder in (case_folder / "snapshots").iterdir()}


def origins(folder):
    """How many blocks of an image came from where: the wire, or a baseline."""
    database = sqlite3.connect(f"file:{folder / 'blocks.db'}?mode=ro&immutable=1", uri=True)
    rows = database.execute("select request_id from block").fetchall()
    database.close()
    return collections.Counter("baseline" if str(row[0]).startswith("baseline ") else "wire" for row in rows)


class Acquired(unittest.TestCase):
    def lab(self, *flags):
        lab = Lab("--cloudtrail-rate", "0", *flags)
        self.addCleanup(lab.stop)
        return lab

    def case(self, lab):
        case = Case(lab)
        self.addCleanup(case.remove)
        return case

    def assert_true_images(self, case_folder):
        for volume, folder in images_of(case_folder).items():
            wrong, count = blocks.wrong_blocks(folder, truth_of(volume))
            self.assertEqual(wrong, [], f"{folder} of {volume}")
            self.assertGreater(count, 10)


class WholeTest(Acquired):
    def test_an_instance_from_nothing(self):
        lab = self.lab()
        case = self.case(lab)
        ran = case.run("acquire", INSTANCE, "--json")
        self.assertEqual(ran.code, DONE, ran)
        self.assert_true_images(case.folder)
        self.assertEqual(set(asked(lab).values()), {1}, "a block was asked for twice")
        for image in json.loads(ran.out_bytes):
            self.assertEqual(sha256(case.cwd / image["image"]), image["sha256"])
        self.assertEqual(case.run("verify", case.folder).code, DONE)
        again = case.run("acquire", case.folder)
        self.assertEqual(again.code, DONE, again)
        self.assertEqual(set(asked(lab).values()), {1}, "a second run fetched again")

    def test_a_dry_run_fetches_nothing_and_names_the_price(self):
        lab = self.lab()
        case = self.case(lab)
        self.assertEqual(case.run("collect", ROOT_VOLUME).code, DONE)
        ran = case.run("acquire", case.cwd / f"case-{ROOT_VOLUME}", "--dry-run")
        self.assertEqual(ran.code, DONE, ran)
        self.assertEqual(len(asked(lab)), 0)
        self.assertRegex(ran.err, r"to fetch in \d+ calls, about \$0\.00")

    def test_the_bar_tells_blocks_rate_cost_and_time_and_keeps_to_the_terminal(self):
        # Sixteen at a time, 60 ms each: three seconds. A rate limit of the lab lets its burst through at once, here all blocks.
        lab = self.lab("--fault-latency-ms", "60", "--fault-only", "GetSnapshotBlock")
        case = self.case(lab)
        for columns, words in ((80, r"fetching  \d+ of \d+ blocks  \d+ MiB/s  \$0\.\d{4}, \$0\.\d{4} to come  \d+:\d\d left"),
                               (100, r"fetching  \[[#.]+\]  \d+ of \d+ blocks  \d+ MiB/s  \$0\.\d{4}, \$0\.\d{4} to come  \d+:\d\d left"),
                               (30, r"fetching  \d+ of \d+ blocks")):
            with self.subTest(columns=columns):
                shown = on_a_terminal(["acquire", ROOT_VOLUME, "--case", f"case-{columns}", "--no-image-hash", "--threads", "16"], case.env, case.cwd,
                                      columns).decode()
                drawn = [line for line in re.split(r"\r\x1b\[K|\r\n", shown) if line.startswith("fetching  ")]
                self.assertTrue(any(re.match(words, line) for line in drawn), drawn)
                self.assertEqual([line for line in drawn if len(line) >= columns], [])
                if columns == 80:
                    spent = [float(found[1]) for line in drawn if (found := re.search(r"\$([\d.]+), ", line))]
                    left = [float(found[1]) for line in drawn if (found := re.search(r"\$([\d.]+) to come", line))]
                    self.assertEqual((spent, left), (sorted(spent), sorted(left, reverse=True)))
                    planned = float(re.search(r"calls, about \$([\d.]+)", shown)[1])
                    self.assertAlmostEqual(left[0], planned, delta=planned / 10)
                    self.assertLess(left[-1], planned / 2)

    def test_a_dry_run_of_what_is_not_collected_makes_no_snapshot_and_no_case(self):
        lab = self.lab()
        case = self.case(lab)
        (case.cwd / "empty").mkdir()
        before = lab.snapshots()
        for target, call in ((INSTANCE, "CreateSnapshots"), (ROOT_VOLUME, "CreateSnapshot")):
            for more in ([], ["--case", "empty"]):
                ran = case.run("acquire", target, "--dry-run", *more)
                self.assertEqual(ran.code, DONE, ran)
                self.assertIn(call, ran.out)
                self.assertIn(f"icecore collect {target}", ran.err)
        plan = case.run("acquire", INSTANCE, "--dry-run", "--json").json()
        self.assertIn("ec2:CreateSnapshots", plan[0]["collect"]["iam_actions"])
        self.assertEqual(lab.snapshots(), before)
        self.assertEqual([path.name for path in case.cwd.iterdir() if path.name.startswith("case")] + list((case.cwd / "empty").iterdir()), [])
        # Collected, it is planned for what it is.
        self.assertEqual(case.run("collect", ROOT_VOLUME).code, DONE)
        after = set(lab.snapshots())
        ran = case.run("acquire", ROOT_VOLUME, "--dry-run")
        self.assertEqual(ran.code, DONE, ran)
        self.assertRegex(ran.err, r"to fetch in \d+ calls")
        self.assertEqual(set(lab.snapshots()), after)

    def test_a_dry_run_with_a_copy_that_is_there_plans_its_blocks(self):
        lab = self.lab()
        case = self.case(lab)
        first = case.run("acquire", PUBLIC, "--copy", "--dry-run")
        self.assertIn("CopySnapshot", first.out, first)
        self.assertEqual(case.run("collect", PUBLIC).code, DONE)
        before = set(lab.snapshots())
        ran = case.run("acquire", PUBLIC, "--copy", "--dry-run")
        self.assertEqual(ran.code, DONE, ran)
        self.assertNotIn("CopySnapshot", ran.out)
        self.assertRegex(ran.err, r"snap-[0-9a-f]+: .* to fetch in \d+ calls, about \$0\.00")
        self.assertEqual((set(lab.snapshots()), len(asked(lab))), (before, 0))

    def test_what_was_not_collected_is_said_and_the_next_target_goes_on(self):
        lab = self.lab()
        case = self.case(lab)
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                                                         {"Effect": "Deny", "Action": "cloudtrail:GetTrailStatus", "Resource": "*"}]}
        lab.control("PUT", "policies", {"arn": "arn:aws:iam::111122223333:user/responder", "policies": [policy]})
        ran = case.run("acquire", INSTANCE, DATA_VOLUME)
        self.assertEqual(ran.code, PARTIAL, ran)
        self.assertIn("GetTrailStatus", ran.err)
        for name in (INSTANCE, DATA_VOLUME):
            self.assert_true_images(case.cwd / f"case-{name}")

    def test_several_targets_and_one_case(self):
        ran = self.case(self.lab()).run("acquire", ROOT_VOLUME, DATA_VOLUME, "--case", "x")
        self.assertEqual(ran.code, USAGE, ran)


class BaselineTest(Acquired):
    def siblings(self, lab):
        """The attacked root volume and two siblings', one after the other."""
        case = self.case(lab)
        volumes = [ROOT_VOLUME, SIBLINGS[0]["VolumeId"], SIBLINGS[1]["VolumeId"]]
        ran = case.run("acquire", *volumes, timeout=600)
        self.assertEqual(ran.code, DONE, ran)
        for volume in volumes:
            self.assert_true_images(case.cwd / f"case-{volume}")
            self.assertEqual(case.run("verify", case.cwd / f"case-{volume}").code, DONE)
        counts = [origins(images_of(case.cwd / f"case-{volume}")[volume]) for volume in volumes]
        self.assertEqual(counts[0]["baseline"], 0)
        # What only this sibling has, and what the attack changed of the AMI, is fetched; the rest is here.
        for count in counts[1:]:
            self.assertLess(count["wire"], count["baseline"] / 3, counts)
        self.assertLess(counts[2]["wire"], 20, "the third takes from the second what the first has not")
        return case, ran

    def test_siblings_cost_little_more_than_one(self):
        _, ran = self.siblings(self.lab())
        self.assertRegex(ran.err, r"written blocks are the same in snap-")

    def test_siblings_that_meet_only_through_the_ami(self):
        _, ran = self.siblings(self.lab("--strangers"))
        self.assertIn("(through snap-0b5e11ea0ba5e11ea)", ran.err)

    def test_a_later_snapshot_of_the_same_volume(self):
        lab = self.lab()
        first, second = self.case(lab), self.case(lab)
        self.assertEqual(first.run("acquire", DATA_VOLUME).code, DONE)
        before = sum(asked(lab).values())
        old = first.cwd / f"case-{DATA_VOLUME}"
        ran = second.run("acquire", DATA_VOLUME, "--baseline", old)
        self.assertEqual(ran.code, DONE, ran)
        fetched = sum(asked(lab).values()) - before
        self.assertEqual(fetched, 0)
        self.assert_true_images(second.cwd / f"case-{DATA_VOLUME}")

    def test_an_unrelated_baseline_is_said_and_left_out(self):
        lab = self.lab()
        case = self.case(lab)
        self.assertEqual(case.run("acquire", DATA_VOLUME).code, DONE)
        self.assertEqual(case.run("collect", ROOT_VOLUME).code, DONE)
        ran = case.run("acquire", case.cwd / f"case-{ROOT_VOLUME}", "--baseline", case.cwd / f"case-{DATA_VOLUME}", "--dry-run")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("are not of one lineage; everything is fetched", ran.err)

    def test_a_baseline_that_was_changed_since(self):
        lab = self.lab()
        case = self.case(lab)
        self.assertEqual(case.run("acquire", DATA_VOLUME).code, DONE)
        old = case.cwd / f"case-{DATA_VOLUME}"
        image = images_of(old)[DATA_VOLUME] / "image.raw"
        with open(image, "r+b") as file:
            for index in range(0, 4096, 1):
                file.seek(index * BLOCK + 100)
                if any(file.read(64)):
                    file.seek(index * BLOCK + 100)
                    file.write(b"x" * 64)
        other = self.case(lab)
        ran = other.run("acquire", DATA_VOLUME, "--baseline", old)
        self.assertEqual(ran.code, INTEGRITY, ran)
        self.assertIn("the baseline was changed since", ran.err)

    def test_a_baseline_that_is_no_case(self):
        case = self.case(self.lab())
        ran = case.run("acquire", DATA_VOLUME, "--baseline", case.cwd)
        self.assertEqual(ran.code, USAGE, ran)
        self.assertIn("is no case folder", ran.err)
        self.assertEqual(case.lab.requests(), [])


class KilledTest(Acquired):
    def test_killed_and_started_again_no_block_is_wrong_and_none_is_fetched_twice_that_was_safe(self):
        """ICECORE_KILLS SIGKILLs into one acquisition after another; what was recorded at a kill is never asked for again."""
        lab = self.lab("--fault-latency-ms", "3")
        kills, at_kills = 0, []  # for each kill: {a block recorded by then: how often it had been asked for}
        while kills < KILLS:
            case = self.case(lab)
            self.assertEqual(case.run("collect", ROOT_VOLUME).code, DONE)
            folder = case.cwd / f"case-{ROOT_VOLUME}"
            arguments = ["acquire", str(folder)]
            while kills < KILLS:
                process = start(arguments, case.env, case.cwd)
                time.sleep(0.2 + (kills * 37 % 19) / 20)
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    kills += 1
                if finish(process, arguments).code == DONE:
                    break
                safe = self.recorded_blocks(folder)
                asked_before = asked(lab)
                at_kills.append({block: asked_before[block] for block in safe})
            ran = case.run("acquire", folder)
            self.assertEqual(ran.code, DONE, ran)
            self.assert_true_images(folder)
            self.assertEqual(case.run("verify", folder).code, DONE)
            case.remove()
        counts = asked(lab)
        self.assertTrue(any(at_kills), "no kill came after a block was recorded")
        for number, safe in enumerate(at_kills):
            self.assertEqual({block: counts[block] for block in safe}, safe, f"blocks recorded at kill {number} were asked for again")
        written = max(collections.Counter(snapshot for snapshot, _ in counts).values())
        # In flight: 64 fetches, and what was fetched in the last quarter of a second and not yet made safe.
        twice = sum(count - 1 for count in counts.values())
        self.assertLess(twice, kills * written / 2)

    def recorded_blocks(self, case_folder):
        """{(snapshot, index)} of what the images' databases have, each of which must be the volume's own bytes in the image."""
        recorded = set()
        for volume, folder in images_of(case_folder).items():
            if not (folder / "blocks.db").exists():
                continue
            copy = scratch()
            for file in folder.iterdir():
                if file.name.startswith("blocks.db"):
                    shutil.copy(file, copy)
            database = sqlite3.connect(copy / "blocks.db")
            rows = database.execute("select block_index from block").fetchall()
            database.close()
            with open(folder / "image.raw", "rb") as image, open(truth_of(volume), "rb") as right:
                for (index,) in rows:
                    image.seek(index * BLOCK)
                    right.seek(index * BLOCK)
                    self.assertEqual(image.read(BLOCK), right.read(BLOCK).ljust(BLOCK, b"\0"), f"block {index} is recorded and not there")
            recorded.update((folder.name, index) for (index,) in rows)
        return recorded


@slow
class FaultsTest(Acquired):
    def acquire(self, *flags, **changes):
        lab = self.lab(*flags)
        case = self.case(lab)
        ran = case.run("acquire", ROOT_VOLUME, timeout=900)
        self.assertEqual(ran.code, DONE, ran)
        self.assert_true_images(case.cwd / f"case-{ROOT_VOLUME}")
        return lab, ran

    def test_throttled_reset_truncated_and_corrupted(self):
        self.acquire("--fault-throttle", "30", "--fault-reset", "2", "--fault-truncate", "1", "--fault-corrupt", "1", "--fault-only",
                     "GetSnapshotBlock,ListSnapshotBlocks")

    def test_stalls_of_a_minute(self):
        self.acquire("--fault-stall", "0.5", "--fault-stall-seconds", "60", "--fault-only", "GetSnapshotBlock")

    def test_tokens_that_expire_midway(self):
        self.acquire("--block-token-seconds", "1", "--fault-latency-ms", "40")

    def test_a_full_disk_midway_and_room_made_again(self):
        lab = self.lab()
        case = self.case(lab)
        room = scratch()
        disk = scratch() / "disk"
        for command in (["truncate", "-s", "200M", disk], ["mkfs.ext4", "-q", disk], ["mount", "-o", "loop", disk, room]):
            subprocess.run(command, check=True)
        try:
            folder = room / "case"
            full = case.run("acquire", ROOT_VOLUME, "--case", folder)
            self.assertEqual(full.code, FAILED, full)
            self.assertRegex(full.err, "No space left|full")
            subprocess.run(["cp", "-a", "--sparse=always", folder, case.cwd / "moved"], check=True)
        finally:
            subprocess.run(["umount", room], check=True)
        recorded = sum(asked(lab).values())
        ran = case.run("acquire", case.cwd / "moved")
        self.assertEqual(ran.code, DONE, ran)
        self.assert_true_images(case.cwd / "moved")
        written = sum(origins(images_of(case.cwd / "moved")[ROOT_VOLUME]).values())
        self.assertLess(sum(asked(lab).values()) - written, 100, f"{recorded} were asked for before the disk was full")


if __name__ == "__main__":
    unittest.main()
