#include "aws/credentials.h"

#include <fmt/format.h>
#include <mutex>

#include "aws/credential_sources.h"
#include "core/log.h"

namespace icecore::aws {
namespace {

constexpr std::int64_t kRefreshSeconds = 15 * 60;  ///< botocore's advisory window: one thread fetches, the others go on with the old ones
constexpr std::int64_t kMustSeconds = 10 * 60;     ///< botocore's mandatory window: everyone waits
constexpr std::int64_t kPauseSeconds = 30;         ///< between attempts for credentials that live shorter than the windows, or after a failure

class FixedCredentials : public CredentialSource {
 public:
  explicit FixedCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> get() override { return credentials_; }
  void expire() override {}

 private:
  Credentials credentials_;
};

class CredentialChain : public CredentialSource {
 public:
  explicit CredentialChain(const CredentialContext& context) : context_(context) {}

  Result<Credentials> get() override {
    std::optional<Credentials> kept = current();
    const Need need = need_of(kept);
    if (need == Need::kNothing) return *kept;
    std::unique_lock fetching(fetch_mutex_, std::defer_lock);
    if (need == Need::kSoon) {
      if (!fetching.try_lock()) return *kept;
    } else {
      fetching.lock();
    }
    kept = current();  // another thread may have been first
    if (need_of(kept) == Need::kNothing) return *kept;
    return fetch(std::move(kept));
  }

  void expire() override {
    const std::scoped_lock lock(mutex_);
    refused_ = true;
  }

 private:
  enum class Need { kNothing, kSoon, kNow };

  std::optional<Credentials> current() {
    const std::scoped_lock lock(mutex_);
    return kept_;
  }

  Need need_of(const std::optional<Credentials>& kept) {
    if (!kept) return Need::kNow;
    const std::scoped_lock lock(mutex_);
    if (refused_) return Need::kNow;
    if (!kept->expires) return Need::kNothing;
    const std::int64_t now = context_.clock.now().seconds;
    const std::int64_t left = kept->expires->seconds - now;
    if (left <= 0) return Need::kNow;
    if (left > kRefreshSeconds || now - tried_ < kPauseSeconds) return Need::kNothing;
    return left > kMustSeconds ? Need::kSoon : Need::kNow;
  }

  /// Called under fetch_mutex_.
  Result<Credentials> fetch(std::optional<Credentials> kept) {
    auto fresh = again_ ? fetch_with_files_as_they_are_now() : find_credentials(context_);
    const std::scoped_lock lock(mutex_);
    tried_ = context_.clock.now().seconds;
    const bool kept_is_good = kept && !refused_ && (!kept->expires || kept->expires->seconds > tried_);
    refused_ = false;
    if (fresh) {
      again_ = true;
      if (fresh->expires && fresh->expires->seconds <= tried_) {
        return fail(Code::kCredentials, fmt::format("the credentials from {} expired at {}; get new ones and run the same command again",
                                                    fresh->source, to_iso8601(*fresh->expires, 0)));
      }
      kept_ = *fresh;
      return fresh;
    }
    if (!kept_is_good) return fresh;
    log_warning(fmt::format("credentials could not be refreshed, the old ones are good until {}: {}",
                            kept->expires ? to_iso8601(*kept->expires, 0) : "the end", to_string(fresh.error())));
    return *kept;
  }

  /// Someone may have put new keys into the files during a long download.
  Result<Credentials> fetch_with_files_as_they_are_now() const {
    Config config = context_.config;
    if (auto files = read_profile_files(config.environment)) config.files = std::move(*files);
    return find_credentials({config, context_.transport, context_.local_transport, context_.clock, context_.mfa_prompt});
  }

  CredentialContext context_;
  std::mutex fetch_mutex_;
  bool again_ = false;  ///< under fetch_mutex_
  std::mutex mutex_;    ///< of what follows
  std::optional<Credentials> kept_;
  bool refused_ = false;
  std::int64_t tried_ = 0;
};

}  // namespace

std::unique_ptr<CredentialSource> make_credential_source(const CredentialContext& context) { return std::make_unique<CredentialChain>(context); }

std::unique_ptr<CredentialSource> fixed_credentials(Credentials credentials) { return std::make_unique<FixedCredentials>(std::move(credentials)); }

}  // namespace icecore::aws
