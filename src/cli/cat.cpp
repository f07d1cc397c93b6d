// icecore cat TARGET PATH: the bytes of a file. On a terminal what could steer it is shown as \xNN; in a pipe the bytes are untouched.
#include <unistd.h>

#include "cli/files.h"
#include "core/interrupt.h"
#include "core/text.h"

namespace icecore::cli {
namespace {

std::string safe_for_terminal(std::string_view bytes) {
  std::string text;
  for (const std::string_view line : split(bytes, '\n')) {
    if (!text.empty() || line.data() != bytes.data()) text += '\n';
    for (const std::string_view cell : split(line, '\t')) {
      if (cell.data() != line.data()) text += '\t';
      text += printable(cell);
    }
  }
  return text;
}

Result<void> write_content(const machine::Machine& machine, const std::string& path) {
  ICECORE_ASSIGN(const machine::FileRef file, machine.resolve(path));
  if (file.info.type != fs::FileType::kRegular) return fail(Code::kInvalidArgument, path + " is no regular file; try icecore stat or ls");
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  Bytes chunk(std::size_t{1} << 20);
  for (std::uint64_t offset = 0; offset < file.info.size;) {
    if (interrupted()) return interruption();
    ICECORE_ASSIGN(const std::size_t count, machine.read_at(file, offset, chunk));
    if (count == 0) break;
    const std::string_view piece = as_text(ByteView(chunk).first(count));
    ICECORE_CHECK(print(terminal ? safe_for_terminal(piece) : std::string(piece)));
    offset += count;
  }
  return {};
}

}  // namespace

void add_cat(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("cat", "write a file's content to standard output");
  const auto arguments = std::make_shared<FileArguments>();
  add_file_arguments(command, globals, *arguments, true);
  command.callback([&globals, &chosen, arguments] {
    chosen = [&globals, arguments] {
      return run_on_machine(globals, *arguments, [&](engine::Workspace&, const engine::Target&, const machine::Machine& machine) {
        return write_content(machine, arguments->path);
      });
    };
  });
}

}  // namespace icecore::cli
