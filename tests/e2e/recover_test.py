"""Deleted files given back, and the two views of the journal compared. Oracles: what the kernel held before it deleted, and the kernel's own recovery."""
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import DONE, FAILED, INCIDENT, INSTANCE, PARTIAL, REPOSITORY, USAGE, Case, Lab, environment, icecore, scratch, sha256

MIB = 1 << 20
KINDS = {"ext4": (64, ["mkfs.ext4", "-q"], "noload"), "ext3": (64, ["mkfs.ext3", "-q"], "noload"), "xfs": (320, ["mkfs.xfs", "-q"], "norecovery,nouuid")}


@contextlib.contextmanager
def mounted_by(image, *command):
    """`command DEVICE FOLDER` on a loop device of the image; gives the folder."""
    mount = scratch()
    device = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    try:
        subprocess.run([*command, device, mount], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield mount
        finally:
            subprocess.run(["umount", mount], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def mounted(image, options="rw"):
    return mounted_by(image, "mount", "-o", options)


def through_fuse(image):
    """exFAT by exfat-fuse: kernels often come without it."""
    return mounted_by(image, "mount.exfat-fuse")


def blank(kind):
    mebibytes, make, _ = KINDS[kind]
    image = scratch() / f"{kind}.raw"
    image.touch()
    os.truncate(image, mebibytes * MIB)
    subprocess.run([*make, image], check=True)
    with mounted(image) as mount:  # what makes a filesystem a machine's root
        os.makedirs(mount / "etc")
        (mount / "etc/os-release").write_text("ID=debian\n")
        (mount / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    return image


def sync(mount):
    subprocess.run(["sync", "-f", mount], check=True)


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


def manifest_of(folder):
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


class Base(unittest.TestCase):
    def setUp(self):
        self.cwd = scratch()
        self.env = environment()

    def run_icecore(self, *arguments):
        return icecore(*arguments, env=self.env, cwd=self.cwd)


class Recover(Base):
    def deleted_image(self, kind):
        """An image, and {path: content} of what the kernel deleted from it."""
        image, rng, gone = blank(kind), random.Random(kind), {}
        with mounted(image) as mount:
            for folder in ("var/tmp/.x", "srv/data"):
                os.makedirs(mount / folder)
                for number, size in enumerate((1, 300, 4096, 60_000, 900_000)):
                    gone[f"/{folder}/file-{number}"] = rng.randbytes(size)
            for path, content in gone.items():
                (mount / path[1:]).write_bytes(content)
            for number in range(20):
                (mount / f"srv/data/stays-{number}").write_bytes(rng.randbytes(5000))
            os.symlink("/etc/shadow", mount / "srv/link")
            sync(mount)
            for path in gone:
                (mount / path[1:]).unlink()
            (mount / "srv/link").unlink()
        return image, gone

    def check_all_given_back(self, kind):
        image, gone = self.deleted_image(kind)
        ran = self.run_icecore("recover", image, "out")
        self.assertEqual(ran.code, DONE, ran)
        out = self.cwd / "out"
        lines = {line["path"]: line for line in manifest_of(out) if line["path"]}
        for path, content in gone.items():
            self.assertEqual((out / path[1:]).read_bytes(), content, path)
            line = lines[path]
            self.assertEqual((line["sha256"], line["size"], line["state"], line["file"]), (sha256_of(content), len(content), "intact", path[1:]), line)
            self.assertEqual(line["source"]["from"], "journal", line)
            self.assertIn("transaction", line["source"])
        self.assertFalse(any("stays-" in path for path in lines))
        self.assertFalse(any(path.is_symlink() for path in out.rglob("*")))
        self.assertEqual({oct(path.stat().st_mode & 0o7777) for path in out.rglob("*") if path.is_file()}, {"0o600"})
        return image, gone

    def test_ext4(self):
        image, gone = self.check_all_given_back("ext4")
        with self.subTest("into a folder that is not empty"):
            again = self.run_icecore("recover", image, "out")
            self.assertEqual(again.code, FAILED, again)
            self.assertIn("not empty", again.err)
        with self.subTest("only some"):
            some = self.run_icecore("recover", image, "some", "--path", "/var/tmp/*", "--json", "--sure", "sure")
            self.assertEqual(some.code, DONE, some)
            rows = [json.loads(line) for line in some.out.splitlines()]
            self.assertEqual({row["path"] for row in rows}, {path for path in gone if path.startswith("/var/tmp/")})
            self.assertTrue(all(Path(self.cwd / row["file"]).read_bytes() == gone[row["path"]] for row in rows))
        with self.subTest("a list only"):
            listed = self.run_icecore("recover", image)
            self.assertEqual(listed.code, DONE, listed)
            self.assertIn("/srv/link  (a link to /etc/shadow)", listed.out)
            self.assertTrue(all(path in listed.out for path in gone))
        with self.subTest("in the timeline"):
            plain = self.run_icecore("timeline", image, "--files-only")
            told = self.run_icecore("timeline", image, "--files-only", "--deleted")
            self.assertNotIn("/var/tmp/.x/file-3", plain.out)  # the kernel wipes names: only the journal has them
            rows = [json.loads(line) for line in told.out.splitlines() if "/var/tmp/.x/file-3 (deleted)" in line]
            self.assertLessEqual({"Deletion Time", "Content Modification Time", "Creation Time"}, {row["timestamp_desc"] for row in rows})
            self.assertTrue(all(row["file_size"] == 60_000 and row["content_state"] == "intact" for row in rows), rows)
            body = self.run_icecore("timeline", image, "--format", "bodyfile", "--deleted")
            self.assertRegex(body.out, r"(?m)^0\|/var/tmp/\.x/file-3 \(deleted\)\|\d+\|r/r")

    def test_ext3(self):
        self.check_all_given_back("ext3")

    def test_xfs(self):
        self.check_all_given_back("xfs")

    def test_exfat(self):
        """Files in one piece are whole at any size; one in pieces is written with --partly only, and the summary says so."""
        image, rng = self.cwd / "exfat.raw", random.Random("exfat")
        image.touch()
        os.truncate(image, 40 * MIB)
        subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
        gone = {"small": rng.randbytes(300), "large": rng.randbytes(3_000_001)}
        pieces = rng.randbytes(80_000)
        with through_fuse(image) as mount:
            for name, content in gone.items():
                (mount / name).write_bytes(content)
            with open(mount / "pieces", "wb") as ours, open(mount / "other", "wb") as other:
                for at in range(0, len(pieces), 4096):
                    for file, content in ((ours, pieces[at:at + 4096]), (other, b"x" * 4096)):
                        file.write(content)
                        file.flush()
                        os.fsync(file.fileno())
        with through_fuse(image) as mount:
            for name in (*gone, "pieces"):
                (mount / name).unlink()
        listed = self.run_icecore("recover", image)
        self.assertIn("1 of them would not be written", listed.err)
        ran = self.run_icecore("recover", image, "out")
        self.assertEqual(ran.code, DONE, ran)
        out = {path.name: path for path in (self.cwd / "out").rglob("*") if path.is_file() and path.name != "manifest.jsonl"}
        self.assertEqual({name: path.read_bytes() for name, path in out.items()}, gone)
        lines = {line["path"].rsplit("/", 1)[1]: line for line in manifest_of(self.cwd / "out")}
        self.assertEqual((lines["large"]["state"], lines["large"]["sureness"]), ("intact", "sure"), lines)
        self.assertEqual(lines["pieces"]["state"], "unknown")
        self.assertIn("--partly", lines["pieces"]["left_out"])
        self.assertIn("1 of them were not written", ran.err)
        self.assertIn("--partly", ran.err)
        more = self.run_icecore("recover", image, "more", "--partly")
        self.assertEqual(more.code, DONE, more)
        self.assertNotIn("not written", more.err)
        [written] = (self.cwd / "more").rglob("pieces")
        self.assertEqual(written.read_bytes()[:4096], pieces[:4096])  # its first cluster is certain

    def test_fat(self):
        """A guest kernel's FAT frees the chain with the file: one cluster is certain."""
        image, job = self.cwd / "fat.raw", self.cwd / "job"
        image.touch()
        os.truncate(image, 20 * MIB)
        subprocess.run(["mkfs.vfat", "-F", "16", "-s", "4", image], check=True, capture_output=True)
        job.write_text(f"set -e\nins nls_cp437 nls_utf8 nls_iso8859-1 nls_ascii fat vfat\nmkdir -p {self.cwd}/mount\n"
                       f"for step in 'cp {self.cwd}/small {self.cwd}/large {self.cwd}/larger .' 'rm small large larger'; do\n"
                       f"mount -t vfat -o utf8 /dev/ubda {self.cwd}/mount; (cd {self.cwd}/mount; $step); umount {self.cwd}/mount; done\n")
        contents = {name: random.Random(name).randbytes(size) for name, size in (("small", 2000), ("large", 100_000), ("larger", 300_000))}
        for name, content in contents.items():
            (self.cwd / name).write_bytes(content)
        subprocess.run(["linux.uml", "mem=256M", f"ubd0={image}", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw",
                        f"init={REPOSITORY / 'tests/data/guest.sh'}", "quiet", "con=null", "con0=null,fd:1", f"JOB={job}"],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300, env=dict(os.environ, TMPDIR="/dev/shm"))
        self.assertEqual((self.cwd / "job.code").read_text(), "0\n", (self.cwd / "job.out").read_text())
        ran = self.run_icecore("recover", image, "out")
        self.assertEqual(ran.code, DONE, ran)
        self.assertIn("3 deleted files, 1 written", ran.err)
        self.assertRegex(ran.err, r"2 of them were not written.*--partly")
        [written] = [path for path in (self.cwd / "out").rglob("*") if path.is_file() and path.name != "manifest.jsonl"]
        self.assertEqual(written.read_bytes(), contents["small"])
        more = self.run_icecore("recover", image, "more", "--partly", "--json")
        self.assertEqual(more.code, DONE, more)
        rows = [json.loads(line) for line in more.out.splitlines()]
        self.assertEqual({sha256(self.cwd / row["file"]) for row in rows}, {sha256_of(content) for content in contents.values()})  # as nobody came between

    def test_usage(self):
        self.assertEqual(self.run_icecore("recover").code, USAGE)
        ran = self.run_icecore("recover", "nothing.raw", "out")
        self.assertEqual(ran.code, FAILED, ran)
        self.assertFalse((self.cwd / "out").exists())

    def test_names_cannot_lead_out(self):
        """Names of deleted files and of their folders are patched on the disk to climb; nothing appears outside the folder asked for."""
        image = self.cwd / "climb.raw"
        image.touch()
        os.truncate(image, 8 * MIB)
        subprocess.run(["mkfs.ext4", "-q", "-O", "^metadata_csum,^has_journal", image], check=True)
        content = self.cwd / "content"
        content.write_bytes(b"outside\n" * 100)
        script = "mkdir AAAAAAAA\nwrite content plain\nwrite content BBBBBBBBBBBB\ncd AAAAAAAA\nwrite content inner\nrm inner\ncd /\nrm plain\nrm BBBBBBBBBBBB\n"
        subprocess.run(["debugfs", "-w", "-f", "-", image], input=script.encode(), cwd=self.cwd, check=True, capture_output=True)
        raw = image.read_bytes()
        self.assertTrue(b"AAAAAAAA" in raw and b"BBBBBBBBBBBB" in raw, "debugfs left no names to patch")
        image.write_bytes(raw.replace(b"AAAAAAAA", b"../../..").replace(b"BBBBBBBBBBBB", b"../../../esc"))
        inside = self.cwd / "deep/er/out"
        inside.parent.mkdir(parents=True)
        ran = self.run_icecore("recover", image, inside, "--sure", "guess")
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        written = [line for line in manifest_of(inside) if "file" in line]
        self.assertEqual(len(written), 3, written)
        for line in written:
            target = (inside / line["file"]).resolve()
            self.assertTrue(target.is_relative_to(inside.resolve()), line)
            self.assertEqual(target.read_bytes(), content.read_bytes())
        everything = {path.name for path in self.cwd.rglob("*") if inside not in [path, *path.parents]}
        self.assertEqual(everything, {"climb.raw", "content", "deep", "er"})


class JournalDiff(Base):
    def crashed(self, kind):
        """Two copies of an image taken while it was mounted: changes that are in the journal only."""
        image = blank(kind)
        copy = self.cwd / f"{kind}-copy.raw"
        with mounted(image) as mount:
            for number in range(60):
                (mount / f"base-{number}").write_bytes(b"base" * 100)
        with mounted(image) as mount:
            for number in range(30):
                (mount / f"new-{number}").write_bytes(b"new" * 50)
            for number in range(10):
                (mount / f"base-{number}").unlink()
            for number in range(10, 15):
                (mount / f"base-{number}").rename(mount / f"renamed-{number}")
            os.chmod(mount / "base-20", 0o600)
            handle = os.open(mount / "last", os.O_CREAT | os.O_WRONLY)
            os.fsync(handle)
            subprocess.run(["cp", "--sparse=always", image, copy], check=True)
            os.close(handle)
        return copy

    def names(self, image, options):
        with mounted(image, options) as mount:
            return {path.name: path.stat().st_ino for path in mount.iterdir() if path.name != "lost+found"}

    def check(self, kind):
        image = self.crashed(kind)
        mine = self.cwd / f"{kind}-mine.raw"
        shutil.copyfile(image, mine)
        before = self.names(image, "ro," + KINDS[kind][2])
        after = self.names(mine, "rw" if kind != "xfs" else "rw,nouuid")  # the kernel recovers this one
        self.assertNotEqual(before, after)
        ran = self.run_icecore("timeline", image, "--journal-diff", "--json")
        self.assertEqual(ran.code, DONE, ran)
        rows = [json.loads(line) for line in ran.out.splitlines()]
        got = {change: {row["path"][1:] for row in rows if row["change"] == change} for change in ("created", "removed", "changed", "name-added", "name-removed")}
        renamed = {f"renamed-{number}" for number in range(10, 15)}
        self.assertEqual(got["created"], set(after) - set(before) - renamed)
        self.assertEqual(got["removed"], set(before) - set(after) - {f"base-{number}" for number in range(10, 15)})
        self.assertEqual(got["name-added"], renamed)
        self.assertEqual(got["name-removed"], {f"base-{number}" for number in range(10, 15)})
        self.assertLessEqual({"base-20", ""}, got["changed"])
        self.assertIn("mode", next(row for row in rows if row["path"] == "/base-20")["fields"])
        text = self.run_icecore("timeline", image, "--journal-diff")
        self.assertRegex(text.out, r"(?m)^created +\d+  /new-7  \(")
        self.assertIn("changes are in the journal only", text.err)
        nothing = self.run_icecore("timeline", mine, "--journal-diff")  # recovered by the kernel: nothing is left to differ
        self.assertEqual((nothing.code, nothing.out), (DONE, ""), nothing)

    def test_ext4(self):
        self.check("ext4")

    def test_xfs(self):
        self.check("xfs")

    def test_not_with_no_journal(self):
        self.assertEqual(self.run_icecore("timeline", "x.raw", "--journal-diff", "--no-journal").code, USAGE)


class Incident(unittest.TestCase):
    def test_the_attackers_deleted_files(self):
        """H14 of the practice incident, through the lab: whole, logged, and only fetched where asked for."""
        truth = next(row for row in json.loads((INCIDENT / "truth.json").read_text())["rows"] if row["id"] == "H14")
        case = Case(Lab())
        self.assertEqual(case.run("collect", INSTANCE).code, DONE)
        plain = case.run("timeline", case.folder, "--format", "bodyfile")
        fetched = int(re.search(r"fetched (\d+) blocks", plain.err).group(1))
        ran = case.run("recover", case.folder, "out", "--path", "/var/*")
        self.assertIn(ran.code, (DONE, PARTIAL), ran)
        self.assertGreater(int(re.search(r"fetched (\d+) blocks", ran.err).group(1)), 0, "the journal was fetched by the plain timeline already")
        self.assertLess(fetched, 200, plain.err)
        for fact in truth["facts"]:
            self.assertEqual(sha256(case.cwd / "out" / fact["path"][1:]), fact["sha256"])
        ledger = [json.loads(line) for line in (case.folder / "ledger.jsonl").read_text().splitlines()]
        intent = next(line for line in ledger if line["kind"] == "intent" and line["body"]["act"] == "recover")
        outcome = next(line for line in ledger if line["kind"] == "outcome" and line["act"] == intent["seq"])
        self.assertEqual(outcome["body"]["manifest_sha256"], sha256(case.cwd / "out/manifest.jsonl"))
        self.assertEqual(case.run("verify", case.folder).code, DONE)


if __name__ == "__main__":
    unittest.main()
