// XML replies: EC2's typed views and the error reader.
#include <cstddef>
#include <cstdint>

#include "aws/verdict.h"
#include "aws/xml.h"
#include "budget.h"

namespace {

template <typename T>
void read(const pugi::xml_node& node) {
  T item;
  icecore::aws::read_item(node, item);
}

}  // namespace

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::aws;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto reply = parse_xml(body, "fuzz");
  const icecore::ByteView bytes = icecore::as_bytes(body);
  (void)judge(operation("ec2", "DescribeVolumes"), Protocol::kEc2Query, HttpReply{500, {}, icecore::Bytes(bytes.begin(), bytes.end())});
  if (!reply) return;
  for (const pugi::xml_node& set : reply->root.children()) {
    for (const pugi::xml_node& item : set.children("item")) {
      read<Volume>(item);
      read<Snapshot>(item);
      read<Instance>(item);
      read<NetworkInterface>(item);
      read<Image>(item);
      read<InstanceType>(item);
    }
  }
}
