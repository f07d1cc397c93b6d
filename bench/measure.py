"""Timing and the shape of a result."""
import os
import statistics
import subprocess
import time

REPEATS = 5


def row(name, value, unit, peer=None, peer_value=None, ratio=None, target=None, met=None):
    return {"name": name, "value": value, "unit": unit, "peer": peer, "peer_value": peer_value, "ratio": ratio, "target": target, "met": met}


def run(command, env=None, cwd=None):
    """Seconds and peak memory in MiB of a command whose output goes nowhere."""
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_maxrss / 1024, process.returncode


def in_turn(commands, repeats=REPEATS):
    """Median seconds of each command, run one after the other, round after round, so that a busy machine is busy for all. One warm-up round."""
    times = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            seconds, _, code = run(command)
            if code not in (0, 3):
                raise SystemExit(f"bench: {' '.join(map(str, command))} ended with {code}")
            if turn:
                times[name].append(seconds)
    return {name: statistics.median(values) for name, values in times.items()}
