"""Guest: the day of the attack, to the power cut.

The first part, up to LAST_CHECKPOINT, is synced to its place on disk. What follows is committed by fsync of single files
only, so it stays in ext4's journal and XFS's log: without recovery it cannot be seen.
"""
import os
import shutil
from pathlib import Path

from . import cloudinit, host_attack, keys, last_acts, machine, payload, records, story as s, syslog, web, web_attack
from .phase_life import append_access, rotate_access


def run(guest, t0, seed, materials):
    story = s.Story(t0, seed)
    everything = records.all_records(story, keys.all_keys(story))
    access = web.access_entries(story)
    logs = syslog.Writer(guest, story, everything, -s.DAY)
    cursor = web.ROTATE_AT - s.DAY

    def visits(until):
        nonlocal cursor
        append_access(guest, story, [e for e in access if cursor <= e[0] < until])
        cursor = until

    guest.clock(story.at(-s.DAY))
    guest.mount("/dev/ubda1")
    guest.mount("/dev/ubdb", "/srv", "xfs")
    logs.advance(-261)
    web_attack.web_shell(guest, story)
    web_attack.stolen_key(guest, story)
    visits(s.REBOOT_STOP)
    logs.advance(s.REBOOT_STOP)
    guest.unmount("/srv")
    guest.unmount()

    guest.clock(story.at(s.REBOOT_START))
    guest.mount("/dev/ubda1")
    guest.mount("/dev/ubdb", "/srv", "xfs")
    logs.advance(-221.5)
    visits(web.ROTATE_AT)
    rotate_access(guest, story, web.ROTATE_AT)
    guest.clock(story.at(-220))  # C4
    cloudinit.write_state(guest, s.INSTANCE, cloudinit.evil_user_data(story), s.INSTANCE, [("userdata.txt", cloudinit.evil_script())])
    machine.boot_log(guest, story, -220, s.INSTANCE, s.HOSTNAME, cloudinit.evil_lines(s.INSTANCE))
    attack = host_attack.HostAttack(guest, story, materials)
    attack.dropper()
    logs.advance(-208.5)
    attack.keys_and_accounts()
    attack.miner()
    attack.persistence()
    logs.advance(-197)
    guest.write(s.MINER_LOG, payload.miner_log(story, -200, -196), append=True)
    attack.look_at_logs()
    os.sync()  # a transaction ends: the old inodes are in the journal
    logs.advance(-191)
    attack.history()
    attack.cut_log()
    deleted = attack.delete()
    os.sync()
    logs.advance(s.LAST_CHECKPOINT)
    visits(s.LAST_CHECKPOINT)
    guest.write(s.MINER_LOG, payload.miner_log(story, -194, s.LAST_CHECKPOINT), append=True)
    _journal(guest, story, Path(materials) / "main-1.journal")
    os.sync()
    before = _view(guest)
    last_acts.do(guest, story, logs, visits, Path(materials))
    _journal(guest, story, Path(materials) / "main-2.journal")
    guest.fsync("/var/log/journal/" + story.hex("machine/main", 32) + "/system.journal")
    return {"deleted": deleted, "checkpointed": before}


def _journal(guest, story, source):
    """journald writes into one preallocated file; the second version goes over the first, in place."""
    path = guest.path("/var/log/journal/" + story.hex("machine/main", 32) + "/system.journal")
    with open(path, "r+b" if path.exists() else "wb") as out:
        shutil.copyfileobj(open(source, "rb"), out)
    os.chmod(path, 0o640)


def _view(guest):
    """What the checkpointed disk holds of the files that the last acts change: size and atime."""
    return {name: [guest.path(name).stat().st_size, guest.path(name).stat().st_atime_ns] for name in last_acts.CHANGED}
