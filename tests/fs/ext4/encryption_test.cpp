// Encrypted folders (fscrypt): the names as they are stored, said to be encrypted, as the kernel gives them without the key.
#include <fmt/format.h>
#include <set>
#include <sstream>

#include "fs/ext4/ext4_support.h"

namespace icecore::test::ext4 {
namespace {

constexpr std::size_t kCertain = 10 + 149 * 8 / 6;  // letters of "encrypted:" and of what the kernel shows before a digest of the rest

TEST(Encryption, NamesAreShownAsSuchAndContentsAreRefused) {
  const ScratchFolder scratch;
  const auto image = scratch / "image";
  make_image(image, 64, "mkfs.ext4 -q -O encrypt");
  const std::string script = fmt::format("python3 '{}' ", data_file("fscrypt.py").string());
  {
    const LoopMount mount(image, scratch / "mnt", "rw");
    ASSERT_TRUE(mount.mounted());
    run_ok(script + "make " + mount.path().string());
  }
  std::string without_key;
  {
    const LoopMount mount(image, scratch / "mnt", "ro,noatime");
    ASSERT_TRUE(mount.mounted());
    without_key = run_ok(script + "list " + mount.path().string());
  }
  Anomalies anomalies;
  const auto filesystem = open_image(image, fs::JournalView::kRecovered, anomalies);
  ASSERT_NE(filesystem, nullptr);
  const auto folder = filesystem->lookup(filesystem->info().root_inode, "secret");
  ICECORE_ASSERT_OK(folder);
  const auto entries = filesystem->list(*folder);
  ICECORE_ASSERT_OK(entries);
  const auto table = filesystem->sweep({}, anomalies, no_progress());
  ICECORE_ASSERT_OK(table);
  std::set<std::string> swept;
  for (const fs::Name& name : table->names)
    if (name.parent == *folder) swept.emplace(table->text_of(name));
  std::map<std::uint64_t, std::string> ours;
  for (const fs::DirectoryEntry& entry : *entries) {
    ours[entry.inode] = entry.name;
    EXPECT_TRUE(swept.contains(entry.name)) << entry.name;
  }
  EXPECT_EQ(ours.size(), 5U);

  std::istringstream lines(without_key);
  std::uint64_t inode = 0, size = 0;
  std::string mode, name;
  while (lines >> inode >> mode >> size >> name) {
    EXPECT_EQ(ours[inode].substr(0, kCertain), name.substr(0, kCertain));
    const auto info = filesystem->stat(inode);
    ICECORE_ASSERT_OK(info);
    EXPECT_EQ(fmt::format("0o{:o}", info->mode), mode);
    if (info->type == fs::FileType::kRegular) {
      EXPECT_EQ(info->size, size);
      ICECORE_EXPECT_CODE(fs::read_file(*filesystem, inode, 100), Code::kUnsupported);
    }
    if (info->type == fs::FileType::kSymlink) ICECORE_EXPECT_CODE(filesystem->readlink(inode), Code::kUnsupported);
  }
  EXPECT_NE(inode, 0U) << without_key;
  EXPECT_EQ(text_of(anomalies), "");
}

}  // namespace
}  // namespace icecore::test::ext4
