#include "s3/store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "util/api_error.h"
#include "util/digest.h"

namespace icelab {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostBytes = std::uint64_t{32} << 30U;

[[noreturn]] void refuse(const std::string& what) { throw std::runtime_error("world.json: buckets: " + what); }

Bucket bucket_from(const json& value, const std::string& home_region) {
  for (const auto& [member, unused] : value.items()) {
    if (member != "Name" && member != "CreationDate" && !member.starts_with("_")) refuse(member + ": no such member of Bucket");
  }
  Bucket bucket;
  bucket.name = value.value("Name", "");
  const bool good = bucket.name.size() >= 3 && bucket.name.size() <= 63 &&
                    bucket.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos;
  if (!good) refuse("'" + bucket.name + "' is no name of a bucket");
  bucket.region = value.value("_region", home_region);
  bucket.object_lock = value.value("_object_lock", false);
  if (const json lock = value.value("_default_retention", json::object()); !lock.empty()) {
    bucket.default_mode = lock.at("Mode").get<std::string>();
    bucket.default_days = lock.at("Days").get<int>();
    if (!bucket.object_lock) refuse(bucket.name + " has a default retention and no Object Lock");
  }
  return bucket;
}

}  // namespace

S3Store::S3Store(const json& list, const std::string& region) {
  for (const json& one : list) {
    Bucket bucket = bucket_from(one, region);
    const std::string name = bucket.name;
    if (!buckets.emplace(name, std::move(bucket)).second) refuse(name + " is there twice");
  }
}

S3Store::~S3Store() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string S3Store::new_file() {
  const std::lock_guard lock(files_);
  if (folder_.empty()) {
    std::string name = (std::filesystem::temp_directory_path() / "icecore-lab-s3-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
    folder_ = name;
  }
  return folder_ + "/" + std::to_string(next_++);
}

Blob S3Store::keep(const std::string& bytes) {
  {
    const std::lock_guard lock(files_);
    if (bytes_ + bytes.size() > kMostBytes) throw ApiError("ServiceUnavailable", "the lab's buckets are full", 503);
    bytes_ += bytes.size();
  }
  Blob blob{new_file(), bytes.size(), md5(bytes), sha256(bytes)};
  std::ofstream out(blob.file, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error(blob.file + ": cannot be written");
  return blob;
}

std::string S3Store::read(const Blob& blob, std::uint64_t offset, std::uint64_t length) const {
  std::string bytes(length, '\0');
  std::ifstream in(blob.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  in.read(bytes.data(), static_cast<std::streamsize>(length));
  if (static_cast<std::uint64_t>(in.gcount()) != length) throw std::runtime_error(blob.file + ": cannot be read");
  return bytes;
}

Blob S3Store::join(const std::vector<const Blob*>& parts) {
  Blob joined;
  joined.file = new_file();
  std::ofstream out(joined.file, std::ios::binary);
  for (const Blob* part : parts) {
    const std::string bytes = read(*part, 0, part->size);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    joined.size += part->size;
  }
  if (!out.flush()) throw std::runtime_error(joined.file + ": cannot be written");
  const std::lock_guard lock(files_);
  bytes_ += joined.size;  // beyond the bound for as long as the parts are there too: the caller drops them next
  return joined;
}

std::uint64_t S3Store::held() const {
  const std::lock_guard lock(files_);
  return bytes_;
}

void S3Store::drop(const Blob& blob) {
  std::error_code ignored;
  std::filesystem::remove(blob.file, ignored);
  const std::lock_guard lock(files_);
  bytes_ -= std::min(bytes_, blob.size);
}

}  // namespace icelab
