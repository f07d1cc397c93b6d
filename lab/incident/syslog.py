"""rsyslog's files as the machine grows them: lines appended in time, rotated by name, with the clock at the last line's time."""
import datetime

from . import records as r
from . import utmp

FILES = {
    "auth.log": lambda x: x.facility in (r.AUTH, r.AUTHPRIV),
    "syslog": lambda x: x.facility not in (r.AUTH, r.AUTHPRIV),
    "cron.log": lambda x: x.facility == r.CRON,
    "kern.log": lambda x: x.facility == r.KERN,
    "user.log": lambda x: x.facility == r.USER,
}


def line(story, x):
    """Debian 12's default template, RSYSLOG_FileFormat."""
    moment = datetime.datetime.fromtimestamp(story.at(x.when), datetime.timezone.utc)
    tag = f"{x.ident}[{x.pid}]" if x.pid and x.ident != "kernel" else x.ident
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%f')}+00:00 {x.host} {tag}: {x.text}\n"


class Writer:
    """Writes the machine's logs up to a moment. `start` is where an earlier phase ended."""

    def __init__(self, guest, story, everything, start):
        self.guest, self.story, self.cursor = guest, story, start
        self.records = everything
        self.adm = 4  # Debian's static gid

    def advance(self, until):
        """Append all that was logged up to `until` (minutes), and leave the clock there."""
        for name, wanted in FILES.items():
            lines = [x for x in self.records if self.cursor < x.when <= until and wanted(x)]
            if lines:
                self.guest.clock(self.story.at(lines[-1].when))
                self.guest.write(f"/var/log/{name}", "".join(line(self.story, x) for x in lines), 0o640, (0, self.adm), append=True)
        for name, events, mode in [("wtmp", utmp.wtmp_events(self.story), 0o664), ("btmp", utmp.btmp_events(self.story), 0o660)]:
            wanted = [e for e in events if self.cursor < e[0] <= until]
            if wanted:
                self.guest.clock(self.story.at(wanted[-1][0]))
                self.guest.write(f"/var/log/{name}", b"".join(e[1] for e in wanted), mode, (0, 43), append=True)
        for when, offset, data in utmp.lastlog_events(self.story, {"admin": 1000}):
            if self.cursor < when <= until:
                self.guest.clock(self.story.at(when))
                with open(self.guest.path("/var/log/lastlog"), "r+b") as out:
                    out.seek(offset)
                    out.write(data)
        self.cursor = until
        self.guest.clock(self.story.at(until))

    def rotate(self, minutes, name="auth.log"):
        """logrotate with delaycompress: .1 becomes .2.gz, the log becomes .1, a new log begins."""
        self.advance(minutes)
        base = self.guest.path(f"/var/log/{name}")
        for n in range(4, 1, -1):
            old = base.with_name(f"{name}.{n}.gz")
            if old.exists():
                old.rename(base.with_name(f"{name}.{n + 1}.gz"))
        first = base.with_name(f"{name}.1")
        if first.exists():
            first.rename(base.with_name(f"{name}.2"))
            self.guest.sh("gzip", base.with_name(f"{name}.2"))
        base.rename(first)
        self.guest.write(f"/var/log/{name}", "", 0o640, (0, self.adm))
