# Writes INPUT as a C++ source with its bytes in an array: no string literal is long enough for it under -Wpedantic.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"model/services_text.h\"
namespace {
constexpr char kText[] = {${bytes}};
}
std::string_view icelab::services_text() { return {kText, sizeof kText}; }
")
