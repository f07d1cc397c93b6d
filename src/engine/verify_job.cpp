#include "engine/verify_job.h"

#include "core/parallel.h"
#include "image/verify_image.h"

namespace icecore::engine {
namespace {

/// evidence/ knows no images, image/ knows no cases: this is where they meet.
class Images final : public evidence::ImageVerifier {
 public:
  explicit Images(Progress& progress) : progress_(progress) {}

  Result<void> verify(const Request& request, const evidence::ProblemSink& problem, const std::function<void(std::string)>& note) override {
    std::vector<image::ImageLogState> seals;
    for (const evidence::ImageSeal& seal : request.seals) seals.push_back({seal.blocks, seal.sha256});
    ICECORE_ASSIGN(const image::ImageCheck check, image::verify_image(request.folder, seals, request.unfinished, cpu_count(), progress_));
    const std::string folder = request.relative.substr(0, request.relative.find_last_of('/') + 1);
    for (const image::ImageProblem& found : check.problems)
      problem({"block", folder + found.file, std::nullopt, found.offset, found.block, found.message});
    for (const std::string& remark : check.notes) note(remark);
    return {};
  }

 private:
  Progress& progress_;
};

}  // namespace

Result<evidence::VerifyReport> verify(const VerifyJob& job, Progress& progress) {
  Images images(progress);
  evidence::VerifyOptions options;
  options.images = &images;
  options.trusted_key = job.trusted_key;
  options.tsa_ca_file = job.tsa_ca_file;
  options.progress = &progress;
  return evidence::verify_case(job.folder, options);
}

}  // namespace icecore::engine
