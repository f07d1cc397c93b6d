"""Guest: the account's golden machine, from the vendor's disk to the image that all ten machines are launched from.

Nothing here is an attack. It holds the innocent things that a hasty tool would report.
"""
import os
import shutil
from pathlib import Path

from . import innocent, keys, machine, records, story as s, syslog


def run(guest, t0, seed, materials, updates):
    story = s.Story(t0, seed)
    all_keys = keys.all_keys(story)
    guest.clock(story.at(s.GOLDEN_BOOT))
    guest.mount("/dev/ubda1")
    logs = syslog.Writer(guest, story, records.all_records(story, all_keys), s.GOLDEN_BOOT - s.DAY)
    guest.write("/var/log/auth.log", "", 0o640, (0, 4))
    machine.first_boot(guest, story, s.GOLDEN_BOOT, s.GOLDEN_INSTANCE, s.GOLDEN_HOSTNAME, story.hex("machine/golden", 32),
                       all_keys["golden-host"], all_keys["launch"], data_volume=False)
    logs.advance(s.GOLDEN_SETUP)
    innocent.configure(guest, story, Path(materials))
    logs.advance(s.GOLDEN_UPDATE)
    _security_update(guest, story, Path(updates))
    logs.rotate(-20 * s.DAY)
    logs.advance(s.GOLDEN_IMAGED)
    folder = guest.path("/var/log/journal/" + story.hex("machine/golden", 32))
    folder.mkdir(exist_ok=True)
    shutil.copyfile(Path(materials) / "golden.journal", folder / "system.journal")
    os.chmod(folder / "system.journal", 0o640)
    guest.write("/etc/machine-id", "", 0o444)  # so that each machine made from the image gets its own
    guest.unmount()
    return {}


def _security_update(guest, story, updates):
    """unattended-upgrades by hand: the machine's own dpkg installs what the security archive brought."""
    debs = sorted(updates.glob("*.deb"))
    if not debs:
        return
    place = guest.path("/var/cache/apt/archives")
    guest.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    for deb in debs:
        shutil.copyfile(deb, place / deb.name)
    guest.chroot("dpkg", "--force-unsafe-io", "--force-confold", "-i", *[f"/var/cache/apt/archives/{d.name}" for d in debs])
    for deb in debs:
        (place / deb.name).unlink()
    guest.path("/usr/sbin/policy-rc.d").unlink()
    names = " ".join(d.name.split("_")[0] for d in debs)
    guest.write("/var/log/unattended-upgrades/unattended-upgrades.log",
                f"{s.iso(story.at(s.GOLDEN_UPDATE))} INFO Packages that will be upgraded: {names}\n", 0o644)
