// What the images of these tests hold, made by ordinary tools through a mount.
#include <fmt/format.h>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {

void populate(const std::filesystem::path& root, const std::string& features) {
  const auto with = [&](const char* word) { return features.find(word) != std::string::npos; };
  const std::string script = R"(set -e; cd "$ROOT"
mkdir -p a/b/c/d/e/f/g many empty churn
: > zero; printf x > one; head -c 59 /dev/urandom > sixty-less; head -c 60 /dev/urandom > sixty; head -c 100 /dev/urandom > hundred
head -c 150 /dev/urandom > hundred-fifty; head -c 4096 /dev/urandom > block; head -c 70000 /dev/urandom > a/seventy; head -c 3000000 /dev/urandom > a/b/three-million
python3 - <<'PY'
import os
# Every second block: as many extents, so that their tree has index blocks.
with open("many-extents", "wb") as f:
    for i in range(1500):
        f.seek(i * 8192); f.write(os.urandom(100 + i % 900))
with open("giant", "wb") as f:
    f.write(b"head"); f.seek(GIANT); f.write(b"tail")
with open("unwritten", "wb") as f:
    f.write(b"start")
    try: os.posix_fallocate(f.fileno(), 0, 300000)
    except OSError: pass
    f.seek(200000); f.write(b"middle")
for i in range(1200):
    open(f"many/name-of-some-length-{i:05d}-{'x' * (i % 37)}", "w").write(str(i) if i % 3 else "")
for i in range(0, 1200, 5):
    os.unlink(f"many/name-of-some-length-{i:05d}-{'x' * (i % 37)}")
for i in range(200): open(f"churn/{i}", "w").write("y" * i)
for i in range(0, 200, 2): os.unlink(f"churn/{i}")
for i in range(0, 60, 3): open(f"churn/again-{i}", "w").write("z")
open(b"bad-utf8-\xff\xfe", "w"); open("new\nline", "w"); open("esc\x1b[31m", "w"); open("ünïcödé", "w"); open("n" * 255, "w")
os.symlink("t" * 59, "fast-59"); os.symlink("t" * 60, "slow-60"); os.symlink("/abs/" + "s" * 900, "slow-900"); os.symlink("one", "fast")
os.mkfifo("fifo"); os.mknod("chr", 0o20600, os.makedev(5, 1)); os.mknod("blk", 0o60600, os.makedev(259, 70000)); os.mknod("null", 0o20666, os.makedev(1, 3))
import socket; s = socket.socket(socket.AF_UNIX); s.bind("socket"); s.close()
os.link("one", "a/one-again"); os.chown("sixty", 70001, 70002); os.chmod("block", 0o6755); os.chmod("many", 0o1777)
def at(name, a, m): open(name, "w").write(name); os.utime(name, ns=(a, m))
at("y1901", -2147483648 * 10**9, -1 * 10**9 + 5); at("y1969", -1, -999999999); at("y2013", 1357000000123456789, 1357000000000000001)
at("y2038", 2147483647999999999, 2147483648000000001) if MODERN else None
at("y2446", 15032385535 * 10**9 + 1, 10000000000 * 10**9 + 999999999) if MODERN else None
os.setxattr("one", "user.short", b"v"); os.setxattr("block", "user.long", b"L" * 700); os.setxattr("a", "user.on-a-directory", b"d"); os.setxattr("hundred", "user.empty", b"")
os.setxattr("sixty", "trusted.t", b"\0\1\2")
for i in range(4): os.setxattr("sixty-less", f"user.n{i}", bytes([65 + i]) * 40)
if EA:
    os.setxattr("zero", "user.in-its-own-inode", os.urandom(20000)); os.setxattr("hundred", "user.also", os.urandom(60000))
PY
cp /bin/true capable; setcap cap_net_raw,cap_setuid+ep capable
touch -h -d '2001-02-03 04:05:06.000000007' fast
mkdir gone; touch gone/x; rm -r gone; touch gone-file; rm gone-file
)";
  std::string text = script;
  const auto put = [&](const std::string& word, const std::string& value) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += value.size()) text.replace(at, word.size(), value);
  };
  put("GIANT", with("small_files") ? "60000000" : "5000000000");
  put("MODERN", with("small_inode") ? "False" : "True");
  put("EA:", with("ea_inode") ? "True:" : "False:");
  if (with("acl")) text += "setfacl -m u:1234:rwx,g:77:r one; setfacl -d -m u:99:rx a\n";
  const auto done = run(fmt::format("export ROOT='{}'; {}", root.string(), text), true);
  EXPECT_EQ(done.exit_code, 0) << done.output;
}

}  // namespace icecore::test::ext4
