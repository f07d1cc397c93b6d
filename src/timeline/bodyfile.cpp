#include "timeline/bodyfile.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "core/parallel.h"
#include "core/text.h"
#include "timeline/gone.h"
#include "timeline/nameless.h"

namespace icecore::timeline {
namespace {

constexpr std::size_t kNamesPerPiece = 4096;

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end.ptr);
  out += '|';
}

// Sleuth Kit's type letter of a name, then the mode as ls writes it.
void append_mode(std::string& out, const fs::FileInfo& file) {
  const std::string mode = fs::mode_string(file.type, file.mode);
  const char letter = file.type == fs::FileType::kRegular ? 'r' : mode.front();
  out += letter;
  out += '/';
  out += letter;
  out.append(mode, 1);
  out += '|';
}

void append_path(std::string& out, std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F && c != '\\' && c != '|'; });
  if (plain) {
    out += text;
    return;
  }
  for (const char c : printable(text)) {
    if (c == '|') {
      out += "\\x7c";
    } else {
      out += c;
    }
  }
}

void append_times(std::string& out, const fs::FileInfo& file) {
  append_number(out, file.accessed.seconds);
  append_number(out, file.modified.seconds);
  append_number(out, file.changed.seconds);
  append_number(out, file.born ? file.born->seconds : 0);
  out.back() = '\n';
}

void append_line(std::string& out, const Layer& layer, const std::string& directory, std::string_view text, std::string_view suffix,
                 const fs::FileInfo& file) {
  out += "0|";
  append_path(out, layer.mount_point);
  append_path(out, directory);
  out += '/';
  append_path(out, text);
  out += suffix;
  out += '|';
  append_number(out, static_cast<std::int64_t>(file.inode));
  append_mode(out, file);
  append_number(out, file.uid);
  append_number(out, file.gid);
  append_number(out, static_cast<std::int64_t>(file.size));
  append_times(out, file);
}

void append_name(std::string& out, const Layer& layer, const fs::Name& name) {
  const fs::FileInfo* file = layer.table->find(name.inode);
  fs::FileInfo unknown;
  unknown.inode = name.inode;
  std::string_view suffix;
  if (name.deleted) suffix = file != nullptr && file->allocated ? " (deleted-realloc)" : " (deleted)";
  append_line(out, layer, layer.paths->directory(name.parent), layer.table->text_of(name), suffix, file != nullptr ? *file : unknown);
}

void append_gone(std::string& out, const Layer& layer, const GoneName& gone) {
  fs::FileInfo info;
  info.inode = gone.inode;
  bool reused = false;
  if (gone.file != nullptr) {
    info = gone.file->info;
    reused = gone.file->inode_reused;
  } else if (const fs::FileInfo* live = layer.table->find(gone.inode)) {
    info = *live;
    reused = true;
  }
  const std::string path = gone.path();
  append_line(out, layer, "", std::string_view(path).substr(1), reused ? " (deleted-realloc)" : " (deleted)", info);
}

Result<void> write_layer(const Layer& layer, TextSink& sink) {
  const std::vector<fs::Name>& names = layer.table->names;
  const std::size_t pieces = (names.size() + kNamesPerPiece - 1) / kNamesPerPiece;
  const std::size_t round = cpu_count() * 8;  // so many pieces are formatted side by side, then written in order
  std::vector<std::string> texts(round);
  for (std::size_t first = 0; first < pieces; first += round) {
    const std::size_t count = std::min(round, pieces - first);
    ICECORE_CHECK(parallel_for(count, cpu_count(), [&](std::size_t i) -> Result<void> {
      std::string& text = texts[i];
      text.clear();
      const std::size_t begin = (first + i) * kNamesPerPiece;
      const std::size_t end = std::min(begin + kNamesPerPiece, names.size());
      for (std::size_t at = begin; at < end; ++at)
        if (layer.deleted == nullptr || !names[at].deleted) append_name(text, layer, names[at]);
      return {};
    }));
    for (std::size_t i = 0; i < count; ++i) ICECORE_CHECK(sink.write(texts[i]));
  }
  std::string rest;
  const fs::FileInfo* root = layer.table->find(layer.table->root_inode);
  if (root != nullptr) append_line(rest, layer, "", "", "", *root);
  for (const fs::FileInfo* file : nameless_files(*layer.table)) {
    if (layer.deleted != nullptr && !file->allocated) continue;
    append_line(rest, layer, "/$OrphanFiles", fmt::format("OrphanFile-{}", file->inode), file->allocated ? "" : " (deleted)", *file);
  }
  for (const GoneName& gone : gone_names(layer)) append_gone(rest, layer, gone);
  return sink.write(rest);
}

}  // namespace

Result<void> write_bodyfile(std::span<const Layer> layers, TextSink& sink) {
  for (const Layer& layer : layers) ICECORE_CHECK(write_layer(layer, sink));
  return {};
}

}  // namespace icecore::timeline
