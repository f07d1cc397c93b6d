// Signatures, envelopes and time-stamps, held against the openssl command.
#include "evidence/signature.h"

#include <sys/stat.h>
#include <cstdlib>

#include "core/json.h"
#include "evidence/checkpoint.h"
#include "evidence/dsse.h"
#include "evidence/timestamping.h"
#include "support/support.h"

namespace icecore::evidence {
namespace {

using icecore::test::run;
using icecore::test::run_ok;
using icecore::test::ScratchFolder;

TEST(SigningKey, IsMadeOnFirstUseAndReadAgain) {
  const ScratchFolder scratch;
  const Path file = scratch.path() / "config/icecore/ed25519.pem";
  const auto made = SigningKey::load_or_create(file);
  ICECORE_ASSERT_OK(made);
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(run_ok("openssl pkey -pubout -in " + file.string()), made->public_key().pem());
  EXPECT_EQ(run_ok("openssl pkey -pubout -outform DER -in " + file.string() + " | sha256sum").substr(0, 64), made->public_key().key_id());
  EXPECT_EQ(SigningKey::load_or_create(file)->public_key().key_id(), made->public_key().key_id());
}

TEST(SigningKey, TakesAKeyOfOpensslAndRefusesOthers) {
  const ScratchFolder scratch;
  const auto path = [&](const std::string& name) { return (scratch / name).string(); };
  run_ok("umask 077; openssl genpkey -algorithm ed25519 -out " + path("good") +
         " && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out " + path("p256") + " && openssl pkey -in " + path("good") +
         " -aes256 -passout pass:x -out " + path("locked") + " && head -c 300 /dev/urandom > " + path("noise"));
  ICECORE_ASSERT_OK(SigningKey::load_or_create(path("good")));
  for (const std::string name : {"p256", "locked", "noise"}) ICECORE_EXPECT_CODE(SigningKey::load_or_create(path(name)), Code::kUnsupported);
  run_ok("chmod 640 " + path("good"));
  ICECORE_EXPECT_CODE(SigningKey::load_or_create(path("good")), Code::kPermission);
}

TEST(SigningKey, DefaultPathIsThatOfTheEnvironment) {
  ::setenv("ICECORE_KEY", "/tmp/some key.pem", 1);
  EXPECT_EQ(SigningKey::default_path().value(), "/tmp/some key.pem");
  ::unsetenv("ICECORE_KEY");
  ::setenv("HOME", "/home/somebody", 1);
  EXPECT_EQ(SigningKey::default_path().value(), "/home/somebody/.config/icecore/ed25519.pem");
}

class Dsse : public ::testing::Test {
 protected:
  ScratchFolder scratch;
  SigningKey key = SigningKey::load_or_create(scratch / "key.pem").value();
  Envelope envelope = sign_envelope(key, kInTotoPayloadType, R"({"some":"payload"})").value();
};

TEST_F(Dsse, SignatureIsGoodForOpenssl) {
  const std::string stem = scratch.path().string();
  ASSERT_TRUE(write_file_atomically(scratch / "pub.pem", key.public_key().pem()).has_value());
  // The encoding is written here by hand, as the DSSE specification has it.
  ASSERT_TRUE(write_file_atomically(scratch / "pae", "DSSEv1 28 application/vnd.in-toto+json 18 {\"some\":\"payload\"}").has_value());
  ASSERT_TRUE(write_file_atomically(scratch / "envelope", format_envelope(envelope)).has_value());
  run_ok("python3 -c \"import json,base64,sys; sys.stdout.buffer.write(base64.b64decode(json.load(open('" + stem +
         "/envelope'))['signatures'][0]['sig']))\" > " + stem + "/sig");
  const std::string verify = "openssl pkeyutl -verify -pubin -rawin -inkey " + stem + "/pub.pem -sigfile " + stem + "/sig -in " + stem + "/pae";
  EXPECT_NE(run_ok(verify).find("Verified Successfully"), std::string::npos);
  run_ok("printf x >> " + stem + "/pae");
  EXPECT_NE(run(verify).exit_code, 0);
}

TEST_F(Dsse, AnyChangedByteIsFound) {
  const std::string good = format_envelope(envelope);
  ICECORE_ASSERT_OK(verify_envelope(parse_envelope(good, "it").value(), key.public_key(), "it"));
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const int bit : {0, 2, 5}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto parsed = parse_envelope(bad, "it");
      EXPECT_TRUE(!parsed || !verify_envelope(*parsed, key.public_key(), "it")) << "byte " << at << " bit " << bit;
    }
  EXPECT_FALSE(parse_envelope(good + " ", "it").has_value());
}

TEST_F(Dsse, CheckpointSaysWhatItWasGiven) {
  const CheckpointClaim claim{57, std::string(64, 'a'), std::string(64, 'b'), "case-1", "run-1", "2026-11-24T00:00:00Z"};
  const auto parsed = parse_envelope(format_checkpoint(key, claim).value(), "it");
  ICECORE_ASSERT_OK(parsed);
  const auto read = parse_checkpoint(*parsed, "it");
  ICECORE_ASSERT_OK(read);
  EXPECT_EQ(read->entries, 57U);
  EXPECT_EQ(read->prefix_sha256, claim.prefix_sha256);
  EXPECT_EQ(read->head, claim.head);
  const auto statement = parse_json(parsed->payload, "payload").value();
  EXPECT_EQ(text_at(statement, "_type"), "https://in-toto.io/Statement/v1");
  ICECORE_EXPECT_CODE(parse_manifest_signature(*parsed, "it"), Code::kIntegrity);
}

/// A time-stamp authority of the openssl command.
class Tsa : public ::testing::Test {
 protected:
  ScratchFolder scratch;
  const std::string in = "cd " + scratch.path().string() + " && ";
  const std::string data = "the checkpoint's bytes";

  void SetUp() override {
    ASSERT_TRUE(
        write_file_atomically(scratch / "tsa.cnf",
                              "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ncrypto_device = builtin\nsigner_cert = tsa.pem\ncerts = ca.pem\n"
                              "signer_key = tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\n"
                              "ess_cert_id_alg = sha256\n[ext]\nextendedKeyUsage = critical,timeStamping\n")
            .has_value());
    run_ok(in +
           "echo 01 > serial && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=CA 2>&1 && "
           "openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=TSA 2>&1 && "
           "openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile tsa.cnf -extensions ext -out tsa.pem 2>&1");
  }
  std::string reply_to(const std::string& query) {
    EXPECT_TRUE(write_file_atomically(scratch / "c.tsq", query).has_value());
    run_ok(in + "openssl ts -reply -config tsa.cnf -queryfile c.tsq -out c.tsr 2>&1");
    return read_text_file(scratch / "c.tsr").value();
  }
};

TEST_F(Tsa, ReplyIsCheckedByUsAndByOpenssl) {
  const std::string query = make_timestamp_query(data).value();
  const std::string reply = reply_to(query);
  ASSERT_TRUE(write_file_atomically(scratch / "data", data).has_value());
  EXPECT_NE(run_ok(in + "openssl ts -verify -data data -in c.tsr -CAfile ca.pem 2>&1").find("Verification: OK"), std::string::npos);
  EXPECT_NE(run_ok(in + "openssl ts -verify -queryfile c.tsq -in c.tsr -CAfile ca.pem 2>&1").find("Verification: OK"), std::string::npos);
  for (const std::optional<Path>& authority : {std::optional<Path>(), std::optional<Path>(scratch / "ca.pem")}) {
    const auto checked = check_timestamp_reply(data, query, reply, authority);
    ICECORE_ASSERT_OK(checked);
    EXPECT_EQ(checked->policy, "1.2.3.4.1");
    EXPECT_LT(std::abs(checked->time.seconds - system_clock().now().seconds), 60);
  }
}

TEST_F(Tsa, WhatDoesNotFitIsAnIntegrityFailure) {
  const std::string query = make_timestamp_query(data).value();
  const std::string reply = reply_to(query);
  ICECORE_EXPECT_CODE(check_timestamp_reply("other bytes", query, reply, std::nullopt), Code::kIntegrity);
  ICECORE_EXPECT_CODE(check_timestamp_reply(data, make_timestamp_query(data).value(), reply, std::nullopt), Code::kIntegrity);  // another nonce
  ICECORE_EXPECT_CODE(check_timestamp_reply(data, query, reply.substr(0, reply.size() - 9), std::nullopt), Code::kIntegrity);
  std::string changed = reply;
  changed[changed.size() - 20] ^= 1;  // in the signature
  ICECORE_EXPECT_CODE(check_timestamp_reply(data, query, changed, std::nullopt), Code::kIntegrity);
  run_ok(in + "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=Other 2>&1");
  ICECORE_EXPECT_CODE(check_timestamp_reply(data, query, reply, scratch / "other.pem"), Code::kIntegrity);
}

}  // namespace
}  // namespace icecore::evidence
