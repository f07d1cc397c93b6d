// A lab without a network: a world in a scratch folder, and requests that are signed as a client would.
#pragma once

#include <unistd.h>

#include <algorithm>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "auth/sigv4.h"
#include "front.h"
#include "lab.h"
#include "util/digest.h"
#include "util/encoding.h"

namespace icelab::test {

using nlohmann::json;

constexpr const char* kKey = "AKIATEST";
constexpr const char* kSecret = "secret";
constexpr const char* kVolume = "vol-00000000000000001";
constexpr const char* kSnapshot = "snap-00000000000000001";

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "lab-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

  // A sparse file whose listed blocks are filled with their letter.
  void disk(const std::string& name, const std::map<BlockIndex, char>& blocks, BlockIndex count) const {
    std::ofstream out(path_ + "/" + name, std::ios::binary);
    for (const auto& [index, letter] : blocks) {
      out.seekp(static_cast<std::streamoff>(index) * static_cast<std::streamoff>(kBlockSize));
      out << std::string(kBlockSize, letter);
    }
    out.close();
    std::filesystem::resize_file(path_ + "/" + name, std::uintmax_t{count} * kBlockSize);
  }

 private:
  std::string path_;
};

inline json small_world() {
  return {
      {"format", "icecore-lab-world/1"},
      {"region", "us-west-2"},
      {"account", "1"},
      {"zones", json::array({json{{"ZoneName", "us-west-2a"}}, json{{"ZoneName", "us-west-2b"}}})},
      {"principals", json::array({json{{"Arn", "arn:aws:iam::1:user/u"},
                                       {"UserId", "AIDA"},
                                       {"Account", "1"},
                                       {"_access_keys", json::array({json{{"AccessKeyId", kKey}, {"SecretAccessKey", kSecret}}})}}})},
      {"volumes",
       json::array({json{{"VolumeId", kVolume}, {"Size", 1}, {"State", "available"}, {"AvailabilityZone", "us-west-2b"}, {"_image", "disk.raw"}}})},
      {"snapshots",
       json::array({json{
           {"SnapshotId", kSnapshot}, {"VolumeId", kVolume}, {"VolumeSize", 1}, {"OwnerId", "1"}, {"State", "completed"}, {"_image", "disk.raw"}}})}};
}

class TestLab {
 public:
  explicit TestLab(LabOptions options = {}, const json& world = small_world()) {
    scratch_.disk("disk.raw", {{0, 'a'}, {2, 'b'}, {3, 'c'}, {7, 'd'}}, 16);
    std::ofstream(scratch_.path() + "/world.json") << world.dump();
    options.world_directory = scratch_.path();
    lab = std::make_unique<Lab>(std::move(options));
  }

  // Signs with the real clock and the test's key, unless the request brings its own X-Amz-Date.
  Reply send(Request request, const std::string& service, const std::string& region = "us-west-2", const std::string& secret = kSecret) {
    request.headers.emplace_back("Host", "localhost");
    if (request.header("x-amz-date").empty()) request.headers.emplace_back("X-Amz-Date", amz_date(lab->clock.now()));
    Authorization scope;
    scope.date = std::string(request.header("x-amz-date").substr(0, 8));
    scope.region = region;
    scope.service = service;
    std::vector<std::string> names;
    for (const auto& [name, value] : request.headers) names.push_back(lowercase(name));
    std::sort(names.begin(), names.end());
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ";") + name;
    const auto canonical = canonical_request(request, names, hex_encode(sha256(request.body)));
    const std::string signature = sign(secret, scope, string_to_sign(request.header("x-amz-date"), scope.scope(), canonical.value_or("")));
    request.headers.emplace_back("Authorization", std::string("AWS4-HMAC-SHA256 Credential=") + kKey + "/" + scope.scope() +
                                                      ", SignedHeaders=" + list + ", Signature=" + signature);
    return serve(*lab, request, delivery);
  }

  static Request ec2_request(const std::string& form) {
    return {"POST", "/", "", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}}, form + "&Version=2016-11-15"};
  }
  Reply ec2(const std::string& form) { return send(ec2_request(form), "ec2"); }
  Reply ebs(const std::string& path, const std::string& query = "") { return send({"GET", path, query, {}, ""}, "ebs"); }

  Delivery delivery;
  std::unique_ptr<Lab> lab;

 private:
  Scratch scratch_;
};

// The text of the first element of that name; empty when there is none.
inline std::string element(const std::string& xml, const std::string& name) {
  const std::size_t open = xml.find("<" + name + ">");
  if (open == std::string::npos) return {};
  const std::size_t begin = open + name.size() + 2;
  return xml.substr(begin, xml.find("</" + name + ">", begin) - begin);
}

}  // namespace icelab::test
