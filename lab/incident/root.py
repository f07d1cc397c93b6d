"""A real Debian root: debootstrap once, then a tarball in the cache, keyed by the package lists.

The tarball is what the machine's image is made of; beside it lie the .debs of a later security update, which the
incident's machine installs itself (life.py), with its own clock and its own dpkg.
"""
import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from . import packages
from .run import run, chroot_mounts, log

FORMAT = 5  # raise when the recipe below changes
DAY = 86400
IMAGE_AGE_DAYS = 75  # the vendor's image is this much older than the tarball


def mirrors():
    """{release: uri} from the machine's own apt configuration; empty where it has none."""
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(ORIGIN) $(REPO_URI)"],
                          capture_output=True, text=True)
    found = {}
    for line in done.stdout.splitlines():
        parts = line.split(" ")
        if len(parts) == 5 and parts[0] == "Packages" and parts[2] == "main" and parts[3] == "Debian":
            found.setdefault(parts[1], parts[4])
    return found


def default_mirror():
    """debootstrap's own default: the address that a stock Debian would use."""
    for line in Path("/usr/sbin/debootstrap").read_text().splitlines():
        if line.startswith("DEF_MIRROR="):
            return line.split("=", 1)[1].strip('"')
    raise SystemExit("build: /usr/sbin/debootstrap names no default mirror")


def cache_key():
    text = json.dumps([FORMAT, packages.SUITE, packages.BOOTSTRAP, packages.ROOT, packages.UPDATES])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cached_root(cache):
    """The folder with root.tar, updates/*.deb and meta.json; made if it is not there yet."""
    place = Path(cache) / f"icecore-incident-root-{cache_key()}"
    if (place / "meta.json").exists():
        return place
    work = place.with_name(place.name + f".tmp{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "updates").mkdir(parents=True)
    try:
        _bootstrap(work)
        shutil.rmtree(place, ignore_errors=True)
        work.rename(place)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return place


def _bootstrap(work):
    root = work / "root"
    found = mirrors()
    mirror = found.get(packages.SUITE) or default_mirror()
    log(f"debootstrap {packages.SUITE} (once; kept in the cache)")
    run(["debootstrap", "--variant=minbase", "--include=" + ",".join(packages.BOOTSTRAP), packages.SUITE, root, mirror])
    lines = [f"deb {uri} {release} main" for release, uri in found.items() if release.startswith(packages.SUITE)]
    (root / "etc/apt/sources.list").write_text("\n".join(lines or [f"deb {mirror} {packages.SUITE} main"]) + "\n")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")  # no service may start in the chroot
    policy.chmod(0o755)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    with chroot_mounts(root):
        apt = ["chroot", root, "apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root"]
        run(apt + ["update"], env=env)
        # The point release's own versions first: the security archive comes as updates.
        run(apt + ["-t", packages.SUITE, "--no-install-recommends", "install"] + packages.ROOT, env=env)
        _fetch_updates(root, work / "updates", apt, env)
        run(apt + ["clean"], env=env)
    policy.unlink()
    stamp = int(time.time()) - IMAGE_AGE_DAYS * DAY
    _as_shipped(root, stamp)
    # What debootstrap wrote today must not be younger than the image is said to be.
    run(["tar", "-C", root, "--numeric-owner", "--xattrs", "--xattrs-include=*", "--sort=name", "--clamp-mtime",
         f"--mtime=@{stamp}", "-cf", work / "root.tar", "."])
    shutil.rmtree(root)
    (work / "meta.json").write_text(json.dumps({"image_time": stamp, "packages": packages.ROOT}))


def _fetch_updates(root, into, apt, env):
    """Download, but do not install, a few small updates; every other update is installed at once."""
    plan = run(["chroot", root, "apt-get", "-s", "-q", "upgrade"], env=env)
    upgradable = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    chosen, total = [], 0
    for name in [n for n in packages.UPDATES if n in upgradable]:
        show = run(["chroot", root, "apt-cache", "show", "--no-all-versions", name], env=env)
        size = next(int(l.split()[1]) for l in show.splitlines() if l.startswith("Size:"))
        if total + size <= packages.UPDATE_BYTES:
            chosen.append(name)
            total += size
    if chosen:
        run(["chroot", root, "apt-mark", "hold"] + chosen, env=env)
    run(apt + ["--no-install-recommends", "upgrade"], env=env)
    if chosen:
        run(["chroot", root, "apt-mark", "unhold"] + chosen, env=env)
        run(apt + ["clean"], env=env)
        run(apt + ["-d", "--only-upgrade", "install"] + chosen, env=env)
        for deb in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            shutil.move(deb, into / deb.name)


def _as_shipped(root, stamp):
    """What the maker of a cloud image removes or sets before publishing it."""
    for path in [root / "var/log/dpkg.log", root / "var/log/alternatives.log", *(root / "var/log/apt").iterdir()]:
        path.unlink()
    # Passwords were "last changed" when the image was made, not today.
    for name in ["etc/shadow", "etc/shadow-"]:
        lines = [line.split(":") for line in (root / name).read_text().splitlines()]
        (root / name).write_text("".join(":".join([f[0], f[1], str(stamp // DAY), *f[3:]]) + "\n" for f in lines))
    for path in list((root / "etc/ssh").glob("ssh_host_*")) + list((root / "var/lib/apt/lists").glob("*_*")):
        path.unlink()
    for name in ["etc/resolv.conf", "etc/hostname", "var/log/bootstrap.log", "var/cache/apt/pkgcache.bin", "var/cache/apt/srcpkgcache.bin"]:
        (root / name).unlink(missing_ok=True)
    (root / "etc/machine-id").write_text("")
    host = default_mirror().rstrip("/")
    (root / "etc/apt/mirrors").mkdir(exist_ok=True)
    (root / "etc/apt/mirrors/debian.list").write_text(host + "\n")
    (root / "etc/apt/mirrors/debian-security.list").write_text(host + "-security\n")
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    suite = packages.SUITE
    (root / "etc/apt/sources.list.d/debian.sources").write_text(
        f"Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: {suite} {suite}-updates\nComponents: main\n\n"
        f"Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian-security.list\nSuites: {suite}-security\nComponents: main\n")
