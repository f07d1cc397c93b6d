#include "engine/collect_console.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "core/text.h"

namespace icecore::engine {
namespace {

Result<void> write_once(EvidenceCalls& calls, const std::string& name, std::string_view bytes, std::string_view source) {
  const std::string relative = calls.folder() + '/' + name;
  if (is_collected(calls.workspace().folder(), relative)) return {};
  return calls.workspace().folder().write_evidence(relative, bytes, source).map([](const auto&) {});
}

// One call whose refusal is an anomaly; nullopt then.
template <typename Reply>
Result<std::optional<Reply>> attempt(EvidenceCalls& calls, aws::CallResult<Reply> reply) {
  if (reply) return std::optional<Reply>(std::move(*reply));
  if (!collection_goes_on(reply.error().code)) return Failure(static_cast<const Error&>(reply.error()));
  calls.workspace().anomalies().add("collect.call", reply.error());
  return std::optional<Reply>();
}

Result<void> console_output(EvidenceCalls& calls, const std::string& instance, bool latest) {
  const std::string name = latest ? "console-output-latest" : "console-output";
  if (is_collected(calls.workspace().folder(), calls.folder() + '/' + name + ".txt")) return {};
  auto reply = calls.ec2().get_console_output(instance, latest);
  // Only Nitro instances know Latest; on others its refusal is no loss.
  if (!reply && latest && reply.error().aws_code == "UnsupportedOperation") return {};
  ICECORE_ASSIGN(const auto output, attempt(calls, std::move(reply)));
  if (!output) return {};
  const std::string source = fmt::format("ec2 GetConsoleOutput{}, request {}", latest ? " Latest" : "", output->request_id);
  ICECORE_CHECK(write_once(calls, name + ".xml", output->body, source));
  return write_once(calls, name + ".txt", output->value.text, source + ", decoded");
}

}  // namespace

Result<void> collect_console(EvidenceCalls& calls, const std::string& instance) {
  ICECORE_CHECK(console_output(calls, instance, false));
  ICECORE_CHECK(console_output(calls, instance, true));
  if (is_collected(calls.workspace().folder(), calls.folder() + "/console.jpg")) return {};
  ICECORE_ASSIGN(const auto picture, attempt(calls, calls.ec2().get_console_screenshot(instance)));
  if (!picture) return {};
  return write_once(calls, "console.jpg", as_text(picture->value), fmt::format("ec2 GetConsoleScreenshot, request {}, decoded", picture->request_id));
}

Result<void> collect_user_data(EvidenceCalls& calls) {
  const std::string reply_file = calls.folder() + "/attribute-userData.xml";
  if (!is_collected(calls.workspace().folder(), reply_file)) return {};
  ICECORE_ASSIGN(const std::string body, calls.workspace().folder().read(reply_file));
  ICECORE_ASSIGN(const aws::XmlReply reply, aws::parse_xml(body, "DescribeInstanceAttribute"));
  const std::string encoded(trim(reply.root.child("userData").child("value").text().as_string()));
  if (encoded.empty()) return {};
  const auto decoded = from_base64(encoded);
  if (!decoded) {
    calls.workspace().anomalies().add("collect.user-data", decoded.error());
    return {};
  }
  return write_once(calls, "user-data", as_text(*decoded), "attribute-userData.xml, decoded");
}

}  // namespace icecore::engine
