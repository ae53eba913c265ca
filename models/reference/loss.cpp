// SPDX-License-Identifier: Apache-2.0
#include "models/reference/loss.hpp"

#include <algorithm>
#include <cmath>

namespace forerun::models {
namespace {

/// Logarithm of the sum of e^logit.
double log_sum(std::span<const double> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double l : logits) sum += std::exp(l - top);
  return top + std::log(sum);
}

auto choice(std::span<const double> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

double relative(double squared_error, double squares) {
  return squared_error > 0 ? std::sqrt(squared_error / squares) : 0;
}

}  // namespace

void LogitMeter::add(std::span<const double> full, std::span<const double> logits,
                     const std::uint32_t* next) {
  ++positions_;
  const double full_sum = log_sum(full), sum = log_sum(logits);
  for (std::size_t i = 0; i < full.size(); ++i) {
    const double error = logits[i] - full[i], logarithm = full[i] - full_sum;
    // Of what is not finite, the largest: NaN compares with nothing.
    largest_ = std::isnan(error) ? HUGE_VAL : std::max(largest_, std::fabs(error));
    squared_error_ += error * error;
    squares_ += full[i] * full[i];
    divergence_ += std::exp(logarithm) * (logarithm - (logits[i] - sum));
  }
  same_ += choice(full) == choice(logits) ? 1 : 0;
  if (next == nullptr) return;
  ++predicted_;
  full_nll_ += full_sum - full[*next];
  nll_ += sum - logits[*next];
}

LogitLoss LogitMeter::loss() const {
  LogitLoss l;
  l.positions = positions_;
  if (positions_ == 0) return l;
  const auto positions = static_cast<double>(positions_), predicted = static_cast<double>(predicted_);
  l.largest_error = largest_;
  l.relative_error = relative(squared_error_, squares_);
  l.same_choice = static_cast<double>(same_) / positions;
  l.divergence = divergence_ / positions;
  if (predicted_ == 0) return l;
  l.full_perplexity = std::exp(full_nll_ / predicted);
  l.perplexity = std::exp(nll_ / predicted);
  return l;
}

void LayerMeter::add(const std::vector<std::vector<double>>& full,
                     const std::vector<std::vector<double>>& residuals) {
  squared_errors_.resize(full.size());
  squares_.resize(full.size());
  for (std::size_t l = 0; l < full.size(); ++l)
    for (std::size_t i = 0; i < full[l].size(); ++i) {
      const double error = residuals[l][i] - full[l][i];
      squared_errors_[l] += error * error;
      squares_[l] += full[l][i] * full[l][i];
    }
}

std::vector<double> LayerMeter::errors() const {
  std::vector<double> errors(squares_.size());
  for (std::size_t l = 0; l < errors.size(); ++l) errors[l] = relative(squared_errors_[l], squares_[l]);
  return errors;
}

}  // namespace forerun::models
