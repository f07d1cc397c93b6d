// XML replies of the Query protocol, read with pugixml. Bounded by the transport's body limit; entities other than the predefined are not expanded,
// and nothing here recurses.
#pragma once

#include <memory>
#include <optional>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "aws/ec2_types.h"
#include "core/result.h"

namespace icecore::aws {

/// A parsed reply and its root element. Movable.
struct XmlReply {
  std::unique_ptr<pugi::xml_document> document;
  pugi::xml_node root;
};

/// kCorrupt with the byte where it stops making sense. `what` names the call.
Result<XmlReply> parse_xml(std::string_view body, std::string_view what);

std::string child_text(const pugi::xml_node& node, const char* name);
bool child_flag(const pugi::xml_node& node, const char* name);
std::uint64_t child_number(const pugi::xml_node& node, const char* name);
std::optional<Timestamp> child_time(const pugi::xml_node& node, const char* name);

// Typed views of EC2's elements (an <item> each).
Tags read_tags(const pugi::xml_node& tag_set);
void read_item(const pugi::xml_node& item, Volume& volume);
void read_item(const pugi::xml_node& item, VolumeAttachment& attachment);
void read_item(const pugi::xml_node& item, Snapshot& snapshot);
void read_item(const pugi::xml_node& item, Instance& instance);
void read_item(const pugi::xml_node& item, NetworkInterface& network_interface);
void read_item(const pugi::xml_node& item, SecurityGroup& group);
void read_item(const pugi::xml_node& item, Subnet& subnet);
void read_item(const pugi::xml_node& item, Vpc& vpc);
void read_item(const pugi::xml_node& item, Image& image);
void read_item(const pugi::xml_node& item, InstanceType& type);
void read_item(const pugi::xml_node& item, AvailabilityZone& zone);
void read_item(const pugi::xml_node& item, KeyPair& pair);

}  // namespace icecore::aws
