#include "support/support.h"

#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace icecore::test {

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "icecore-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

CommandResult run(const std::string& command, bool merge) {
  const std::string line = merge ? "{ " + command + "\n} 2>&1" : command;
  FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t count = 0; (count = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) output.append(buffer.data(), count);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

std::string run_ok(const std::string& command) {
  const CommandResult result = run(command);
  EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.output;
  return result.output;
}

std::filesystem::path data_file(const std::string& name) { return std::filesystem::path(ICECORE_TEST_DATA) / name; }

}  // namespace icecore::test
