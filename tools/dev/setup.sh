# ./dev setup: the Debian packages, by what they are for. docs/ARCHITECTURE.md says why each library is here.
# shellcheck shell=bash

PACKAGES=(
  # building
  g++ cmake ninja-build pkg-config ccache git ca-certificates
  libcurl4-openssl-dev libssl-dev libpugixml-dev nlohmann-json3-dev libcli11-dev libfmt-dev libexpected-dev libsqlite3-dev
  zlib1g-dev libzstd-dev liblz4-dev liblzma-dev libboost-dev libtsk-dev libcryptsetup-dev
  libfuse3-dev fuse3 libewf-dev libvmdk-dev libvhdi-dev
  # the practice incident
  debootstrap e2fsprogs xfsprogs dosfstools gdisk fdisk openssl openssh-client xz-utils systemd-journal-remote user-mode-linux kmod gcc libc6-dev
  python3 mount util-linux
  # tests and their oracles
  libgtest-dev libgmock-dev ewf-tools qemu-utils sleuthkit ext4magic awscli python3-boto3 python3-botocore sqlite3 attr acl libcap2-bin jq file procps zstd lvm2 mdadm cryptsetup-bin
  ntfs-3g exfatprogs exfat-fuse apfsprogs btrfs-progs genisoimage xorriso thin-provisioning-tools
  # peers of the benchmarks
  libfsext-utils libfsxfs-utils python3-venv
  # the lab's virtual machine, and the tests of the workstation; its kernel comes by apt-get download (lab/vm/build)
  qemu-system-x86 python3-yaml
  # lint and fuzz
  clang clang-format clang-tidy libclang-rt-14-dev shellcheck
)

dev_setup() {
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  say "installing ${#missing[@]} Debian packages"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
