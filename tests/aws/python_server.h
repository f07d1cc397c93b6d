// A Python server beside a test: started with the path of a port file as its last argument, ended with the object.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "support/support.h"

extern char** environ;

namespace icecore::aws::test_support {

class PythonServer {
 public:
  explicit PythonServer(const std::string& script, std::vector<std::string> more = {}) {
    const std::string port_file = (scratch_ / "port").string();
    std::vector<std::string> words = {"python3", test::data_file("../aws/oracle/" + script).string(), port_file};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&pid_, "python3", nullptr, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    for (int i = 0; i < 400 && port_.empty() && pid_ > 0; ++i) {
      if (auto text = read_text_file(port_file)) port_ = *text;
      if (port_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    EXPECT_FALSE(port_.empty()) << script << " did not start";
  }
  ~PythonServer() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  PythonServer(const PythonServer&) = delete;
  PythonServer& operator=(const PythonServer&) = delete;

  const std::string& port() const { return port_; }
  std::string origin(const std::string& scheme = "http") const { return scheme + "://127.0.0.1:" + port_; }

 private:
  test::ScratchFolder scratch_;
  pid_t pid_ = -1;
  std::string port_;
};

}  // namespace icecore::aws::test_support
