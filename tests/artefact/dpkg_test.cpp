// A dpkg database made by dpkg itself, from packages made by dpkg-deb; dpkg-query and dpkg-divert are the oracles.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "artefact/dpkg_database.h"
#include "artefact/package_log.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/text.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

namespace fs = std::filesystem;

struct Root {
  test::ScratchFolder scratch;
  fs::path root = scratch / "root";

  Root() {
    fs::create_directories(root / "usr/bin");
    fs::create_directory_symlink("usr/bin", root / "bin");
    fs::create_directories(root / "var/log");
    package("tools", "1.0", {{"usr/bin/ss", "the real ss"}, {"bin/ls", "the real ls"}, {"bin/cat", "the real cat"}, {"etc/tools.conf", "a=1\n"}},
            "/etc/tools.conf\n");
    package("other", "2.0-1", {{"usr/bin/other", "other"}}, "");
    divert("/bin/ls", "--local");
    divert("/usr/bin/cat", "--local");  // without effect: the package says /bin/cat
    divert("/usr/bin/other", "--package tools");
    for (const std::string name : {"tools", "other"})
      test::run_ok(fmt::format("dpkg --root={} --force-not-root --force-script-chrootless --log={}/var/log/dpkg.log -i {}.deb >/dev/null 2>&1",
                               root.string(), root.string(), (scratch / name).string()));
  }
  void package(const std::string& name, const std::string& version, const std::map<std::string, std::string>& files,
               const std::string& conffiles) const {
    const fs::path place = scratch / name;
    fs::create_directories(place / "DEBIAN");
    std::string sums;
    for (const auto& [path, content] : files) {
      fs::create_directories((place / path).parent_path());
      EXPECT_TRUE(write_file_atomically(place / path, content));
      if (!path.starts_with("etc/")) sums += md5_hex(as_bytes(content)) + "  " + path + "\n";
    }
    EXPECT_TRUE(write_file_atomically(
        place / "DEBIAN/control",
        fmt::format("Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n more\n", name, version)));
    EXPECT_TRUE(write_file_atomically(place / "DEBIAN/md5sums", sums));
    if (!conffiles.empty()) {
      EXPECT_TRUE(write_file_atomically(place / "DEBIAN/conffiles", conffiles));
    }
    test::run_ok(fmt::format("chmod 755 {0}/DEBIAN && dpkg-deb --root-owner-group -b {0} {0}.deb >/dev/null", place.string()));
  }
  void divert(const std::string& path, const std::string& by) const {
    fs::create_directories(root / "var/lib/dpkg");
    if (!fs::exists(root / "var/lib/dpkg/status")) {
      EXPECT_TRUE(write_file_atomically(root / "var/lib/dpkg/status", ""));
    }
    fs::create_directories(root / "var/lib/dpkg/info");
    fs::create_directories(root / "var/lib/dpkg/updates");
    test::run_ok(fmt::format("dpkg-divert --root {} --quiet {} --divert {}.distrib --no-rename {}", root.string(), by, path, path));
  }
  void copy_to(test::FakeMachine& fake) const {
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file() && !entry.is_symlink())
        fake.root->file("/" + fs::relative(entry.path(), root).string(), read_text_file(entry.path()).value());
  }
};

TEST(Dpkg, OwnersAndChecksumsAreDpkgs) {
  const Root made;
  test::FakeMachine fake;
  made.copy_to(fake);
  fake.start();
  const auto database = DpkgDatabase::load(*fake.machine);
  ICECORE_ASSERT_OK(database);
  ASSERT_EQ(database->packages().size(), 2U);
  EXPECT_EQ(database->package("other")->version, "2.0-1");
  EXPECT_TRUE(database->package("tools")->installed());
  std::size_t checked = 0;
  for (const auto& entry : fs::recursive_directory_iterator(made.root)) {
    const std::string path = "/" + fs::relative(entry.path(), made.root).string();
    if (!entry.is_regular_file() || path.starts_with("/var/")) continue;
    const auto owner = database->owner(path);
    ASSERT_TRUE(owner) << path;
    EXPECT_EQ(owner->md5, md5_hex(as_bytes(read_text_file(entry.path()).value()))) << path;
    ++checked;
  }
  EXPECT_EQ(checked, 5U);
  // What dpkg-query -S finds under the name that the package has for it.
  for (const auto& [path, query] : std::map<std::string, std::string>{{"/usr/bin/ss", "/usr/bin/ss"}, {"/etc/tools.conf", "/etc/tools.conf"}}) {
    const std::string said = test::run_ok(fmt::format("dpkg-query --admindir={}/var/lib/dpkg -S {}", made.root.string(), query));
    EXPECT_EQ(database->packages()[database->owner(path)->package].name, said.substr(0, said.find(':')));
  }
  EXPECT_EQ(database->packages()[database->owner("/usr/bin/ls.distrib")->package].name, "tools");
  EXPECT_EQ(database->packages()[database->owner("/usr/bin/other.distrib")->package].name, "other");
  EXPECT_TRUE(database->owner("/usr/bin/cat"));
  EXPECT_FALSE(database->owner("/usr/bin/ls"));  // diverted away: what stands there now is nobody's
  EXPECT_TRUE(database->owner("/etc/tools.conf")->conffile);
  EXPECT_TRUE(database->owner("/bin/ss"));  // usr-merge
  EXPECT_FALSE(database->owner("/usr/bin/evil"));
}

TEST(Dpkg, ItsLogHasTheInstallation) {
  const Root made;
  test::FakeMachine fake;
  made.copy_to(fake);
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_package_logs({*fake.machine, fake.facts, fake.anomalies}, events));
  const auto install = std::ranges::find_if(
      events.events, [](const Event& event) { return event.field("action") == "install" && event.field("package") == "other:all"; });
  ASSERT_NE(install, events.events.end());
  EXPECT_EQ(install->field("version"), "2.0-1");
  EXPECT_EQ(install->where.path, "/var/log/dpkg.log");
}

TEST(Dpkg, DamageLosesOnePackage) {
  const auto packages = parse_dpkg_status(
      "Package: a\nStatus: install ok installed\nVersion: 1\n\n\x80\xff garbage\n more\n\nPackage: b\nStatus: deinstall ok "
      "config-files\nConffiles:\n /etc/b 0123456789abcdef0123456789abcdef obsolete\n /etc/c newconffile\nVersion: 2\n");
  ASSERT_EQ(packages.size(), 2U);
  EXPECT_TRUE(packages[0].installed());
  EXPECT_FALSE(packages[1].installed());
  EXPECT_EQ(packages[1].conffiles.size(), 2U);
  EXPECT_EQ(packages[1].version, "2");
}

TEST(AptHistory, OneEventARun) {
  test::FakeMachine fake;
  fake.root->file("/var/log/apt/history.log",
                  "\nStart-Date: 2026-11-24  05:55:00\nCommandline: apt-get install -y nmap\nRequested-By: admin (1000)\nInstall: nmap:amd64 (7.93), "
                  "liblinear4:amd64 (2.3, automatic)\nEnd-Date: 2026-11-24  05:55:10\n");
  fake.start();
  EventList events;
  ICECORE_ASSERT_OK(collect_package_logs({*fake.machine, fake.facts, fake.anomalies}, events));
  ASSERT_EQ(events.events.size(), 1U);
  EXPECT_EQ(to_iso8601(events.events[0].time, 0), "2026-11-24T05:55:00Z");
  EXPECT_EQ(events.events[0].field("command"), "apt-get install -y nmap");
  EXPECT_EQ(events.events[0].field("requested_by"), "admin");
  EXPECT_EQ(events.events[0].where.line, 2U);
}

}  // namespace
}  // namespace icecore::artefact
