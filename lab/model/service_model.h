// botocore's service models, boiled down by tools/lab_model.py: what a request may hold and what a reply is called.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "util/encoding.h"

namespace icelab {

struct Operation {
  std::string name;
  std::string input;  // name of a shape; empty when there is none
  std::string output;
  std::string wrapper;  // <…Result> of the query protocol
};

class ServiceModel {
 public:
  explicit ServiceModel(const nlohmann::json& service);

  const Operation* find(const std::string& action) const;
  const std::string& version() const { return version_; }

  // Form parameters into the members of the action's input shape. Throws ApiError for a parameter that is
  // unknown, of the wrong type or missing. Blobs stay base64, times stay text.
  nlohmann::json parse_query(const Operation& operation, const Parameters& parameters) const;

  // The same checks for a JSON body.
  void check_json(const Operation& operation, const nlohmann::json& input) const;

  // The body of a reply. Members that the shape has not (the lab's own begin with "_") stay out.
  std::string to_xml(const Operation& operation, const nlohmann::json& output, const std::string& request_id) const;
  nlohmann::json to_json(const std::string& shape, const nlohmann::json& value) const;

  // What in `value` does not fit the shape: "Volumes[0].Sizes: no such member of Volume"; empty when all fits.
  std::string mismatch(const std::string& shape, const nlohmann::json& value) const;

 private:
  const nlohmann::json& shape(const std::string& name) const { return shapes_.at(name); }
  void write_members(std::string& out, const std::string& name, const nlohmann::json& value) const;
  void write_value(std::string& out, const std::string& tag, const std::string& name, const nlohmann::json& value) const;

  std::string version_;
  std::string protocol_;
  std::string xmlns_;
  std::map<std::string, Operation> operations_;
  nlohmann::json shapes_;
};

// All services, from the text that is compiled in.
const std::map<std::string, ServiceModel>& service_models();

}  // namespace icelab
