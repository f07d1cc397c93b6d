// The command line of icecore-lab.
#pragma once

#include <string>

#include "lab.h"

namespace icelab {

struct CommandLine {
  LabOptions lab;
  std::string listen = "127.0.0.1:0";
  std::string port_file;
  std::string tls_directory;
  bool tls = false;
  bool exports = false;
};

// Parses; on --help or a mistake prints and returns the exit code through `exit_code` and false.
bool parse_command_line(int argc, const char* const* argv, CommandLine& out, int& exit_code);

}  // namespace icelab
