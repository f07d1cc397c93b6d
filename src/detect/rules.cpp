#include "detect/rules.h"

#include <algorithm>
#include <cassert>

namespace icecore::detect {

const std::vector<Rule>& all_rules() {
  using enum Severity;
  static const std::vector<Rule> kRules = {
      {"cloud-key-recon", kHigh, {"T1078.004", "T1526"}, "Access key tried out from a foreign address"},
      {"cloud-mass-launch", kCritical, {"T1578.002", "T1496"}, "Instances launched in bulk"},
      {"cloud-open-ingress", kHigh, {"T1562.007"}, "Security group opened to the whole Internet"},
      {"cloud-new-key-pair", kMedium, {"T1098"}, "SSH key pair made by a suspect access key"},
      {"cloud-logging-tampered", kCritical, {"T1562.008"}, "Cloud logging attacked"},
      {"cloud-user-data-changed", kHigh, {"T1578", "T1059.004"}, "Instance user-data replaced"},
      {"user-data-download-run", kCritical, {"T1059.004", "T1105"}, "User-data downloads code and runs it"},
      {"ssh-bruteforce-success", kCritical, {"T1110.001", "T1078"}, "SSH password guessed"},
      {"ssh-key-added", kHigh, {"T1098.004"}, "SSH key added"},
      {"extra-root-account", kCritical, {"T1136.001"}, "Second account with root's rights"},
      {"sudoers-nopasswd", kHigh, {"T1548.003"}, "Root without a password through sudo"},
      {"cryptominer", kCritical, {"T1496", "T1564.001"}, "Cryptocurrency miner"},
      {"timestomp", kHigh, {"T1070.006"}, "File time set back"},
      {"systemd-unit-masquerade", kHigh, {"T1543.002", "T1036.004"}, "Service that poses as something else"},
      {"cron-download-run", kCritical, {"T1053.003", "T1105"}, "Scheduled job that runs downloaded code"},
      {"rc-local-download-run", kCritical, {"T1037.004"}, "Boot script that runs downloaded code"},
      {"ld-so-preload", kCritical, {"T1574.006"}, "Library forced into every program"},
      {"package-file-replaced", kHigh, {"T1554", "T1036.005"}, "File of a package replaced"},
      {"setuid-unpackaged", kHigh, {"T1548.001"}, "Set-id program that no package owns"},
      {"pam-backdoor", kCritical, {"T1556.003"}, "Login checks (PAM) tampered with"},
      {"shell-history-attack", kHigh, {"T1059.004"}, "Attack commands in a shell history"},
      {"history-disabled", kMedium, {"T1070.003"}, "Shell history switched off"},
      {"log-gap", kHigh, {"T1070.002"}, "Lines cut out of a log"},
      {"deleted-recovered", kHigh, {"T1070.004"}, "Deleted file recovered"},
      {"credential-file-read", kHigh, {"T1552.001"}, "Stored credentials taken"},
      {"bulk-exfiltration", kHigh, {"T1567.002"}, "Data copied out in bulk"},
      {"hosts-tampered", kHigh, {"T1562.001", "T1565.001"}, "Update or security hosts redirected"},
      {"updates-masked", kMedium, {"T1562.001"}, "Automatic updates or protection switched off"},
      {"web-shell", kCritical, {"T1505.003"}, "Web shell"},
      {"stolen-private-key", kHigh, {"T1552.004", "T1021.004"}, "Private key where none belongs"},
      {"miner-log", kHigh, {"T1496"}, "Traces of mining"},
  };
  return kRules;
}

Finding finding_of(std::string_view rule) {
  const auto found = std::ranges::find(all_rules(), rule, &Rule::id);
  assert(found != all_rules().end());
  Finding finding;
  finding.rule = found->id;
  finding.severity = found->severity;
  finding.attack.assign(found->attack.begin(), found->attack.end());
  finding.title = found->title;
  return finding;
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return "info";
    case Severity::kLow: return "low";
    case Severity::kMedium: return "medium";
    case Severity::kHigh: return "high";
    case Severity::kCritical: return "critical";
  }
  return "info";
}

std::string_view confidence_name(Confidence confidence) {
  switch (confidence) {
    case Confidence::kLow: return "low";
    case Confidence::kMedium: return "medium";
    case Confidence::kHigh: return "high";
  }
  return "medium";
}

}  // namespace icecore::detect
