#include "front.h"

#include <chrono>
#include <optional>
#include <thread>

#include "ebs/route.h"
#include "model/service_model.h"
#include "protocol.h"
#include "s3/route.h"
#include "util/digest.h"

namespace icelab {
namespace {

constexpr std::string_view kCloudTrailTarget = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.";
constexpr std::pair<std::string_view, std::string_view> kTargets[] = {{"AmazonSSM.", "ssm"}, {"TrentService.", "kms"}};
constexpr std::string_view kForm = "application/x-www-form-urlencoded";

struct Route {
  std::string service;
  std::string action;
  Parameters parameters;  // of the Query services
};

std::string value_of(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::string scope_service(const Request& request) {
  const std::string_view header = request.header("authorization");
  const std::size_t credential = header.find("Credential=");
  if (credential == std::string_view::npos) return {};
  const auto pieces = split(header.substr(credential, header.find(',', credential) - credential), '/');
  return pieces.size() == 5 ? pieces[3] : std::string();
}

// All services share the port, so the shape of the request tells which it is for; the signature must agree.
Route route_of(const Request& request) {
  const std::string_view target = request.header("x-amz-target");
  if (target.starts_with(kCloudTrailTarget)) return {"cloudtrail", std::string(target.substr(kCloudTrailTarget.size())), {}};
  for (const auto& [prefix, service] : kTargets) {
    if (target.starts_with(prefix)) return {std::string(service), std::string(target.substr(prefix.size())), {}};
  }
  if (!target.empty()) return {"cloudtrail", "", {}};
  if (is_s3(request)) return {"s3", s3_action(request), {}};
  if (request.path.starts_with("/snapshots")) return {"ebs", ebs_action(request), {}};
  Route route;
  const auto parameters = parse_form(request.method == "POST" ? request.body : request.query);
  if (parameters) route.parameters = *parameters;
  route.action = value_of(route.parameters, "Action");
  const std::string version = value_of(route.parameters, "Version");
  for (const char* service : {"ec2", "sts", "iam"}) {
    if (service_models().at(service).version() == version) route.service = service;
  }
  if (route.service.empty()) {
    const std::string scope = scope_service(request);
    route.service = scope == "sts" || scope == "iam" || scope == "ebs" || scope == "cloudtrail" ? scope : "ec2";
  }
  return route;
}

// The Query services take forms, and only of the version and with the actions that they have.
void check_query(const Request& request, const Route& route) {
  const ServiceModel& model = service_models().at(route.service);
  if (request.path != "/" || (request.method != "POST" && request.method != "GET"))
    throw ApiError("InvalidRequest", "The Query services answer GET and POST of / only", 400);
  if (request.method == "POST" && !lowercase(request.header("content-type")).starts_with(kForm))
    throw ApiError("MalformedInput", "Content-Type must be application/x-www-form-urlencoded", 400);
  if (route.action.empty()) throw ApiError("MissingAction", "The request must contain the parameter Action");
  const std::string version = value_of(route.parameters, "Version");
  if (version.empty()) throw ApiError("MissingParameter", "The request must contain the parameter Version");
  if (version != model.version())
    throw ApiError("NoSuchVersion", "The requested version (" + version + ") of service " + route.service + " does not exist");
  if (model.find(route.action) == nullptr) throw ApiError("InvalidAction", "The action " + route.action + " is not valid for this web service.");
}

// Web identity is the one call that carries its credential inside.
bool needs_signature(const Route& route) { return route.action != "AssumeRoleWithWebIdentity"; }

void sign_in(Call& call, const Route& route) {
  AuthRules rules;
  rules.service = route.service;
  rules.unsigned_payload = route.action == "PutSnapshotBlock" || route.service == "s3";
  AuthResult result = authenticate(call.request, rules, call.lab.credentials, call.lab.clock);
  const std::lock_guard lock(call.lab.world->mutex);
  call.region = call.lab.world->region(result.region);
  if (call.region == nullptr)
    throw AuthFailure{AuthProblem::wrong_scope, "Credential should be scoped to a valid region. '" + result.region + "' is none."};
  call.principal = std::move(result.credential.principal);
}

Reply dispatch(Call& call, const Route& route) {
  if (route.service == "ec2") return serve_ec2(call, route.parameters);
  if (route.service == "ebs") return serve_ebs(call);
  if (route.service == "s3") return serve_s3(call);
  if (route.service == "cloudtrail") return serve_cloudtrail(call);
  if (route.service == "ssm") return serve_ssm(call);
  if (route.service == "kms") return serve_kms(call);
  if (route.service == "sts") return serve_sts(call, route.parameters);
  return serve_iam(call, route.parameters);
}

Reply act(Call& call, const Route& route, const Verdict& verdict) {
  if (verdict.throttle) throw throttle_error(route.service);
  if (verdict.error_5xx) throw server_error(route.service);
  if (needs_signature(route)) sign_in(call, route);
  if (verdict.instead) throw *verdict.instead;
  if (route.service == "ec2" || route.service == "sts" || route.service == "iam") check_query(call.request, route);
  Reply reply = dispatch(call, route);
  if (verdict.after) throw *verdict.after;
  return reply;
}

Reply answer(Call& call, const Route& route, const Verdict& verdict) {
  try {
    return act(call, route, verdict);
  } catch (const ApiError& error) {
    return error_reply(route.service, error, call.request_id);
  } catch (const AuthFailure& failure) {
    return error_reply(route.service, auth_error(route.service, failure), call.request_id);
  } catch (const std::exception& error) {
    // A hole in the lab, not an error of AWS: say so, so that no test mistakes it for one.
    return error_reply(route.service, ApiError("InternalError", std::string("icecore-lab itself failed: ") + error.what(), 500), call.request_id);
  }
}

std::string fault_name(const Verdict& verdict) {
  if (verdict.delivery.reset) return "reset";
  if (verdict.delivery.truncate) return "truncate";
  if (verdict.delivery.stall_ms > 0) return "stall";
  return verdict.corrupt ? "corrupt" : "";
}

}  // namespace

Reply serve(Lab& lab, const Request& request, Delivery& delivery) {
  if (request.path.starts_with("/_lab/")) return serve_control(lab, request);
  const Route route = route_of(request);
  const Verdict verdict = lab.faults.judge(route.action);
  if (verdict.latency_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(verdict.latency_ms));
  // What is sent to S3 can be damaged on its way as well: the body then differs from its sums.
  std::optional<Request> damaged;
  if (verdict.corrupt && route.service == "s3" && !request.body.empty()) {
    damaged = request;
    damaged->body[damaged->body.size() / 2] = static_cast<char>(damaged->body[damaged->body.size() / 2] ^ 0x20);
  }
  Call call{lab, damaged ? *damaged : request, route.service, route.action, new_request_id(), {}, nullptr};
  if (!needs_signature(route)) {
    const std::lock_guard lock(lab.world->mutex);
    call.region = lab.world->region(lab.world->home_region);
  }
  Reply reply = answer(call, route, verdict);
  if (request.method == "HEAD") reply.body.clear();  // errors too: HTTP has no body there
  if (verdict.corrupt && !damaged && !reply.body.empty())
    reply.body[reply.body.size() / 2] = static_cast<char>(reply.body[reply.body.size() / 2] ^ 0x20);
  reply.headers.emplace_back(route.service == "s3"    ? "x-amz-request-id"
                             : route.service == "ec2" ? "x-amzn-requestid"
                                                      : "x-amzn-RequestId",
                             call.request_id);
  reply.headers.emplace_back("Date", http_date(lab.clock.now()));
  delivery = verdict.delivery;
  lab.recorder.record({iso8601(lab.clock.now()), call.request_id, route.service, route.action, call.principal.arn, fault_name(verdict)}, request,
                      reply);
  return reply;
}

}  // namespace icelab
