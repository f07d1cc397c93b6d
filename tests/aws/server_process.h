// A server beside a test: a program that writes its port to a file once it listens, ended with the object.
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
#include "core/text.h"
#include "support/support.h"

extern char** environ;

namespace icecore::aws::test_support {

class ServerProcess {
 public:
  /// `{PORT_FILE}` among the words is filled in.
  explicit ServerProcess(std::vector<std::string> words) {
    const std::string port_file = (scratch_ / "port").string();
    std::vector<char*> arguments;
    for (std::string& word : words) {
      if (word == "{PORT_FILE}") word = port_file;
      arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (::posix_spawnp(&pid_, arguments.front(), &quiet, nullptr, arguments.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&quiet);
    for (int i = 0; i < 400 && port_.empty() && pid_ > 0; ++i) {
      if (auto text = read_text_file(port_file)) port_ = trim(*text);
      if (port_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    EXPECT_FALSE(port_.empty()) << words.front() << " did not start";
  }
  ~ServerProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& port() const { return port_; }
  std::string origin(const std::string& scheme = "http") const { return scheme + "://127.0.0.1:" + port_; }

 private:
  test::ScratchFolder scratch_;
  pid_t pid_ = -1;
  std::string port_;
};

/// A script of tests/aws/oracle, called with the port file as its first argument.
class PythonServer : public ServerProcess {
 public:
  explicit PythonServer(const std::string& script, const std::vector<std::string>& more = {}) : ServerProcess(words_of(script, more)) {}

 private:
  static std::vector<std::string> words_of(const std::string& script, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"python3", test::data_file("../aws/oracle/" + script).string(), "{PORT_FILE}"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

}  // namespace icecore::aws::test_support
