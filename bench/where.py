"""Where the benchmarks' images are kept, outside the tree: made once by bench/make_images."""
import os
import pathlib
import subprocess

KEPT = pathlib.Path(os.environ.get("ICECORE_CACHE", pathlib.Path.home() / ".cache/icecore"))
CACHE = KEPT / "bench"
MAKE = pathlib.Path(__file__).resolve().parent / "make_images"


def image(name):
    path = CACHE / f"{name}.img"
    if not path.exists():
        subprocess.run([MAKE, name, "--folder", CACHE], check=True)
    return path
