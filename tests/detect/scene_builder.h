// A small machine for one test: a Debian with a few packages, an instance's first boot behind it, and whatever the test adds.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "artefact/cloudtrail.h"
#include "core/hash.h"
#include "detect/detector.h"
#include "detect/evidence.h"
#include "detect/rules.h"
#include "memory_filesystem.h"
#include "support/support.h"

namespace icecore::detect::test {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;
/// The moment of the test's attack; the image was made 60 days, the instance launched 12 days before it.
constexpr std::int64_t kNow = 1'790'000'000;

inline Timestamp t(std::int64_t after_now) { return {kNow + after_now, 500}; }
inline const Timestamp kImaged = {kNow - 60 * kDay, 0};
inline const Timestamp kBooted = {kNow - 12 * kDay, 0};

class SceneBuilder {
 public:
  SceneBuilder() {
    for (const char* folder : {"/etc/cron.d", "/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu/security", "/usr/local/bin", "/var/log", "/var/tmp",
                               "/tmp", "/root", "/home", "/opt", "/srv", "/var/lib/dpkg/info"})
      root->folder(folder, Times::at(kImaged));
    for (const char* name : {"bin", "sbin", "lib"}) root->link(std::string("/") + name, std::string("usr/") + name, Times::at(kImaged));
    account("root", 0, "/root", "/bin/bash");
    account("www-data", 33, "/var/www", "/usr/sbin/nologin");
    account("admin", 1000, "/home/admin", "/bin/bash");
    root->folder("/var/lib/cloud/instances/i-0123456789abcdef0", Times::at(kBooted));
    root->link("/var/lib/cloud/instance", "/var/lib/cloud/instances/i-0123456789abcdef0", Times::at(kBooted));
    put("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n", kImaged);
    put("/etc/hostname", "web\n", kBooted);
    package("bash", {{"/usr/bin/bash", "\177ELF bash, the real one", 0755}});
  }

  /// A file written at one moment.
  std::uint64_t put(const std::string& path, const std::string& content, Timestamp time, std::uint32_t mode = 0644, std::uint32_t uid = 0) {
    return root->file(path, content, Times::at(time), mode, uid);
  }
  void account(const std::string& name, std::uint32_t uid, const std::string& home, const std::string& shell, Timestamp made = kBooted) {
    passwd_ += fmt::format("{}:x:{}:{}:{}:{}:{}\n", name, uid, uid, name, home, shell);
    root->folder(home, Times::at(made));
  }
  struct Shipped {
    std::string path, content;
    std::uint32_t mode = 0644;
  };
  /// A package that dpkg unpacked with the image, with its files, list and checksums.
  void package(const std::string& name, const std::vector<Shipped>& files, Timestamp unpacked = kImaged,
               const std::vector<std::string>& conffiles = {}) {
    status_ += fmt::format("Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n", name);
    if (!conffiles.empty()) {
      status_ += "Conffiles:\n";
      for (const std::string& path : conffiles) status_ += fmt::format(" {} 0123456789abcdef0123456789abcdef\n", path);
    }
    status_ += '\n';
    std::string list = "/.\n";
    std::string sums;
    for (const Shipped& file : files) {
      Times times = Times::at(unpacked);
      times.modified = {unpacked.seconds - 200 * kDay, 0};  // packages keep the times of their making
      root->file(file.path, file.content, times, file.mode);
      list += file.path + '\n';
      if (std::ranges::find(conffiles, file.path) == conffiles.end()) sums += md5_hex(as_bytes(file.content)) + "  " + file.path.substr(1) + '\n';
    }
    put("/var/lib/dpkg/info/" + name + ".list", list, unpacked);
    put("/var/lib/dpkg/info/" + name + ".md5sums", sums, unpacked);
  }
  artefact::Event& event(const std::string& type, Timestamp time, std::map<std::string, std::string, std::less<>> fields, const std::string& path) {
    artefact::Event one;
    one.time = time;
    one.data_type = type;
    one.fields = std::move(fields);
    one.where.path = path;
    one.where.excerpt = one.message = std::string(one.field("body"));
    events.push_back(std::move(one));
    return events.back();
  }
  struct Call {
    std::string name, key, ip;
    std::string request = "null";
    std::string error = {};
    std::string source = "ec2.amazonaws.com";
  };
  void cloud(Timestamp time, const Call& call) {
    const std::string id = fmt::format("event-{}", ++calls_);
    const std::string line = fmt::format(
        R"({{"eventID":"{}","requestID":"request-{}","eventName":"{}","eventTime":"{}","eventSource":"{}","sourceIPAddress":"{}","awsRegion":"us-west-2","userAgent":"aws-cli/2","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bot","accessKeyId":"{}"}},"requestParameters":{}{}}})",
        id, calls_, call.name, to_iso8601(time, 0), call.source, call.ip, call.key, call.request,
        call.error.empty() ? "" : fmt::format(R"(,"errorCode":"{}")", call.error));
    auto event = artefact::cloudtrail_event(line, calls_, "cloudtrail/events.jsonl");
    ASSERT_TRUE(event.has_value()) << to_string(event.error());
    events.push_back(std::move(*event));
  }

  /// Assembles everything and runs all detectors.
  std::vector<Finding> run() {
    if (!data_only) {
      put("/etc/passwd", passwd_, passwd_time);
      put("/var/lib/dpkg/status", status_, kImaged);
    }
    Scene scene;
    scene.instance = instance;
    if (with_machine) {
      auto machine = machine::Machine::assemble({{"snap-1", "vol-1", "/dev/xvda", 1, "", "", root}}, anomalies);
      EXPECT_TRUE(machine.has_value()) << to_string(machine.error());
      if (!machine) return {};
      scene.machine = *machine;
      auto facts = machine::read_facts(*scene.machine);
      auto dpkg = artefact::DpkgDatabase::load(*scene.machine);
      EXPECT_TRUE(facts && dpkg);
      if (!facts || !dpkg) return {};
      scene.facts = std::move(*facts);
      if (with_dpkg) scene.dpkg = std::move(*dpkg);
      auto table = root->sweep({}, anomalies, no_progress());
      scene.sweeps.push_back(Sweep::of(std::move(*table)));
    }
    if (collect) {
      artefact::FunctionSink sink([&](artefact::Event one) -> Result<void> {
        events.push_back(std::move(one));
        return {};
      });
      auto collected = artefact::collect_all({*scene.machine, scene.facts, anomalies}, sink, no_progress());
      EXPECT_TRUE(collected.has_value()) << to_string(collected.error());
    }
    scene.events = EventStore(events);
    scene.recovered = recovered;
    FindingSink sink;
    auto done = run_detectors(scene, sink, anomalies, no_progress());
    EXPECT_TRUE(done.has_value()) << to_string(done.error());
    return sink.take();
  }

  std::shared_ptr<MemoryFilesystem> root = std::make_shared<MemoryFilesystem>();
  std::vector<artefact::Event> events;
  std::vector<RecoveredFile> recovered;
  InstanceMetadata instance;
  Anomalies anomalies;
  Timestamp passwd_time = kBooted;
  bool with_machine = true;
  bool data_only = false;  ///< nothing of a system is added to `root`
  bool with_dpkg = true;
  bool collect = false;  ///< also run the artefact collectors over the files

 private:
  std::string passwd_, status_;
  std::uint64_t calls_ = 0;
};

/// The findings of one rule at or above a severity.
inline std::vector<Finding> of_rule(const std::vector<Finding>& findings, std::string_view rule, Severity least = Severity::kLow) {
  std::vector<Finding> chosen;
  for (const Finding& finding : findings)
    if (finding.rule == rule && finding.severity >= least) chosen.push_back(finding);
  return chosen;
}

/// Everything of medium or more, for innocent scenes: "rule: sentence" lines.
inline std::string alarms(const std::vector<Finding>& findings, Severity least = Severity::kLow) {
  std::string text;
  for (const Finding& finding : findings)
    if (finding.severity >= least) text += finding.rule + ": " + finding.sentence + "\n";
  return text;
}

inline bool names_path(const Finding& finding, std::string_view path) {
  return std::ranges::any_of(finding.locations, [&](const Provenance& where) { return where.path == path; });
}

}  // namespace icecore::detect::test
