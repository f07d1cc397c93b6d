"""The Debian packages: those this builder needs on the host, and those the victim's root holds."""

# On the machine that builds. `build --packages` prints them for ./dev setup.
HOST = [
    "debootstrap",
    "dosfstools",  # mkfs.vfat for the EFI partition
    "e2fsprogs",
    "gcc",  # the inert ELF payloads are compiled
    "gdisk",  # sgdisk
    "kmod",
    "libc6-dev",
    "mount",
    "openssl",  # password hashes and ed25519 public keys from seeds
    "systemd-journal-remote",  # writes real .journal files with chosen times
    "user-mode-linux",  # the kernel with a clock of its own (uml.py)
    "xfsprogs",
]

SUITE = "bookworm"

# Installed by debootstrap itself, before anything is configured.
BOOTSTRAP = ["ca-certificates", "systemd", "systemd-sysv", "udev", "dbus", "netbase"]

# Installed by apt in the chroot, as the maker of a cloud image would.
ROOT = [
    "chrony-", "systemd-timesyncd", "openssh-server", "openssh-client", "cron", "rsyslog", "sudo",
    "python3-minimal", "nginx-light", "php8.2-fpm", "procps", "iproute2", "iputils-ping", "logrotate",
    "unattended-upgrades", "curl", "wget", "cloud-init", "cloud-guest-utils", "ifupdown",
    "isc-dhcp-client", "libpam-systemd", "less", "vim-tiny", "xfsprogs", "e2fsprogs", "kmod", "bash-completion",
]

# Left at the point release's version in the root and upgraded on the running machine days later, so that the image holds
# package files that changed after installation and that dpkg knows about. As many as the security archive has newer, up to
# UPDATE_BYTES; few, because maintainer scripts are slow under User Mode Linux.
UPDATES = ["openssl", "libssl3", "libexpat1", "sudo", "curl", "libcurl4"]
UPDATE_BYTES = 5_000_000
