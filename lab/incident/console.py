"""The serial console of the instances (GetConsoleOutput)."""
import datetime

from . import cloudinit, keys, story as s
from .sessions import boots

def boot(story, boot, instance, lines=()):
    """One boot's lines, up to the login prompt."""
    out, t = [], 0.0
    rng = story.rng("console" + boot.id)

    def kernel(text):
        nonlocal t
        t += rng.random() * 0.12
        out.append(f"[{t:12.6f}] {text}")

    for text in [f"Linux version {boot.kernel} (debian-kernel@lists) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0) #1 SMP PREEMPT_DYNAMIC Debian",
                 f"Command line: BOOT_IMAGE=/boot/vmlinuz-{boot.kernel} root=UUID=6a1cec0e-2014-4000-8000-00000000c0de ro console=tty0 console=ttyS0,115200",
                 "DMI: Amazon EC2 t3.large/, BIOS 1.0 10/16/2017", "tsc: Detected 2499.998 MHz processor", "Memory: 7930012K/8108500K available",
                 "smpboot: CPU0: Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz (family: 0x6, model: 0x55, stepping: 0x7)",
                 "nvme nvme0: pci function 0000:00:04.0", "nvme nvme1: pci function 0000:00:1f.0", " nvme0n1: p1 p14 p15", "ena 0000:00:05.0: Elastic Network Adapter (ENA)",
                 "EXT4-fs (nvme0n1p1): mounted filesystem with ordered data mode. Quota mode: none.", "systemd[1]: Detected virtualization amazon.",
                 f"systemd[1]: Hostname set to <{boot.host}>.", "XFS (nvme1n1): Mounting V5 Filesystem", "XFS (nvme1n1): Ending clean mount"]:
        kernel(text)
    for unit in ["systemd-journald.service - Journal Service", "systemd-timesyncd.service - Network Time Synchronization", "rsyslog.service - System Logging Service",
                 "cron.service - Regular background program processing daemon", "nginx.service - A high performance web server", "ssh.service - OpenBSD Secure Shell server"]:
        out.append(f"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39m{unit}\x1b[0m.")
    _, output = cloudinit.log_lines(story, boot.start + 1.9, instance, boot.host, lines)
    for i, line in enumerate(output.splitlines()):
        out.append(f"[{t + 2 + i * 0.21:12.6f}] cloud-init[731]: {line}")
    out.append("ci-info: +++++++++++Authorized keys from /home/admin/.ssh/authorized_keys for user admin++++++++++")
    out.append(f"ci-info: | ssh-ed25519 | {keys.all_keys(story)['launch'].fingerprint()} | - | web-prod-2024 |")
    out += ["", f"Debian GNU/Linux 12 {boot.host} ttyS0", "", f"{boot.host} login: "]
    return out


def main_console(story):
    """The instance's console since its last start: cloud-init runs the script (C4), later the miner shows (M1)."""
    last = boots(story)[-1]
    out = boot(story, last, s.INSTANCE, cloudinit.evil_lines(s.INSTANCE))
    for minute, text in [(-202.8, "systemd[1]: Started systemd-timesyncd-helper.service - Network Time Synchronization Helper."),
                         (-201.5, "timesyncd-helper[5390]: stratum connection to stratum+tcp://198.51.100.23:3333 established, algo scrypt"),
                         (-150.0, "clocksource: timekeeping watchdog on CPU1: wd-tsc-wd excessive read-back delay of 64000ns vs. limit of 62500ns"),
                         (-130.0, "ec2-credit-monitor[402]: CPU credits exhausted (CPUCreditBalance=0.0), baseline 30 % enforced: 98.7 % steal"),
                         (-128.4, "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [timesyncd-helpe:5390]"),
                         (-101.0, "ec2-credit-monitor[402]: CPU credits exhausted (CPUCreditBalance=0.0), top consumer timesyncd-helper (pid 5390)")]:
        moment = datetime.datetime.fromtimestamp(story.at(minute), datetime.timezone.utc)
        out.append(f"[{(minute - last.start) * 60:12.6f}] {moment.strftime('%Y-%m-%dT%H:%M:%SZ')} {text}")
    return "\r\n".join(out) + "\r\n"


def fleet_console(story, host, instance):
    plain = boots(story)[1]
    plain.host = host
    return "\r\n".join(boot(story, plain, instance)) + "\r\n"
