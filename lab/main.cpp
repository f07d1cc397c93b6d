#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "front.h"
#include "http/server.h"
#include "http/tls_certificate.h"
#include "options.h"

namespace {

using namespace icelab;

std::pair<std::string, unsigned short> split_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error("--listen wants ADDRESS:PORT");
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  const std::string digits = text.substr(colon + 1);
  if (digits.empty() || digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos || std::stoul(digits) > 65'535)
    throw std::runtime_error("--listen: " + digits + " is no port");
  return {address, static_cast<unsigned short>(std::stoul(digits))};
}

std::string fresh_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "icecore-lab-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + ": cannot be made");
  return name;
}

// Shell lines for the first principal's first key.
void print_exports(const Lab& lab, const std::string& url, const std::string& authority) {
  const auto line = [](const char* name, const std::string& value) { fmt::print("export {}='{}'\n", name, value); };
  line("AWS_ENDPOINT_URL", url);
  line("AWS_REGION", lab.world->home_region);
  line("AWS_DEFAULT_REGION", lab.world->home_region);
  for (const auto& principal : lab.world->principals) {
    const auto keys = principal.value("_access_keys", nlohmann::json::array());
    if (keys.empty()) continue;
    line("AWS_ACCESS_KEY_ID", keys[0].value("AccessKeyId", ""));
    line("AWS_SECRET_ACCESS_KEY", keys[0].value("SecretAccessKey", ""));
    if (keys[0].contains("SessionToken")) line("AWS_SESSION_TOKEN", keys[0]["SessionToken"]);
    break;
  }
  if (!authority.empty()) line("AWS_CA_BUNDLE", authority);
  fmt::print("# AWS CLI older than 2.13 does not read AWS_ENDPOINT_URL: aws --endpoint-url {} …\n", url);
}

void write_port(const std::string& file, unsigned short port) {
  // Renamed into place, so that whoever waits for the file never reads half of it.
  std::ofstream(file + ".new") << port << "\n";
  std::filesystem::rename(file + ".new", file);
}

int run(const CommandLine& command) {
  // Blocked before any thread starts, so that only the waiter below gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  Lab lab(command.lab);
  TlsFiles tls;
  std::string authority;
  if (command.tls) {
    if (!command.tls_directory.empty()) std::filesystem::create_directories(command.tls_directory);
    const MadeCertificate made = make_certificate(command.tls_directory.empty() ? fresh_directory() : command.tls_directory);
    tls = {made.certificate, made.key};
    authority = made.authority;
  }
  const auto [address, port] = split_address(command.listen);
  Server server(address, port, tls, [&lab](const Request& request, Delivery& delivery) { return serve(lab, request, delivery); });
  const std::string host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  const std::string url = fmt::format("{}://{}:{}", command.tls ? "https" : "http", host, server.port());
  if (command.exports) print_exports(lab, url, authority);
  if (command.tls) fmt::print("icecore-lab CA bundle {}\n", authority);
  fmt::print("icecore-lab: launched instances are {}\n", lab.machines.on() ? "real machines (QEMU)" : "records only (--vm makes them real)");
  fmt::print("icecore-lab listening on {}\n", url);
  std::fflush(stdout);
  if (!command.port_file.empty()) write_port(command.port_file, server.port());

  std::thread waiter([&] {
    int caught = 0;
    sigwait(&signals, &caught);
    server.stop();
  });
  server.run();
  waiter.join();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine command;
  int exit_code = 0;
  if (!parse_command_line(argc, argv, command, exit_code)) return exit_code;
  try {
    return run(command);
  } catch (const std::exception& error) {
    fmt::print(stderr, "icecore-lab: {}\n", error.what());
    return 1;
  }
}
