#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <stdexcept>

#include "ec2/describe.h"
#include "ec2/handlers.h"
#include "ec2/kinds.h"
#include "util/digest.h"

namespace icelab {
namespace {

std::string new_private_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  if (!key || PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw std::runtime_error("OpenSSL cannot make a key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

json add_key(Ec2Call& call, const std::string& fingerprint, const char* type) {
  const std::string name = call.text("KeyName");
  const json tags = tags_for(call, "key-pair", {"key-pair"});
  call.permit({{"key-pair", name, json::array(), true, {}}});
  for (const auto& [id, pair] : call.region["key_pairs"]) {
    if (pair.value("KeyName", "") == name) throw ApiError("InvalidKeyPair.Duplicate", "The keypair already exists");
  }
  json pair = {{"KeyPairId", new_id("key-")}, {"KeyName", name}, {"KeyFingerprint", fingerprint}, {"KeyType", type},
               {"CreateTime", call.now()},    {"Tags", tags}};
  call.region["key_pairs"][pair["KeyPairId"].get<std::string>()] = pair;
  return pair;
}

}  // namespace

json describe_key_pairs(Ec2Call& call) {
  json list = select_objects(call, "key_pairs");
  for (json& pair : list) {
    if (call.flag("IncludePublicKey") && pair.contains("_public_key")) pair["PublicKey"] = pair["_public_key"];
  }
  return {{"KeyPairs", std::move(list)}};
}

json create_key_pair(Ec2Call& call) {
  if (call.text("KeyType", "rsa") == "rsa" && call.in.contains("KeyType")) throw ApiError("InvalidParameterValue", "The lab makes ed25519 keys only");
  const std::string material = new_private_key();
  json out = add_key(call, base64_encode(sha256(material)), "ed25519");
  out["KeyMaterial"] = material;
  return out;
}

json import_key_pair(Ec2Call& call) {
  const auto material = base64_decode(call.text("PublicKeyMaterial"));
  if (!material || !material->starts_with("ssh-")) throw ApiError("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
  json out = add_key(call, base64_encode(sha256(*material)), material->starts_with("ssh-rsa") ? "rsa" : "ed25519");
  call.region["key_pairs"][out["KeyPairId"].get<std::string>()]["_public_key"] = *material;
  return out;
}

json delete_key_pair(Ec2Call& call) {
  std::string id = call.text("KeyPairId");
  for (const auto& [key, pair] : call.region["key_pairs"]) {
    if (pair.value("KeyName", "") == call.text("KeyName", "-")) id = key;
  }
  const auto found = call.region["key_pairs"].find(id);
  const json tags = found == call.region["key_pairs"].end() ? json::array() : tags_of(std::as_const(found->second));
  call.permit({{"key-pair", id.empty() ? call.text("KeyName") : id, tags, false, {}}});
  // Deleting a name that is not there succeeds; an id that is not there does not.
  if (id.empty()) return {{"Return", true}};
  if (!call.region["key_pairs"].contains(id)) throw not_found(kind_of("key_pairs"), id);
  call.region["key_pairs"].erase(id);
  return {{"Return", true}, {"KeyPairId", id}};
}

}  // namespace icelab
