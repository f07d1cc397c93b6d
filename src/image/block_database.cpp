#include "image/block_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/random.h"
#include "image/block_store.h"

namespace icecore::image {
namespace {

constexpr std::string_view kFormat = "icecore-blocks/1";

// `sequence` is the order of recording. In `listing`, a row is kChunk blocks: `listed` NULL means all of them, `written` NULL means none.
constexpr const char* kSchema =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE block (sequence INTEGER PRIMARY KEY, block_index INTEGER NOT NULL UNIQUE, sha256 BLOB NOT NULL, request_id TEXT NOT NULL);"
    "CREATE TABLE listing (chunk INTEGER PRIMARY KEY, listed BLOB, written BLOB);";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Characters that mean something in a file: URI (https://www.sqlite.org/uri.html).
std::string to_uri(const Path& path, std::string_view options) {
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c == '%' || c == '?' || c == '#')
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return uri + std::string(options);
}

Result<BlockRecord> record_from(const Statement& row) {
  const ByteView digest = row.blob(2);
  BlockRecord record{row.integer(1), {}, std::string(row.text(3))};
  if (digest.size() != record.sha256.size())
    return fail(Code::kIntegrity, fmt::format("blocks.db row {} has a SHA-256 of {} bytes: it was changed", row.integer(0), digest.size()));
  std::ranges::copy(digest, record.sha256.begin());
  return record;
}

struct ChunkView {
  std::span<const std::uint64_t> listed, written;
};

ChunkView chunk_of(const Listing& listing, std::uint64_t chunk) {
  const std::size_t begin = chunk * BlockDatabase::kChunk / 64;
  const std::size_t count = std::min<std::size_t>(BlockDatabase::kChunk / 64, listing.listed.words().size() - begin);
  return {listing.listed.words().subspan(begin, count), listing.written.words().subspan(begin, count)};
}

void load_words(ByteView blob, std::span<std::uint64_t> words) { std::memcpy(words.data(), blob.data(), std::min(blob.size(), words.size_bytes())); }

}  // namespace

void BlockLog::add(const BlockRecord& record) {
  Bytes bytes(hash.begin(), hash.end());
  for (unsigned shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::byte>(record.index >> shift));
  bytes.insert(bytes.end(), record.sha256.begin(), record.sha256.end());
  const ByteView id = as_bytes(record.request_id);
  bytes.insert(bytes.end(), id.begin(), id.end());
  hash = icecore::sha256(bytes);
  ++blocks;
}

std::uint64_t BlockDatabase::block_count() const { return identity_.volume_size / kBlockSize; }

Result<std::unique_ptr<BlockDatabase>> BlockDatabase::open(const Path& path, const Identity& identity) {
  ICECORE_ASSIGN(const FileDescriptor made, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));  // SQLite would make it 0644
  ICECORE_ASSIGN(Connection connection, Connection::open(path, to_uri(path, ""), SQLITE_OPEN_READWRITE));
  std::unique_ptr<BlockDatabase> database(new BlockDatabase(std::move(connection)));
  ICECORE_CHECK(database->initialise(identity));
  ICECORE_CHECK(database->load_identity());
  const Identity& have = database->identity_;
  if (have.snapshot != identity.snapshot || have.volume_size != identity.volume_size)
    return fail(Code::kConflict, fmt::format("{} is of {} ({} bytes), not of {} ({} bytes)", path.string(), have.snapshot, have.volume_size,
                                             identity.snapshot, identity.volume_size));
  ICECORE_CHECK(database->load_log());
  return database;
}

Result<std::unique_ptr<BlockDatabase>> BlockDatabase::open_existing(const Path& path) {
  ICECORE_ASSIGN(Connection connection, Connection::open(path, to_uri(path, ""), SQLITE_OPEN_READWRITE));
  std::unique_ptr<BlockDatabase> database(new BlockDatabase(std::move(connection)));
  ICECORE_CHECK(database->load_identity());
  const Identity identity = database->identity_;
  ICECORE_CHECK(database->initialise(identity));
  ICECORE_CHECK(database->load_log());
  return database;
}

Result<std::unique_ptr<BlockDatabase>> BlockDatabase::open_read_only(const Path& path) {
  Path opened = path;
  Path copy;
  std::error_code error;
  const Path journal = path.string() + "-wal";
  if (std::filesystem::exists(journal, error)) {
    copy = std::filesystem::temp_directory_path() / ("icecore-verify-" + random_hex(8));
    ICECORE_CHECK(make_private_directory(copy));
    opened = copy / "blocks.db";
    std::filesystem::copy_file(path, opened, error);
    if (!error) std::filesystem::copy_file(journal, opened.string() + "-wal", error);
    if (error) return errno_failure(error.value(), "copy", path);
  }
  // Immutable: SQLite makes no lock or index file beside it.
  const std::string uri = to_uri(opened, copy.empty() ? "?immutable=1" : "");
  ICECORE_ASSIGN(Connection connection, Connection::open(path, uri, copy.empty() ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE));
  std::unique_ptr<BlockDatabase> database(new BlockDatabase(std::move(connection)));
  database->copy_ = copy;
  ICECORE_CHECK(database->load_identity());
  ICECORE_CHECK(database->load_log());
  return database;
}

BlockDatabase::~BlockDatabase() {
  if (copy_.empty()) return;
  (void)connection_.close();
  std::error_code ignored;
  std::filesystem::remove_all(copy_, ignored);
}

Result<void> BlockDatabase::initialise(const Identity& identity) {
  // The log is flushed when it is folded in, not at every commit: a power loss may cost the last rows, whose blocks are then fetched again, never a
  // row without its data, because the data was flushed before the row was written.
  ICECORE_CHECK(connection_.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=4000;"));
  ICECORE_ASSIGN(Statement tables, connection_.prepare("SELECT count(*) FROM sqlite_schema"));
  ICECORE_ASSIGN(const bool row, tables.step());
  if (row && tables.integer(0) != 0) return {};
  ICECORE_CHECK(tables.run());
  ICECORE_CHECK(connection_.execute("BEGIN IMMEDIATE"));
  ICECORE_CHECK(connection_.execute(kSchema));
  ICECORE_CHECK(set_meta("format", kFormat));
  ICECORE_CHECK(set_meta("snapshot", identity.snapshot));
  ICECORE_CHECK(set_meta("volume_size", std::to_string(identity.volume_size)));
  return connection_.execute("COMMIT");
}

Result<void> BlockDatabase::load_identity() {
  ICECORE_ASSIGN(const auto format, meta("format"));
  ICECORE_ASSIGN(const auto snapshot, meta("snapshot"));
  ICECORE_ASSIGN(const auto size, meta("volume_size"));
  if (format && *format != kFormat)
    return fail(Code::kUnsupported, fmt::format("blocks.db has the format {}, this version reads {}", *format, kFormat));
  const auto bytes = size ? number(*size) : std::nullopt;
  constexpr std::uint64_t kLargestVolume = std::uint64_t{64} << 40;  // io2 Block Express
  if (!format || !snapshot || !bytes || *bytes % kBlockSize != 0 || *bytes > kLargestVolume)
    return fail(Code::kIntegrity, "blocks.db does not say which snapshot it is of: it was changed");
  identity_ = {*snapshot, *bytes};
  return {};
}

// Kept beside the rows so that opening need not hash two million of them; verification does.
Result<void> BlockDatabase::load_log() {
  ICECORE_ASSIGN(const auto blocks, meta("log_blocks"));
  ICECORE_ASSIGN(const auto hash, meta("log_sha256"));
  if (!blocks && !hash) return {};
  const auto count = number(blocks.value_or(""));
  const Result<Bytes> bytes = from_hex(hash.value_or(""));
  if (!count || !bytes || bytes->size() != log_.hash.size()) return fail(Code::kIntegrity, "blocks.db has a damaged log hash");
  log_.blocks = *count;
  std::ranges::copy(*bytes, log_.hash.begin());
  return {};
}

Result<void> BlockDatabase::insert(std::span<const BlockRecord> records, BlockLog& log) const {
  ICECORE_ASSIGN(Statement statement, connection_.prepare("INSERT INTO block VALUES (?1, ?2, ?3, ?4)"));
  for (const BlockRecord& record : records) {
    log.add(record);
    ICECORE_CHECK(
        statement.bind(1, log.blocks).bind(2, record.index).bind(3, ByteView(record.sha256)).bind(4, std::string_view(record.request_id)).run());
  }
  return {};
}

Result<void> BlockDatabase::store_listing(const Listing& listing, std::span<const std::uint64_t> chunks) const {
  ICECORE_ASSIGN(Statement statement, connection_.prepare("INSERT OR REPLACE INTO listing VALUES (?1, ?2, ?3)"));
  for (const std::uint64_t chunk : chunks) {
    const ChunkView view = chunk_of(listing, chunk);
    statement.bind(1, chunk);
    const bool all = std::ranges::all_of(view.listed, [](std::uint64_t word) { return word == ~std::uint64_t{0}; });
    const bool none = std::ranges::all_of(view.written, [](std::uint64_t word) { return word == 0; });
    if (all)
      statement.bind_null(2);
    else
      statement.bind(2, std::as_bytes(view.listed));
    if (none)
      statement.bind_null(3);
    else
      statement.bind(3, std::as_bytes(view.written));
    ICECORE_CHECK(statement.run());
  }
  return {};
}

Result<void> BlockDatabase::record(std::span<const BlockRecord> records, const Listing* listing, std::span<const std::uint64_t> changed_chunks) {
  const std::scoped_lock lock(mutex_);
  BlockLog log = log_;
  ICECORE_CHECK(connection_.execute("BEGIN IMMEDIATE"));
  Result<void> done = insert(records, log);
  if (done && listing != nullptr) done = store_listing(*listing, changed_chunks);
  if (done) done = set_meta("log_blocks", std::to_string(log.blocks));
  if (done) done = set_meta("log_sha256", to_hex(log.hash));
  if (done) done = connection_.execute("COMMIT");
  if (!done) {
    (void)connection_.execute("ROLLBACK");
    return done;
  }
  log_ = log;
  return {};
}

Result<std::optional<BlockRecord>> BlockDatabase::find(std::uint64_t index) const {
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(Statement row, connection_.prepare("SELECT sequence, block_index, sha256, request_id FROM block WHERE block_index = ?1"));
  ICECORE_ASSIGN(const bool found, row.bind(1, index).step());
  if (!found) return std::optional<BlockRecord>();
  ICECORE_ASSIGN(BlockRecord record, record_from(row));
  return std::optional(std::move(record));
}

Result<void> BlockDatabase::visit_rows(std::string_view sql, const std::function<Result<void>(std::uint64_t, const BlockRecord&)>& visit) const {
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(Statement rows, connection_.prepare(sql));
  for (;;) {
    ICECORE_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    ICECORE_ASSIGN(const BlockRecord record, record_from(rows));
    if (record.index >= block_count())
      return fail(Code::kIntegrity, fmt::format("blocks.db records block {}, which is beyond the volume's end: it was changed", record.index));
    ICECORE_CHECK(visit(rows.integer(0), record));
  }
}

Result<void> BlockDatabase::for_each_recorded(const std::function<Result<void>(std::uint64_t, const BlockRecord&)>& visit) const {
  return visit_rows("SELECT sequence, block_index, sha256, request_id FROM block ORDER BY sequence", visit);
}

Result<void> BlockDatabase::for_each_in_order(const std::function<Result<void>(const BlockRecord&)>& visit) const {
  return visit_rows("SELECT sequence, block_index, sha256, request_id FROM block ORDER BY block_index",
                    [&](std::uint64_t, const BlockRecord& record) { return visit(record); });
}

Result<void> BlockDatabase::load_listing(Listing& listing) const {
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(Statement rows, connection_.prepare("SELECT chunk, listed, written FROM listing"));
  const std::uint64_t chunks = (block_count() + kChunk - 1) / kChunk;
  for (;;) {
    ICECORE_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const std::uint64_t chunk = rows.integer(0);
    if (chunk >= chunks) return fail(Code::kIntegrity, "blocks.db lists blocks beyond the volume's end: it was changed");
    const std::size_t begin = chunk * kChunk / 64;
    const std::size_t count = std::min<std::size_t>(kChunk / 64, listing.listed.words().size() - begin);
    if (rows.is_null(1))
      std::ranges::fill(listing.listed.words().subspan(begin, count), ~std::uint64_t{0});
    else
      load_words(rows.blob(1), listing.listed.words().subspan(begin, count));
    if (!rows.is_null(2)) load_words(rows.blob(2), listing.written.words().subspan(begin, count));
  }
}

BlockLog BlockDatabase::log() const {
  const std::scoped_lock lock(mutex_);
  return log_;
}

Result<std::optional<std::string>> BlockDatabase::meta(std::string_view key) const {
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(Statement row, connection_.prepare("SELECT value FROM meta WHERE key = ?1"));
  ICECORE_ASSIGN(const bool found, row.bind(1, key).step());
  return found ? std::optional(std::string(row.text(0))) : std::nullopt;
}

Result<void> BlockDatabase::set_meta(std::string_view key, std::string_view value) {
  const std::scoped_lock lock(mutex_);
  ICECORE_ASSIGN(Statement statement, connection_.prepare("INSERT OR REPLACE INTO meta VALUES (?1, ?2)"));
  return statement.bind(1, key).bind(2, value).run();
}

Result<void> BlockDatabase::close() {
  const std::scoped_lock lock(mutex_);
  ICECORE_CHECK(connection_.execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE;"));
  return connection_.close();
}

}  // namespace icecore::image
