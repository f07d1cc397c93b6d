// JSON replies: listings of the EBS direct APIs, LookupEvents, errors, credentials.
#include <cstddef>
#include <cstdint>

#include "aws/cloudtrail.h"
#include "aws/credential_sources.h"
#include "aws/ebs.h"
#include "aws/verdict.h"
#include "budget.h"

const icecore::fuzz::Budget icecore::fuzz::kBudget;

void icecore::fuzz::one_input(const std::uint8_t* data, std::size_t size) {
  using namespace icecore::aws;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)parse_block_page(body);
  (void)parse_changed_page(body);
  (void)parse_lookup_page(body);
  (void)credentials_from_json(body, "Token", "fuzz");
  const icecore::ByteView bytes = icecore::as_bytes(body);
  (void)judge(operation("ebs", "GetSnapshotBlock"), Protocol::kRestJson, HttpReply{400, {}, icecore::Bytes(bytes.begin(), bytes.end())});
}
