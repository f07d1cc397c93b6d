// The bytes in the lab's buckets: joined as they were put, counted once, gone when they are dropped.
#include <gtest/gtest.h>

#include <filesystem>

#include "s3/store.h"
#include "util/digest.h"
#include "util/encoding.h"

namespace icelab {
namespace {

TEST(S3Store, AnObjectOfPartsIsCountedOnceAndGivenBack) {
  S3Store store(nlohmann::json::array(), "us-west-2");
  const Blob first = store.keep("evidence "), second = store.keep("in parts");
  const Blob whole = store.join({&first, &second});
  EXPECT_EQ(store.read(whole, 0, whole.size), "evidence in parts");
  for (const Blob* part : {&first, &second}) store.drop(*part);
  EXPECT_EQ(store.held(), whole.size);
  const Blob other = store.keep("other");
  store.drop(whole);
  EXPECT_EQ(store.held(), other.size) << "what is dropped was never counted";
  EXPECT_FALSE(std::filesystem::exists(whole.file));
}

// RFC 1321, A.5.
TEST(Digest, Md5IsTheStandards) {
  EXPECT_EQ(hex_encode(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex_encode(md5("message digest")), "f96b697d7cb7938d525a2f31aaf161d0");
}

}  // namespace
}  // namespace icelab
