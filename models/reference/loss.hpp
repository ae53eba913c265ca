// SPDX-License-Identifier: Apache-2.0
/// What number formats cost: a model's results beside those of the same model in full precision.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace forerun::models {

/// Of logits that were made for the tokens of a text, position by position.
struct LogitLoss {
  std::uint64_t positions = 0;  ///< at which logits were made
  double largest_error = 0;     ///< of a logit, against full precision
  double relative_error = 0;    ///< root of the sum of squared errors over that of squared logits
  double same_choice = 0;       ///< share of the positions with the same largest logit
  double divergence = 0;        ///< mean Kullback-Leibler divergence from full precision, in nats
  double full_perplexity = 0;   ///< e^(mean negative log-likelihood of the next token) in full precision
  double perplexity = 0;        ///< in the formats. Both are 0 for a text of one token
};

class LogitMeter {
 public:
  /// Logits after a token, and the token that follows it in the text (none after the last).
  void add(std::span<const double> full, std::span<const double> logits, const std::uint32_t* next);
  LogitLoss loss() const;

 private:
  std::uint64_t positions_ = 0, same_ = 0, predicted_ = 0;
  double largest_ = 0, squared_error_ = 0, squares_ = 0, divergence_ = 0, full_nll_ = 0, nll_ = 0;
};

/// Of the residual stream, after the embedding and after each layer: root of the sum over all positions of
/// squared errors over that of squares.
class LayerMeter {
 public:
  void add(const std::vector<std::vector<double>>& full, const std::vector<std::vector<double>>& residuals);
  std::vector<double> errors() const;

 private:
  std::vector<double> squared_errors_, squares_;
};

}  // namespace forerun::models
