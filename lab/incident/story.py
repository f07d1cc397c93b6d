"""Names, numbers and the clock of the incident: what every other module must agree on.

Times are minutes from T (`Story.at`), as in the specification's table. Everything random comes from `Story.rng(purpose)`, so that the
order in which modules run does not change what they draw.
"""
import datetime
import hashlib
import random

ACCOUNT = "111122223333"
REGION = "us-west-2"
ZONE = "us-west-2b"
INSTANCE = "i-05203422c5203422c"
ROOT_VOLUME = "vol-0a5203422c0000001"
DATA_VOLUME = "vol-0a5203422c0000002"
SHARED_SNAPSHOT = "snap-0ccd3e9c6ccd3e9c6"
CLEAN_SNAPSHOT = "snap-0b5e11ea0ba5e11ea"
BASE_AMI = "ami-0de61a12c10d0001a"      # Debian's own
GOLDEN_AMI = "ami-0ba5e11ea0ba5e11e"    # the account's, made from a configured machine
KEY_PAIR_ID = "key-0a11ce00000002024"
BAD_KEY_PAIR_ID = "key-0bad0000000000001"
GOLDEN_INSTANCE = "i-0901de0901de0901d"

ATTACKER = "203.0.113.66"
DROP_HOST = "198.51.100.23"             # payload server and, on 3333, the pool
ADMIN_ADDRESS = "192.0.2.10"            # the office
ADMIN_HOME = "192.0.2.77"
PRIVATE_IP = "10.0.2.37"
HOSTNAME = "ip-10-0-2-37"
GOLDEN_HOSTNAME = "ip-10-0-2-11"

LEAKED_KEY = "AKIAICECORELEAKED001"      # the deploy bot's key that was in a public repository
STOLEN_KEY = "AKIAICECOREDEPLOY001"      # in /home/deploy/.aws/credentials (H15)
ADMIN_KEY = "AKIAICECOREADMIN0001"

MINER_DIR = "/usr/lib/.gconv-cache"
MINER = MINER_DIR + "/timesyncd-helper"
MINER_CONFIG = MINER_DIR + "/config.json"
MINER_LOG = MINER_DIR + "/stats.log"
UNIT = "/etc/systemd/system/systemd-timesyncd-helper.service"
UNIT_LINK = "/etc/systemd/system/multi-user.target.wants/systemd-timesyncd-helper.service"
PRELOAD_LIB = "/usr/lib/x86_64-linux-gnu/libgconv-cache.so.1"
PAM_MODULE = "/usr/lib/x86_64-linux-gnu/security/pam_timesync.so"
SETUID_SHELL = "/var/tmp/.sh"
DROPPER = "/var/tmp/.x/install.sh"
CRON = "/etc/cron.d/timesyncd-helper"
SUDOERS = "/etc/sudoers.d/99-sysd"
WEB_ROOT = "/srv/www/shop"
WEB_SHELL = WEB_ROOT + "/uploads/.thumb.php"
STOLEN_PRIVATE_KEY = WEB_ROOT + "/uploads/.cache/backup_ed25519"
KNOWN_HOSTS = "/var/www/.ssh/known_hosts"
AWS_CREDENTIALS = "/home/deploy/.aws/credentials"
BUCKET = "billing-exports-111122223333"

DAY = 1440  # minutes

# Ordinary life before the attack, in minutes from T.
GOLDEN_BOOT = -41 * DAY
GOLDEN_SETUP = -40 * DAY
GOLDEN_UPDATE = -27 * DAY
GOLDEN_IMAGED = -14 * DAY
LAUNCHED = -12 * DAY
DEPLOYED = -12 * DAY + 95
ROTATED_1 = -9 * DAY - 317
ROTATED_2 = -2 * DAY - 317
REBOOT_STOP = -224
REBOOT_START = -222
LAST_CHECKPOINT = -186   # everything earlier reaches its place on disk; what follows stays in the journals
LAST_ACT = -100


class Story:
    """The incident with its T (seconds since the epoch) and its seed."""

    def __init__(self, t0, seed):
        self.t0 = int(t0)
        self.seed = seed

    def at(self, minutes):
        """Seconds since the epoch of a minute from T."""
        return self.t0 + minutes * 60

    def iso(self, minutes):
        return iso(self.at(minutes))

    def rng(self, purpose):
        return random.Random(f"{self.seed}/{purpose}")

    def bytes(self, purpose, count):
        return hashlib.shake_256(f"{self.seed}/{purpose}".encode()).digest(count)

    def hex(self, purpose, digits):
        return self.bytes(purpose, (digits + 1) // 2).hex()[:digits]

    def uuid(self, purpose):
        h = self.hex("uuid/" + purpose, 32)
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"


def iso(seconds):
    """ISO 8601 in UTC, with the fraction only where there is one."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{moment.microsecond:06d}" if moment.microsecond else "") + "Z"


def iso_ns(nanoseconds):
    """ISO 8601 in UTC to the nanosecond."""
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"
