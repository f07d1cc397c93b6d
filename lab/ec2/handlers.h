// Every handler of an EC2 action; each stands in the file of what it is about.
#pragma once

#include "ec2/call.h"

namespace icelab {

// instances.cpp
json describe_instances(Ec2Call& call);
json describe_instance_status(Ec2Call& call);
json describe_instance_types(Ec2Call& call);
json describe_instance_type_offerings(Ec2Call& call);
json describe_instance_credit_specifications(Ec2Call& call);
// instance_attribute.cpp
json describe_instance_attribute(Ec2Call& call);
json modify_instance_attribute(Ec2Call& call);
// console.cpp
json get_console_output(Ec2Call& call);
json get_console_screenshot(Ec2Call& call);
// run_instances.cpp
json run_instances(Ec2Call& call);
// instance_states.cpp
json terminate_instances(Ec2Call& call);
json stop_instances(Ec2Call& call);
json start_instances(Ec2Call& call);
// snapshots.cpp
json describe_snapshots(Ec2Call& call);
json create_snapshot(Ec2Call& call);
json create_snapshots(Ec2Call& call);
json copy_snapshot(Ec2Call& call);
json delete_snapshot(Ec2Call& call);
// snapshot_attributes.cpp
json describe_snapshot_attribute(Ec2Call& call);
json modify_snapshot_attribute(Ec2Call& call);
json describe_snapshot_tier_status(Ec2Call& call);
json lock_snapshot(Ec2Call& call);
json unlock_snapshot(Ec2Call& call);
json describe_locked_snapshots(Ec2Call& call);
// volumes.cpp
json create_volume(Ec2Call& call);
json delete_volume(Ec2Call& call);
json describe_volume_attribute(Ec2Call& call);
json describe_volume_status(Ec2Call& call);
// attach_volume.cpp
json attach_volume(Ec2Call& call);
json detach_volume(Ec2Call& call);
// tags.cpp
json create_tags(Ec2Call& call);
json delete_tags(Ec2Call& call);
json describe_tags(Ec2Call& call);
// security_groups.cpp
json describe_security_group_rules(Ec2Call& call);
json create_security_group(Ec2Call& call);
json delete_security_group(Ec2Call& call);
json authorize_ingress(Ec2Call& call);
json authorize_egress(Ec2Call& call);
json revoke_ingress(Ec2Call& call);
json revoke_egress(Ec2Call& call);
// images.cpp
json describe_images(Ec2Call& call);
json describe_image_attribute(Ec2Call& call);
// launch_templates.cpp
json describe_launch_template_versions(Ec2Call& call);
json get_launch_template_data(Ec2Call& call);
// key_pairs.cpp
json describe_key_pairs(Ec2Call& call);
json create_key_pair(Ec2Call& call);
json import_key_pair(Ec2Call& call);
json delete_key_pair(Ec2Call& call);
// account.cpp
json describe_availability_zones(Ec2Call& call);
json describe_regions(Ec2Call& call);
json describe_account_attributes(Ec2Call& call);
json get_ebs_encryption_by_default(Ec2Call& call);
json get_ebs_default_kms_key_id(Ec2Call& call);

}  // namespace icelab
