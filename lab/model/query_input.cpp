// Form parameters → members, by the model: "Filter.1.Value.2=x" is Filters[0].Values[1].
#include <charconv>
#include <cstdint>
#include <memory>

#include "model/service_model.h"
#include "util/api_error.h"
#include "util/clock.h"

namespace icelab {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxListIndex = 10'000;

// The dotted names as a tree; a leaf has a value.
struct Node {
  std::string path;
  bool has_value = false;
  std::string value;
  std::map<std::string, std::unique_ptr<Node>> children;
};

void insert(Node& root, const std::string& name, const std::string& value) {
  if (!valid_utf8(name) || !valid_utf8(value)) throw ApiError("InvalidParameterValue", "Parameters must be UTF-8");
  Node* node = &root;
  const auto parts = split(name, '.');
  if (parts.size() > kMaxDepth) throw ApiError("UnknownParameter", "The parameter " + name + " is not recognized");
  for (const std::string& part : parts) {
    auto& child = node->children[part];
    if (!child) {
      child = std::make_unique<Node>();
      child->path = node->path.empty() ? part : node->path + "." + part;
    }
    node = child.get();
  }
  if (node->has_value) throw ApiError("InvalidParameterValue", "The parameter " + name + " is given twice");
  node->has_value = true;
  node->value = value;
}

[[noreturn]] void invalid(const Node& node, const std::string& wanted) {
  throw ApiError("InvalidParameterValue", "Value (" + node.value + ") for parameter " + node.path + " is invalid. Expected " + wanted + ".");
}

[[noreturn]] void unknown(const Node& node) { throw ApiError("UnknownParameter", "The parameter " + node.path + " is not recognized"); }

json scalar(const Node& node, const std::string& kind) {
  if (!node.children.empty()) unknown(*node.children.begin()->second);
  if (kind == "s") return node.value;
  if (kind == "b") {
    const std::string text = lowercase(node.value);
    if (text != "true" && text != "false") invalid(node, "true or false");
    return text == "true";
  }
  if (kind == "i") {
    std::int64_t number = 0;
    const char* end = node.value.data() + node.value.size();
    const auto [at, error] = std::from_chars(node.value.data(), end, number);
    if (error != std::errc() || at != end || node.value.empty()) invalid(node, "an integer");
    return number;
  }
  if (kind == "d") {
    char* end = nullptr;
    const double number = std::strtod(node.value.c_str(), &end);
    if (node.value.empty() || *end != '\0') invalid(node, "a number");
    return number;
  }
  if (kind == "t" && !parse_iso8601(node.value)) invalid(node, "an ISO 8601 time");
  if (kind == "x" && !base64_decode(node.value)) invalid(node, "base64");
  return node.value;
}

class Converter {
 public:
  explicit Converter(const json& shapes, bool flat_lists) : shapes_(shapes), flat_lists_(flat_lists) {}

  json convert(const Node& node, const std::string& name) const {
    if (!shapes_.contains(name)) return scalar(node, name);
    const json& shape = shapes_.at(name);
    if (shape.contains("e")) return enumerated(node, shape["e"]);
    if (node.has_value) invalid(node, "a structure or list");
    return shape.contains("l") ? list(node, shape["l"]) : structure(node, shape);
  }

 private:
  json enumerated(const Node& node, const json& allowed) const {
    json value = scalar(node, "s");
    for (const json& one : allowed) {
      if (one == value) return value;
    }
    invalid(node, "one of " + allowed.dump());
  }

  json structure(const Node& node, const json& shape) const {
    json out = json::object();
    for (const auto& [key, child] : node.children) {
      bool known = false;
      for (const auto& [member, names] : shape.at("m").items()) {
        if ((names.size() > 1 ? names[1].get<std::string>() : member) != key) continue;
        out[member] = convert(*child, names[0]);
        known = true;
        break;
      }
      if (!known) unknown(*child);
    }
    for (const json& required : shape.value("r", json::array())) {
      const std::string member = required;
      if (out.contains(member)) continue;
      const json& names = shape["m"][member];
      const std::string wire = names.size() > 1 ? names[1].get<std::string>() : member;
      throw ApiError("MissingParameter", "The request must contain the parameter " + (node.path.empty() ? wire : node.path + "." + wire));
    }
    return out;
  }

  // EC2 writes "Name.1", the other query services "Name.member.1".
  json list(const Node& node, const json& description) const {
    const Node* items = &node;
    if (!flat_lists_) {
      const auto found = node.children.find("member");
      if (found == node.children.end() || node.children.size() != 1) unknown(node);
      items = found->second.get();
    }
    std::map<std::size_t, const Node*> ordered;
    for (const auto& [key, child] : items->children) {
      std::size_t index = 0;
      const auto [at, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc() || at != key.data() + key.size() || index == 0 || index > kMaxListIndex) unknown(*child);
      ordered[index] = child.get();
    }
    json out = json::array();
    for (const auto& [index, child] : ordered) out.push_back(convert(*child, description[0]));
    return out;
  }

  const json& shapes_;
  bool flat_lists_;
};

}  // namespace

json ServiceModel::parse_query(const Operation& operation, const Parameters& parameters) const {
  Node root;
  for (const auto& [name, value] : parameters) {
    if (name != "Action" && name != "Version") insert(root, name, value);
  }
  if (operation.input.empty()) {
    if (!root.children.empty()) unknown(*root.children.begin()->second);
    return json::object();
  }
  return Converter(shapes_, protocol_ == "ec2").convert(root, operation.input);
}

void ServiceModel::check_json(const Operation& operation, const json& input) const {
  if (operation.input.empty()) return;
  if (const std::string problem = mismatch(operation.input, input); !problem.empty()) throw ApiError("SerializationException", "input" + problem);
  for (const json& required : shape(operation.input).value("r", json::array())) {
    if (!input.contains(required.get<std::string>())) throw ApiError("ValidationException", "missing required member " + required.get<std::string>());
  }
}

}  // namespace icelab
