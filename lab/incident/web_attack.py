"""W1 and W2: through the shop's upload to a shell, and from there to a key and two internal hosts."""
from . import keys, story as s, web

INTERNAL = ["10.0.3.21", "10.0.3.22"]


def web_shell(guest, story):
    guest.clock(story.at(-260))
    guest.write(s.WEB_SHELL, web.WEB_SHELL, 0o644, guest.owner("www-data"))


def stolen_key(guest, story):
    k, www = keys.all_keys(story), guest.owner("www-data")
    guest.clock(story.at(-258))
    guest.mkdir(s.STOLEN_PRIVATE_KEY.rsplit("/", 1)[0], 0o755, www)
    source = guest.path("/srv/deploy/keys/backup_ed25519").read_bytes()
    guest.write(s.STOLEN_PRIVATE_KEY, source, 0o600, www)
    guest.clock(story.at(-257))
    guest.mkdir("/var/www/.ssh", 0o700, www)
    lines = [f"{host} {k[f'internal-{n}'].public.rstrip()}\n" for n, host in enumerate(INTERNAL, 1)]
    guest.write(s.KNOWN_HOSTS, "".join(lines), 0o600, www)
