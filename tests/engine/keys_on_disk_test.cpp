#include "engine/keys_on_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace icecore::engine {
namespace {

using testing::ElementsAre;

TEST(AccessKeyIds, AreFoundInACredentialsFileOnceEachAndNoSecretIs) {
  EXPECT_THAT(access_key_ids("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"
                             "[other]\naws_access_key_id=ASIAIOSFODNN7EXAMPLE\naws_access_key_id=AKIAIOSFODNN7EXAMPLE\n"),
              ElementsAre("AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"));
}

TEST(AccessKeyIds, LongerAndShorterWordsAreNone) {
  EXPECT_TRUE(access_key_ids("AKIAIOSFODNN7EXAMPL AKIAIOSFODNN7EXAMPLEX AROAIOSFODNN7EXAMPLE xAKIA").empty());
}

}  // namespace
}  // namespace icecore::engine
