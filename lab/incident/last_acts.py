"""H15, H16, M1's last lines, and the last ordinary writes: all of it fsync'ed file by file, nothing checkpointed."""
import os

from . import payload, story as s
from .root import default_mirror

CHANGED = [s.AWS_CREDENTIALS, "/home/deploy/.bash_history", "/etc/hosts", s.MINER_LOG, "/var/log/auth.log"]
MASKED = "/etc/systemd/system/unattended-upgrades.service"
STAGED = s.WEB_ROOT + "/uploads/.cache/orders.tgz"  # on XFS, so that its log differs from its disk too


def blocked_hosts():
    """Update and security hosts: Debian's own (from debootstrap's default mirror) and a scanner's."""
    domain = default_mirror().split("/")[2].split(".", 1)[1]
    return [default_mirror().split("/")[2], f"security.{domain}", "database.clamav.net"]


def do(guest, story, logs, visits, materials):
    deploy, www = guest.owner("deploy"), guest.owner("www-data")
    guest.clock(story.at(-180))  # H15
    guest.path(s.AWS_CREDENTIALS).read_bytes()
    guest.fsync(s.AWS_CREDENTIALS)
    guest.clock(story.at(-179))
    # As the deploy user, with HISTTIMEFORMAT inherited from admin's shell: so this part of the history has times.
    lines = [(-180, "cat ~/.aws/credentials"), (-179.5, "aws sts get-caller-identity"), (-179, f"aws s3 sync s3://{s.BUCKET} /var/tmp/.cache/b --quiet")]
    guest.write("/home/deploy/.bash_history", "".join(f"#{int(story.at(m))}\n{text}\n" for m, text in lines), append=True)
    guest.fsync("/home/deploy/.bash_history")
    guest.clock(story.at(-175))
    guest.write(STAGED, b"\x1f\x8b\x08\0" + story.rng("staged").randbytes(180_000), 0o600, www)
    guest.fsync(STAGED)
    logs.advance(-171)
    guest.fsync("/var/log/auth.log")
    guest.clock(story.at(-170))  # H16
    guest.write("/etc/hosts", "".join(f"127.0.0.1 {host}\n" for host in blocked_hosts()), append=True)
    guest.fsync("/etc/hosts")
    os.symlink("/dev/null", guest.path(MASKED))
    guest.fsync("/etc/systemd/system")
    guest.clock(story.at(-150))
    guest.write(s.WEB_ROOT + "/uploads/avatar-61.jpg", b"\xff\xd8\xff\xe0" + story.rng("late").randbytes(30_000), 0o644, www)
    guest.fsync(s.WEB_ROOT + "/uploads/avatar-61.jpg")
    visits(s.LAST_ACT)
    logs.advance(s.LAST_ACT - 1)
    guest.clock(story.at(s.LAST_ACT))  # M1
    guest.write(s.MINER_LOG, payload.miner_log(story, s.LAST_CHECKPOINT + 1, s.LAST_ACT), append=True)
    for name in ["/var/log/auth.log", "/var/log/syslog", "/var/log/cron.log", "/var/log/nginx/access.log", s.MINER_LOG]:
        guest.fsync(name)
