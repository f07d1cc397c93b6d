#include "core/text.h"

#include <gtest/gtest.h>

namespace icecore {
namespace {

TEST(Printable, KeepsOrdinaryNames) { EXPECT_EQ(printable("/etc/passwd"), "/etc/passwd"); }

TEST(Printable, TerminalEscapesCannotReachTheTerminal) {
  EXPECT_EQ(printable("\x1b[2Jx"), "\\x1b[2Jx");
  EXPECT_EQ(printable("a\nb\rc\x7f"), "a\\x0ab\\x0dc\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "C1 CSI as UTF-8";
}

TEST(Printable, InvalidUtf8IsShownByteByByte) {
  EXPECT_EQ(printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong slash";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
}

TEST(Printable, TwoDifferentNamesNeverPrintAlike) { EXPECT_NE(printable("\\x1b"), printable("\x1b")); }

TEST(Printable, RightToLeftOverrideIsShown) { EXPECT_EQ(printable("exe.\xe2\x80\xaegpj"), "exe.\\xe2\\x80\\xaegpj"); }

TEST(Printable, OtherLanguagesStay) { EXPECT_EQ(printable("журнал.log"), "журнал.log"); }

}  // namespace
}  // namespace icecore
