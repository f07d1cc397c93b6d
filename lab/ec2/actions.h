// The registry: one line an action. Adding a call is one entry here, a handler, and its name in tools/lab_model.py.
#pragma once

#include <string>

#include "ec2/call.h"

namespace icelab {

enum class Kind {
  read,      // IAM decides on "*" before the handler runs
  read_one,  // the handler asks IAM about the object
  write,     // the handler asks IAM about everything that it touches
};

struct Ec2Action {
  const char* name;
  Kind kind;
  Ec2Handler handler;  // null: a plain listing of `table`
  const char* table = nullptr;
  const char* pages = nullptr;  // the member of the reply that is cut into pages
  int min_results = 5;
  int max_results = 1000;
  const char* ids = nullptr;  // MaxResults cannot stand beside these, and what is asked for by id comes in one page
  bool only_asked = false;    // pages only if asked to: its paging is younger than clients that are still about
};

const Ec2Action* find_ec2_action(const std::string& name);

}  // namespace icelab
