// The APFS image that make_apfs made.
#pragma once

#include "fs/tsk/tsk_support.h"

namespace icecore::fs::tsk::test {

/// The image, unpacked once for all tests of a process. Not to be written to.
inline const std::filesystem::path& unpacked() {
  static const icecore::test::ScratchFolder scratch;
  static const std::filesystem::path image = [] {
    auto path = scratch / "apfs.img";
    run_ok(fmt::format("xz -dc '{}' > '{}'", data_file("tsk/apfs.img.xz").string(), path.string()));
    return path;
  }();
  return image;
}

}  // namespace icecore::fs::tsk::test
