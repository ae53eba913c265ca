// SPDX-License-Identifier: Apache-2.0
/// In which number formats a model is run: its weights, its activations and its key/value cache.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::models {

/// Formats that do not exist or do not go together; what() says which do.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A format and its scales. Plain floats of 16 and 32 bits have none.
///
///     fp8_e4m3, fp8_e5m2   OCP OFP8; weights with one binary32 scale for each output, activations with one
///                          for each token, the cache without
///     int8                 the same; the cache has one for each position and head
///     int4_gN, int8_gN     weights with one binary16 scale for N inputs of an output
///     mxfp8, mxfp6, mxfp4, mxint8   OCP MX blocks of 32 inputs with a power of two: elements E4M3, E2M3,
///     E2M1, INT8
struct NumberFormat {
  chip::Format format = chip::Format::f16;
  std::uint32_t group = 0;  ///< integers: inputs that share a scale; 0: all of them

  bool is_float() const;    ///< of 16 or 32 bits
  bool is_fp8() const;      ///< without blocks
  bool is_integer() const;  ///< int8 or int4
  bool is_mx() const;
  /// Inputs that share a scale, of MX blocks and groups; 0: none or one scale for all.
  std::uint32_t block() const { return is_mx() ? 32 : group; }
  /// FR_TYPE_* of an element.
  unsigned element() const;
  bool operator==(const NumberFormat&) const = default;
};

/// Name as `parse_format` takes it.
std::string_view format_name(NumberFormat format);
/// "fp8" and "int4" stand for fp8_e4m3 and int4_g128.
std::optional<NumberFormat> parse_format(std::string_view name);
/// All names, without those that stand for others.
std::vector<std::string_view> format_names();

struct NumberFormats {
  NumberFormat weights;      ///< of projections
  NumberFormat activations;  ///< what projections read
  NumberFormat kv;           ///< keys and values in the cache

  /// The same for all, as far as it can be. Weights in int4 and mxfp4 come with activations in fp16 and bf16;
  /// activations and cache are not narrower than 8 and 16 bits.
  NumberFormats(chip::Format format = chip::Format::f16);  // NOLINT: a format is short for formats
  NumberFormats(NumberFormat w, NumberFormat a, NumberFormat c) : weights(w), activations(a), kv(c) {}

  /// Of queries, probabilities, the embedding table and all that is no operand of a projection: activations
  /// where these are floats of 16 or 32 bits, fp16 beside int8, else bf16.
  NumberFormat carrier() const;
  /// Throws FormatError for formats that do not go together.
  void check() const;
  /// The three names, or one if they are those that `name` alone stands for.
  std::string name() const;
  bool operator==(const NumberFormats&) const = default;
};

/// What a name stands for as the format of a whole model.
std::optional<NumberFormats> parse_formats(std::string_view name);
/// Names that parse_formats takes.
std::vector<std::string_view> whole_format_names();

/// Those of the formats that the chip's arrays lack (clusters.tensor.formats), by their names there.
std::vector<std::string_view> lacking_formats(const NumberFormats& formats, const chip::Chip& chip);

}  // namespace forerun::models
