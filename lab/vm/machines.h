// The machines behind the lab's instances, by instance. Without --vm there are none, and instances are records only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "vm/machine.h"

namespace icelab {

// Why a folder cannot serve as --vm (QEMU or a file is missing); empty where it can.
std::string machine_problem(const std::string& parts);

// Guarded by the world's mutex, as the instances are.
class Machines {
 public:
  // `parts`: what lab/vm/build made; empty: records only.
  explicit Machines(std::string parts) : parts_(std::move(parts)) {}
  ~Machines();

  bool on() const { return !parts_.empty(); }
  void start(const std::string& instance);
  void stop(const std::string& instance) { machines_.erase(instance); }
  // Null for an instance without a machine (of the world's own, or in records-only mode).
  Machine* of(const std::string& instance);

 private:
  std::string parts_;
  std::string home_;  // folder of all machines' folders, made at the first start
  std::map<std::string, std::unique_ptr<Machine>> machines_;
};

}  // namespace icelab
