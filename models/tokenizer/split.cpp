// SPDX-License-Identifier: Apache-2.0
#include "models/tokenizer/split.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "models/tokenizer/tokenizer.hpp"

namespace forerun::models {
namespace {

enum class Class { letter, number, space, other, end };

/// The class of the character at `at`, and where the next one begins.
Class classify(std::string_view text, std::size_t at, std::size_t& next) {
  next = at;
  if (at >= text.size()) return Class::end;
  auto i = static_cast<int32_t>(at);
  UChar32 c = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"  // inside ICU's macro
  U8_NEXT(text.data(), i, static_cast<int32_t>(text.size()), c);
#pragma GCC diagnostic pop
  next = static_cast<std::size_t>(i);
  if (c < 0) return Class::other;
  if ((U_GET_GC_MASK(c) & U_GC_L_MASK) != 0) return Class::letter;
  if ((U_GET_GC_MASK(c) & U_GC_N_MASK) != 0) return Class::number;
  return u_isUWhiteSpace(c) != 0 ? Class::space : Class::other;
}

std::size_t contraction(std::string_view text) {
  for (const std::string_view suffix : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.substr(0, suffix.size()) == suffix) return suffix.size();
  return 0;
}

}  // namespace

std::vector<std::string_view> split_like_gpt2(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0, next = 0;
  while (at < text.size()) {
    std::size_t end = at + contraction(text.substr(at));
    if (end == at) {
      const auto first = classify(text, at, next);
      std::size_t after = next;
      const bool plain_space = text[at] == ' ';
      const auto follower = plain_space ? classify(text, next, after) : first;
      if (first != Class::space || (plain_space && follower != Class::space && follower != Class::end)) {
        const auto wanted = first == Class::space ? follower : first;
        end = first == Class::space ? next : at;  // a run of one class, after at most one space
        while (classify(text, end, next) == wanted && end < text.size()) end = next;
      } else {
        std::size_t last = at;  // white space; the last one belongs to a word that follows
        end = at;
        while (classify(text, end, next) == Class::space) {
          last = end;
          end = next;
        }
        if (end < text.size() && last > at) end = last;
      }
    }
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string Utf8Stream::add(std::string_view bytes) {
  rest_ += bytes;
  std::size_t keep = 0;  // bytes at the end that may begin a character
  for (std::size_t back = 1; back <= 3 && back <= rest_.size(); ++back) {
    const auto lead = static_cast<unsigned char>(rest_[rest_.size() - back]);
    if ((lead & 0xc0) == 0x80) continue;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length > back) keep = back;
    break;
  }
  auto whole = rest_.substr(0, rest_.size() - keep);
  rest_.erase(0, rest_.size() - keep);
  return whole;
}

}  // namespace forerun::models
