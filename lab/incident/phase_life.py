"""Guest: the instance from its launch to the evening before the attack; both volumes."""
from . import keys, machine, records, story as s, syslog, web


def run(guest, t0, seed, data_uuid, data_label):
    story = s.Story(t0, seed)
    k = keys.all_keys(story)
    guest.clock(story.at(s.LAUNCHED))
    guest.sh("mkfs.xfs", "-q", "-f", "-L", data_label, "-m", f"uuid={data_uuid}", "/dev/ubdb")
    guest.mount("/dev/ubda1")
    logs = syslog.Writer(guest, story, records.all_records(story, k), s.GOLDEN_IMAGED)
    machine.first_boot(guest, story, s.LAUNCHED, s.INSTANCE, s.HOSTNAME, story.hex("machine/main", 32), k["host"], k["launch"], s.GOLDEN_INSTANCE)
    guest.mount("/dev/ubdb", "/srv", "xfs")
    guest.path("/var/log/journal/" + story.hex("machine/main", 32)).mkdir()
    logs.advance(s.DEPLOYED)
    web.build_site(guest, story)
    deploy = guest.owner("deploy")
    guest.write("/srv/deploy/keys/backup_ed25519", k["backup"].private, 0o644, deploy)  # 0644: the fault that W2 lives on
    guest.mkdir("/home/deploy/.aws", 0o700, deploy)
    guest.write(s.AWS_CREDENTIALS, f"[default]\naws_access_key_id = {s.STOLEN_KEY}\naws_secret_access_key = {story.hex('secret/deploy', 40)}\n", 0o600, deploy)
    guest.write("/home/deploy/.aws/config", "[default]\nregion = us-west-2\n", 0o600, deploy)
    guest.write("/home/deploy/.bash_history", "cd /srv/www/shop\ngit pull --ff-only\nphp -l index.php\naws s3 ls\n", 0o600, deploy)
    for log, when in [("auth.log", s.ROTATED_1), ("auth.log", s.ROTATED_2)]:
        logs.rotate(when, log)
    _access_logs(guest, story, logs)
    logs.advance(-s.DAY)
    guest.unmount("/srv")
    guest.unmount()
    return {}


def _access_logs(guest, story, logs):
    """nginx's log with its daily rotations up to yesterday (the edited conffile compresses at once)."""
    entries = web.access_entries(story)
    start = web.FIRST_DAY - s.DAY
    for end in [web.ROTATE_AT - n * s.DAY for n in (4, 3, 2, 1)]:
        append_access(guest, story, [e for e in entries if start <= e[0] < end])
        rotate_access(guest, story, end)
        start = end


def append_access(guest, story, entries):
    if entries:
        guest.clock(story.at(entries[-1][0]))
        guest.write("/var/log/nginx/access.log", "".join(e[1] for e in entries), 0o640, (33, 4), append=True)


def rotate_access(guest, story, when):
    guest.clock(story.at(when))
    base = guest.path("/var/log/nginx/access.log")
    for n in range(13, 0, -1):
        old = base.with_name(f"access.log.{n}.gz")
        if old.exists():
            old.rename(base.with_name(f"access.log.{n + 1}.gz"))
    base.rename(base.with_name("access.log.1"))
    guest.write("/var/log/nginx/access.log", "", 0o640, (33, 4))
    guest.sh("gzip", base.with_name("access.log.1"))
