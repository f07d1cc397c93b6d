#include "auth/condition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "util/clock.h"
#include "util/encoding.h"

namespace icelab {
namespace {

using nlohmann::json;
using Test = std::function<bool(const std::string& wanted, const std::string& actual)>;

struct Operator {
  Test test;
  bool negated;
};

bool in_cidr(const std::string& cidr, const std::string& address) {
  const std::size_t slash = cidr.find('/');
  const int bits = slash == std::string::npos ? 32 : std::atoi(cidr.c_str() + slash + 1);
  in_addr network{};
  in_addr host{};
  if (inet_pton(AF_INET, cidr.substr(0, slash).c_str(), &network) != 1) return false;
  if (inet_pton(AF_INET, address.c_str(), &host) != 1 || bits < 0 || bits > 32) return false;
  const std::uint32_t mask = bits == 0 ? 0 : ~0U << (32 - bits);
  return ((ntohl(network.s_addr) ^ ntohl(host.s_addr)) & mask) == 0;
}

template <typename Compare>
Test numeric(Compare compare) {
  return [compare](const std::string& wanted, const std::string& actual) {
    return compare(std::strtod(actual.c_str(), nullptr), std::strtod(wanted.c_str(), nullptr));
  };
}

template <typename Compare>
Test dates(Compare compare) {
  return [compare](const std::string& wanted, const std::string& actual) {
    const auto a = parse_iso8601(actual);
    const auto w = parse_iso8601(wanted);
    return a && w && compare(*a, *w);
  };
}

bool same(const std::string& a, const std::string& b) { return a == b; }
bool like(const std::string& pattern, const std::string& text) { return wildcard_match(pattern, text); }
bool same_any_case(const std::string& a, const std::string& b) { return lowercase(a) == lowercase(b); }

const std::map<std::string, Operator>& operators() {
  static const std::map<std::string, Operator> kOperators = {
      {"StringEquals", {same, false}},
      {"StringNotEquals", {same, true}},
      {"StringEqualsIgnoreCase", {same_any_case, false}},
      {"StringNotEqualsIgnoreCase", {same_any_case, true}},
      {"StringLike", {like, false}},
      {"StringNotLike", {like, true}},
      {"ArnEquals", {like, false}},
      {"ArnLike", {like, false}},
      {"ArnNotEquals", {like, true}},
      {"ArnNotLike", {like, true}},
      {"Bool", {same_any_case, false}},
      {"NumericEquals", {numeric(std::equal_to<>()), false}},
      {"NumericNotEquals", {numeric(std::equal_to<>()), true}},
      {"NumericLessThan", {numeric(std::less<>()), false}},
      {"NumericLessThanEquals", {numeric(std::less_equal<>()), false}},
      {"NumericGreaterThan", {numeric(std::greater<>()), false}},
      {"NumericGreaterThanEquals", {numeric(std::greater_equal<>()), false}},
      {"DateLessThan", {dates(std::less<>()), false}},
      {"DateGreaterThan", {dates(std::greater<>()), false}},
      {"IpAddress", {in_cidr, false}},
      {"NotIpAddress", {in_cidr, true}},
  };
  return kOperators;
}

// "ForAllValues:StringEqualsIfExists" taken apart.
struct OperatorName {
  std::string base;
  bool for_all = false;
  bool for_any = false;
  bool if_exists = false;
};

OperatorName take_apart(std::string name) {
  OperatorName out;
  if (name.starts_with("ForAllValues:")) {
    out.for_all = true;
    name.erase(0, 13);
  } else if (name.starts_with("ForAnyValue:")) {
    out.for_any = true;
    name.erase(0, 12);
  }
  if (name.ends_with("IfExists")) {
    out.if_exists = true;
    name.resize(name.size() - 8);
  }
  out.base = std::move(name);
  return out;
}

std::vector<std::string> values_of(const json& value) {
  std::vector<std::string> out;
  for (const json& item : value.is_array() ? value : json::array({value})) out.push_back(item.is_string() ? item.get<std::string>() : item.dump());
  return out;
}

bool key_holds(const OperatorName& name, const std::vector<std::string>& wanted, const std::vector<std::string>* actual,
               const ConditionContext& context) {
  if (name.base == "Null") {
    const bool absent = actual == nullptr;
    return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) { return (w == "true") == absent; });
  }
  const Operator& op = operators().at(name.base);
  // A key that is not there: only the negated forms, IfExists and ForAllValues hold.
  if (actual == nullptr) return op.negated || name.if_exists || name.for_all;
  const auto one_holds = [&](const std::string& value) {
    const bool hit =
        std::any_of(wanted.begin(), wanted.end(), [&](const std::string& w) { return op.test(substitute_variables(w, context), value); });
    return hit != op.negated;
  };
  if (name.for_all || (op.negated && !name.for_any)) return std::all_of(actual->begin(), actual->end(), one_holds);
  return std::any_of(actual->begin(), actual->end(), one_holds);
}

}  // namespace

std::string substitute_variables(const std::string& text, const ConditionContext& context) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    const std::size_t open = text.find("${", at);
    const std::size_t close = open == std::string::npos ? open : text.find('}', open);
    if (close == std::string::npos) return out + text.substr(at);
    const auto found = context.find(lowercase(text.substr(open + 2, close - open - 2)));
    out += text.substr(at, open - at);
    out += found != context.end() && found->second.size() == 1 ? found->second[0] : text.substr(open, close - open + 1);
    at = close + 1;
  }
}

bool condition_holds(const json& condition, const ConditionContext& context) {
  for (const auto& [full_name, keys] : condition.items()) {
    const OperatorName name = take_apart(full_name);
    for (const auto& [key, wanted] : keys.items()) {
      const auto found = context.find(lowercase(key));
      if (!key_holds(name, values_of(wanted), found == context.end() ? nullptr : &found->second, context)) return false;
    }
  }
  return true;
}

std::string condition_problem(const json& condition) {
  if (!condition.is_object()) return "Condition is not an object";
  for (const auto& [full_name, keys] : condition.items()) {
    const std::string base = take_apart(full_name).base;
    if (base != "Null" && !operators().contains(base)) return "condition operator " + full_name + " is not modelled";
    if (!keys.is_object()) return "condition operator " + full_name + " needs an object of keys";
  }
  return {};
}

}  // namespace icelab
