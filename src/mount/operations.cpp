#include "mount/operations.h"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace icecore::mount {
namespace {

// The evidence does not change: whatever the kernel was told stays true.
constexpr double kForEver = 24 * 60 * 60;

Session& session_of(fuse_req_t request) { return *static_cast<Session*>(fuse_req_userdata(request)); }

// No exception may pass into C.
template <typename Work>
void guarded(fuse_req_t request, Work&& work) {
  try {
    work(session_of(request));
  } catch (const std::bad_alloc&) {
    fuse_reply_err(request, ENOMEM);
  } catch (const std::exception& error) {
    fuse_reply_err(request, session_of(request).faults.note(Error{Code::kInternal, error.what(), std::nullopt, nullptr}, "the mount"));
  }
}

void refuse(fuse_req_t request, const Session& session, NodeId node, const Error& error) {
  fuse_reply_err(request, session.faults.note(error, session.tree.describe(node)));
}

fuse_entry_param parameters_of(const Entry& entry) {
  fuse_entry_param parameters{};
  parameters.ino = entry.id;
  parameters.attr = entry.status;
  parameters.attr_timeout = parameters.entry_timeout = kForEver;
  return parameters;
}

void on_init(void*, fuse_conn_info* connection) {
  if ((connection->capable & FUSE_CAP_CACHE_SYMLINKS) != 0) connection->want |= FUSE_CAP_CACHE_SYMLINKS;
  connection->max_background = 64;
  connection->congestion_threshold = 48;
}

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  guarded(request, [&](Session& session) {
    const auto entry = session.tree.lookup(parent, name);
    if (!entry && entry.error().code == Code::kNotFound) {
      fuse_entry_param missing{};  // inode 0: the kernel may remember that there is no such name
      missing.entry_timeout = kForEver;
      fuse_reply_entry(request, &missing);
      return;
    }
    if (!entry) return refuse(request, session, parent, entry.error());
    const fuse_entry_param parameters = parameters_of(*entry);
    if (fuse_reply_entry(request, &parameters) == -ENOENT) session.tree.forget(entry->id, 1);
  });
}

void on_forget(fuse_req_t request, fuse_ino_t node, std::uint64_t count) {
  session_of(request).tree.forget(node, count);
  fuse_reply_none(request);
}

void on_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  for (const fuse_forget_data& one : std::span(forgets, count)) session_of(request).tree.forget(one.ino, one.nlookup);
  fuse_reply_none(request);
}

void on_getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
  guarded(request, [&](Session& session) {
    const auto status = session.tree.attributes(node);
    if (!status) return refuse(request, session, node, status.error());
    fuse_reply_attr(request, &*status, kForEver);
  });
}

void on_readlink(fuse_req_t request, fuse_ino_t node) {
  guarded(request, [&](Session& session) {
    const auto target = session.tree.readlink(node);
    if (!target) return refuse(request, session, node, target.error());
    fuse_reply_readlink(request, target->c_str());
  });
}

// Handles are shared pointers on the heap: read-ahead may outlive the close.
using FileHandle = std::shared_ptr<OpenFile>;
using FolderHandle = ListingPtr;

template <typename Handle>
Handle* handle_of(const fuse_file_info* info) {
  return reinterpret_cast<Handle*>(info->fh);  // FUSE keeps our pointer as a number
}

void on_open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    const auto content = session.tree.content(node);
    if (!content) return refuse(request, session, node, content.error());
    if ((info->flags & O_ACCMODE) != O_RDONLY && content->layer == nullptr) {
      fuse_reply_err(request, EROFS);
      return;
    }
    auto handle = std::make_unique<FileHandle>(std::make_shared<OpenFile>(*content));
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    info->keep_cache = 1;
    if (fuse_reply_open(request, info) == 0) (void)handle.release();
  });
}

void on_read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    const FileHandle& file = *handle_of<FileHandle>(info);
    const auto from = static_cast<std::uint64_t>(offset);
    if (session.read_ahead != nullptr)
      if (const auto range = file->pattern.on_read(from, size, file->content().size)) session.read_ahead->submit(file, *range);
    thread_local Bytes buffer;
    if (buffer.size() < size) buffer.resize(size);
    const auto count = file->read(from, std::span(buffer).first(size));
    if (!count) return refuse(request, session, node, count.error());
    fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), *count);
  });
}

void on_write(fuse_req_t request, fuse_ino_t node, const char* bytes, std::size_t size, off_t offset, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    const Content& content = (*handle_of<FileHandle>(info))->content();
    const auto from = static_cast<std::uint64_t>(offset);
    if (content.layer == nullptr || from >= content.size) {  // a disk does not grow
      fuse_reply_err(request, content.layer == nullptr ? EBADF : ENOSPC);
      return;
    }
    const auto inside = static_cast<std::size_t>(std::min<std::uint64_t>(size, content.size - from));
    const auto written = content.layer->write(from, as_bytes(std::string_view(bytes, inside)));
    if (!written) return refuse(request, session, node, written.error());
    fuse_reply_write(request, inside);
  });
}

void on_fsync(fuse_req_t request, fuse_ino_t node, int, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    image::Layer* const layer = (*handle_of<FileHandle>(info))->content().layer;
    const auto flushed = layer == nullptr ? Result<void>() : layer->flush();
    if (!flushed) return refuse(request, session, node, flushed.error());
    fuse_reply_err(request, 0);
  });
}

// A disk that is trimmed (mkfs, fstrim through a loop device).
void on_fallocate(fuse_req_t request, fuse_ino_t node, int mode, off_t offset, off_t length, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    const Content& content = (*handle_of<FileHandle>(info))->content();
    const bool zeros = mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE) || (mode & ~FALLOC_FL_KEEP_SIZE) == FALLOC_FL_ZERO_RANGE;
    if (content.layer == nullptr || !zeros) {
      fuse_reply_err(request, EOPNOTSUPP);
      return;
    }
    const auto from = std::min(static_cast<std::uint64_t>(offset), content.size);
    const auto written = content.layer->write_zeros(from, std::min(static_cast<std::uint64_t>(length), content.size - from));
    if (!written) return refuse(request, session, node, written.error());
    fuse_reply_err(request, 0);
  });
}

void on_setattr(fuse_req_t request, fuse_ino_t node, struct stat* wanted, int changes, fuse_file_info*) {
  guarded(request, [&](Session& session) {
    const auto status = session.tree.attributes(node);
    if (!status) return refuse(request, session, node, status.error());
    constexpr int kTimes = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_CTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
    const bool keeps_size = (changes & FUSE_SET_ATTR_SIZE) == 0 || wanted->st_size == status->st_size;
    if (!keeps_size || (changes & ~(kTimes | FUSE_SET_ATTR_SIZE)) != 0)
      fuse_reply_err(request, EPERM);
    else
      fuse_reply_attr(request, &*status, kForEver);
  });
}

void on_release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete handle_of<FileHandle>(info);
  fuse_reply_err(request, 0);
}

void on_opendir(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
  guarded(request, [&](Session& session) {
    const auto listing = session.tree.list(node);
    if (!listing) return refuse(request, session, node, listing.error());
    auto handle = std::make_unique<FolderHandle>(*listing);
    info->fh = reinterpret_cast<std::uint64_t>(handle.get());
    info->keep_cache = info->cache_readdir = 1;
    if (fuse_reply_open(request, info) == 0) (void)handle.release();
  });
}

void on_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete handle_of<FolderHandle>(info);
  fuse_reply_err(request, 0);
}

mode_t listed_type(fs::FileType type) {
  if (type == fs::FileType::kDirectory) return S_IFDIR;
  if (type == fs::FileType::kSymlink) return S_IFLNK;
  if (type == fs::FileType::kUnknown) return 0;  // DT_UNKNOWN: whoever cares asks stat
  return S_IFREG;
}

std::size_t add_plain(fuse_req_t request, Session& session, NodeId folder, const ListedName& item, std::span<char> room, off_t next) {
  struct stat status {};
  status.st_ino = session.tree.shown_inode(folder, item);
  status.st_mode = listed_type(item.type);
  return fuse_add_direntry(request, room.data(), room.size(), item.name.c_str(), &status, next);
}

std::size_t add_with_attributes(fuse_req_t request, Session& session, NodeId folder, const ListedName& item, std::span<char> room, off_t next) {
  const auto entry = session.tree.enter(folder, item);
  fuse_entry_param parameters{};
  if (entry) {
    parameters = parameters_of(*entry);
  } else {  // damaged: the name is listed, and stat of it gives the error
    session.faults.note(entry.error(), session.tree.describe(folder));
    parameters.attr.st_ino = session.tree.shown_inode(folder, item);
    parameters.attr.st_mode = listed_type(item.type);
  }
  const std::size_t used = fuse_add_direntry_plus(request, room.data(), room.size(), item.name.c_str(), &parameters, next);
  if (entry && used > room.size()) session.tree.forget(entry->id, 1);
  return used;
}

template <typename Add>
void reply_names(fuse_req_t request, NodeId folder, std::size_t size, off_t offset, const fuse_file_info* info, Add&& add) {
  guarded(request, [&](Session& session) {
    const Listing& listing = **handle_of<FolderHandle>(info);
    std::vector<char> buffer(size);
    std::size_t filled = 0;
    for (auto index = static_cast<std::size_t>(offset); index < listing.names.size(); ++index) {
      const std::size_t used = add(request, session, folder, listing.names[index], std::span(buffer).subspan(filled), static_cast<off_t>(index + 1));
      if (used > size - filled) break;
      filled += used;
    }
    fuse_reply_buf(request, buffer.data(), filled);
  });
}

void on_readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info* info) {
  reply_names(request, node, size, offset, info, add_plain);
}

void on_readdirplus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info* info) {
  reply_names(request, node, size, offset, info, add_with_attributes);
}

void reply_attribute(fuse_req_t request, std::string_view value, std::size_t size) {
  if (size == 0)
    fuse_reply_xattr(request, value.size());
  else if (value.size() > size)
    fuse_reply_err(request, ERANGE);
  else
    fuse_reply_buf(request, value.data(), value.size());
}

void on_getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t size) {
  guarded(request, [&](Session& session) {
    if (!may_be_shown(name)) {
      fuse_reply_err(request, ENODATA);
      return;
    }
    const auto all = session.tree.xattrs(node);
    if (!all) return refuse(request, session, node, all.error());
    const auto found = std::ranges::find(*all, std::string_view(name), &Attribute::name);
    if (found == all->end())
      fuse_reply_err(request, ENODATA);
    else
      reply_attribute(request, found->value, size);
  });
}

void on_listxattr(fuse_req_t request, fuse_ino_t node, std::size_t size) {
  guarded(request, [&](Session& session) {
    const auto all = session.tree.xattrs(node);
    if (!all) return refuse(request, session, node, all.error());
    std::string names;
    for (const Attribute& attribute : *all) names.append(attribute.name).push_back('\0');
    reply_attribute(request, names, size);
  });
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops table = [] {
    fuse_lowlevel_ops ops{};
    ops.init = on_init;
    ops.lookup = on_lookup;
    ops.forget = on_forget;
    ops.forget_multi = on_forget_multi;
    ops.getattr = on_getattr;
    ops.readlink = on_readlink;
    ops.open = on_open;
    ops.read = on_read;
    ops.write = on_write;
    ops.fsync = on_fsync;
    ops.fallocate = on_fallocate;
    ops.setattr = on_setattr;
    ops.release = on_release;
    ops.opendir = on_opendir;
    ops.readdir = on_readdir;
    ops.readdirplus = on_readdirplus;
    ops.releasedir = on_releasedir;
    ops.getxattr = on_getxattr;
    ops.listxattr = on_listxattr;
    return ops;
  }();
  return table;
}

}  // namespace icecore::mount
