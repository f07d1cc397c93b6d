#include "timeline/records.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/parallel.h"
#include "core/safe_json.h"
#include "core/text.h"
#include "timeline/order.h"

namespace icecore::timeline {
namespace {

std::string_view description_of(char kind) {
  switch (kind) {
    case 'm': return "Content Modification Time";
    case 'a': return "Last Access Time";
    case 'c': return "Metadata Modification Time";
    case 'b': return "Creation Time";
    case 's': return "Name Last Seen In Journal";
    default: return "Deletion Time";
  }
}

OrderedJson common(const Timestamp& time, std::string_view description, std::string_view data_type, std::string_view message) {
  return {{"message", valid_utf8(message)},
          {"datetime", to_iso8601(time)},
          {"timestamp", time.microseconds()},
          {"timestamp_desc", description},
          {"data_type", data_type}};
}

// How it is known of something gone, and how sure that is.
void add_gone(OrderedJson& record, const FileRow& row) {
  const auto add = [&](const std::string& about, fs::Sureness sureness, const fs::Origin& origin) {
    record[about + "_sureness"] = fs::sureness_name(sureness);
    record[about + "_known_from"] = fs::origin_name(origin.kind);
    if (origin.transaction) record[about + "_transaction"] = *origin.transaction;
  };
  if (row.gone != nullptr) {
    record["content_state"] = fs::state_name(row.gone->content);
    record["inode_reused"] = row.gone->inode_reused;
    add("inode", row.gone->sureness, row.gone->origin);
  }
  if (row.name != nullptr) add("name", row.name->sureness, row.name->origin);
}

OrderedJson file_record(const Layer& layer, const FileRow& row, const Row& at) {
  const std::string path = valid_utf8(row.path);
  const std::string_view suffix = !row.deleted ? "" : row.name != nullptr && row.gone == nullptr ? " (former name)" : " (deleted)";
  OrderedJson record = common(at.time, description_of(at.kind), "fs:stat", row.path + std::string(suffix));
  record["path"] = path;
  if (row.file != nullptr) {
    record["inode"] = row.file->inode;
    record["mode"] = fs::mode_string(row.file->type, row.file->mode);
    record["uid"] = row.file->uid;
    record["gid"] = row.file->gid;
    record["file_size"] = row.file->size;
  }
  record["is_allocated"] = !row.deleted;
  add_gone(record, row);
  record["snapshot"] = layer.snapshot;
  if (!layer.volume.empty()) record["volume"] = layer.volume;
  if (layer.partition) record["partition"] = *layer.partition;
  return record;
}

void add_place(OrderedJson& record, const Provenance& where) {
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) record[name] = valid_utf8(value);
  };
  add("path", where.path);
  if (where.inode) record["inode"] = *where.inode;
  if (where.offset) record["offset"] = *where.offset;
  if (where.line) record["line"] = *where.line;
  add("snapshot", where.snapshot);
  add("volume", where.volume);
  if (where.partition) record["partition"] = *where.partition;
  add("event_id", where.event_id);
  add("instance", where.instance);
  add("case_file", where.case_file);
}

OrderedJson event_record(const artefact::Event& event) {
  OrderedJson record = common(event.time, event.description, event.data_type, event.message);
  add_place(record, event.where);
  for (const auto& [name, value] : event.fields)
    if (!record.contains(name)) record[valid_utf8(name)] = valid_utf8(value);
  return record;
}

std::string csv_field(std::string text) {
  // A leading =, +, - or @ is a formula to a spreadsheet: hostile file names would run there.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) text.insert(text.begin(), '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const OrderedJson& record) {
  static constexpr std::array<const char*, 9> kColumns = {"datetime", "timestamp", "timestamp_desc", "data_type", "message",
                                                          "snapshot", "volume",    "inode",          "path"};
  std::string line;
  for (const char* column : kColumns) {
    if (!line.empty()) line += ',';
    const auto found = record.find(column);
    if (found == record.end()) continue;
    line += csv_field(found->is_string() ? printable(found->get<std::string>()) : found->dump());
  }
  return line + '\n';
}

// Formats the ordered rows on all cores, a round at a time, and writes them in order.
Result<void> write_rows(std::span<const Layer> layers, std::span<const artefact::Event> events, TextSink& sink,
                        const std::function<std::string(const OrderedJson&)>& format) {
  constexpr std::size_t kRowsPerPiece = 2048;
  const std::vector<Row> rows = ordered_rows(layers, events);
  const RowReader reader(layers);
  const std::size_t round = cpu_count() * 4;
  std::vector<std::string> texts(round);
  for (std::size_t first = 0; first < rows.size(); first += round * kRowsPerPiece) {
    ICECORE_CHECK(parallel_for(round, cpu_count(), [&](std::size_t piece) -> Result<void> {
      std::string& text = texts[piece];
      text.clear();
      const std::size_t begin = std::min(first + piece * kRowsPerPiece, rows.size());
      const std::size_t end = std::min(begin + kRowsPerPiece, rows.size());
      for (std::size_t i = begin; i < end; ++i) {
        const Row& row = rows[i];
        text += format(row.layer == kEventLayer ? event_record(events[row.index]) : file_record(layers[row.layer], reader.file_row(row), row));
      }
      return {};
    }));
    for (const std::string& text : texts) ICECORE_CHECK(sink.write(text));
  }
  return {};
}

}  // namespace

Result<void> write_jsonl(std::span<const Layer> layers, std::span<const artefact::Event> events, TextSink& sink) {
  return write_rows(layers, events, sink,
                    [](const OrderedJson& record) { return safe_json(record.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) + '\n'; });
}

Result<void> write_csv(std::span<const Layer> layers, std::span<const artefact::Event> events, TextSink& sink) {
  ICECORE_CHECK(sink.write("datetime,timestamp,timestamp_desc,data_type,message,snapshot,volume,inode,path\n"));
  return write_rows(layers, events, sink, csv_line);
}

}  // namespace icecore::timeline
