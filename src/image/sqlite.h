// SQLite with values for errors: only what blocks.db needs. Internal to image/.
#pragma once

#include <sqlite3.h>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/file.h"

namespace icecore::image {

/// A prepared statement. Not thread-safe.
class Statement {
 public:
  Statement(sqlite3* connection, sqlite3_stmt* statement, const Path& path) : connection_(connection), statement_(statement), path_(&path) {}

  Statement& bind(int column, std::uint64_t value);
  Statement& bind(int column, std::string_view text);
  Statement& bind(int column, ByteView blob);
  Statement& bind_null(int column);
  /// True with a row, false at the end.
  Result<bool> step();
  /// Runs it to its end and makes it ready for the next values.
  Result<void> run();

  std::uint64_t integer(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column)); }
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  /// Valid until the next step.
  std::string_view text(int column) const;
  ByteView blob(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const Path* path_;
};

/// A connection. Movable; not thread-safe.
class Connection {
 public:
  static Result<Connection> open(const Path& path, const std::string& uri, int flags);
  Result<void> execute(const char* sql) const;
  Result<Statement> prepare(std::string_view sql) const;
  /// Closes it and says whether that went well.
  Result<void> close();

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  explicit Connection(const Path& path) : path_(std::make_unique<Path>(path)) {}
  std::unique_ptr<Path> path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// kIntegrity for a damaged database, kIo for the disk.
Failure sqlite_failure(sqlite3* connection, int code, std::string_view doing, const Path& path);

}  // namespace icecore::image
