// Describe calls that only list objects of one kind: ids, filters, order.
#pragma once

#include "ec2/call.h"

namespace icelab {

// The objects of `table` that the request asks for, in the order of their ids. Ids that are malformed or unknown are
// errors. `visible` leaves out what the caller cannot see.
json select_objects(Ec2Call& call, const std::string& table, bool (*visible)(const Ec2Call&, const json&) = nullptr);

}  // namespace icelab
