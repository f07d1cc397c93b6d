// The directory entry set of an exFAT file, which says more of a deleted file than libtsk tells: whether its clusters lay in one piece, and how much
// of them was ever written. Source: Microsoft's exFAT specification 1.00, sections 6.2, 6.3, 7.4 and 7.6.
#pragma once

#include "fs/deleted_file.h"
#include "fs/tsk/fat_entry.h"

namespace icecore::fs::tsk {

/// What the stream extension says, in use or deleted.
struct ExfatSet {
  bool contiguous = false;  ///< NoFatChain: the clusters follow each other, and no chain was kept
  std::uint32_t first_cluster = 0;
  std::uint64_t size = 0;     ///< DataLength
  std::uint64_t written = 0;  ///< ValidDataLength: what lies behind reads as zeros
  bool checked = false;       ///< the checksum of the whole set holds
};

/// The set that begins with the entry of `inode`; nullopt where it is not known to be whole. Deleting a file clears the in-use bit of each of its
/// entries and no more, so the set's checksum is that of the file while it lived: it holds for sets whose entries all still belong together, also
/// over the border of two clusters. A set within one cluster whose checksum is wrong (a later name has taken some of its name's entries) is known
/// by its place: the second entry of another set would have taken the first one too.
Result<std::optional<ExfatSet>> read_exfat_set(const image::BlockSource& source, const FatGeometry& geometry, std::uint64_t inode);

/// Where the content lay if all of it was one run of clusters: two extents where its end was never written; none for a run that does not lie within
/// the cluster heap.
std::vector<Extent> extents_in_one_piece(const FatGeometry& geometry, const ExfatSet& set);

}  // namespace icecore::fs::tsk
