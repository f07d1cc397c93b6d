#include "volume/stack.h"

#include <fmt/format.h>

#include "core/text.h"
#include "volume/lvm.h"
#include "volume/md.h"
#include "volume/signature.h"
#include "volume/volume.h"

namespace icecore::volume {
namespace {

constexpr int kMaximumRounds = 16;  // md, LVM, LUKS, LVM again: people use three, each a round or two
constexpr std::size_t kMaximumPieces = 10'000;

bool is_damage(Code code) { return code == Code::kCorrupt || code == Code::kNotFound || code == Code::kUnsupported || code == Code::kPermission; }

class Stack {
 public:
  Stack(const StackOptions& options, Anomalies& anomalies) : options_(options), anomalies_(anomalies) {}

  Result<std::vector<Piece>> run(std::vector<Piece> round) {
    for (int i = 0; !round.empty(); ++i) {
      if (i == kMaximumRounds || leaves_.size() + round.size() > kMaximumPieces) {
        anomalies_.add("volume.depth", Error{Code::kUnsupported, "volumes lie in volumes deeper than this version looks",
                                             Location{round.front().source->name()}, nullptr});
        break;
      }
      std::vector<Piece> next;
      for (Piece& piece : round) ICECORE_CHECK(sort(std::move(piece), next));
      // An array or a group is built when no further member of it can come to light.
      if (next.empty()) build_arrays(next);
      if (next.empty()) ICECORE_CHECK(build_groups(next));
      round = std::move(next);
    }
    return std::move(leaves_);
  }

 private:
  Result<void> sort(Piece piece, std::vector<Piece>& next) {
    if (piece.source->size() < 4096) {
      leaves_.push_back(std::move(piece));
      return {};
    }
    auto recognised = recognise(*piece.source);
    if (!recognised && !is_damage(recognised.error().code)) return Failure(std::move(recognised).error());
    if (!recognised) {  // its start lies on a disk that is missing: whoever opens it says so
      leaves_.push_back(std::move(piece));
      return {};
    }
    const auto found = *recognised;
    // Superblocks of md 0.90 and 1.0 lie at the end: the start shows what is in the array.
    if (found && found->type != "md" && !plain_.contains(piece.source.get())) {
      auto superblock = read_md_superblock(*piece.source);
      if (superblock) return keep_member(std::move(piece), std::move(*superblock), true);
      if (!is_damage(superblock.error().code)) return Failure(std::move(superblock).error());
    }
    if (!found) return sort_unknown(std::move(piece), next);
    if (found->kind == ContentKind::kSwap) return {};
    if (found->type == "md") return add_member(std::move(piece));
    if (found->type == "lvm2") return add_disk(std::move(piece));
    if (found->type == "luks") return unlock(std::move(piece), next);
    leaves_.push_back(std::move(piece));
    return {};
  }

  // Something put together may have a partition table of its own.
  Result<void> sort_unknown(Piece piece, std::vector<Piece>& next) {
    Anomalies own;
    auto table = piece.names.empty() ? Result<VolumeTable>(fail(Code::kNotFound, "")) : read_volumes(piece.source, own);
    if (!table && !is_damage(table.error().code)) return Failure(std::move(table).error());
    if (!table || table->scheme == Scheme::kWholeDisk) {
      leaves_.push_back(std::move(piece));
      return {};
    }
    for (const Anomaly& anomaly : own.list()) anomalies_.add(anomaly.kind, anomaly.error);
    for (const Volume& volume : table->volumes) {
      Piece part{volume.source, piece.partitions, {}};
      for (const std::string& name : piece.names)
        part.names.push_back(fmt::format("{}{}{}", name, name.back() >= '0' && name.back() <= '9' ? "p" : "", volume.number.value_or(0)));
      next.push_back(std::move(part));
    }
    return {};
  }

  Result<void> leave_out(Result<void> why, const Piece& piece) {
    if (!is_damage(why.error().code)) return why;
    Error error = std::move(why).error();
    if (!error.where) error.where = Location{piece.source->name()};
    anomalies_.add("volume.part", std::move(error));
    return {};
  }

  Result<void> add_member(Piece piece) {
    auto superblock = read_md_superblock(*piece.source);
    if (!superblock) return leave_out(Failure(std::move(superblock).error()), piece);
    return keep_member(std::move(piece), std::move(*superblock), false);
  }

  Result<void> keep_member(Piece piece, MdSuperblock superblock, bool stands_alone) {
    members_.push_back({piece.source, std::move(superblock)});
    member_pieces_.push_back(std::move(piece));
    stands_alone_.push_back(stands_alone);
    return {};
  }

  Result<void> add_disk(Piece piece) {
    auto disk = read_physical_volume(piece.source);
    if (!disk) return leave_out(Failure(std::move(disk).error()), piece);
    disks_.push_back(std::move(*disk));
    disk_pieces_.push_back(std::move(piece));
    return {};
  }

  Result<void> unlock(Piece piece, std::vector<Piece>& next) {
    ICECORE_ASSIGN(const LuksHeader header, read_luks_header(*piece.source));
    if (options_.keys.empty()) {  // the key slots, which may be many megabytes in the cloud, are of no use then
      anomalies_.add(
          "luks.locked",
          Error{Code::kPermission,
                fmt::format("this is LUKS{} encrypted volume {}: give its passphrase or key with --luks-passphrase-file FILE or --luks-key-file FILE "
                            "to read it",
                            header.version, printable(header.uuid)),
                Location{piece.source->name(), 0}, nullptr});
      return {};
    }
    auto plain = open_luks(piece.source, options_.keys);
    if (!plain && !is_damage(plain.error().code)) return Failure(std::move(plain).error());
    if (plain) {
      next.push_back(
          {std::move(*plain),
           piece.partitions,
           {"/dev/mapper/luks-" + header.uuid, "/dev/disk/by-id/dm-uuid-CRYPT-LUKS" + std::to_string(header.version) + "-" + header.uuid}});
      return {};
    }
    anomalies_.add("luks.locked", std::move(plain).error());
    return {};
  }

  static std::set<std::size_t> below(const std::vector<Piece>& pieces, const std::vector<std::size_t>& members) {
    std::set<std::size_t> partitions;
    for (const std::size_t member : members) partitions.insert(pieces[member].partitions.begin(), pieces[member].partitions.end());
    return partitions;
  }

  void build_arrays(std::vector<Piece>& next) {
    if (members_.empty()) return;
    std::set<std::size_t> used;
    for (MdArray& array : assemble_arrays(members_, anomalies_)) {
      used.insert(array.members.begin(), array.members.end());
      next.push_back({array.source, below(member_pieces_, array.members), array.device_names()});
      uuids_.insert(array.superblock.uuid);
    }
    // A superblock at the end may be all that is left of an array: what begins there is read as it stands.
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!stands_alone_[i] || used.contains(i) || uuids_.contains(members_[i].superblock.uuid)) continue;
      plain_.insert(member_pieces_[i].source.get());
      next.push_back(member_pieces_[i]);
    }
    members_.clear();
    member_pieces_.clear();
    stands_alone_.clear();
  }

  Result<void> build_groups(std::vector<Piece>& next) {
    if (disks_.empty()) return {};
    ICECORE_ASSIGN(auto volumes, read_groups(disks_, anomalies_));
    for (LogicalVolume& volume : volumes) {
      const std::string mapped = mapper_name(volume.group, volume.name);
      auto partitions = below(disk_pieces_, volume.members);
      if (partitions.empty()) partitions = disk_pieces_.front().partitions;  // nothing of it was ever written
      next.push_back({std::move(volume.source),
                      std::move(partitions),
                      {"/dev/mapper/" + mapped, fmt::format("/dev/{}/{}", volume.group, volume.name), "/dev/disk/by-id/dm-name-" + mapped,
                       "/dev/disk/by-id/dm-uuid-" + volume.uuid}});
    }
    disks_.clear();
    disk_pieces_.clear();
    return {};
  }

  const StackOptions& options_;
  Anomalies& anomalies_;
  std::vector<Piece> leaves_;
  std::vector<MdMember> members_;
  std::vector<Piece> member_pieces_;
  std::vector<bool> stands_alone_;             // by member: its start is something by itself
  std::set<std::string> uuids_;                // of the arrays that were built
  std::set<const image::BlockSource*> plain_;  // no member after all
  std::vector<PhysicalVolume> disks_;
  std::vector<Piece> disk_pieces_;
};

}  // namespace

Result<std::vector<Piece>> unstack(const std::vector<image::SourcePtr>& partitions, const StackOptions& options, Anomalies& anomalies) {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < partitions.size(); ++i) pieces.push_back({partitions[i], {i}, {}});
  return Stack(options, anomalies).run(std::move(pieces));
}

}  // namespace icecore::volume
