// Deleted files by the journal: what the kernel deleted is given back as it was hashed before, under its old path; what was overwritten is said to
// be.
#include <fmt/format.h>
#include <algorithm>
#include <fstream>
#include <random>

#include "core/hash.h"
#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

using fs::ContentState;
using fs::Sureness;

std::string noise(std::mt19937& random, std::size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  ASSERT_TRUE(out.flush().good()) << path;
}

struct Opened {
  Anomalies anomalies;
  fs::FilesystemPtr filesystem;
  fs::FileTable table;
  fs::DeletedFiles deleted;
};

void look(const std::filesystem::path& image, fs::JournalView view, Opened& out) {
  out.filesystem = open_image(image, view, out.anomalies);
  ASSERT_NE(out.filesystem, nullptr);
  auto table = out.filesystem->sweep({}, out.anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  out.table = std::move(*table);
  auto deleted = out.filesystem->deleted_files(out.table, fs::PathIndex(out.table), out.anomalies, no_progress());
  ICECORE_ASSERT_OK(deleted);
  out.deleted = std::move(*deleted);
}

std::string content_of(const Opened& opened, const fs::DeletedFile& file) {
  std::string content(file.info.size, '\0');
  const auto read = opened.filesystem->read_deleted(file, 0, std::as_writable_bytes(std::span(content)));
  return read && *read == content.size() ? content : "unreadable";
}

const fs::DeletedFile* find(const Opened& opened, const std::string& path) {
  const auto found = std::ranges::find_if(opened.deleted.files, [&](const fs::DeletedFile& file) {
    return std::ranges::any_of(file.names, [&](const fs::DeletedName& name) { return name.path == path && name.sureness >= Sureness::kLikely; });
  });
  return found == opened.deleted.files.end() ? nullptr : &*found;
}

class Recover : public testing::TestWithParam<std::string> {};

TEST_P(Recover, WhatTheKernelDeletedIsGivenBack) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 96, GetParam());
  std::mt19937 random(1);
  std::map<std::string, std::string> gone;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    std::filesystem::create_directories(mount.path() / "home/user/.x");
    std::filesystem::create_directories(mount.path() / "gone/with/it");
    for (const std::size_t size : {1U, 59U, 100U, 4096U, 5000U, 70'000U, 400'000U, 2'000'000U}) {
      gone[fmt::format("/home/user/.x/file-{}", size)] = noise(random, size);
      gone[fmt::format("/gone/with/it/file-{}", size)] = noise(random, size);
    }
    for (const auto& [path, content] : gone) write(mount.path().string() + path, content);
    for (int i = 0; i < 40; ++i) write(mount.path() / fmt::format("home/user/.x/stays-{}", i), noise(random, 3000));
    // Every second block of it: too many extents for the inode.
    gone["/home/user/scattered"] = std::string();
    run_ok(fmt::format(
        "cd '{}' && for i in $(seq 0 2 250); do printf 'piece %04d' $i | dd of=home/user/scattered bs=4096 seek=$i conv=notrunc status=none; done",
        mount.path().string()));
    gone["/home/user/scattered"] = run_ok(fmt::format("cat '{}/home/user/scattered'", mount.path().string()));
    run_ok(fmt::format("ln -s /etc/passwd '{}/home/user/link'", mount.path().string()));
    ::sync();
    std::filesystem::remove(mount.path() / "home/user/link");
    for (const auto& [path, content] : gone) std::filesystem::remove(mount.path().string() + path);
    std::filesystem::remove_all(mount.path() / "gone");
  }
  Opened opened;
  look(image, fs::JournalView::kRecovered, opened);
  EXPECT_EQ(text_of(opened.anomalies), "");
  for (const auto& [path, content] : gone) {
    const fs::DeletedFile* file = find(opened, path);
    ASSERT_NE(file, nullptr) << path;
    EXPECT_EQ(file->content, ContentState::kIntact) << path;
    EXPECT_TRUE(file->size_exact);
    EXPECT_TRUE(file->info.deleted.has_value()) << path;
    EXPECT_EQ(file->origin.kind, fs::Origin::Kind::kJournal);
    EXPECT_EQ(content_of(opened, *file) == content, true) << path << " of " << file->info.size << " bytes";
  }
  const fs::DeletedFile* link = find(opened, "/home/user/link");
  ASSERT_NE(link, nullptr);
  EXPECT_EQ(link->inside, "/etc/passwd");
  // What lives is nobody's loss.
  for (const fs::DeletedFile& file : opened.deleted.files) EXPECT_EQ(file.path().find("stays-"), std::string_view::npos) << file.path();
}

INSTANTIATE_TEST_SUITE_P(Mkfs, Recover,
                         testing::Values("mkfs.ext4 -q", "mkfs.ext4 -q -b 1024", "mkfs.ext4 -q -O inline_data -I 256",
                                         "mkfs.ext4 -q -O ^metadata_csum,^64bit", "mkfs.ext3 -q", "mkfs.ext3 -q -b 1024 -I 128",
                                         "mkfs.ext4 -q -O bigalloc -C 16384"),
                         [](const auto& variant) {
                           std::string name;
                           for (const char c : variant.param.substr(5))
                             if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
                           return name;
                         });

// Files come and go at random, and the image is copied while it is mounted. Whatever is called whole must be what some file was, byte for byte.
TEST(RecoverChurn, WhatIsCalledIntactIsIntact) {
  const ScratchFolder scratch;
  const auto image = scratch / "image", copy = scratch / "copy";
  make_image(image, 32, "mkfs.ext4 -q -J size=4");
  std::mt19937 random(7);
  std::map<std::string, std::map<std::string, bool>> had;  // path → every content's hash that it ever had
  std::map<std::string, std::string> live;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    for (int folder = 0; folder < 5; ++folder) std::filesystem::create_directory(mount.path() / fmt::format("d{}", folder));
    for (int step = 0; step < 1500; ++step) {
      const std::string path = fmt::format("/d{}/f{}", random() % 5, random() % 40);
      const auto at = mount.path().string() + path;
      if (live.contains(path)) {
        std::filesystem::remove(at);
        live.erase(path);
      } else {
        const std::string content = noise(random, random() % 40'000);
        write(at, content);
        live[path] = content;
        had[path][to_hex(sha256(as_bytes(content)))] = true;
      }
      if (step % 60 == 0) run_ok(fmt::format("sync -f '{}'", mount.path().string()));
    }
    run_ok(fmt::format("cd '{}' && touch last && python3 -c 'import os; os.fsync(os.open(\"last\", os.O_RDONLY))' && cp --sparse=always '{}' '{}'",
                       mount.path().string(), image.string(), copy.string()));
  }
  for (const auto& [which, view] :
       {std::pair(copy, fs::JournalView::kRecovered), std::pair(copy, fs::JournalView::kAsOnDisk), std::pair(image, fs::JournalView::kRecovered)}) {
    Opened opened;
    look(which, view, opened);
    std::size_t intact = 0, right = 0;
    for (const fs::DeletedFile& file : opened.deleted.files) {
      if (file.content != ContentState::kIntact || file.names.empty() || file.names.front().sureness != Sureness::kSure) continue;
      ++intact;
      const auto known = had.find(std::string(file.path()));
      ASSERT_NE(known, had.end()) << file.path();
      right += known->second.contains(to_hex(sha256(as_bytes(content_of(opened, file))))) ? 1U : 0U;
    }
    if (view == fs::JournalView::kRecovered) {
      EXPECT_GT(intact, 20U);  // without, only what is older than the log's tail counts
    }
    EXPECT_EQ(right, intact) << which;
  }
}

TEST(RecoverJudges, OverwrittenContentIsSaidToBe) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 16, "mkfs.ext4 -q -J size=4");
  std::mt19937 random(3);
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    write(mount.path() / "secret", noise(random, 1'000'000));
    run_ok(fmt::format(
        "cd '{0}' && mv secret renamed && sync -f . && rm renamed && sync -f . && (dd if=/dev/urandom of=all bs=64k 2>/dev/null; true) && sync -f .",
        mount.path().string()));
  }
  Opened opened;
  look(image, fs::JournalView::kRecovered, opened);
  const fs::DeletedFile* file = find(opened, "/renamed");
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->content, ContentState::kOverwritten);
  EXPECT_EQ(content_of(opened, *file), std::string(1'000'000, '\0'));  // nobody else's bytes are given out as its own
}

TEST(RecoverNames, RenamesOfLiveFilesAreFormerNames) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 16, "mkfs.ext4 -q");
  std::uint64_t inode = 0;
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    inode = std::stoull(run_ok(fmt::format(
        "cd '{0}' && mkdir bin && echo x > bin/ss && sync -f . && sleep 0.1 && mv bin/ss bin/.ss && stat -c %i bin/.ss", mount.path().string())));
  }
  Opened opened;
  look(image, fs::JournalView::kRecovered, opened);
  ASSERT_EQ(opened.deleted.former_names.size(), 1U);
  EXPECT_EQ(opened.deleted.former_names.front().inode, inode);
  EXPECT_EQ(opened.deleted.former_names.front().name.path, "/bin/ss");
  EXPECT_EQ(opened.deleted.former_names.front().name.sureness, Sureness::kSure);
  EXPECT_TRUE(opened.deleted.files.empty());
}

}  // namespace
}  // namespace icecore::test::ext4
