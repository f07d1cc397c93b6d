"""Ordinary things that look odd: what an administrator, a backup tool, Debian and a developer leave behind. None is an attack."""
import shutil

from . import keys, story as s

BACKUP_TOOL = "/usr/local/bin/shop-backup"

# (what, path). truth.py adds the volume; nothing above info may be raised at these paths.
LIST = [
    ("cloud-init's sudoers file for the image's user", "/etc/sudoers.d/90-cloud-init-users"),
    ("an edited conffile", "/etc/ssh/sshd_config"),
    ("cloud-init's own sshd drop-in", "/etc/ssh/sshd_config.d/50-cloud-init.conf"),
    ("a legitimate private cron job", "/etc/cron.d/shop-backup"),
    ("a backup tool's binary no package owns", BACKUP_TOOL),
    ("an edited conffile of logrotate", "/etc/logrotate.d/nginx"),
    ("python's bytecode cache", "/usr/local/lib/shop/__pycache__/orders.cpython-311.pyc"),
    ("Debian's setuid sudo", "/usr/bin/sudo"),
    ("Debian's setuid passwd", "/usr/bin/passwd"),
    ("Debian's setuid su", "/usr/bin/su"),
    ("Debian's setuid mount", "/usr/bin/mount"),
    ("Debian's setuid ssh-keysign", "/usr/lib/openssh/ssh-keysign"),
    ("a package file changed by a later security update", "/usr/lib/x86_64-linux-gnu/libssl.so.3"),
    ("a package file changed by a later security update", "/usr/bin/openssl"),
    ("logrotate's rotation", "/var/log/auth.log.2.gz"),
    ("the deploy user's own key", "/home/deploy/.ssh/authorized_keys"),
    ("a legitimate unit of the shop's own", "/etc/systemd/system/shop-worker.service"),
    ("a shell history with ordinary administration", "/home/deploy/.bash_history.old"),
]


def configure(guest, story, materials):
    """The administrator's afternoon on the golden machine."""
    minute = lambda m: guest.clock(story.at(s.GOLDEN_SETUP + m))
    minute(2)
    config = guest.path("/etc/ssh/sshd_config")
    config.write_text(config.read_text() + "\n# shop: keep idle tunnels alive\nClientAliveInterval 120\nClientAliveCountMax 3\nMaxAuthTries 6\n")
    minute(8)
    guest.chroot("useradd", "-m", "-c", "deployment", "-s", "/bin/bash", "deploy")
    owner = guest.owner("deploy")
    guest.mkdir("/home/deploy/.ssh", 0o700, owner)
    guest.write("/home/deploy/.ssh/authorized_keys", keys.all_keys(story)["admin-laptop"].public + "\n", 0o600, owner)
    guest.write("/home/deploy/.bash_history.old", "cd /srv/www\ngit pull\nsudo systemctl reload nginx\ncurl -fsS http://127.0.0.1/health\ntar czf /tmp/shop.tgz shop\n", 0o600, owner)
    minute(12)
    shutil.copyfile(materials / "shop-backup", guest.path(BACKUP_TOOL))
    guest.path(BACKUP_TOOL).chmod(0o755)
    minute(20)
    guest.write("/etc/cron.d/shop-backup", "# nightly copy of the shop's data (ops, ticket 1187)\nSHELL=/bin/sh\n17 */6 * * * root /usr/local/bin/shop-backup --quiet\n")
    minute(24)
    rotate = guest.path("/etc/logrotate.d/nginx")
    rotate.write_text(rotate.read_text().replace("\tdelaycompress\n", ""))
    minute(30)
    guest.path("/usr/local/lib/shop").mkdir(parents=True)
    guest.write("/usr/local/lib/shop/orders.py", "def total(lines):\n    return sum(price * count for price, count in lines)\n")
    guest.chroot("python3", "-m", "compileall", "-q", "/usr/local/lib/shop")
    guest.write("/etc/systemd/system/shop-worker.service", "[Unit]\nDescription=Shop order worker\nAfter=network-online.target\n\n[Service]\nUser=deploy\n"
                "ExecStart=/usr/bin/python3 /usr/local/lib/shop/orders.py\nRestart=on-failure\n\n[Install]\nWantedBy=multi-user.target\n")
    wants = guest.path("/etc/systemd/system/multi-user.target.wants/shop-worker.service")
    wants.symlink_to("/etc/systemd/system/shop-worker.service")
    minute(40)
    guest.write("/etc/nginx/sites-available/shop", _site())
    guest.path("/etc/nginx/sites-enabled/shop").symlink_to("/etc/nginx/sites-available/shop")
    guest.path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    admin = guest.owner("admin")
    guest.write("/home/admin/.bashrc", "\nexport HISTTIMEFORMAT='%F %T '\n", append=True)
    guest.write("/home/admin/.bash_history", _history(story), 0o600, admin)


def _site():
    return ("server {\n    listen 80 default_server;\n    root /srv/www/shop;\n    index index.php;\n    access_log /var/log/nginx/access.log;\n"
            "    location / { try_files $uri $uri/ /index.php?$args; }\n    location ~ \\.php$ { include snippets/fastcgi-php.conf; fastcgi_pass unix:/run/php/php8.2-fpm.sock; }\n}\n")


def _history(story):
    lines = [(2, "sudo vi /etc/ssh/sshd_config"), (6, "sudo systemctl reload ssh"), (12, "sudo install -m 755 shop-backup /usr/local/bin/"),
             (20, "sudo vi /etc/cron.d/shop-backup"), (24, "sudo vi /etc/logrotate.d/nginx"), (44, "curl -fsS http://127.0.0.1/health"), (50, "df -h")]
    return "".join(f"#{story.at(s.GOLDEN_SETUP + m)}\n{text}\n" for m, text in lines)
