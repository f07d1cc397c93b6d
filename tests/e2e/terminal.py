"""icecore as somebody sees it who sits at a terminal."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from harness import CRASH_WORDS, ICECORE


def run(case, columns, *arguments, timeout=120):
    """The exit code and all that a terminal of so many columns was sent, by both streams."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([ICECORE, *map(os.fsdecode, arguments)], env=case.env, cwd=case.cwd, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                               start_new_session=True)
    os.close(slave)
    pieces = []
    reader = threading.Thread(target=_drain, args=(master, pieces))
    reader.start()
    try:
        code = process.wait(timeout)
    finally:
        process.kill()
        reader.join()
        os.close(master)
    shown = b"".join(pieces).decode(errors="backslashreplace")
    if any(word in shown for word in CRASH_WORDS):
        raise AssertionError(f"icecore crashed: {shown}")
    return code, shown


def _drain(master, pieces):
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return
        if not piece:
            return
        pieces.append(piece)


def lines(shown):
    """What stood on the screen, one after the other, also what was wiped out again."""
    return [line for line in re.split(r"[\r\n]+", shown.replace("\x1b[K", "")) if line]
