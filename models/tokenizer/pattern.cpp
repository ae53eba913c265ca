// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unicode/regex.h>
#include <unicode/utext.h>

#include <stdexcept>

#include "models/tokenizer/split.hpp"

namespace forerun::models {
namespace {

struct Match {
  std::size_t begin, end;
};

/// Matches and what lies between them, as words.
std::vector<std::string_view> cut(std::string_view text, const std::vector<Match>& matches,
                                  SplitBehaviour behaviour, bool invert) {
  std::vector<std::string_view> words;
  std::size_t at = 0;  // where the word under way begins
  const auto add = [&](std::size_t end) {
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end;
  };
  std::size_t end_of_last = 0;
  const auto delimiter = [&](std::size_t begin, std::size_t end) {
    switch (behaviour) {
      case SplitBehaviour::isolated:
        add(begin);
        add(end);
        break;
      case SplitBehaviour::removed:
        add(begin);
        at = end;
        break;
      case SplitBehaviour::with_previous:
        add(end);
        break;
      case SplitBehaviour::with_next:
        add(begin);
        break;
    }
  };
  for (const auto& m : matches) {
    if (invert && m.begin > end_of_last) delimiter(end_of_last, m.begin);
    if (!invert) delimiter(m.begin, m.end);
    end_of_last = m.end;
  }
  if (invert && end_of_last < text.size()) delimiter(end_of_last, text.size());
  add(text.size());
  return words;
}

class PatternSplitter : public Splitter {
 public:
  PatternSplitter(const std::string& pattern, SplitBehaviour behaviour, bool invert)
      : behaviour_(behaviour), invert_(invert) {
    UErrorCode status = U_ZERO_ERROR;
    UParseError where{};
    pattern_.reset(icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(pattern), where, status));
    if (U_FAILURE(status))
      throw std::invalid_argument(fmt::format("at character {}: {}", where.offset, u_errorName(status)));
  }
  std::vector<std::string_view> split(std::string_view text) const override {
    UErrorCode status = U_ZERO_ERROR;
    UText* const source =
        utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
    const std::unique_ptr<UText, decltype(&utext_close)> closes(source, utext_close);
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->matcher(status));
    if (U_FAILURE(status)) throw std::runtime_error(u_errorName(status));
    matcher->reset(source);
    std::vector<Match> matches;
    while (matcher->find(status) != 0) {
      const Match m{static_cast<std::size_t>(matcher->start64(status)),
                    static_cast<std::size_t>(matcher->end64(status))};
      if (m.end > m.begin) matches.push_back(m);
    }
    if (U_FAILURE(status))
      throw std::runtime_error(fmt::format("a pattern of the tokenizer: {}", u_errorName(status)));
    return cut(text, matches, behaviour_, invert_);
  }

 private:
  std::unique_ptr<icu::RegexPattern> pattern_;
  SplitBehaviour behaviour_;
  bool invert_;
};

class TextSplitter : public Splitter {
 public:
  TextSplitter(std::string text, SplitBehaviour behaviour) : text_(std::move(text)), behaviour_(behaviour) {}
  std::vector<std::string_view> split(std::string_view text) const override {
    std::vector<Match> matches;
    for (auto at = text.find(text_); at != std::string_view::npos; at = text.find(text_, at + text_.size()))
      matches.push_back({at, at + text_.size()});
    return cut(text, matches, behaviour_, false);
  }

 private:
  std::string text_;
  SplitBehaviour behaviour_;
};

class Gpt2Splitter : public Splitter {
 public:
  std::vector<std::string_view> split(std::string_view text) const override { return split_like_gpt2(text); }
};

}  // namespace

std::shared_ptr<const Splitter> split_by_pattern(const std::string& pattern, SplitBehaviour behaviour,
                                                 bool invert) {
  return std::make_shared<PatternSplitter>(pattern, behaviour, invert);
}
std::shared_ptr<const Splitter> split_by_text(std::string text, SplitBehaviour behaviour) {
  if (text.empty()) throw std::invalid_argument("an empty text splits nothing");
  return std::make_shared<TextSplitter>(std::move(text), behaviour);
}
std::shared_ptr<const Splitter> split_by_gpt2() { return std::make_shared<Gpt2Splitter>(); }

}  // namespace forerun::models
