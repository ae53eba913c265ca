// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/port_type.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "platform/chip/keys.hpp"

namespace forerun::rtl {
namespace {

unsigned length(int left, int right) { return static_cast<unsigned>(std::abs(left - right)) + 1; }

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : all_(text), text_(text) {}
  PortType whole() {
    auto type = any();
    if (!text_.empty()) wrong();
    return type;
  }

 private:
  [[noreturn]] void wrong() const {
    throw std::runtime_error(
        fmt::format("'{}' is no type of a port, from character {} on", all_, all_.size() - text_.size()));
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  int number() {
    int value = 0;
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) wrong();
    text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
    return value;
  }
  PortType any() {
    const bool packed = take('['), unpacked = !packed && take('(');
    if (!packed && !unpacked) return record();
    PortType type;
    type.unpacked = unpacked;
    type.left = number();
    if (!take(':')) wrong();
    type.right = number();
    if (!take(packed ? ']' : ')')) wrong();
    const bool vector = packed && (text_.empty() || text_.front() == ';');
    type.bits = length(type.left, type.right);
    if (vector) return type;
    type.kind = PortType::Kind::array;
    type.element.push_back(any());
    type.bits = unpacked ? type.element[0].bits : type.bits * type.element[0].bits;
    return type;
  }
  PortType record() {
    PortType type;
    const bool is_struct = take('{');
    if (!is_struct && !take('<')) return type;
    type.kind = PortType::Kind::record;
    type.bits = 0;
    while (!take(is_struct ? '}' : '>')) {
      std::size_t size = 0;
      while (size < text_.size() && is_name(text_[size])) ++size;
      if (size == 0) wrong();
      const std::string name(text_.substr(0, size));
      text_.remove_prefix(size);
      auto member = any();
      if (!take(';')) wrong();
      type.bits = is_struct ? type.bits + member.bits : std::max(type.bits, member.bits);
      type.members.push_back({name, std::move(member), 0});
    }
    unsigned low = 0;
    if (is_struct)
      for (auto m = type.members.rbegin(); m != type.members.rend(); low += m->type.bits, ++m) m->low = low;
    return type;
  }
  std::string_view all_, text_;
};

class Selector {
 public:
  Selector(const PortType& type, std::string_view path, std::string seen)
      : type_(&type), path_(path), seen_(std::move(seen)) {
    found_.bits = type.bits;
  }
  PortBits all() {
    while (!path_.empty()) {
      if (path_.front() == '.')
        field();
      else if (path_.front() == '[')
        index();
      else
        wrong(fmt::format("'{}' follows {}, expected a field, such as .addr, or bits, such as [3] or [31:0]",
                          path_, seen_));
    }
    if (type_ != nullptr && type_->unpacked)
      wrong(fmt::format("{} is an unpacked array, expected an element, {}[{}] to {}[{}]", seen_, seen_,
                        type_->left, seen_, type_->right));
    found_.type = type_;
    return found_;
  }

 private:
  [[noreturn]] static void wrong(const std::string& text) { throw std::runtime_error(text); }
  void field() {
    std::size_t size = 1;
    while (size < path_.size() && is_name(path_[size])) ++size;
    const std::string name(path_.substr(1, size - 1));
    if (type_ == nullptr || type_->kind != PortType::Kind::record) {
      const bool array = type_ != nullptr && type_->kind == PortType::Kind::array;
      wrong(array ? fmt::format("{} is an array, expected an index before .{}: {}[{}] to {}[{}]", seen_, name,
                                seen_, type_->left, seen_, type_->right)
                  : fmt::format("{} has no fields, so no .{}: it is {} bit{}", seen_, name, found_.bits,
                                found_.bits == 1 ? "" : "s"));
    }
    std::vector<std::string> names;
    for (const auto& member : type_->members) {
      if (member.name != name) {
        names.push_back(member.name);
        continue;
      }
      found_.low += member.low;
      found_.bits = member.type.bits;
      type_ = &member.type;
      seen_ += path_.substr(0, size);
      path_.remove_prefix(size);
      return;
    }
    const auto near = chip::nearest(name, names);
    wrong(near.empty() ? fmt::format("{} has no field {}, it has {}", seen_, name, fmt::join(names, ", "))
                       : fmt::format("{} has no field {}; did you mean {}.{}?", seen_, name, seen_, near));
  }
  void index() {
    const auto end = path_.find(']');
    const auto inside = path_.substr(1, end == std::string_view::npos ? end : end - 1);
    int first = 0, last = 0;
    const char *at = inside.data(), *stop = at + inside.size();
    auto [next, error] = std::from_chars(at, stop, first);
    last = first;
    const bool range = error == std::errc() && next != stop && *next == ':';
    if (range) {
      const auto second = std::from_chars(next + 1, stop, last);
      next = second.ptr, error = second.ec;
    }
    if (end == std::string_view::npos || error != std::errc() || next != stop)
      wrong(fmt::format("'{}' follows {}, expected bits, such as [3] or [31:0]", path_, seen_));
    choose(first, last, range);
    seen_ += path_.substr(0, end + 1);
    path_.remove_prefix(end + 1);
  }
  void choose(int first, int last, bool range) {
    // A record, or what is left of a vector, counts its bits from 0.
    const bool bounds = type_ != nullptr && type_->kind != PortType::Kind::record;
    const int left = bounds ? type_->left : static_cast<int>(found_.bits) - 1,
              right = bounds ? type_->right : 0;
    const int low = std::min(left, right), high = std::max(left, right);
    if (std::min(first, last) < low || std::max(first, last) > high)
      wrong(fmt::format("{} has no [{}], expected [{}:{}] or a part of it", seen_,
                        range ? fmt::format("{}:{}", first, last) : fmt::format("{}", first), left, right));
    if (range && first != last && (first > last) != (left > right) && left != right)
      wrong(fmt::format("the bounds of [{}:{}] are the wrong way round: {} is [{}:{}]", first, last, seen_,
                        left, right));
    const bool array = bounds && type_->kind == PortType::Kind::array;
    if (array && type_->unpacked) {
      if (range)
        wrong(
            fmt::format("[{}:{}] of {}: an unpacked array is mapped by single elements", first, last, seen_));
      found_.element = found_.element * length(left, right) + static_cast<unsigned>(first - low);
      type_ = &type_->element[0];
      return;
    }
    const unsigned unit = array ? type_->element[0].bits : 1;
    found_.low += unit * static_cast<unsigned>(left >= right ? last - right : right - last);
    found_.bits = unit * length(first, last);
    type_ = array && !range ? &type_->element[0] : nullptr;
  }

  const PortType* type_;
  std::string_view path_;
  std::string seen_;
  PortBits found_;
};

/// How the source counts the bit or element that is `i`th from the lowest.
int index(const PortType& type, unsigned i) {
  const auto step = static_cast<int>(i);
  if (type.unpacked) return std::min(type.left, type.right) + step;
  return type.left >= type.right ? type.right + step : type.right - step;
}

/// What parts_without() collects, of the bits from `low` on.
struct PartLister {
  const std::vector<bool>& marked;
  std::vector<std::string> parts{};

  bool any(std::size_t low, std::size_t bits) const {
    const auto first = marked.begin() + static_cast<std::ptrdiff_t>(low);
    return std::find(first, first + static_cast<std::ptrdiff_t>(bits), true) !=
           first + static_cast<std::ptrdiff_t>(bits);
  }
  void list(const PortType& type, const std::string& name, std::size_t low) {
    const auto all = std::size_t{elements(type)} * type.bits;
    if (!any(low, all)) return parts.push_back(name);
    if (type.kind == PortType::Kind::record) {
      unsigned above = type.bits;
      for (const auto& member : type.members) {
        if (member.low + member.type.bits > above) continue;  // of a union, whose members share their bits
        above = member.low;
        list(member.type, name + "." + member.name, low + member.low);
      }
    } else if (type.kind == PortType::Kind::array) {
      const auto& element = type.element[0];
      const auto size = std::size_t{elements(element)} * element.bits;
      const auto count = length(type.left, type.right);
      for (unsigned i = 0; i < count; ++i)
        list(element, fmt::format("{}[{}]", name, index(type, i)), low + i * size);
    } else {
      vector(type, name, low);
    }
  }
  void vector(const PortType& type, const std::string& name, std::size_t low) {
    for (unsigned at = 0; at < type.bits;) {
      unsigned end = at;
      while (end < type.bits && !marked[low + end]) ++end;
      if (end - at == 1) parts.push_back(fmt::format("{}[{}]", name, index(type, at)));
      if (end - at > 1)
        parts.push_back(fmt::format("{}[{}:{}]", name, index(type, end - 1), index(type, at)));
      at = end + 1;
    }
  }
};

void list_fields(const PortType& type, const std::string& path, std::vector<std::string>& to) {
  for (const auto& member : type.members) {
    const auto name = path + "." + member.name;
    to.push_back(name);
    list_fields(member.type, name, to);
  }
}

}  // namespace

PortType PortType::parse(std::string_view text) { return Parser(text).whole(); }

unsigned elements(const PortType& type) {
  return type.unpacked ? length(type.left, type.right) * elements(type.element[0]) : 1;
}

std::vector<std::string> parts_without(const PortType& type, const std::string& port,
                                       const std::vector<bool>& marked) {
  PartLister lister{marked};
  lister.list(type, port, 0);
  return lister.parts;
}

PortBits select(const PortType& type, const std::string& port, std::string_view path) {
  return Selector(type, path, port).all();
}

std::vector<std::string> fields(const PortType& type) {
  std::vector<std::string> all;
  list_fields(type, "", all);
  return all;
}

}  // namespace forerun::rtl
