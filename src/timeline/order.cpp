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

// The root, unless its filesystem keeps no times of it (FAT), then the files that have no name left.
std::vector<const fs::FileInfo*> without_names(const fs::FileTable& table) {
  std::vector<const fs::FileInfo*> files = nameless_files(table);
  const fs::FileInfo* root = table.find(table.root_inode);
  if (root != nullptr && root->modified != Timestamp{}) files.insert(files.begin(), root);
  return files;
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
    for (const fs::FileInfo* file : without_names(table)) {
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
    without_names_.push_back(without_names(*layer.table));
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
  if (past_names >= without_names_[row.layer].size()) {
    const GoneName& gone = gone_[row.layer][past_names - without_names_[row.layer].size()];
    return {layer.mount_point + gone.path(), gone.file != nullptr ? &gone.file->info : table.find(gone.inode), true, gone.file, gone.name};
  }
  const fs::FileInfo* file = without_names_[row.layer][past_names];
  if (file->inode == table.root_inode) return {layer.mount_point.empty() ? "/" : layer.mount_point, file, false, nullptr, nullptr};
  return {fmt::format("{}/$OrphanFiles/OrphanFile-{}", layer.mount_point, file->inode), file, !file->allocated, nullptr, nullptr};
}

}  // namespace icecore::timeline
