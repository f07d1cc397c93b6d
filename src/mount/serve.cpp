#include "mount/serve.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "core/text.h"
#include "mount/operations.h"

namespace icecore::mount {
namespace {

constexpr unsigned kThreads = 12;
constexpr std::size_t kReadAheadThreads = 4;

// What libfuse and fusermount3 say goes into the error instead of onto the terminal.
std::mutex complaint_mutex;
std::string complaint;

extern "C" __attribute__((format(printf, 2, 0))) void keep_complaint(fuse_log_level, const char* format, va_list arguments) {
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  const std::scoped_lock lock(complaint_mutex);
  if (complaint.size() < 2000) complaint += line.data();
}

std::string last_complaint() {
  const std::scoped_lock lock(complaint_mutex);
  std::string text(trim(complaint));
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::atomic<fuse_session*> running{nullptr};

// fuse_session_exit only sets a flag; the signal itself wakes the loop.
extern "C" void on_stop_signal(int number) {
  if (fuse_session* const session = running.exchange(nullptr)) {
    fuse_session_exit(session);
    return;
  }
  std::signal(number, SIG_DFL);
  std::raise(number);
}

// Signals end the mount, not the run: what was fetched is sealed afterwards as usual.
class StopSignals {
 public:
  explicit StopSignals(fuse_session* session) {
    running = session;
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &old_[i]);
  }
  ~StopSignals() {
    running = nullptr;
    for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &old_[i], nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, 3> old_{};
};

struct SessionDeleter {
  void operator()(fuse_session* session) const { fuse_session_destroy(session); }
};
using SessionPtr = std::unique_ptr<fuse_session, SessionDeleter>;

class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& words) {
    for (const std::string& word : words) fuse_opt_add_arg(&arguments_, word.c_str());
  }
  ~Arguments() { fuse_opt_free_args(&arguments_); }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  fuse_args* get() { return &arguments_; }

 private:
  fuse_args arguments_ = FUSE_ARGS_INIT(0, nullptr);
};

// A comma would begin another option.
std::string option_value(std::string_view text) {
  std::string value = printable(text);
  std::ranges::replace_if(
      value, [](char letter) { return letter == ',' || letter == '\\' || letter == ' '; }, '_');
  return value;
}

Failure mount_failure(const Path& folder) {
  const std::string said = last_complaint();
  if (::access("/dev/fuse", F_OK) != 0)
    return fail(Code::kUnsupported, "this machine has no /dev/fuse: load the kernel's fuse module, or give the container the device");
  return fail(Code::kPermission, fmt::format("cannot mount on {}: {}", folder.string(),
                                             said.empty() ? "the kernel refuses; is fusermount3 (package fuse3) installed?" : printable(said)));
}

}  // namespace

Result<void> check_mount_point(const Path& folder) {
  struct stat status {};
  const auto died = [&] {
    return fail(Code::kConflict,
                fmt::format("{} is a mount whose program has died; take it away with: fusermount3 -u {}", folder.string(), folder.string()));
  };
  if (::stat(folder.c_str(), &status) != 0) {
    if (errno == ENOTCONN) return died();
    if (errno != ENOENT) return errno_failure(errno, "look at", folder);
    return make_private_directory(folder);
  }
  if (!S_ISDIR(status.st_mode)) return fail(Code::kInvalidArgument, fmt::format("{} is no folder; name an empty or a new one", folder.string()));
  std::error_code error;
  const bool empty = std::filesystem::is_empty(folder, error);
  if (error.value() == ENOTCONN) return died();
  if (error) return errno_failure(error.value(), "list", folder);
  if (!empty) return fail(Code::kConflict, fmt::format("{} is not empty, or a mount already; name an empty or a new folder", folder.string()));
  return {};
}

Result<void> serve(Tree& tree, Faults& faults, const Path& folder, const ServeOptions& options) {
  fuse_set_log_func(keep_complaint);
  std::string flags = fmt::format("{},nosuid,nodev,noexec,subtype=icecore,fsname={}", options.writable ? "rw" : "ro", option_value(options.name));
  if (options.allow_other) flags += ",allow_other";
  Arguments arguments({"icecore", "-o", flags});
  // A kernel that writes back to us must not wait for us to wait for its write-back. Needs root; without, only a full memory can make it wait.
  if (options.writable) (void)::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
  std::unique_ptr<ReadAhead> read_ahead = options.read_ahead ? std::make_unique<ReadAhead>(kReadAheadThreads) : nullptr;
  Session session{tree, faults, read_ahead.get()};
  const SessionPtr fuse(fuse_session_new(arguments.get(), &operations(), sizeof(fuse_lowlevel_ops), &session));
  if (!fuse) return fail(Code::kInternal, "FUSE does not take its options: " + last_complaint());
  if (fuse_session_mount(fuse.get(), folder.c_str()) != 0) return mount_failure(folder);
  fuse_loop_config* const config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_max_threads(config, kThreads);
  fuse_loop_cfg_set_clone_fd(config, 1);
  int ended = 0;
  Result<void> announced;
  {
    const StopSignals signals(fuse.get());
    if (options.mounted) announced = options.mounted();
    if (announced) ended = fuse_session_loop_mt(fuse.get(), config);
    fuse_session_unmount(fuse.get());
  }
  fuse_loop_cfg_destroy(config);
  ICECORE_CHECK(announced);
  // A signal's number where one ended it; negative errors are the kernel's.
  if (ended < 0) return fail(Code::kIo, fmt::format("the mount on {} broke off: {}", folder.string(), std::strerror(-ended)));
  return {};
}

}  // namespace icecore::mount
