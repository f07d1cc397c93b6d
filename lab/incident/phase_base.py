"""Guest: the vendor's disk. mkfs with Debian's defaults, the root unpacked, the ESP filled; the clock is that of the image's making."""
import os
import time
from pathlib import Path


def run(guest, tar, when, uuid):
    guest.clock(when)
    guest.sh("mkfs.ext4", "-q", "-U", uuid, "-E", f"hash_seed={uuid}", "/dev/ubda1")
    guest.mount("/dev/ubda1")
    guest.sh("tar", "-C", guest.root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-xpf", tar)
    # Debian's UML keeps its modules where modprobe does not look.
    modules = Path("/usr/lib/uml/modules", os.uname().release, "kernel/fs")
    for name in ["fat/fat", "nls/nls_cp437", "nls/nls_ascii", "nls/nls_iso8859-1", "nls/nls_utf8", "fat/vfat"]:
        if (modules / f"{name}.ko").exists():
            guest.sh("insmod", modules / f"{name}.ko")
    esp = guest.mkdir("/boot/efi", 0o700)
    guest.sh("mount", "-t", "vfat", "/dev/ubda15", esp)
    (esp / "EFI/debian").mkdir(parents=True)
    (esp / "EFI/debian/grub.cfg").write_text(f"search.fs_uuid {uuid} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n")
    guest.sh("umount", esp)
    guest.write("/etc/fstab", f"UUID={uuid} / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1\nUUID=6A1C-EC0E /boot/efi vfat defaults 0 0\n")
    guest.write("/etc/network/interfaces", "auto lo\niface lo inet loopback\n\nsource-directory /run/network/interfaces.d\n")
    # Debian's cloud images name their user so.
    guest.write("/etc/cloud/cloud.cfg.d/01_debian_cloud.cfg",
                "# Debian cloud image\nsystem_info:\n  default_user:\n    name: admin\napt_preserve_sources_list: true\nmanage_etc_hosts: true\n")
    guest.write("/etc/default/locale", "LANG=C.UTF-8\n")
    guest.write("/etc/timezone", "Etc/UTC\n")
    guest.clock(when + 90)
    guest.unmount()
    return time.time()
