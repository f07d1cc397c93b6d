#include "report/findings_report.h"

#include <gtest/gtest.h>

namespace icecore::report {
namespace {

detect::Finding finding(detect::Severity severity, std::string title, std::int64_t seconds) {
  detect::Finding one;
  one.severity = severity;
  one.title = std::move(title);
  one.sentence = "It happened.";
  one.time = Timestamp{seconds, 0};
  one.locations.emplace_back().path = "/etc/evil\x1b[2J\nname";
  return one;
}

TEST(FindingsReport, TheWorstComesFirstThenTheEarliest) {
  const std::vector<detect::Finding> findings = {finding(detect::Severity::kMedium, "third", 1), finding(detect::Severity::kCritical, "second", 5),
                                                 finding(detect::Severity::kCritical, "first", 4)};
  const std::string text = render({"snap-1", {}, findings, {}, 0}, {});
  EXPECT_LT(text.find("first"), text.find("second"));
  EXPECT_LT(text.find("second"), text.find("third"));
}

TEST(FindingsReport, EvidenceCannotSteerTheTerminal) {
  const std::vector<detect::Finding> findings = {finding(detect::Severity::kHigh, "x\x1b]0;title\x07", 1)};
  const std::string text = render({"snap-\x1b[1m", {}, findings, {}, 0}, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "no colour was asked for, so every escape would be the evidence's";
  EXPECT_NE(text.find("/etc/evil\\x1b[2J\\x0aname"), std::string::npos) << text;
}

TEST(FindingsReport, WhatCouldNotBeReadIsSaid) {
  const std::vector<Anomaly> anomalies = {{"filesystem.unsupported", {Code::kUnsupported, "this is btrfs", std::nullopt, nullptr}}};
  const std::string text = render({"snap-1", {}, {}, anomalies, 3}, {});
  EXPECT_NE(text.find("3 anomalies"), std::string::npos);
  EXPECT_NE(text.find("this is btrfs"), std::string::npos);
  EXPECT_NE(text.find("2 more in anomalies.jsonl"), std::string::npos) << text;
}

TEST(Verdict, CountsBySeverityAndSpansTheTimesOfWhatMatters) {
  const std::vector<detect::Finding> findings = {finding(detect::Severity::kInfo, "old and harmless", 0),
                                                 finding(detect::Severity::kCritical, "a", 86400), finding(detect::Severity::kHigh, "b", 172800)};
  EXPECT_EQ(verdict(findings), "3 findings: 1 critical, 1 high, 1 info. From 1970-01-02T00:00:00Z to 1970-01-03T00:00:00Z.");
}

TEST(Wrap, NoLineIsWiderThanTheTerminal) {
  const std::string text = wrap("one two three four five six seven eight nine ten eleven twelve thirteen", 4, {false, 40});
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) EXPECT_LE(end - at, 40U);
}

}  // namespace
}  // namespace icecore::report
