"""Images that are empty, cut short, no disk at all, or other than they say."""
import os
import random
import subprocess
import unittest

import verdict
from harness import DONE, FAILED, PARTIAL, USAGE, environment, icecore, scratch

COMMANDS = (("triage",), ("timeline",), ("ls",))
MIB = 1 << 20


class ImageTest(unittest.TestCase):
    def setUp(self):
        self.folder = scratch()
        self.env = environment(home=self.folder / "home")

    def run_on(self, command, image, *more):
        return icecore(*command, image, *more, env=self.env, cwd=self.folder)

    def image(self, content=b"", size=None):
        path = self.folder / "image.raw"
        path.write_bytes(content)
        if size is not None:
            os.truncate(path, size)
        return path

    def refused(self, image, *words):
        for command in COMMANDS:
            with self.subTest(command=command):
                ran = self.run_on(command, image)
                self.assertIn(ran.code, (FAILED, USAGE, PARTIAL), ran)
                for word in (image.name, *words):
                    self.assertIn(word, ran.err + ran.out, ran)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("case")], [])

    def test_empty(self):
        self.refused(self.image(), "empty")

    def test_no_disk_at_all(self):
        self.refused(self.image(random.Random(1).randbytes(3 * MIB + 5)))

    def test_a_text_file(self):
        self.refused(self.image(b"this is a note to myself\n" * 100))

    def test_zeros(self):
        self.refused(self.image(size=64 * MIB))

    def test_swap_is_called_by_its_name(self):
        image = self.image(size=8 * MIB)
        subprocess.run(["mkswap", image], check=True, capture_output=True)
        self.refused(image, "swap space")

    def test_missing(self):
        ran = self.run_on(("triage",), "nowhere.raw")
        self.assertIn(ran.code, (FAILED, USAGE), ran)
        self.assertIn("nowhere.raw", ran.err)

    def test_cut_in_the_middle(self):
        image = self.image()
        with open(verdict.clean_twin(), "rb") as source, open(image, "r+b") as target:
            target.write(source.read(700 * MIB))
        for command in COMMANDS:
            with self.subTest(command=command):
                ran = self.run_on(command, image)
                # What is there is read; what is not is said.
                self.assertIn(ran.code, (PARTIAL, FAILED), ran)

    def test_cut_in_the_partition_table(self):
        image = self.image()
        with open(verdict.clean_twin(), "rb") as source, open(image, "r+b") as target:
            target.write(source.read(1000))
        self.refused(image)

    def test_larger_than_its_filesystem(self):
        image = self.image(size=16 * MIB)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        os.truncate(image, 4 << 30)
        # It holds no operating system, so it is not the machine's root but one of its volumes.
        folder = "/volumes"
        for _ in ("disk", "filesystem"):
            [below] = self.run_on(("ls",), image, folder, "--json").json()
            folder = below["path"]
        ran = self.run_on(("ls",), image, folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("lost+found", ran.out)
        ran = self.run_on(("triage",), image)
        self.assertIn(ran.code, (DONE, PARTIAL), ran)

    def test_a_filesystem_larger_than_its_image(self):
        image = self.image(size=256 * MIB)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        os.truncate(image, 64 * MIB)
        ran = self.run_on(("timeline",), image)
        self.assertIn(ran.code, (PARTIAL, FAILED), ran)

    def test_noise_in_the_metadata_never_crashes(self):
        base = self.image(size=16 * MIB)
        files = scratch()
        for number in range(50):
            (files / f"file-{number}").write_bytes(b"x" * number * 100)
        subprocess.run(["mkfs.ext4", "-q", "-d", files, base], check=True)
        whole = base.read_bytes()
        for seed in range(5):
            noise, damaged = random.Random(seed), bytearray(whole)
            for _ in range(200):
                damaged[noise.randrange(1024, 2 * MIB)] = noise.randrange(256)
            base.write_bytes(damaged)
            for command in COMMANDS:
                with self.subTest(seed=seed, command=command):
                    ran = self.run_on(command, base)
                    self.assertIn(ran.code, (DONE, FAILED, PARTIAL), ran)


if __name__ == "__main__":
    unittest.main()
