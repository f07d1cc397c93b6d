// Amazon EC2 over the Query protocol (2016-11-15). One generic call, generic paging, and thin typed views; every answer keeps its verbatim body.
// Volume, snapshot and instance ids, filters and parameter names are EC2's own words. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/call.h"
#include "aws/ec2_types.h"
#include "aws/parameters.h"

namespace icecore::aws {

/// Which things to describe: by id, or by filter (never both empty for calls that could list a whole account, unless you mean it).
struct Selection {
  std::vector<std::string> ids = {};
  std::vector<Filter> filters = {};
};

class Ec2 {
 public:
  /// `executor` outlives this.
  Ec2(CallExecutor& executor, std::string origin, std::string region) : executor_(executor), origin_(std::move(origin)), region_(std::move(region)) {}

  /// One request, one body. With `dry_run` the success is the error DryRunOperation, which this turns into a reply with an empty body.
  CallResult<Reply<std::string>> call(std::string_view action, const Parameters& parameters, bool dry_run = false);
  /// All pages of a Describe call, verbatim: MaxResults is added where it may be, and NextToken is followed through empty pages until it is absent.
  CallResult<std::vector<std::string>> pages(std::string_view action, const Parameters& parameters);

  // Reading. Each says in its name which DescribeX it is; unknown ids are kNotFound with aws_code (InvalidInstanceID.NotFound, …).
  CallResult<Listing<Instance>> describe_instances(const Selection& selection);
  CallResult<Listing<Volume>> describe_volumes(const Selection& selection);
  /// `owners`: "self", "amazon" or account ids; empty: all that may be read.
  CallResult<Listing<Snapshot>> describe_snapshots(const Selection& selection, const std::vector<std::string>& owners = {});
  CallResult<Listing<NetworkInterface>> describe_network_interfaces(const Selection& selection);
  CallResult<Listing<SecurityGroup>> describe_security_groups(const Selection& selection);
  CallResult<Listing<Subnet>> describe_subnets(const Selection& selection);
  CallResult<Listing<Vpc>> describe_vpcs(const Selection& selection);
  CallResult<Listing<Image>> describe_images(const Selection& selection, const std::vector<std::string>& owners = {});
  CallResult<Listing<InstanceType>> describe_instance_types(const Selection& selection);
  CallResult<Listing<AvailabilityZone>> describe_availability_zones();
  CallResult<Listing<KeyPair>> describe_key_pairs(const Selection& selection);
  /// Names of the zones that offer an instance type.
  CallResult<std::vector<std::string>> zones_offering(const std::string& instance_type);
  /// "userData" (value: base64 as sent), "disableApiTermination", …: one attribute a call. `value` is the text of <value>, empty where there is none.
  CallResult<Reply<std::string>> describe_instance_attribute(const std::string& instance, const std::string& attribute);
  /// "createVolumePermission": value is "all" for public, else the account ids, comma-separated.
  CallResult<Reply<std::string>> describe_snapshot_attribute(const std::string& snapshot, const std::string& attribute);
  CallResult<Reply<ConsoleOutput>> get_console_output(const std::string& instance, bool latest);
  /// The JPEG's bytes.
  CallResult<Reply<Bytes>> get_console_screenshot(const std::string& instance);

  // Changing the account. `dry_run` asks AWS whether it would be allowed and changes nothing. Those without ClientToken are never sent twice when
  // their outcome is unknown: see ServiceError::outcome_unknown.
  struct CreateSnapshotsRequest {
    std::string instance_id = {};
    std::string description = {};
    Tags tags = {};
    std::vector<std::string> exclude_volumes = {};  ///< data volumes to leave out
    bool exclude_boot_volume = false;
    bool dry_run = false;
  };
  CallResult<Reply<std::vector<Snapshot>>> create_snapshots(const CreateSnapshotsRequest& request);
  CallResult<Reply<Snapshot>> create_snapshot(const std::string& volume, const std::string& description, const Tags& tags, bool dry_run = false);
  struct CopySnapshotRequest {
    std::string source_region = {}, source_snapshot = {}, description = {};
    std::string kms_key_id = {};  ///< empty: not asked for
    bool encrypted = false;
    Tags tags = {};
    bool dry_run = false;
  };
  /// The new snapshot's id.
  CallResult<Reply<std::string>> copy_snapshot(const CopySnapshotRequest& request);
  CallResult<Reply<std::string>> delete_snapshot(const std::string& snapshot, bool dry_run = false);
  CallResult<Reply<std::string>> create_tags(const std::vector<std::string>& resources, const Tags& tags, bool dry_run = false);
  struct CreateVolumeRequest {
    std::string availability_zone, snapshot_id, volume_type = "gp3";
    std::string client_token = {};  ///< required, at most 64 ASCII characters
    std::optional<std::uint64_t> size_gib = std::nullopt;
    Tags tags = {};
    bool dry_run = false;
  };
  CallResult<Reply<Volume>> create_volume(const CreateVolumeRequest& request);
  CallResult<Reply<std::string>> delete_volume(const std::string& volume, bool dry_run = false);
  CallResult<Reply<VolumeAttachment>> attach_volume(const std::string& volume, const std::string& instance, const std::string& device,
                                                    bool dry_run = false);
  CallResult<Reply<VolumeAttachment>> detach_volume(const std::string& volume, bool force = false, bool dry_run = false);
  /// Adds or removes accounts that may create volumes from it; "all" for the public.
  CallResult<Reply<std::string>> modify_snapshot_permission(const std::string& snapshot, bool add, const std::vector<std::string>& accounts,
                                                            bool dry_run = false);
  /// mode "governance" or "compliance".
  CallResult<Reply<std::string>> lock_snapshot(const std::string& snapshot, const std::string& mode, int duration_days, bool dry_run = false);
  /// `parameters` as RunInstances has them; ClientToken is required in them.
  CallResult<Reply<Instance>> run_instances(const Parameters& parameters, bool dry_run = false);
  CallResult<Reply<std::string>> terminate_instances(const std::vector<std::string>& instances, bool dry_run = false);
  /// The new group's id.
  CallResult<Reply<std::string>> create_security_group(const std::string& name, const std::string& description, const std::string& vpc,
                                                       const Tags& tags, bool dry_run = false);
  CallResult<Reply<std::string>> delete_security_group(const std::string& group, bool dry_run = false);
  /// One TCP port from one CIDR, IPv4 or IPv6.
  CallResult<Reply<std::string>> authorize_ingress(const std::string& group, int port, const std::string& cidr, const std::string& description,
                                                   bool dry_run = false);

  /// A rule to one CIDR: a TCP port, or everything with port 0. A rule that is there already (or gone already) is fine.
  CallResult<Reply<std::string>> authorize_egress(const std::string& group, int port, const std::string& cidr);
  CallResult<Reply<std::string>> revoke_egress(const std::string& group, int port, const std::string& cidr);
  /// `public_key`: a line as in authorized_keys. The new pair's id.
  CallResult<Reply<std::string>> import_key_pair(const std::string& name, const std::string& public_key, const Tags& tags, bool dry_run = false);
  CallResult<Reply<std::string>> delete_key_pair(const std::string& id, bool dry_run = false);

  const std::string& region() const { return region_; }

 private:
  template <typename T>
  CallResult<Listing<T>> listing(std::string_view action, const char* set_name, const Parameters& parameters);
  CallResult<CallReply> send(const Operation& operation, Parameters parameters, bool dry_run);

  CallExecutor& executor_;
  std::string origin_, region_;
};

}  // namespace icecore::aws
