// The lab as a whole: the account, the clock, the faults, and what the command line set.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>

#include "auth/credentials.h"
#include "faults/faults.h"
#include "http/message.h"
#include "recorder.h"
#include "util/clock.h"
#include "util/encoding.h"
#include "util/sealer.h"
#include "util/token_bucket.h"
#include "vm/machines.h"
#include "world/world.h"

namespace icelab {

struct LabOptions {
  std::string world_directory;
  std::string record_file;
  std::string machine_parts;  // folder with kernel and initramfs (lab/vm/build); empty: instances are records only

  std::size_t page_size = 0;  // the most a page holds; 0: as AWS has it
  bool strangers = false;     // ListChangedBlocks refuses two volumes that were made from one snapshot
  bool empty_pages = false;   // an empty page with a token before every page with something in it

  Millis snapshot_ms = 1000;  // pending → completed
  Millis volume_ms = 200;     // creating → available, attaching → attached, detaching → available
  Millis instance_ms = 500;   // pending → running, shutting-down → terminated
  Millis ebs_hidden_ms = 0;   // after completed, EBS direct does not know the snapshot yet
  Millis block_token_ms = 7LL * 24 * 3600 * 1000;
  Millis page_token_ms = 3600 * 1000;

  BucketSize ec2_read{20, 100};
  BucketSize ec2_write{5, 50};
  BucketSize ebs_get{1000, 1000};
  BucketSize ebs_put{1000, 1000};
  BucketSize ebs_list{50, 50};
  BucketSize ebs_start{10, 10};
  BucketSize cloudtrail{2, 2};

  FaultSettings faults;
};

struct Lab {
  explicit Lab(LabOptions options_in)
      : options(std::move(options_in)),
        world(World::load(options.world_directory, clock)),
        credentials(world->principals),
        faults(clock),
        machines(options.machine_parts),
        recorder(options.record_file) {
    faults.set(options.faults);
  }

  const LabOptions options;
  Clock clock;
  std::unique_ptr<World> world;
  CredentialStore credentials;
  Sealer sealer;
  TokenBuckets buckets;
  Faults faults;
  Machines machines;  // guarded by the world's mutex
  Recorder recorder;
  std::atomic<int> failing_snapshots{0};  // so many of the next snapshots end in `error`

  // What becomes of the next volumes: "creating" (for ever), "error", "attaching" (for ever). Guarded by the world's mutex.
  std::deque<std::string> volume_fates;
};

// One call that has been recognised and whose signature holds.
struct Call {
  Lab& lab;
  const Request& request;
  std::string service;
  std::string action;
  std::string request_id;
  Principal principal;
  Region* region = nullptr;
};

// What the services answer; they throw ApiError otherwise.
Reply serve_ec2(Call& call, const Parameters& parameters);
Reply serve_ebs(Call& call);
Reply serve_cloudtrail(Call& call);
Reply serve_sts(Call& call, const Parameters& parameters);
Reply serve_iam(Call& call, const Parameters& parameters);
Reply serve_ssm(Call& call);
Reply serve_kms(Call& call);

// The lab's own endpoint under /_lab/: faults, requests, state. Not signed, since only the machine itself reaches it.
Reply serve_control(Lab& lab, const Request& request);

}  // namespace icelab
