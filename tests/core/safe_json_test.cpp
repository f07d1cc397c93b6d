#include "core/safe_json.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/text.h"

namespace icecore {
namespace {

// Every character that printable() would not let onto a terminal is escaped, and a reader of JSON gets the same text back.
TEST(SafeJson, IsTheSameDocumentAndNothingInItSteersATerminal) {
  std::string text = "gr\u00fc\u00df \u65e5\u672c \U0001F9CA";
  for (const char* const hostile :
       {"\x7f", "\u0080", "\u009b31m", "\u009f", "\u061c", "\u200e", "\u202e", "\u2028", "\u2066", "\u2069", "\ufeff", "\x1b", "\n"})
    text += hostile;
  const Json document = {{text, {text, 1}}};
  const std::string safe = safe_json(document.dump());
  EXPECT_EQ(Json::parse(safe), document);
  // printable() only doubles the backslashes of the escapes.
  std::string doubled;
  for (const char c : safe) doubled += c == '\\' ? "\\\\" : std::string(1, c);
  EXPECT_EQ(printable(safe), doubled);
}

TEST(SafeJson, LeavesPlainTextAlone) {
  EXPECT_EQ(safe_json("{\n  \"a\": \"b\"\n}\n"), "{\n  \"a\": \"b\"\n}\n");
  EXPECT_EQ(safe_json(""), "");
}

}  // namespace
}  // namespace icecore
