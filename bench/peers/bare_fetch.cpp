// The bound for any downloader on this machine: libcurl's own signing, kept-alive connections, SHA-256 of each body; nothing written, or
// each block put into a sparse file that is flushed once at the end. Built by bench/acquire.py; shares no code with icecore.
//
//   bare_fetch ENDPOINT REGION SNAPSHOT THREADS [FILE] < lines of "index token"
#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Block {
  std::string index, token;
};

std::size_t collect(char* data, std::size_t size, std::size_t count, void* into) {
  static_cast<std::string*>(into)->append(data, size * count);
  return size * count;
}

void fetch_all(const std::vector<Block>& blocks, std::atomic<std::size_t>& next, const std::string& base, const std::string& region, int file) {
  CURL* curl = curl_easy_init();
  const std::string user = std::string(std::getenv("AWS_ACCESS_KEY_ID")) + ":" + std::getenv("AWS_SECRET_ACCESS_KEY");
  const std::string scope = "aws:amz:" + region + ":ebs";
  std::string body;
  body.reserve(600'000);
  curl_easy_setopt(curl, CURLOPT_USERPWD, user.c_str());
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, scope.c_str());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  if (const char* bundle = std::getenv("AWS_CA_BUNDLE")) curl_easy_setopt(curl, CURLOPT_CAINFO, bundle);
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  for (std::size_t i = next++; i < blocks.size(); i = next++) {
    body.clear();
    char* token = curl_easy_escape(curl, blocks[i].token.c_str(), 0);
    curl_easy_setopt(curl, CURLOPT_URL, (base + blocks[i].index + "?blockToken=" + token).c_str());
    const CURLcode done = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (done != CURLE_OK || status != 200 || body.size() != 524'288) {
      std::fprintf(stderr, "bare_fetch: block %s: %s, HTTP %ld, %zu bytes: %.200s\n", blocks[i].index.c_str(), curl_easy_strerror(done), status,
                   body.size(), body.c_str());
      std::exit(1);
    }
    unsigned char digest[32];
    EVP_DigestInit_ex(hash, EVP_sha256(), nullptr);
    EVP_DigestUpdate(hash, body.data(), body.size());
    EVP_DigestFinal_ex(hash, digest, nullptr);
    curl_free(token);
    if (file >= 0 && pwrite(file, body.data(), body.size(), std::atoll(blocks[i].index.c_str()) * 524'288) != 524'288) std::exit(1);
  }
  EVP_MD_CTX_free(hash);
  curl_easy_cleanup(curl);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5 && argc != 6) return 2;
  const int file = argc == 6 ? open(argv[5], O_WRONLY | O_CREAT | O_EXCL, 0600) : -1;
  if (argc == 6 && file < 0) return 1;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::vector<Block> blocks;
  for (Block block; std::cin >> block.index >> block.token;) blocks.push_back(block);
  const std::string base = std::string(argv[1]) + "/snapshots/" + argv[3] + "/blocks/";
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[4]); ++i) threads.emplace_back([&] { fetch_all(blocks, next, base, argv[2], file); });
  for (std::thread& thread : threads) thread.join();
  if (file >= 0 && fdatasync(file) != 0) return 1;
  std::printf("%zu blocks\n", blocks.size());
}
