// icecore report CASE: the findings of the last triage again, without reading a disk.
#include "report/findings_report.h"

#include <fmt/format.h>

#include "cli/context.h"
#include "detect/findings_json.h"

namespace icecore::cli {
namespace {

Result<void> show(const Globals& globals, const Path& folder) {
  const Path file = folder / "analysis/findings.json";
  auto text = read_text_file(file);
  if (!text && text.error().code == Code::kNotFound)
    return wrap(text.error(), fmt::format("{} has no findings yet; run icecore triage {}", folder.string(), folder.string()));
  if (!text) return Failure(text.error());
  if (globals.json) return print(*text);
  ICECORE_ASSIGN(const auto findings, detect::parse_findings(*text));
  ICECORE_ASSIGN(const Json document, parse_json(*text, file.string()));
  const Json& anomalies = json_at(document, {"anomalies"});
  const std::size_t count = anomalies.is_number_unsigned() ? anomalies.get<std::size_t>() : 0;
  return print(report::render({text_at(document, "target"), {"as of " + text_at(document, "generated")}, findings, {}, count}, globals.style()));
}

}  // namespace

void add_report(CLI::App& app, Globals& globals, Chosen& chosen) {
  CLI::App& command = *app.add_subcommand("report", "the findings of the last triage of a case");
  const auto folder = std::make_shared<Path>();
  command.add_option("CASE", *folder, "a case folder")->required()->check(CLI::ExistingDirectory);
  command.callback([&globals, &chosen, folder] {
    chosen = [&globals, folder]() -> int {
      const auto shown = show(globals, *folder);
      if (shown) return kDone;
      print_error(shown.error());
      return exit_code_of(shown.error().code);
    };
  });
}

}  // namespace icecore::cli
