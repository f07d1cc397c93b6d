// What things cost, roughly: on-demand Linux prices of US regions as AWS publishes them (aws.amazon.com/ec2/pricing, /ebs/pricing, /vpc/pricing,
// /kms/pricing). For plans and reminders; the bill is AWS's.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace icecore::workstation {

/// Dollars an hour, or nothing for a type that is not in the table.
std::optional<double> instance_price(std::string_view type);

inline constexpr double kHoursAMonth = 730;
inline constexpr double kVolumePerGibMonth = 0.08;    ///< gp3
inline constexpr double kSnapshotPerGibMonth = 0.05;  ///< of what is written; the size is the most it can be
inline constexpr double kAddressPerHour = 0.005;      ///< public IPv4
inline constexpr double kKeyPerMonth = 1.0;           ///< customer managed KMS key

inline double volume_per_hour(std::uint64_t gib) { return static_cast<double>(gib) * kVolumePerGibMonth / kHoursAMonth; }

}  // namespace icecore::workstation
