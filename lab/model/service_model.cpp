#include "model/service_model.h"

#include "model/services_text.h"
#include "util/clock.h"

namespace icelab {

using nlohmann::json;

ServiceModel::ServiceModel(const json& service)
    : version_(service.at("version")), protocol_(service.at("protocol")), xmlns_(service.at("xmlns")), shapes_(service.at("shapes")) {
  for (const auto& [name, shapes] : service.at("ops").items())
    operations_[name] = {name, shapes.at(0), shapes.at(1), shapes.size() > 2 ? shapes.at(2).get<std::string>() : ""};
  // EC2 itself ends its namespace with a slash, which the model leaves out.
  if (protocol_ == "ec2") xmlns_ += "/";
}

const Operation* ServiceModel::find(const std::string& action) const {
  const auto found = operations_.find(action);
  return found == operations_.end() ? nullptr : &found->second;
}

const std::map<std::string, ServiceModel>& service_models() {
  static const std::map<std::string, ServiceModel> kModels = [] {
    std::map<std::string, ServiceModel> models;
    const json text = json::parse(services_text());
    for (const auto& [name, service] : text.items()) models.emplace(name, ServiceModel(service));
    return models;
  }();
  return kModels;
}

json ServiceModel::to_json(const std::string& name, const json& value) const {
  if (name == "t" && value.is_string()) {
    const auto time = parse_iso8601(value.get<std::string>());
    return time ? json(static_cast<double>(*time) / 1000.0) : json();
  }
  if (!shapes_.contains(name)) return value;
  const json& description = shape(name);
  if (description.contains("l")) {
    json out = json::array();
    for (const json& item : value) out.push_back(to_json(description["l"][0], item));
    return out;
  }
  if (!description.contains("m")) return value;
  json out = json::object();
  for (const auto& [member, item] : value.items()) {
    const auto found = description["m"].find(member);
    if (found != description["m"].end() && !item.is_null()) out[member] = to_json((*found)[0], item);
  }
  return out;
}

std::string ServiceModel::mismatch(const std::string& name, const json& value) const {
  const auto wrong = [&](const char* wanted) { return std::string(": should be ") + wanted; };
  if (name == "s" || name == "x") return value.is_string() ? "" : wrong("a string");
  if (name == "i") return value.is_number_integer() ? "" : wrong("an integer");
  if (name == "d") return value.is_number() ? "" : wrong("a number");
  if (name == "b") return value.is_boolean() ? "" : wrong("true or false");
  if (name == "t") {
    if (value.is_number()) return "";
    return value.is_string() && parse_iso8601(value.get<std::string>()) ? "" : wrong("a time");
  }
  const json& description = shape(name);
  if (description.contains("e")) {
    for (const json& allowed : description["e"]) {
      if (allowed == value) return "";
    }
    return ": " + value.dump() + " is not one of " + description["e"].dump();
  }
  if (description.contains("l")) {
    if (!value.is_array()) return wrong("a list");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string problem = mismatch(description["l"][0], value[i]);
      if (!problem.empty()) return "[" + std::to_string(i) + "]" + problem;
    }
    return "";
  }
  if (!value.is_object()) return wrong("an object");
  if (!description.contains("m")) return "";
  for (const auto& [member, item] : value.items()) {
    if (member.starts_with("_")) continue;
    const auto found = description["m"].find(member);
    if (found == description["m"].end()) return "." + member + ": no such member of " + name;
    const std::string problem = mismatch((*found)[0], item);
    if (!problem.empty()) return "." + member + problem;
  }
  return "";
}

}  // namespace icelab
