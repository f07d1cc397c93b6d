"""Running tools, and undoing what was set up, whatever happens."""
import contextlib
import os
import subprocess
import sys
from pathlib import Path

TOOLS = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def log(text):
    print(f"incident: {text}", file=sys.stderr, flush=True)


class Failed(Exception):
    """The build cannot go on; the text says what and where."""


def run(args, env=None, stdin=None):
    """Standard output of a tool as text; its complaint as Failed if it does not end well."""
    args = [str(a) for a in args]
    full = dict(os.environ, **TOOLS) if env is None else dict(env)
    done = subprocess.run(args, env=full, input=stdin, text=True, errors="replace",
                          stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(args)[:300]}: exit {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def mounted(source, where, *options):
    """Kernel mount, undone on every way out (also Ctrl-C, which arrives as KeyboardInterrupt)."""
    Path(where).mkdir(parents=True, exist_ok=True)
    run(["mount", *options, source, where])
    try:
        yield Path(where)
    finally:
        if subprocess.run(["umount", str(where)], stderr=subprocess.DEVNULL).returncode != 0:
            run(["umount", "-l", where])  # a maintainer script may have left a process behind


@contextlib.contextmanager
def loop(image, offset=0, read_only=True):
    """A loop device over a part of an image. `losetup -P` does not work on the build machines, -o does."""
    args = ["losetup", "-f", "--show", "-o", str(offset)] + (["-r"] if read_only else [])
    device = run(args + [image]).strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", device], stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def chroot_mounts(root):
    """/proc and a plain /dev in a chroot, as maintainer scripts expect."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mounted("proc", Path(root) / "proc", "-t", "proc"))
        yield root
