"""Who logged in, who failed to, and when the machines booted: the one list behind auth.log, the journal, wtmp, btmp and lastlog."""
from dataclasses import dataclass

from . import story as s

FAILURES = 400
FAILED_FROM, FAILED_TO = -216.0, -210.1  # minutes; the login follows at -210
USERS_TRIED = ["admin"] * 6 + ["root", "debian", "ubuntu", "test", "oracle", "git", "postgres"]


@dataclass
class Session:
    start: float        # minutes from T
    length: float
    user: str
    address: str
    port: int
    method: str         # "publickey" or "password"
    key: str = ""       # name in keys.all_keys
    pid: int = 0
    sudo: tuple = ()    # commands run with sudo: (minutes after the start, cwd, command)


@dataclass
class Failure:
    when: float
    user: str
    address: str
    port: int
    pid: int
    known: bool


@dataclass
class Boot:
    start: float
    host: str
    id: str
    kernel: str = "6.1.0-41-cloud-amd64"
    stop: float = None


def boots(story):
    return [
        Boot(s.GOLDEN_BOOT, s.GOLDEN_HOSTNAME, story.hex("boot/golden", 32), stop=s.GOLDEN_IMAGED),
        Boot(s.LAUNCHED, s.HOSTNAME, story.hex("boot/1", 32), stop=s.REBOOT_STOP),
        Boot(s.REBOOT_START, s.HOSTNAME, story.hex("boot/2", 32)),
    ]


def sessions(story):
    """Every successful login, oldest first; the attacker's comes last."""
    rng = story.rng("sessions")
    out = []

    def add(start, length, address, sudo=(), method="publickey", key="admin-laptop", user="admin"):
        out.append(Session(start, length, user, address, rng.randrange(40000, 60999), method, key, rng.randrange(700, 30000), tuple(sudo)))

    add(s.GOLDEN_SETUP, 55, s.ADMIN_ADDRESS, [(2, "/home/admin", "/usr/bin/vi /etc/ssh/sshd_config"), (6, "/home/admin", "/usr/bin/systemctl reload ssh"),
                                             (20, "/home/admin", "/usr/bin/vi /etc/cron.d/shop-backup")], key="launch")
    add(s.GOLDEN_UPDATE - 6, 20, s.ADMIN_ADDRESS, [(6, "/home/admin", "/usr/bin/apt-get upgrade")], key="launch")
    add(s.GOLDEN_IMAGED - 30, 12, s.ADMIN_HOME, [(3, "/home/admin", "/usr/bin/journalctl -u nginx")], key="launch")
    add(s.LAUNCHED + 60, 70, s.ADMIN_ADDRESS, [(35, "/srv/www", "/usr/bin/systemctl reload nginx")], key="launch")
    for day in (8, 5, 3, 1):
        add(-day * s.DAY - rng.randrange(60, 400), rng.randrange(4, 40), s.ADMIN_ADDRESS if day != 3 else s.ADMIN_HOME,
            [(2, "/home/admin", "/usr/bin/journalctl -u php8.2-fpm -n 50")], key="launch")
    out.append(Session(-210.0, 24.0, "admin", s.ATTACKER, 51422, "password", "", 4711, (
        (2.6, "/home/admin", "/usr/bin/tee -a /root/.ssh/authorized_keys"),
        (3.9, "/home/admin", "/usr/bin/bash"),
    )))
    return sorted(out, key=lambda x: x.start)


def failures(story):
    """Every failed login: a few of ordinary life, then the attacker's 400."""
    rng = story.rng("failures")
    out = []
    first = sessions(story)
    home = next(x for x in first if x.address == s.ADMIN_HOME and x.start > s.LAUNCHED)
    for before in (1.4, 0.8):  # the administrator mistypes twice, then remembers his key
        out.append(Failure(home.start - before, "admin", s.ADMIN_HOME, home.port - 3, home.pid - 9, True))
    out.append(Failure(s.GOLDEN_IMAGED - 31.5, "admin", s.ADMIN_HOME, 50122, 2210, True))
    for i in range(6):  # the Internet's ordinary noise: nobody gets in
        out.append(Failure(-6 * s.DAY + i * 0.21, rng.choice(["test", "ubuntu", "pi"]), "198.51.100.201", 33000 + i, 9000 + i, False))
    span = (FAILED_TO - FAILED_FROM) / FAILURES
    for i in range(FAILURES):
        user = rng.choice(USERS_TRIED)
        out.append(Failure(FAILED_FROM + span * (i + 0.7 * rng.random()), user, s.ATTACKER, 40000 + i * 7 % 20000, 2000 + i * 3,
                           user in ("admin", "root")))
    return sorted(out, key=lambda x: x.when)
