#include "timeline/order.h"

#include <fmt/format.h>
#include <algorithm>

#include "timeline/nameless.h"

namespace icecore::timeline {
namespace {

void add_times(std::vector<Row>& rows, const fs::FileInfo& file, std::uint32_t layer, std::uint32_t index) {
  rows.push_back({file.modified, layer, index, 'm'});
  rows.push_back({file.accessed, layer, index, 'a'});
  rows.push_back({file.changed, layer, index, 'c'});
  if (file.born) rows.push_back({*file.born, layer, index, 'b'});
  if (file.deleted) rows.push_back({*file.deleted, layer, index, 'd'});
}

}  // namespace

std::vector<Row> ordered_rows(std::span<const Layer> layers, std::span<const artefact::Event> events) {
  std::vector<Row> rows;
  for (std::uint32_t at = 0; at < layers.size(); ++at) {
    const fs::FileTable& table = *layers[at].table;
    std::uint32_t index = 0;
    // Where deleted files were looked for, they tell all that the table has of them and more.
    const bool told = layers[at].deleted != nullptr;
    for (const fs::Name& name : table.names) {
      const fs::FileInfo* file = table.find(name.inode);
      if (file != nullptr && !(told && name.deleted)) add_times(rows, *file, at, index);
      ++index;
    }
    for (const fs::FileInfo* file : nameless_files(table)) {
      if (!told || file->allocated) add_times(rows, *file, at, index);
      ++index;
    }
    for (const GoneName& gone : gone_names(layers[at])) {
      if (gone.file != nullptr && gone.file->info.mode != 0) add_times(rows, gone.file->info, at, index);
      if (gone.name != nullptr && gone.name->origin.committed) rows.push_back({*gone.name->origin.committed, at, index, 's'});
      ++index;
    }
  }
  for (std::uint32_t i = 0; i < events.size(); ++i) rows.push_back({events[i].time, kEventLayer, i, 'e'});
  std::ranges::stable_sort(rows, {}, &Row::time);
  return rows;
}

RowReader::RowReader(std::span<const Layer> layers) : layers_(layers) {
  for (const Layer& layer : layers) {
    nameless_.push_back(nameless_files(*layer.table));
    gone_.push_back(gone_names(layer));
  }
}

FileRow RowReader::file_row(const Row& row) const {
  const Layer& layer = layers_[row.layer];
  const fs::FileTable& table = *layer.table;
  if (row.index < table.names.size()) {
    const fs::Name& name = table.names[row.index];
    const fs::FileInfo* file = table.find(name.inode);
    return {layer.mount_point + layer.paths->path_of(name), file, name.deleted || (file != nullptr && !file->allocated), nullptr, nullptr};
  }
  const std::size_t past_names = row.index - table.names.size();
  if (past_names >= nameless_[row.layer].size()) {
    const GoneName& gone = gone_[row.layer][past_names - nameless_[row.layer].size()];
    return {layer.mount_point + gone.path(), gone.file != nullptr ? &gone.file->info : table.find(gone.inode), true, gone.file, gone.name};
  }
  const fs::FileInfo* file = nameless_[row.layer][past_names];
  return {fmt::format("{}/$OrphanFiles/OrphanFile-{}", layer.mount_point, file->inode), file, !file->allocated, nullptr, nullptr};
}

}  // namespace icecore::timeline
