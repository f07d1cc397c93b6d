#include "core/progress.h"

namespace icecore {

Progress& no_progress() {
  class Silent final : public Progress {
    void begin(std::string_view, std::uint64_t, std::string_view) override {}
    void update(std::uint64_t) override {}
    void end() override {}
  };
  static Silent silent;
  return silent;
}

}  // namespace icecore
