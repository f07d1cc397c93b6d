// A machine with one root in memory, for tests of collectors and detectors.
#pragma once

#include "machine/facts.h"
#include "machine/machine.h"
#include "support/fake_filesystem.h"
#include "support/support.h"

namespace icecore::test {

/// Fill `root`, then call start(). Not copyable: the machine borrows the anomalies.
struct FakeMachine {
  std::shared_ptr<FakeFilesystem> root = std::make_shared<FakeFilesystem>();
  Anomalies anomalies;
  machine::MachinePtr machine;
  machine::Facts facts;

  FakeMachine() {
    for (const char* folder : {"/etc", "/usr/bin", "/usr/lib", "/var/log", "/root", "/home"}) root->folder(folder);
    root->link("/bin", "usr/bin");
    root->link("/lib", "usr/lib");
  }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  void start() {
    auto made = machine::Machine::assemble({{"snap-1", "vol-1", "/dev/xvda", 1, "", "", root}}, anomalies);
    ASSERT_TRUE(made) << to_string(made.error());
    machine = *made;
    auto read = machine::read_facts(*machine);
    ASSERT_TRUE(read) << to_string(read.error());
    facts = *read;
  }
};

}  // namespace icecore::test
