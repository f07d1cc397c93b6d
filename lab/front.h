// The front door: which service and action is it, who asks, what goes wrong on the way.
#pragma once

#include "http/message.h"
#include "lab.h"

namespace icelab {

// Safe for many threads. `delivery` says how the server is to spoil the reply on the wire.
Reply serve(Lab& lab, const Request& request, Delivery& delivery);

}  // namespace icelab
