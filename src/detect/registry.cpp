#include "detect/detectors/detectors.h"

namespace icecore::detect {

const std::vector<Detector>& all_detectors() {
  static const std::vector<Detector> kDetectors = {
      {"user-data", Needs::kFiles, {"user-data-download-run"}, detect_user_data},
      {"ld-preload", Needs::kFiles, {"ld-so-preload"}, detect_preload},
      {"root-accounts", Needs::kFiles, {"extra-root-account"}, detect_root_account},
      {"cron", Needs::kFiles, {"cron-download-run"}, detect_cron},
      {"rc-local", Needs::kFiles, {"rc-local-download-run"}, detect_rc_local},
      {"sudoers", Needs::kFiles, {"sudoers-nopasswd"}, detect_sudoers},
      {"hosts", Needs::kFiles, {"hosts-tampered"}, detect_hosts},
      {"masked-updates", Needs::kFiles, {"updates-masked"}, detect_masked_updates},
      {"systemd-units", Needs::kFiles, {"systemd-unit-masquerade"}, detect_systemd},
      {"pam", Needs::kFiles, {"pam-backdoor"}, detect_pam},
      {"shell-history", Needs::kFiles, {"shell-history-attack", "history-disabled"}, detect_history},
      {"exfiltration", Needs::kFiles, {"bulk-exfiltration"}, detect_exfiltration},
      {"cloud-recon", Needs::kEvents, {"cloud-key-recon"}, detect_cloud_recon},
      {"cloud-launch", Needs::kEvents, {"cloud-mass-launch", "cloud-new-key-pair"}, detect_cloud_launch},
      {"cloud-ingress", Needs::kEvents, {"cloud-open-ingress"}, detect_cloud_ingress},
      {"cloud-logging", Needs::kEvents, {"cloud-logging-tampered"}, detect_cloud_logging},
      {"cloud-user-data", Needs::kEvents, {"cloud-user-data-changed"}, detect_cloud_user_data},
      {"ssh-bruteforce", Needs::kEvents, {"ssh-bruteforce-success"}, detect_bruteforce},
      {"ssh-keys", Needs::kEvents, {"ssh-key-added"}, detect_ssh_keys},
      {"credentials", Needs::kEvents, {"credential-file-read"}, detect_credentials},
      {"log-gap", Needs::kEvents, {"log-gap"}, detect_log_gap},
      {"setuid", Needs::kSweep, {"setuid-unpackaged"}, detect_setuid},
      {"miner", Needs::kSweep, {"cryptominer"}, detect_miner},
      {"miner-log", Needs::kSweep, {"miner-log"}, detect_miner_log},
      {"timestomp", Needs::kSweep, {"timestomp"}, detect_timestomp},
      {"package-files", Needs::kSweep, {"package-file-replaced"}, detect_package_files},
      {"web-shell", Needs::kSweep, {"web-shell"}, detect_web_shell},
      {"private-keys", Needs::kSweep, {"stolen-private-key"}, detect_private_keys},
      {"recovered", Needs::kDeleted, {"deleted-recovered"}, detect_recovered},
  };
  return kDetectors;
}

}  // namespace icecore::detect
