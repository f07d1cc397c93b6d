"""What happens to any machine of the shop at its first boot: names, host keys, the launch key, cloud-init's sudoers file."""
from . import cloudinit

ROOT_PREFIX = ('no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command="echo \'Please login as the user \\"admin\\" rather than the user '
               '\\"root\\".\';echo;sleep 10;exit 142" ')


def first_boot(guest, story, when, instance, host, machine_id, host_key, launch_key, previous=None, data_volume=True):
    """cloud-init's first boot on an instance, at `when` (minutes)."""
    guest.clock(story.at(when))
    guest.write("/etc/machine-id", machine_id + "\n", 0o444)
    guest.write("/etc/hostname", host + "\n")
    guest.write("/etc/hosts", f"127.0.1.1 {host}.us-west-2.compute.internal {host}\n127.0.0.1 localhost\n\n"
                "# The following lines are desirable for IPv6 capable hosts\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n")
    guest.write("/etc/ssh/ssh_host_ed25519_key", host_key.private, 0o600)
    guest.write("/etc/ssh/ssh_host_ed25519_key.pub", host_key.public + "\n")
    guest.write("/etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication yes\n", 0o600)
    if "admin:" not in guest.path("/etc/passwd").read_text():
        guest.chroot("useradd", "-m", "-c", "Debian", "-s", "/bin/bash", "-G", "adm,dialout,cdrom,floppy,sudo,audio,dip,video,plugdev", "admin")
    guest.write("/etc/sudoers.d/90-cloud-init-users", f"# Created by cloud-init v. {cloudinit.VERSION}\n\n# User rules for admin\nadmin ALL=(ALL) NOPASSWD:ALL\n", 0o440)
    uid, gid = guest.owner("admin")
    guest.mkdir("/home/admin/.ssh", 0o700, (uid, gid))
    guest.write("/home/admin/.ssh/authorized_keys", launch_key.public + "\n", 0o600, (uid, gid))
    guest.mkdir("/root/.ssh", 0o700)
    guest.write("/root/.ssh/authorized_keys", ROOT_PREFIX + launch_key.public + "\n", 0o600)
    data = cloudinit.user_data(story)
    cloudinit.write_state(guest, instance, data, previous)
    boot_log(guest, story, when, instance, host)
    if data_volume:
        fstab = guest.path("/etc/fstab").read_text()
        if "shop-data" not in fstab:
            guest.write("/etc/fstab", "LABEL=shop-data /srv xfs defaults,nofail,comment=cloudconfig 0 2\n", append=True)
        guest.mkdir("/srv")


def boot_log(guest, story, when, instance, host, lines=()):
    """cloud-init's logs of one more boot."""
    detail, output = cloudinit.log_lines(story, when, instance, host, lines)
    guest.write("/var/log/cloud-init.log", detail, 0o640, (0, 4), append=True)
    guest.write("/var/log/cloud-init-output.log", output, 0o640, (0, 4), append=True)
