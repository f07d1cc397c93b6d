// Members → XML, by the model: one writer for every reply of EC2, STS and IAM.
#include "model/service_model.h"
#include "util/clock.h"

namespace icelab {

using nlohmann::json;

namespace {

std::string text_of(const std::string& kind, const json& value) {
  if (kind == "t" && value.is_number()) return iso8601(static_cast<Millis>(value.get<double>() * 1000));
  return value.is_string() ? xml_escape(value.get<std::string>()) : value.dump();
}

}  // namespace

void ServiceModel::write_value(std::string& out, const std::string& tag, const std::string& name, const json& value) const {
  if (value.is_null()) return;
  out += "<" + tag + ">";
  if (!shapes_.contains(name) || shape(name).contains("e")) {
    out += text_of(name, value);
  } else if (shape(name).contains("l")) {
    const json& item = shape(name)["l"];
    for (const json& one : value) write_value(out, item[1], item[0], one);
  } else {
    write_members(out, name, value);
  }
  out += "</" + tag + ">";
}

void ServiceModel::write_members(std::string& out, const std::string& name, const json& value) const {
  const json& members = shape(name).at("m");
  for (const auto& [member, item] : value.items()) {
    const auto found = members.find(member);
    if (found == members.end()) continue;
    const json& names = *found;
    write_value(out, names.size() > 2 ? names[2].get<std::string>() : member, names[0], item);
  }
}

std::string ServiceModel::to_xml(const Operation& operation, const json& output, const std::string& request_id) const {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + operation.name + "Response xmlns=\"" + xmlns_ + "\">";
  if (protocol_ == "ec2") {
    out += "<requestId>" + request_id + "</requestId>";
    // Calls without an output shape answer <return>true</return>.
    if (operation.output.empty()) {
      out += "<return>true</return>";
    } else {
      write_members(out, operation.output, output);
    }
  } else {
    if (!operation.wrapper.empty()) {
      out += "<" + operation.wrapper + ">";
      write_members(out, operation.output, output);
      out += "</" + operation.wrapper + ">";
    }
    out += "<ResponseMetadata><RequestId>" + request_id + "</RequestId></ResponseMetadata>";
  }
  return out + "</" + operation.name + "Response>";
}

}  // namespace icelab
