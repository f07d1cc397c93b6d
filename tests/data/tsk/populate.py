"""Fills a folder with what names and contents can be on a filesystem without owners (`populate.py fill FOLDER`), or deletes some of it (`delete`)."""
import os
import shutil
import sys

act, folder = sys.argv[1:3]
os.chdir(folder)


def numbers(last):
    return "".join(f"{i}\n" for i in range(1, last + 1))


def write(name, text):
    with open(name, "w") as file:
        file.write(text)


if act == "fill":
    for name in ("EFI/debian", "a long folder name with spaces", "empty", "deep/1/2/3/4/5/6/7/8", "gone"):
        os.makedirs(name, exist_ok=True)
    write("EFI/debian/GRUBX64.EFI", numbers(20000))
    write("README.TXT", "hello\n")
    write("a long file name, longer than 8.3.text", "hello\n")
    write("Ünïcödé—名前.txt", "unicode\n")
    write("nothing", "")
    write("deep/1/2/3/4/5/6/7/8/bottom", numbers(300))
    for i in range(1, 61):
        write(f"a long folder name with spaces/file number {i}", f"{i}\n")
    # Two files written in turn are in pieces.
    with open("pieces.a", "wb") as a, open("pieces.b", "wb") as b:
        for _ in range(40):
            for file, byte in ((a, b"a"), (b, b"b")):
                file.write(byte * 4096)
                file.flush()
                os.fsync(file.fileno())
    write("plan.txt", "the secret plan\n")
    write("a deleted file with a long name", numbers(9000))
    write("gone/inside.txt", "inside\n")
    os.utime("README.TXT", (1359864306, 1359864306))
else:
    for name in ("plan.txt", "a deleted file with a long name", "a long folder name with spaces/file number 33"):
        os.unlink(name)
    shutil.rmtree("gone")
