"""systemd's journal files: our records in the export format, written by systemd-journal-remote, with their own times."""
import subprocess
from pathlib import Path

from .run import Failed

EXE = {"sshd": "/usr/sbin/sshd", "sudo": "/usr/bin/sudo", "CRON": "/usr/sbin/cron", "systemd": "/usr/lib/systemd/systemd",
       "systemd-logind": "/usr/lib/systemd/systemd-logind", "cloud-init": "/usr/bin/python3.11", "useradd": "/usr/sbin/useradd"}
TOOL = "/lib/systemd/systemd-journal-remote"


def export(story, chosen, machine_id, boots):
    """The export stream (systemd.io/JOURNAL_EXPORT_FORMATS): text fields, an empty line after each entry."""
    started = {b.id: b.start for b in boots}
    out, last = [], 0
    for i, x in enumerate(chosen):
        realtime = max(int(story.at(x.when) * 1e6), last + 1)
        last = realtime
        monotonic = int((x.when - started[x.boot]) * 60e6) + 4_000_000
        kernel = x.ident == "kernel"
        fields = [
            ("__CURSOR", f"s={story.hex('seqnum', 32)};i={i + 1:x};b={x.boot};m={monotonic:x};t={realtime:x};x={i + 1:x}"),
            ("__REALTIME_TIMESTAMP", realtime), ("__MONOTONIC_TIMESTAMP", monotonic), ("_BOOT_ID", x.boot), ("_MACHINE_ID", machine_id),
            ("_HOSTNAME", x.host), ("PRIORITY", x.priority), ("SYSLOG_FACILITY", x.facility), ("SYSLOG_IDENTIFIER", x.ident),
            ("_TRANSPORT", "kernel" if kernel else "journal" if x.ident.startswith("systemd") else "syslog"), ("MESSAGE", x.text)]
        if not kernel:
            fields += [("_PID", x.pid), ("SYSLOG_PID", x.pid), ("_UID", x.uid), ("_GID", x.uid), ("_COMM", x.ident.lower() if x.ident == "CRON" else x.ident)]
            if x.ident in EXE:
                fields.append(("_EXE", EXE[x.ident]))
            if x.unit:
                fields.append(("_SYSTEMD_UNIT", x.unit))
        out.append("".join(f"{k}={v}\n" for k, v in fields) + "\n")
    return "".join(out)


def build(path, story, records, machine_id, boots, start, until):
    """A journal file of the records in (start, until]."""
    path = Path(path)
    path.unlink(missing_ok=True)
    chosen = [x for x in records if start < x.when <= until]
    done = subprocess.run([TOOL, "--split-mode=none", "--compress=no", f"--output={path}", "-"], input=export(story, chosen, machine_id, boots),
                          text=True, capture_output=True)
    if done.returncode != 0 or not path.exists():
        raise Failed(f"systemd-journal-remote: {done.stderr[-1500:]}")
    # The tool writes its own host's machine id into the header, and closes the file; a running machine's says "online"
    # (JOURNAL_FILE_FORMAT: state at 16, machine_id at 40).
    with open(path, "r+b") as out:
        out.seek(16)
        out.write(b"\1")
        out.seek(40)
        out.write(bytes.fromhex(machine_id))
    return path
