"""truth.json: what was planted, read back from the finished images (docs/rules.md has the format)."""
from . import host_attack, innocent, last_acts, story as s, web_attack

CLOUD = f"/var/lib/cloud/instances/{s.INSTANCE}"
GZ = "/var/log/nginx/access.log.1.gz"
MINUTE = 60

LOGS = ["/var/log/auth.log", "/var/log/btmp", "/var/log/wtmp", "/var/log/lastlog"]
FILES = [
    "/home/admin/.ssh/authorized_keys", "/root/.ssh/authorized_keys", "/etc/passwd", "/etc/shadow", s.SUDOERS, s.MINER, s.MINER_CONFIG, s.UNIT, s.UNIT_LINK, s.CRON,
    "/etc/rc.local", "/etc/ld.so.preload", s.PRELOAD_LIB, "/usr/bin/ss", s.SETUID_SHELL, "/etc/pam.d/common-auth", s.PAM_MODULE, "/home/admin/.bash_history",
    "/root/.bash_history", s.AWS_CREDENTIALS, "/home/deploy/.bash_history", "/etc/hosts", last_acts.MASKED, s.WEB_SHELL, GZ, s.STOLEN_PRIVATE_KEY, s.KNOWN_HOSTS,
    s.MINER_LOG, last_acts.STAGED, CLOUD + "/user-data.txt", CLOUD + "/user-data.txt.i", CLOUD + "/scripts/userdata.txt", "/var/log/cloud-init.log", "/var/log/cloud-init-output.log"]


def names(story):
    """Every path that truth.json, or the check, must know of."""
    return FILES + LOGS + [journal(story)] + [path for _, path in innocent.LIST] + [s.DROPPER, "/var/log/auth.log.1"]


def journal(story):
    return f"/var/log/journal/{story.hex('machine/main', 32)}/system.journal"


def volume(path):
    return s.DATA_VOLUME if path.startswith("/srv/") else s.ROOT_VOLUME


class Rows:
    def __init__(self, story, seen, event_ids, dtimes, deleted):
        self.story, self.seen, self.ids, self.dtimes, self.deleted = story, seen, event_ids, dtimes, {d["path"]: d for d in deleted}
        self.rows = []

    def row(self, row, what, *facts, journal_only=False):
        self.rows.append({"id": row, "what": what, "journal_only": journal_only, "facts": list(facts)})

    def place(self, path):
        return {"volume": volume(path), "path": path, "inode": self.seen[path]["inode"]}

    def file(self, name, rules, path, time=None, tolerance=MINUTE, contains=(), others=(), sha256=None):
        """A fact about a file. `time`: one of its own times, or minutes from T. `others`: paths that serve as well."""
        fact = {"name": name, "rules": rules, **self.place(path)}
        if others:
            fact["or"] = [self.place(other) for other in others]
        if isinstance(time, str):
            fact["time"] = s.iso_ns(self.seen[path][time])
        elif time is not None:
            fact["time"] = self.story.iso(time)
        if time is not None:
            fact["time_tolerance_s"] = tolerance
        if sha256:
            fact["sha256"] = sha256
        if contains:
            fact["contains"] = list(contains)
        return fact

    def events(self, name, rules, label, time, tolerance=MINUTE, contains=()):
        fact = {"name": name, "rules": rules, "event_ids": self.ids[label], "time": self.story.iso(time), "time_tolerance_s": tolerance}
        if contains:
            fact["contains"] = list(contains)
        return fact

    def instance(self, name, rules, attribute, contains):
        return {"name": name, "rules": rules, "instance_attribute": attribute, "contains": list(contains)}


def rows(story, seen, event_ids, dtimes, deleted):
    r = Rows(story, seen, event_ids, dtimes, deleted)
    bot = [s.ATTACKER]
    r.row("C1", "A leaked access key is tried from a foreign address.", r.events("recon", ["cloud-key-recon"], "C1", -239.6, contains=bot))
    r.row("C2", "A key pair, SSH open to the world, and nine bulk launches, some refused by quota.",
          r.events("key pair", ["cloud-new-key-pair"], "C2-key", -230.6), r.events("ingress", ["cloud-open-ingress"], "C2-ingress", -230.3),
          r.events("launches", ["cloud-mass-launch"], "C2-run", -229, 2 * MINUTE))
    r.row("C3", "Logging was to be stopped; the instance's user-data was replaced between a stop and a start.",
          r.events("logging", ["cloud-logging-tampered"], "C3-logging", -225.5), r.events("user-data", ["cloud-user-data-changed"], "C3-user-data", -223.2, 3 * MINUTE))
    url = f"http://{s.DROP_HOST}/i.sh"
    r.row("C4", "The user-data downloads a script and runs it.",
          r.instance("user-data", ["user-data-download-run"], "user-data", [url]),
          r.file("on disk", ["user-data-download-run"], CLOUD + "/user-data.txt", -220, 2 * MINUTE, [s.DROP_HOST],
                 [CLOUD + "/user-data.txt.i", CLOUD + "/scripts/userdata.txt", "/var/log/cloud-init.log", "/var/log/cloud-init-output.log"]))
    brute = ["ssh-bruteforce-success"]
    r.row("H1", "400 failed SSH logins, then admin gets in from 203.0.113.66.",
          r.file("failures", brute, "/var/log/btmp", -213, 4 * MINUTE, bot, [journal(story), "/var/log/auth.log"]),
          r.file("login", brute, journal(story), -210, MINUTE, bot, ["/var/log/wtmp", "/var/log/lastlog"]))
    r.row("H2", "The attacker's key was appended for admin and root.", r.file("admin", ["ssh-key-added"], "/home/admin/.ssh/authorized_keys", "mtime"),
          r.file("root", ["ssh-key-added"], "/root/.ssh/authorized_keys", "mtime"))
    r.row("H3", "A second account with UID 0, and sudo without a password.", r.file("account", ["extra-root-account"], "/etc/passwd", "mtime", contains=["sysd"]),
          r.file("sudoers", ["sudoers-nopasswd"], s.SUDOERS, "mtime"))
    r.row("H4", "A miner in a hidden directory, with its pool and wallet.", r.file("ELF", ["cryptominer"], s.MINER, "crtime", sha256=seen[s.MINER]["sha256"]),
          r.file("config", ["cryptominer"], s.MINER_CONFIG, "crtime", contains=["stratum+tcp://"]))
    r.row("H5", "The miner's modification time was set back to 2013; its birth gives it away.", r.file("birth", ["timestomp"], s.MINER, "crtime", contains=["2013"]))
    unit = ["systemd-unit-masquerade"]
    r.row("H6", "A unit that poses as a helper of timesyncd, enabled.", r.file("unit", unit, s.UNIT, "crtime"), r.file("enabled", unit, s.UNIT_LINK))
    r.row("H7", "cron and rc.local download and run.", r.file("cron", ["cron-download-run"], s.CRON, "crtime", contains=[s.DROP_HOST]),
          r.file("rc.local", ["rc-local-download-run"], "/etc/rc.local", "crtime", contains=[s.DROP_HOST]))
    r.row("H8", "/etc/ld.so.preload loads a library that no package owns.", r.file("preload", ["ld-so-preload"], "/etc/ld.so.preload", "crtime"),
          r.file("library", ["ld-so-preload"], s.PRELOAD_LIB))
    r.row("H9", "ss was replaced; its modification time is the package's.", r.file("ss", ["package-file-replaced"], "/usr/bin/ss", "ctime", sha256=seen["/usr/bin/ss"]["sha256"]))
    r.row("H10", "A setuid copy of bash.", r.file("shell", ["setuid-unpackaged"], s.SETUID_SHELL, "ctime"))
    r.row("H11", "A line in PAM's common-auth and a module that no package owns.", r.file("line", ["pam-backdoor"], "/etc/pam.d/common-auth", "mtime", contains=["pam_timesync.so"]),
          r.file("module", ["pam-backdoor"], s.PAM_MODULE))
    r.row("H12", "admin's history shows it all; root's is a link to /dev/null.",
          r.file("history", ["shell-history-attack"], "/home/admin/.bash_history", -205.6, 5 * MINUTE, [s.DROP_HOST]), r.file("disabled", ["history-disabled"], "/root/.bash_history", "crtime"))
    r.row("H13", "auth.log lacks twelve minutes that the journal has.", r.file("gap", ["log-gap"], "/var/log/auth.log", sum(host_attack.GAP) / 2, 2 * MINUTE))
    gone = [{"name": name, "rules": ["deleted-recovered"], "volume": s.ROOT_VOLUME, "path": path, "inode": r.deleted[path]["inode"], "sha256": r.deleted[path]["sha256"],
             "time": s.iso(dtimes[path]), "time_tolerance_s": MINUTE} for name, path in [("dropper", s.DROPPER), ("log", "/var/log/auth.log.1")]]
    r.row("H14", "The dropper and last week's auth.log were deleted; both can be had back whole.", *gone)
    r.row("H15", "The deploy user's AWS credentials were read and used; a bucket was copied.", r.file("read", ["credential-file-read"], s.AWS_CREDENTIALS, "atime"),
          r.file("sync", ["bulk-exfiltration"], "/home/deploy/.bash_history", -179, MINUTE, [s.BUCKET]),
          r.events("key used", ["credential-file-read", "bulk-exfiltration", "cloud-key-recon"], "H15", -179.3), journal_only=True)
    r.row("H16", "Update and security hosts lead to 127.0.0.1; automatic updates are masked.",
          r.file("hosts", ["hosts-tampered"], "/etc/hosts", "mtime", contains=[last_acts.blocked_hosts()[1]]), r.file("masked", ["updates-masked"], last_acts.MASKED, "crtime"), journal_only=True)
    r.row("W1", "A web shell among the uploads, and the POSTs to it.", r.file("script", ["web-shell"], s.WEB_SHELL, "crtime"),
          r.file("POSTs", ["web-shell"], GZ, -258, 3 * MINUTE, bot))
    r.row("W2", "A private key was stolen, and two internal hosts were visited.", r.file("key", ["stolen-private-key"], s.STOLEN_PRIVATE_KEY, "crtime"),
          r.file("known hosts", ["stolen-private-key"], s.KNOWN_HOSTS, "crtime", contains=web_attack.INTERNAL))
    r.row("M1", "The miner's own log and the console show it at work.", r.file("log", ["miner-log"], s.MINER_LOG, s.LAST_ACT, 2 * MINUTE, ["rejected"]),
          r.instance("console", ["miner-log"], "console-output", ["credits"]), journal_only=True)
    return r.rows


def document(story, seen, event_ids, dtimes, deleted):
    return {"format": "icecore-truth/1", "instance": s.INSTANCE, "t0": s.iso(story.t0), "clean_snapshot": s.CLEAN_SNAPSHOT,
            "rows": rows(story, seen, event_ids, dtimes, deleted),
            "innocent": [{"what": what, "path": path, "volume": volume(path)} for what, path in innocent.LIST]}
