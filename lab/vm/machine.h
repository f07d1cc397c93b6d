// One virtual machine behind an instance: QEMU under software emulation, its volumes hot-plugged as NVMe disks that carry the volume's id as serial.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "world/block_image.h"

namespace icelab {

// A script that ran, or runs, in the guest.
struct GuestRun {
  bool ended = false;
  int exit_code = -1;
  std::string output, errors;
};

// Thread-safe. Everything that waits happens on the machine's own thread; callers never do.
class Machine {
 public:
  // `parts`: the folder with vmlinuz and initramfs. `home`: a folder of its own, made and removed by it.
  Machine(std::string parts, std::string home);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void plug(const std::string& volume, std::shared_ptr<const BlockImage> image, std::uint64_t size_bytes);
  void unplug(const std::string& volume);
  void run(const std::string& id, const std::string& script);

  bool agent_is_up() const;
  std::optional<GuestRun> result(const std::string& id) const;
  // What the guest has written to its serial console.
  std::string console() const;

 private:
  void work();
  bool boot();
  void do_plug(const std::string& volume, const BlockImage& image, std::uint64_t size_bytes);
  void do_unplug(const std::string& volume);
  void do_run(const std::string& id, const std::string& script);
  void later(std::function<void()> job);

  const std::string parts_, home_;
  pid_t qemu_ = -1;
  int qmp_ = -1, agent_ = -1;
  std::string qmp_buffer_, agent_buffer_;
  std::map<std::string, int> slots_;  // volume → root port

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::map<std::string, GuestRun> runs_;
  bool up_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace icelab
