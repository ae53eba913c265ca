// SPDX-License-Identifier: Apache-2.0
/// Cutting text into words, within which tokens are merged.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::models {

class Splitter {
 public:
  virtual ~Splitter() = default;
  virtual std::vector<std::string_view> split(std::string_view text) const = 0;
};

/// What becomes of a match of the pattern.
enum class SplitBehaviour : unsigned char { isolated, removed, with_previous, with_next };

/// By a regular expression (ICU's syntax, which has all that tokenizers use). Throws std::invalid_argument
/// with the position of the mistake.
std::shared_ptr<const Splitter> split_by_pattern(const std::string& pattern, SplitBehaviour behaviour,
                                                 bool invert = false);
/// By a text as it stands.
std::shared_ptr<const Splitter> split_by_text(std::string text, SplitBehaviour behaviour);
/// As GPT-2's pattern.
std::shared_ptr<const Splitter> split_by_gpt2();

/// Cuts text where GPT-2's pattern does: contractions, letters, digits, others, white space.
std::vector<std::string_view> split_like_gpt2(std::string_view text);

}  // namespace forerun::models
