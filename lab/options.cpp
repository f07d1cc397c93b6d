#include "options.h"

#include <CLI/CLI.hpp>

#include "vm/machines.h"

namespace icelab {
namespace {

constexpr const char* kAbout =
    "icecore-lab: a strict local AWS endpoint (EC2, EBS direct, CloudTrail, STS, Systems Manager, KMS, some of S3 and IAM)\n"
    "over an account described by a folder.\n"
    "It checks every signature, is as picky as AWS, fails on request, and binds to loopback only.";

constexpr const char* kFooter =
    "Reach it with AWS_ENDPOINT_URL=… (icecore, newer SDKs) or --endpoint-url … (AWS CLI 2.9 does not know the variable);\n"
    "--exports prints the variables. Faults, requests and state at run time: GET/PUT /_lab/faults, GET /_lab/requests,\n"
    "GET /_lab/state (lab/README.md has them all).";

void rate(CLI::App& app, const std::string& name, BucketSize& size, const std::string& help) {
  app.add_option_function<double>(
         name,
         [&size](double value) {
           size = {value, value > size.burst || value <= 0 ? value : size.burst};
         },
         help)
      ->type_name("N/s");
}

void seconds(CLI::App& app, const std::string& name, Millis& millis, const std::string& help) {
  app.add_option_function<double>(
         name, [&millis](double value) { millis = static_cast<Millis>(value * 1000); }, help)
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
}

void percent(CLI::App& app, const std::string& name, double& value, const std::string& help) {
  app.add_option(name, value, help)->check(CLI::Range(0.0, 100.0))->type_name("PERCENT")->group("Faults");
}

void add_pace(CLI::App& app, LabOptions& lab) {
  app.add_option("--page-size", lab.page_size, "the most items a page holds, whatever was asked for")->type_name("N");
  app.add_flag("--strangers", lab.strangers, "ListChangedBlocks takes two volumes made from one snapshot for unrelated");
  app.add_flag("--empty-pages", lab.empty_pages, "an empty page with a token before every page");
  seconds(app, "--snapshot-seconds", lab.snapshot_ms, "how long a snapshot stays pending (default 1)");
  seconds(app, "--volume-seconds", lab.volume_ms, "how long volumes create, attach and detach (default 0.2)");
  seconds(app, "--instance-seconds", lab.instance_ms, "how long instances start and stop (default 0.5)");
  seconds(app, "--ebs-hidden-seconds", lab.ebs_hidden_ms, "EBS direct does not know a completed snapshot for so long (default 0)");
  seconds(app, "--block-token-seconds", lab.block_token_ms, "life of a block token (default 7 days)");
  seconds(app, "--page-token-seconds", lab.page_token_ms, "life of a page token of EBS direct (default 60 minutes)");
  rate(app, "--ec2-rate", lab.ec2_read, "EC2 describe calls a second per API, 0 for no limit (default 20, burst 100)");
  rate(app, "--ec2-write-rate", lab.ec2_write, "EC2 mutating calls a second per API (default 5, burst 50)");
  rate(app, "--ebs-get-rate", lab.ebs_get, "GetSnapshotBlock a second, per account and per snapshot (default 1000)");
  rate(app, "--ebs-put-rate", lab.ebs_put, "PutSnapshotBlock a second (default 1000)");
  rate(app, "--ebs-list-rate", lab.ebs_list, "EBS direct list calls a second (default 50)");
  rate(app, "--cloudtrail-rate", lab.cloudtrail, "LookupEvents a second (default 2)");
}

void add_faults(CLI::App& app, FaultSettings& faults) {
  app.add_option("--fault-latency-ms", faults.latency_ms, "wait before every reply")->check(CLI::Range(0, 600'000))->group("Faults");
  percent(app, "--fault-throttle", faults.throttle, "calls that are throttled");
  percent(app, "--fault-5xx", faults.error_5xx, "calls that fail inside AWS");
  percent(app, "--fault-reset", faults.reset, "replies lost to a connection reset, after the act");
  percent(app, "--fault-truncate", faults.truncate, "bodies cut in half");
  percent(app, "--fault-corrupt", faults.corrupt, "bodies with one byte changed");
  percent(app, "--fault-stall", faults.stall, "replies that stop halfway for --fault-stall-seconds");
  app.add_option_function<double>(
         "--fault-stall-seconds", [&faults](double s) { faults.stall_ms = static_cast<int>(s * 1000); }, "how long a stall lasts (default 60)")
      ->group("Faults");
  app.add_option_function<double>(
         "--fault-skew-seconds", [&faults](double s) { faults.skew_ms = static_cast<Millis>(s * 1000); }, "the lab's clock against the real one")
      ->group("Faults");
  app.add_option("--fault-seed", faults.seed, "the same seed, the same faults (default 1)")->group("Faults");
  app.add_option("--fault-only", faults.only, "limit the faults to these actions")->delimiter(',')->type_name("ACTION,…")->group("Faults");
  app.add_option_function<std::vector<std::string>>(
         "--fault-script",
         [&faults](const std::vector<std::string>& lines) {
           nlohmann::json script = nlohmann::json::array();
           for (const std::string& line : lines) script.push_back(nlohmann::json::parse(line));
           faults.script = fault_settings_from_json({{"script", script}}).script;
         },
         R"({"action":"CreateVolume","nth":1,"code":"…","status":500,"after":false,"lose_reply":false})")
      ->type_name("JSON")
      ->group("Faults");
}

}  // namespace

bool parse_command_line(int argc, const char* const* argv, CommandLine& out, int& exit_code) {
  CLI::App app(kAbout, "icecore-lab");
  app.footer(kFooter);
  app.add_option("--world", out.lab.world_directory, "folder with world.json (docs/lab-world.md)")
      ->required()
      ->check(CLI::ExistingDirectory)
      ->type_name("DIR");
  app.add_option("--listen", out.listen, "loopback address and port, 0 for a free one (default 127.0.0.1:0)")->type_name("ADDRESS:PORT");
  app.add_option("--port-file", out.port_file, "write the port here once it listens")->type_name("FILE");
  app.add_flag("--tls", out.tls, "HTTPS with a certificate made for this run");
  app.add_option("--tls-dir", out.tls_directory, "where the certificate's files go (default: a new folder in $TMPDIR)")->type_name("DIR");
  app.add_flag("--exports", out.exports, "first print the export lines with which clients reach it");
  app.add_option("--vm", out.lab.machine_parts,
                 "a real machine behind each launched instance: folder with kernel and initramfs (lab/vm/build makes it); without it instances "
                 "are records only")
      ->type_name("DIR");
  app.add_option("--record", out.lab.record_file, "append every request and reply, one JSON object a line")->type_name("FILE");
  add_pace(app, out.lab);
  add_faults(app, out.lab.faults);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return false;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "icecore-lab: --fault-script: %s\n", error.what());
    exit_code = 2;
    return false;
  }
  if (out.lab.machine_parts.empty()) return true;
  const std::string problem = machine_problem(out.lab.machine_parts);
  if (problem.empty()) return true;
  std::fprintf(stderr, "icecore-lab: --vm: %s\n", problem.c_str());
  exit_code = 2;
  return false;
}

}  // namespace icelab
