#include "ebs/call.h"
#include "ebs/tokens.h"

namespace icelab {

Reply get_snapshot_block(EbsCall& ebs) {
  const auto index = static_cast<BlockIndex>(ebs.number(ebs.part(4), "blockIndex", 0, 0x7fffffff));
  const ReadableSnapshot snapshot = open_snapshot(ebs, ebs.part(2));
  const std::string token = ebs.text("blockToken");
  if (token.empty()) ebs_invalid("1 validation error detected: Value null at 'blockToken' failed to satisfy constraint: Member must not be null");
  check_block_token(ebs.call.lab, token, snapshot.id, index);
  Reply reply;
  reply.headers = {{"Content-Type", "application/octet-stream"},
                   {"x-amz-Data-Length", std::to_string(kBlockSize)},
                   {"x-amz-Checksum", snapshot.image->checksum(index)},
                   {"x-amz-Checksum-Algorithm", "SHA256"}};
  reply.body = snapshot.image->read(index);
  return reply;
}

}  // namespace icelab
