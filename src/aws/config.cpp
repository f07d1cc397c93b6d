#include "aws/config.h"

#include <fmt/format.h>
#include <algorithm>

#include "core/text.h"

namespace icecore::aws {
namespace {

/// A region becomes part of a host name, so only what a region can look like is taken.
bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= 40 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

/// botocore endpoints.json, `dnsSuffix` of each partition.
std::string_view dns_suffix(std::string_view region) {
  if (region.starts_with("cn-")) return "amazonaws.com.cn";
  if (region.starts_with("us-isob-")) return "sc2s.sgov.gov";
  if (region.starts_with("us-isof-")) return "csp.hci.ic.gov";
  if (region.starts_with("us-iso-")) return "c2s.ic.gov";
  if (region.starts_with("eu-isoe-")) return "cloud.adc-e.uk";
  if (region.starts_with("eusc-")) return "amazonaws.eu";
  return "amazonaws.com";
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

Result<std::string> as_origin(std::string url, std::string_view from) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  while (url.ends_with('/')) url.pop_back();
  const bool plain = scheme != 0 && url.size() > scheme && url.find_first_of("/?#@ \\\r\n\t", scheme) == std::string::npos;
  if (!plain) return fail(Code::kInvalidArgument, fmt::format("{} is '{}', but an endpoint is http(s)://host[:port]", from, printable(url)));
  return url;
}

bool is_true(const std::optional<std::string>& value) { return value && to_lower(*value) == "true"; }

/// Python's urllib.request.getproxies_environment, which botocore uses: lower case wins over upper case.
std::string proxy_variable(const Environment& environment, std::string_view lower_name) {
  if (const auto value = environment(lower_name)) return *value;
  return environment(upper(lower_name)).value_or("");
}

CurlOptions transport_options(const Flags& flags, const Config& config) {
  CurlOptions options;
  options.https_proxy = proxy_variable(config.environment, "https_proxy");
  // HTTP_PROXY in upper case can be set by a web client in CGI; Python and curl ignore it there, and here it is only for http:// endpoints.
  options.http_proxy = proxy_variable(config.environment, "http_proxy");
  options.no_proxy = proxy_variable(config.environment, "no_proxy");
  if (flags.ca_bundle && !flags.ca_bundle->empty()) {
    options.ca_bundle = *flags.ca_bundle;
  } else if (const auto variable = non_empty(config.environment, "AWS_CA_BUNDLE")) {
    options.ca_bundle = *variable;
  } else if (const auto setting = config.profile_setting("ca_bundle")) {
    options.ca_bundle = *setting;
  } else if (const auto requests = non_empty(config.environment, "REQUESTS_CA_BUNDLE")) {
    options.ca_bundle = *requests;
  }
  return options;
}

void choose_profile(const Flags& flags, Config& config) {
  config.profile = "default";
  if (flags.profile && !flags.profile->empty()) {
    config.profile = *flags.profile;
    config.profile_flag = true;
    return;
  }
  // The order of botocore's configprovider.py: AWS_DEFAULT_PROFILE is looked at first.
  for (const std::string_view name : {"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}) {
    if (const auto value = non_empty(config.environment, name)) {
      config.profile = *value;
      return;
    }
  }
}

void choose_region(const Flags& flags, Config& config) {
  const auto set = [&](std::optional<std::string> value, std::string source) {
    if (config.region || !value || value->empty()) return;
    config.region = std::move(value);
    config.region_source = std::move(source);
  };
  set(flags.region, "--region");
  set(config.environment("AWS_REGION"), "AWS_REGION");
  set(config.environment("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION");
  set(config.profile_setting("region"), fmt::format("profile '{}'", config.profile));
}

}  // namespace

std::optional<std::string> Config::profile_setting(std::string_view name) const { return files.setting(profile, name); }

Result<std::string> Config::require_region() const {
  if (region) return *region;
  return fail(Code::kInvalidArgument, fmt::format("no region is set; give --region, set AWS_REGION, or put `region = …` under profile '{}' in {}",
                                                  profile, files.config_path.string()));
}

Result<std::string> Config::endpoint(std::string_view service, std::string_view region_name) const {
  if (endpoint_flag) return as_origin(*endpoint_flag, "--endpoint-url");
  const bool ignored = is_true(environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) || is_true(profile_setting("ignore_configured_endpoint_urls"));
  if (!ignored) {
    const std::string own = "AWS_ENDPOINT_URL_" + upper(service);
    if (const auto url = non_empty(environment, own)) return as_origin(*url, own);
    if (const auto url = non_empty(environment, "AWS_ENDPOINT_URL")) return as_origin(*url, "AWS_ENDPOINT_URL");
    if (const auto section = profile_setting("services")) {
      const auto found = files.services.find(*section);
      if (found == files.services.end()) {
        return fail(Code::kInvalidArgument, fmt::format("profile '{}' names the services section '{}', which {} does not have", profile,
                                                        printable(*section), files.config_path.string()));
      }
      const auto url = found->second.find(fmt::format("{}.endpoint_url", service));
      if (url != found->second.end()) return as_origin(url->second, fmt::format("endpoint_url of [services {}]", *section));
    }
    if (const auto url = profile_setting("endpoint_url")) return as_origin(*url, fmt::format("endpoint_url of profile '{}'", profile));
  }
  if (!is_region(region_name)) return fail(Code::kInvalidArgument, fmt::format("'{}' is not the name of a region", printable(region_name)));
  // IAM is one for all regions of a partition (docs.aws.amazon.com/general/latest/gr/iam-service.html).
  if (service == "iam" && !region_name.starts_with("cn-")) {
    return region_name.starts_with("us-gov-") ? std::string("https://iam.us-gov.amazonaws.com") : std::string("https://iam.amazonaws.com");
  }
  return fmt::format("https://{}.{}.{}", service, region_name, dns_suffix(region_name));
}

std::string iam_region(std::string_view region) {
  if (region.starts_with("cn-")) return "cn-north-1";
  return region.starts_with("us-gov-") ? "us-gov-west-1" : "us-east-1";
}

Result<Config> load_config(const Flags& flags, Environment environment) {
  Config config;
  config.environment = std::move(environment);
  ICECORE_ASSIGN(config.files, read_profile_files(config.environment));
  choose_profile(flags, config);
  // A default profile need not exist, a named one must: a typing error shall not fall through to other credentials.
  if (config.profile != "default" && !config.files.has_profile(config.profile)) {
    return fail(Code::kInvalidArgument, fmt::format("profile '{}' is neither in {} nor in {}", printable(config.profile),
                                                    config.files.config_path.string(), config.files.credentials_path.string()));
  }
  choose_region(flags, config);
  if (config.region && !is_region(*config.region)) {
    return fail(Code::kInvalidArgument, fmt::format("'{}' ({}) is not the name of a region", printable(*config.region), config.region_source));
  }
  if (flags.endpoint_url && !flags.endpoint_url->empty()) config.endpoint_flag = flags.endpoint_url;
  config.transport = transport_options(flags, config);
  return config;
}

}  // namespace icecore::aws
