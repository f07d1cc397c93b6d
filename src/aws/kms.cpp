#include "aws/kms.h"

namespace icecore::aws {
namespace {

constexpr std::size_t kMaximumPages = 1000;

KmsKey read_key(const Json& reply) {
  const Json& metadata = json_at(reply, {"KeyMetadata"});
  return {text_at(metadata, "KeyId"),       text_at(metadata, "Arn"),      text_at(metadata, "AWSAccountId"),
          text_at(metadata, "Description"), text_at(metadata, "KeyState"), text_at(metadata, "KeyManager") == "AWS"};
}

}  // namespace

CallResult<KmsKey> Kms::describe_key(const std::string& key) const {
  ICECORE_CALL(const Json reply, service_.call("DescribeKey", {{"KeyId", key}}));
  return read_key(reply);
}

CallResult<std::vector<std::string>> Kms::list_keys() const {
  std::vector<std::string> ids;
  Json input = {{"Limit", 1000}};
  for (std::size_t page = 0; page < kMaximumPages; ++page) {
    ICECORE_CALL(const Json reply, service_.call("ListKeys", input));
    const Json& keys = json_at(reply, {"Keys"});
    if (keys.is_array())
      for (const Json& key : keys) ids.push_back(text_at(key, "KeyId"));
    const std::string marker = text_at(reply, "NextMarker");
    if (marker.empty()) break;
    input["Marker"] = marker;
  }
  return ids;
}

CallResult<KmsKey> Kms::create_key(const std::string& description, const Tags& tags) const {
  Json list = Json::array();
  for (const Tag& tag : tags) list.push_back({{"TagKey", tag.key}, {"TagValue", tag.value}});
  ICECORE_CALL(const Json reply, service_.call("CreateKey", {{"Description", description}, {"Tags", std::move(list)}}));
  return read_key(reply);
}

CallResult<void> Kms::create_alias(const std::string& alias, const std::string& key) const {
  ICECORE_CALL([[maybe_unused]] const Json reply, service_.call("CreateAlias", {{"AliasName", alias}, {"TargetKeyId", key}}));
  return {};
}

}  // namespace icecore::aws
