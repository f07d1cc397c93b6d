#include "machine/facts.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/file.h"
#include "support/fake_filesystem.h"
#include "support/support.h"

namespace icecore::machine {
namespace {

TimeZone zone_of(const std::string& name) {
  const auto bytes = read_file("/usr/share/zoneinfo/" + name);
  EXPECT_TRUE(bytes) << name;
  const auto zone = TimeZone::parse(*bytes);
  EXPECT_TRUE(zone) << name;
  return *zone;
}

// date(1) goes by glibc's reading of the same files.
TEST(TimeZone, AgreesWithDate) {
  for (const std::string name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "Etc/UTC", "Pacific/Apia"}) {
    const TimeZone zone = zone_of(name);
    for (const std::int64_t at :
         {-2'000'000'000L, 0L, 1'000'000'000L, 1'764'000'000L, 1'774'746'000L, 1'780'000'000L, 2'600'000'000L, 4'000'000'000L}) {
      const std::string text = test::run_ok(fmt::format("TZ={} date -d @{} +%::z", name, at));
      int hours = 0, minutes = 0, seconds = 0;
      ASSERT_EQ(std::sscanf(text.c_str() + 1, "%d:%d:%d", &hours, &minutes, &seconds), 3) << text;
      const int offset = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
      EXPECT_EQ(zone.offset_at(at), offset) << name << " " << at;
      EXPECT_EQ(zone.to_utc(at + offset), at) << name << " " << at;
    }
  }
}

TEST(TimeZone, AgreesWithDateBeyondTheLastTransition) {
  for (const std::string rule : {"CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
                                 "AEST-10AEDT,M10.1.0,M4.1.0/3", "XXX3YYY,J60,300/5"}) {
    const auto parsed = PosixRule::parse(rule);
    ICECORE_ASSERT_OK(parsed);
    for (int day = 0; day < 366; day += 5) {
      const std::int64_t at = 1'767'225'600 + day * 86400L;
      const std::string text = test::run_ok(fmt::format("TZ='{}' date -d @{} +%z", rule, at));
      const int number = std::stoi(text);
      EXPECT_EQ(parsed->offset_at(at), (number / 100) * 3600 + (number % 100) * 60) << rule << " " << at;
    }
  }
  for (const std::string bad : {"", "C", "CET", "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.5", "CET-999", "CET-1CEST,M3.5.0,M10.5.0/3x"})
    EXPECT_FALSE(PosixRule::parse(bad)) << bad;
}

TEST(TimeZone, TheHourThatComesTwiceIsTheFirst) {
  const TimeZone berlin = zone_of("Europe/Berlin");
  // 2026-10-25 02:30 by the clock: 00:30 UTC in summer time, and again at 01:30 UTC.
  EXPECT_EQ(berlin.to_utc(from_civil(2026, 10, 25, 2, 30, 0).seconds), from_civil(2026, 10, 25, 0, 30, 0).seconds);
  // 2026-03-29 02:30 does not exist: winter's offset still.
  EXPECT_EQ(berlin.to_utc(from_civil(2026, 3, 29, 2, 30, 0).seconds), from_civil(2026, 3, 29, 1, 30, 0).seconds);
}

TEST(Facts, ReadsWhatTheMachineSaysOfItself) {
  auto root = std::make_shared<test::FakeFilesystem>();
  for (const std::string folder : {"/usr", "/bin", "/sbin", "/lib", "/var/www"}) root->folder(folder);
  root->file("/usr/lib/os-release", "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=x\nID=debian\nVERSION_ID=\"12\"\n");
  root->link("/etc/os-release", "../usr/lib/os-release");
  root->file("/etc/hostname", "ip-10-0-2-37\n");
  root->file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  root->link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
  root->file("/usr/share/zoneinfo/Europe/Berlin", read_text_file("/usr/share/zoneinfo/Europe/Berlin").value());
  root->file("/etc/passwd",
             "root:x:0:0:root:/root:/bin/bash\nsysd:x:0:0::/root:/bin/bash\nbroken line\nwww-data:x:33:33:w:/var/www:/usr/sbin/nologin\n"
             "bad:x:-1:0::/:/bin/sh\nadmin:x:1000:1000::/home/admin:/bin/bash\nopen::1001:1001::/home/open:/bin/sh\n");
  root->file("/etc/shadow", "root:*:19000:0:99999:7:::\nsysd:$y$j9T$x$y:20781:0:99999:7:::\nadmin:!$6$a:19000::::::\n");
  root->file("/etc/group", "root:x:0:\nsudo:x:27:admin,sysd\nadmin:x:1000:\n");
  root->folder("/root");
  root->folder("/home/admin");
  root->set_owner(root->folder("/home/gone"), 1007);
  Anomalies anomalies;
  const auto machine = Machine::assemble({{"snap-1", "vol-1", "/dev/xvda", 1, "", "", root}}, anomalies);
  ICECORE_ASSERT_OK(machine);
  const auto facts = read_facts(**machine);
  ICECORE_ASSERT_OK(facts);
  EXPECT_EQ(facts->os.id, "debian");
  EXPECT_EQ(facts->os.pretty_name, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(facts->hostname, "ip-10-0-2-37");
  EXPECT_EQ(facts->time_zone, "Europe/Berlin");
  EXPECT_EQ(facts->zone.offset_at(1'780'000'000), 7200);
  ASSERT_EQ(facts->users.size(), 5U);
  EXPECT_EQ(facts->user("sysd")->password, Password::kSet);
  EXPECT_EQ(facts->user("root")->password, Password::kLocked);
  EXPECT_EQ(facts->user("admin")->password, Password::kLocked);
  EXPECT_EQ(facts->user("open")->password, Password::kNone);
  EXPECT_EQ(facts->user("www-data")->password, Password::kUnknown);
  EXPECT_EQ(facts->user(0)->entry.name, "root");
  EXPECT_EQ(facts->user("sysd")->entry.line, 2U);
  EXPECT_THAT(facts->user("admin")->groups, ::testing::ElementsAre("admin", "sudo"));
  const auto homes = home_folders(**machine, *facts);
  ICECORE_ASSERT_OK(homes);
  std::map<std::string, std::string> found;
  for (const HomeFolder& home : *homes) found[home.folder.path] = home.user;
  EXPECT_EQ(found,
            (std::map<std::string, std::string>{{"/root", "root"}, {"/var/www", "www-data"}, {"/home/admin", "admin"}, {"/home/gone", "1007"}}));
}

}  // namespace
}  // namespace icecore::machine
