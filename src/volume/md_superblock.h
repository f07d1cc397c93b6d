// Superblocks of Linux md arrays: 0.90, 1.0, 1.1, 1.2. Sources: Linux include/uapi/linux/raid/md_p.h, drivers/md/md.c.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "image/block_source.h"

namespace icecore::volume {

struct MdSuperblock {
  std::string version;                 ///< "0.90", "1.0", "1.1", "1.2"
  std::string uuid;                    ///< of the array: "a1b2c3d4:…", as mdadm prints it
  std::string name;                    ///< "host:data"; empty for 0.90
  std::optional<std::uint32_t> minor;  ///< 0.90: the number in /dev/mdN
  std::int32_t level = 0;              ///< 0, 1, 10, 4, 5, 6; -1 linear
  std::uint32_t layout = 0;
  std::uint64_t chunk = 0;        ///< bytes
  std::uint32_t disks = 0;        ///< that the array has when it is whole
  std::uint64_t used = 0;         ///< bytes of each disk that the array uses; 0 where each gives what it has
  std::uint64_t data_offset = 0;  ///< bytes
  std::uint64_t data_size = 0;    ///< bytes of this disk
  std::uint64_t events = 0;
  std::optional<std::uint32_t> role;  ///< number in the array; absent for a spare or a faulty disk
  bool recovering = false;            ///< being filled from the others: not whole
  bool reshaping = false;
};

/// The superblock of `source`, wherever it is. kNotFound without one; kCorrupt for a wrong checksum or numbers that cannot be.
Result<MdSuperblock> read_md_superblock(const image::BlockSource& source);

}  // namespace icecore::volume
