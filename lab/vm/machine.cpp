#include "vm/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "util/encoding.h"

extern char** environ;

namespace icelab {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr int kPorts = 28;
constexpr auto kBootTime = std::chrono::seconds(240);  // two loaded cores under emulation
constexpr auto kQmpTime = std::chrono::seconds(30);
constexpr auto kScriptTime = std::chrono::seconds(600);

int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (fd < 0 || path.size() >= sizeof address.sun_path) return -1;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const void* raw = &address;
  if (::connect(fd, static_cast<const sockaddr*>(raw), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// The next line, or nothing when the time is over or the other end has gone. `stop` is asked four times a second.
std::optional<std::string> read_line(int fd, std::string& buffer, Clock::time_point deadline, const std::function<bool()>& stop) {
  for (;;) {
    if (const std::size_t end = buffer.find('\n'); end != std::string::npos) {
      std::string line = buffer.substr(0, end);
      buffer.erase(0, end + 1);
      return line;
    }
    if (stop() || Clock::now() > deadline) return std::nullopt;
    pollfd wait{fd, POLLIN, 0};
    if (::poll(&wait, 1, 250) <= 0) continue;
    char piece[16384];
    const ssize_t got = ::read(fd, piece, sizeof piece);
    if (got <= 0) return std::nullopt;
    buffer.append(piece, static_cast<std::size_t>(got));
  }
}

std::vector<std::string> command_line(const std::string& parts, const std::string& home) {
  std::vector<std::string> command = {"qemu-system-x86_64",
                                      "-M",
                                      "q35",
                                      "-accel",
                                      "tcg,thread=multi",
                                      "-m",
                                      "512M",
                                      "-smp",
                                      "2",
                                      "-display",
                                      "none",
                                      "-nodefaults",
                                      "-no-user-config",
                                      "-no-reboot",
                                      "-net",
                                      "none",
                                      "-kernel",
                                      parts + "/vmlinuz",
                                      "-initrd",
                                      parts + "/initramfs",
                                      "-append",
                                      "console=ttyS0 mitigations=off panic=-1",
                                      "-serial",
                                      "file:" + home + "/console",
                                      "-qmp",
                                      "unix:" + home + "/qmp,server=on,wait=off",
                                      "-device",
                                      "virtio-serial-pci",
                                      "-chardev",
                                      "socket,id=agent,path=" + home + "/agent,server=on,wait=off",
                                      "-device",
                                      "virtserialport,chardev=agent,name=icecore.agent"};
  for (int port = 1; port <= kPorts; ++port) {
    command.push_back("-device");
    command.push_back(fmt::format("pcie-root-port,id=port{},chassis={},slot={}", port, port, port));
  }
  return command;
}

// QEMU dies with the lab: the launcher asks for SIGTERM at its parent's end.
pid_t start(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "TERM", "--"};
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  if (::posix_spawnp(&pid, words[0].c_str(), &actions, nullptr, arguments.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

std::string serial_of(const std::string& volume) {  // vol-0123 → vol0123, as EBS has it
  std::string serial = volume;
  if (serial.size() > 3 && serial[3] == '-') serial.erase(3, 1);
  return serial;
}

void write_image(const std::string& path, const BlockImage& image, std::uint64_t size) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  const auto blocks = static_cast<BlockIndex>((size + kBlockSize - 1) / kBlockSize);
  for (auto index = image.next_written(0); index && *index < blocks; index = image.next_written(*index + 1)) {
    const std::string bytes = image.read(*index);
    out.seekp(static_cast<std::streamoff>(std::uint64_t{*index} * kBlockSize));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  out.close();
  std::filesystem::resize_file(path, size);
}

}  // namespace

Machine::Machine(std::string parts, std::string home) : parts_(std::move(parts)), home_(std::move(home)) {
  std::filesystem::create_directories(home_);
  thread_ = std::thread([this] { work(); });
}

Machine::~Machine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (qemu_ > 0) {
    ::kill(qemu_, SIGKILL);
    ::waitpid(qemu_, nullptr, 0);
  }
  if (qmp_ >= 0) ::close(qmp_);
  if (agent_ >= 0) ::close(agent_);
  std::error_code ignored;
  std::filesystem::remove_all(home_, ignored);
}

void Machine::later(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_all();
}

void Machine::plug(const std::string& volume, std::shared_ptr<const BlockImage> image, std::uint64_t size) {
  later([this, volume, image = std::move(image), size] { do_plug(volume, *image, size); });
}

void Machine::unplug(const std::string& volume) {
  later([this, volume] { do_unplug(volume); });
}

void Machine::run(const std::string& id, const std::string& script) {
  {
    const std::lock_guard lock(mutex_);
    runs_[id] = {};
  }
  later([this, id, script] { do_run(id, script); });
}

bool Machine::agent_is_up() const {
  const std::lock_guard lock(mutex_);
  return up_;
}

std::optional<GuestRun> Machine::result(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) return std::nullopt;
  return found->second;
}

std::string Machine::console() const {
  std::ifstream in(home_ + "/console", std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void Machine::work() {
  if (!boot()) return;
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

bool Machine::boot() {
  const auto stop = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  qemu_ = start(command_line(parts_, home_), home_ + "/qemu.log");
  const auto deadline = Clock::now() + kBootTime;
  while (agent_ < 0 || qmp_ < 0) {
    if (stop() || Clock::now() > deadline) return false;
    if (qmp_ < 0) qmp_ = connect_to(home_ + "/qmp");
    if (agent_ < 0) agent_ = connect_to(home_ + "/agent");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (!read_line(qmp_, qmp_buffer_, deadline, stop)) return false;
  write_all(qmp_, "{\"execute\": \"qmp_capabilities\"}\n");
  if (!read_line(qmp_, qmp_buffer_, deadline, stop)) return false;
  const auto hello = read_line(agent_, agent_buffer_, deadline, stop);
  if (!hello || !hello->starts_with("HELLO")) return false;
  const std::lock_guard lock(mutex_);
  up_ = true;
  return true;
}

namespace {

// Sends a command and waits for its answer; with `event`, also for that event of `device`.
void qmp(int fd, std::string& buffer, const json& command, const std::string& event, const std::string& device) {
  if (!write_all(fd, command.dump() + "\n")) return;
  const auto deadline = Clock::now() + kQmpTime;
  bool answered = false;
  bool seen = event.empty();
  while (!answered || !seen) {
    const auto line = read_line(fd, buffer, deadline, [] { return false; });
    if (!line) return;
    const json reply = json::parse(*line, nullptr, false);
    if (!reply.is_object()) continue;
    if (reply.contains("error")) return;
    if (reply.contains("return")) answered = true;
    if (reply.value("event", "") == event && reply.value("data", json::object()).value("device", "") == device) seen = true;
  }
}

}  // namespace

void Machine::do_plug(const std::string& volume, const BlockImage& image, std::uint64_t size) {
  if (slots_.contains(volume)) return;
  int slot = 1;
  for (bool taken = true; taken; slot += taken ? 1 : 0) {
    taken = false;
    for (const auto& [other, port] : slots_) taken = taken || port == slot;
  }
  if (slot > kPorts) return;
  const std::string path = home_ + "/" + volume + ".raw";
  write_image(path, image, size);
  slots_[volume] = slot;
  const std::string name = serial_of(volume);
  qmp(qmp_, qmp_buffer_,
      {{"execute", "blockdev-add"},
       {"arguments", {{"driver", "raw"}, {"node-name", name}, {"file", {{"driver", "file"}, {"filename", path}, {"locking", "off"}}}}}},
      "", "");
  qmp(qmp_, qmp_buffer_,
      {{"execute", "device_add"},
       {"arguments", {{"driver", "nvme"}, {"id", "disk" + name}, {"drive", name}, {"serial", name}, {"bus", fmt::format("port{}", slot)}}}},
      "", "");
}

void Machine::do_unplug(const std::string& volume) {
  const auto found = slots_.find(volume);
  if (found == slots_.end()) return;
  const std::string name = serial_of(volume);
  qmp(qmp_, qmp_buffer_, {{"execute", "device_del"}, {"arguments", {{"id", "disk" + name}}}}, "DEVICE_DELETED", "disk" + name);
  qmp(qmp_, qmp_buffer_, {{"execute", "blockdev-del"}, {"arguments", {{"node-name", name}}}}, "", "");
  std::filesystem::remove(home_ + "/" + volume + ".raw");
  slots_.erase(found);
}

void Machine::do_run(const std::string& id, const std::string& script) {
  const auto stop = [this] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  };
  GuestRun run;
  run.ended = true;
  run.errors = "icecore-lab: the machine did not answer";
  if (write_all(agent_, "RUN " + id + " " + base64_encode(script) + "\n")) {
    while (const auto line = read_line(agent_, agent_buffer_, Clock::now() + kScriptTime, stop)) {
      const auto words = split(*line, ' ');
      if (words.size() != 5 || words[0] != "DONE" || words[1] != id) continue;
      run.exit_code = std::atoi(words[2].c_str());
      run.output = words[3] == "-" ? "" : base64_decode(words[3]).value_or("");
      run.errors = words[4] == "-" ? "" : base64_decode(words[4]).value_or("");
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  runs_[id] = std::move(run);
}

}  // namespace icelab
