// systemd's journal: all files under /var/log/journal and /run/log/journal → events.
#pragma once

#include "artefact/collector.h"

namespace icecore::artefact {

/// data_type "systemd:journal"; fields host, reporter, pid, body, severity, uid, unit, boot_id, transport, exe, seqnum and those of messages.h.
/// `where.offset` is the entry's in the file.
Result<void> collect_journal(const Subject& subject, EventSink& sink);

}  // namespace icecore::artefact
