#include "artefact/mime.h"

#include <algorithm>
#include <map>

#include "artefact/scan.h"
#include "core/hash.h"
#include "core/text.h"

namespace icecore::artefact {
namespace {

constexpr std::size_t kMostParts = 256;

using Headers = std::map<std::string, std::string, std::less<>>;

std::string_view line_of(std::string_view& text) {
  std::string_view line = take_until(text, "\n");
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Headers up to the empty line, folded lines joined; `text` is left at the body.
Headers take_headers(std::string_view& text) {
  Headers headers;
  std::string last;
  while (!text.empty()) {
    std::string_view rest = text;
    std::string_view line = line_of(rest);
    if (line.empty()) {
      text = rest;
      break;
    }
    if ((line.front() == ' ' || line.front() == '\t') && !last.empty()) {
      headers[last] += ' ' + std::string(trim(line));
    } else {
      const std::size_t colon = line.find(':');
      if (colon == std::string_view::npos || line.find(' ') < colon) break;  // no header: the body began without an empty line
      last = to_lower(line.substr(0, colon));
      headers[last] = std::string(trim(line.substr(colon + 1)));
    }
    text = rest;
  }
  return headers;
}

std::string_view header_of(const Headers& headers, std::string_view name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

// `boundary` of `multipart/mixed; boundary="===1=="`.
std::string parameter_of(std::string_view value, std::string_view name) {
  const std::string lower = to_lower(value);
  const std::size_t at = lower.find(std::string(name) + '=');
  if (at == std::string::npos) return {};
  std::string_view rest = value.substr(at + name.size() + 1);
  if (take_prefix(rest, "\"")) return std::string(rest.substr(0, rest.find('"')));
  return std::string(rest.substr(0, rest.find_first_of("; \t")));
}

std::string decode_quoted_printable(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      plain += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\n') {
      i += 1;
    } else if (i + 2 < text.size() && text[i + 1] == '\r' && text[i + 2] == '\n') {
      i += 2;
    } else if (const auto byte = i + 2 < text.size() ? parse_number<unsigned char>(text.substr(i + 1, 2), 16) : std::nullopt) {
      plain += static_cast<char>(*byte);
      i += 2;
    } else {
      plain += '=';
    }
  }
  return plain;
}

std::string decode(std::string_view body, std::string_view encoding) {
  const std::string how = to_lower(encoding);
  if (how == "quoted-printable") return decode_quoted_printable(body);
  if (how != "base64") return std::string(body);
  std::string compact;
  for (const char c : body)
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') compact += c;
  const auto bytes = from_base64(compact);
  return bytes ? std::string(as_text(*bytes)) : std::string(body);
}

MimePart part_of(const Headers& headers, std::string_view body) {
  MimePart part;
  const std::string_view type = header_of(headers, "content-type");
  part.content_type = to_lower(trim(type.substr(0, type.find(';'))));
  part.file_name = parameter_of(header_of(headers, "content-disposition"), "filename");
  if (part.file_name.empty()) part.file_name = parameter_of(type, "name");
  part.content = decode(body, header_of(headers, "content-transfer-encoding"));
  return part;
}

// A part that is a multipart itself keeps its headers, so that the caller can look into it.
MimePart part_from(std::string_view text) {
  std::string_view body = text;
  const Headers headers = take_headers(body);
  if (to_lower(header_of(headers, "content-type")).starts_with("multipart/")) return {"", "", std::string(text)};
  return part_of(headers, body);
}

}  // namespace

std::optional<std::vector<MimePart>> parse_mime(std::string_view text) {
  std::string_view body = text.substr(std::min(text.find_first_not_of("\r\n"), text.size()));
  if (body.starts_with("From ")) line_of(body);  // mbox
  const Headers headers = take_headers(body);
  const std::string_view type = header_of(headers, "content-type");
  if (type.empty()) return std::nullopt;
  if (!to_lower(type).starts_with("multipart/")) return std::vector<MimePart>{part_of(headers, body)};
  const std::string boundary = parameter_of(type, "boundary");
  if (boundary.empty()) return std::nullopt;
  std::vector<MimePart> parts;
  const std::string mark = "--" + boundary;
  std::size_t begin = std::string_view::npos;
  for (std::string_view rest = body; !rest.empty() && parts.size() < kMostParts;) {
    const auto at = static_cast<std::size_t>(rest.data() - body.data());
    const std::string_view line = trim(line_of(rest));
    if (!line.starts_with(mark) || (line != mark && line != mark + "--")) continue;
    if (begin != std::string_view::npos) {
      std::string_view piece = body.substr(begin, at - begin);
      if (piece.ends_with('\n')) piece.remove_suffix(1);  // the line end before a boundary belongs to it
      if (piece.ends_with('\r')) piece.remove_suffix(1);
      parts.push_back(part_from(piece));
    }
    begin = line == mark ? static_cast<std::size_t>(rest.data() - body.data()) : std::string_view::npos;
  }
  if (begin != std::string_view::npos && parts.size() < kMostParts) parts.push_back(part_from(body.substr(begin)));  // cut: no last boundary
  return parts;
}

}  // namespace icecore::artefact
