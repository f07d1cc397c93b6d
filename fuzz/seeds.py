"""What the makers of seeds share: commands, loop mounts, and disks in few bytes as fuzz/disk.h reads them."""
import contextlib
import pathlib
import struct
import subprocess

CORPUS = pathlib.Path(__file__).parent / "corpus"
BLOCK = 1024


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def make(image, size, *mkfs):
    with open(image, "wb") as file:
        file.truncate(size)
    run(*mkfs, str(image))


@contextlib.contextmanager
def mounted(image, options="loop"):
    folder = pathlib.Path(f"{image}.mnt")
    folder.mkdir(exist_ok=True)
    run("mount", "-o", options, str(image), str(folder))
    try:
        yield folder
    finally:
        run("umount", str(folder))


def as_blocks(data, wanted=lambda block: True):
    """disk_of_blocks: the blocks of `data` that are not zero and wanted."""
    count = (len(data) + BLOCK - 1) // BLOCK
    out = [struct.pack("<H", count)]
    for i in range(count):
        block = data[i * BLOCK:(i + 1) * BLOCK].ljust(BLOCK, b"\0")
        if any(block) and wanted(i):
            out.append(struct.pack("<H", i) + block)
    return b"".join(out)


def keep(corpus, target, name, seed):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(seed)
    print(folder / name, len(seed))
