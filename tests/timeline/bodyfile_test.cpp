#include "timeline/bodyfile.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <fstream>
#include <set>

#include "core/json.h"
#include "core/text.h"
#include "fs/filesystem.h"
#include "image/open_image.h"
#include "support/support.h"
#include "timeline/records.h"

namespace icecore::timeline {
namespace {

/// A small real ext4 image with odd names, and its sweep.
class Image {
 public:
  Image() {
    const std::string tree = (scratch_ / "tree").string();
    test::run_ok(
        fmt::format("mkdir -p {0}/etc/deep/er && echo root > {0}/etc/passwd && ln -s passwd {0}/etc/link && : > {0}/etc/deep/er/empty && chmod 4755 "
                    "{0}/etc/passwd "
                    "&& touch -d '2013-05-06 07:08:09.123456789Z' {0}/etc/passwd",
                    tree));
    std::ofstream(tree + "/bar|pipe\x1b[31m\nline").put('x');
    std::ofstream(tree + "/=cmd").put('x');
    const std::string image = (scratch_ / "disk.raw").string();
    test::run_ok(fmt::format("mkfs.ext4 -q -d {} {} 8M", tree, image));
    auto source = image::open_image(image);
    filesystem_ = *fs::open(*source, {}, anomalies_);
    table_ = *filesystem_->sweep({}, anomalies_, no_progress());
    paths_.emplace(table_);
  }
  std::string path() const { return (scratch_ / "disk.raw").string(); }
  std::vector<Layer> layers() const { return {{&table_, &*paths_, nullptr, "", "disk.raw", "", "ext4", std::nullopt}}; }

 private:
  test::ScratchFolder scratch_;
  Anomalies anomalies_;
  fs::FilesystemPtr filesystem_;
  fs::FileTable table_;
  std::optional<fs::PathIndex> paths_;
};

// name|inode|mode|uid|gid|size|atime|mtime|ctime|crtime of each line whose name is plain; link targets cut off, as fls adds them.
std::set<std::string> plain_lines(std::string_view bodyfile) {
  std::set<std::string> lines;
  for (const std::string_view line : split_lines(bodyfile)) {
    auto fields = split(line, '|');
    if (fields.size() != 11) continue;
    const std::string name(fields[1].substr(0, fields[1].find(" -> ")));
    if (name.find("pipe") != std::string::npos || name.find("$Orphan") != std::string::npos || name == "/") continue;
    std::string joined = name;
    for (std::size_t i = 2; i < fields.size(); ++i) joined += '|' + std::string(fields[i]);
    lines.insert(joined);
  }
  return lines;
}

TEST(Bodyfile, SaysWhatSleuthKitSays) {
  const Image image;
  StringSink sink;
  ICECORE_ASSERT_OK(write_bodyfile(image.layers(), sink));
  const auto theirs = plain_lines(test::run_ok("fls -r -m / " + image.path()));
  EXPECT_GE(theirs.size(), 7U);
  EXPECT_EQ(plain_lines(sink.text()), theirs);
}

TEST(Bodyfile, MactimeReadsEveryLine) {
  const Image image;
  test::ScratchFolder scratch;
  StringSink sink;
  ICECORE_ASSERT_OK(write_bodyfile(image.layers(), sink));
  std::ofstream(scratch / "body") << sink.text();
  const std::string out = test::run_ok("mactime -z UTC -y -d -b " + (scratch / "body").string());
  EXPECT_NE(out.find("2013-05-06T07:08:09Z"), std::string::npos) << out;
  EXPECT_NE(out.find("rrwsr-xr-x"), std::string::npos) << out;
}

TEST(Bodyfile, AHostileNameCannotAddAFieldALineOrAnEscape) {
  const Image image;
  StringSink sink;
  ICECORE_ASSERT_OK(write_bodyfile(image.layers(), sink));
  EXPECT_NE(sink.text().find("/bar\\x7cpipe\\x1b[31m\\x0aline"), std::string::npos) << sink.text();
  EXPECT_EQ(sink.text().find('\x1b'), std::string::npos);
  for (const std::string_view line : split_lines(sink.text())) EXPECT_EQ(split(line, '|').size(), 11U) << line;
}

TEST(Csv, AFileNameIsNoFormula) {
  const Image image;
  artefact::Event event;
  event.time = {1'764'000'000, 5000};
  event.description = "Recorded Time";
  event.data_type = "syslog:line";
  event.message = "=HYPERLINK(\"http://198.51.100.1\")";
  StringSink sink;
  ICECORE_ASSERT_OK(write_csv(image.layers(), std::span(&event, 1), sink));
  EXPECT_NE(sink.text().find("\"'=HYPERLINK"), std::string::npos);
  EXPECT_EQ(sink.text().find(",=HYPERLINK"), std::string::npos);
}

TEST(Jsonl, DatetimeAndTimestampAgreeAndTheOrderIsOne) {
  const Image image;
  StringSink sink;
  ICECORE_ASSERT_OK(write_jsonl(image.layers(), {}, sink));
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  std::size_t rows = 0;
  for (const std::string_view line : split_lines(sink.text())) {
    const auto record = parse_json(line, "line");
    ICECORE_ASSERT_OK(record);
    const auto time = parse_iso8601(text_at(*record, "datetime"));
    ICECORE_ASSERT_OK(time);
    EXPECT_EQ(time->microseconds(), (*record)["timestamp"].get<std::int64_t>());
    EXPECT_FALSE(text_at(*record, "message").empty());
    EXPECT_FALSE(text_at(*record, "timestamp_desc").empty());
    EXPECT_LE(last, time->microseconds());
    last = time->microseconds();
    ++rows;
  }
  EXPECT_GT(rows, 30U);
}

}  // namespace
}  // namespace icecore::timeline
