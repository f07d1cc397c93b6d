#include "image/sqlite.h"

#include <fmt/format.h>

namespace icecore::image {

Failure sqlite_failure(sqlite3* connection, int code, std::string_view doing, const Path& path) {
  const int primary = code & 0xFF;
  const std::string reason = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  const std::string message = fmt::format("cannot {} {}: {}", doing, path.string(), reason);
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_CONSTRAINT || primary == SQLITE_ERROR || primary == SQLITE_MISMATCH)
    return fail(Code::kIntegrity, message + "; the database was damaged or changed", Location{path.string()});
  if (primary == SQLITE_FULL)
    return fail(Code::kIo, message + "; free disk space (nothing recorded so far is lost) and run the same command again", Location{path.string()});
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
    return fail(Code::kBusy, message + "; another program has it open", Location{path.string()});
  return fail(Code::kIo, message, Location{path.string()});
}

Statement& Statement::bind(int column, std::uint64_t value) {
  sqlite3_bind_int64(statement_.get(), column, static_cast<sqlite3_int64>(value));
  return *this;
}

Statement& Statement::bind(int column, std::string_view text) {
  sqlite3_bind_text(statement_.get(), column, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);  // NOLINT: SQLite's macro
  return *this;
}

Statement& Statement::bind(int column, ByteView blob) {
  sqlite3_bind_blob(statement_.get(), column, blob.data(), static_cast<int>(blob.size()), SQLITE_TRANSIENT);  // NOLINT
  return *this;
}

Statement& Statement::bind_null(int column) {
  sqlite3_bind_null(statement_.get(), column);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_failure(connection_, sqlite3_extended_errcode(connection_), "use", *path_);
}

Result<void> Statement::run() {
  for (;;) {
    ICECORE_ASSIGN(const bool row, step());
    if (row) continue;
    sqlite3_reset(statement_.get());
    return {};
  }
}

std::string_view Statement::text(int column) const {
  const ByteView bytes = blob(column);
  return as_text(bytes);
}

ByteView Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (data == nullptr || size <= 0) return {};
  return {static_cast<const std::byte*>(data), static_cast<std::size_t>(size)};
}

Result<Connection> Connection::open(const Path& path, const std::string& uri, int flags) {
  Connection result(path);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &raw, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE, nullptr);
  result.connection_.reset(raw);
  if (code != SQLITE_OK) return sqlite_failure(raw, code, "open", path);
  // A hostile database may not run code of its own (triggers, views) in ours: https://www.sqlite.org/security.html
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return result;
}

Result<void> Connection::execute(const char* sql) const {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_failure(connection_.get(), code, "use", *path_);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  if (code != SQLITE_OK) return sqlite_failure(connection_.get(), code, "use", *path_);
  return Statement(connection_.get(), raw, *path_);
}

Result<void> Connection::close() {
  sqlite3* raw = connection_.release();
  const int code = sqlite3_close(raw);
  if (code != SQLITE_OK) {
    connection_.reset(raw);
    return sqlite_failure(raw, code, "close", *path_);
  }
  return {};
}

}  // namespace icecore::image
