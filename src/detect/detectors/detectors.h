// The functions behind registry.cpp, one a file or group of files named like it. Their heuristics are described where they are written.
#pragma once

#include "detect/detector.h"

namespace icecore::detect {

#define ICECORE_DETECTOR(NAME) Result<void> NAME(const Scene& scene, FindingSink& sink, Anomalies& anomalies)

ICECORE_DETECTOR(detect_cloud_recon);
ICECORE_DETECTOR(detect_cloud_launch);
ICECORE_DETECTOR(detect_cloud_ingress);
ICECORE_DETECTOR(detect_cloud_logging);
ICECORE_DETECTOR(detect_cloud_user_data);
ICECORE_DETECTOR(detect_user_data);
ICECORE_DETECTOR(detect_preload);
ICECORE_DETECTOR(detect_root_account);
ICECORE_DETECTOR(detect_sudoers);
ICECORE_DETECTOR(detect_cron);
ICECORE_DETECTOR(detect_rc_local);
ICECORE_DETECTOR(detect_systemd);
ICECORE_DETECTOR(detect_pam);
ICECORE_DETECTOR(detect_hosts);
ICECORE_DETECTOR(detect_masked_updates);
ICECORE_DETECTOR(detect_history);
ICECORE_DETECTOR(detect_ssh_keys);
ICECORE_DETECTOR(detect_bruteforce);
ICECORE_DETECTOR(detect_log_gap);
ICECORE_DETECTOR(detect_credentials);
ICECORE_DETECTOR(detect_exfiltration);
ICECORE_DETECTOR(detect_setuid);
ICECORE_DETECTOR(detect_miner);
ICECORE_DETECTOR(detect_miner_log);
ICECORE_DETECTOR(detect_timestomp);
ICECORE_DETECTOR(detect_package_files);
ICECORE_DETECTOR(detect_web_shell);
ICECORE_DETECTOR(detect_private_keys);
ICECORE_DETECTOR(detect_recovered);

}  // namespace icecore::detect
