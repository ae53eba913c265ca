// SPDX-License-Identifier: Apache-2.0
#include "models/import/number_formats.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "firmware/abi/command.h"
#include "platform/chip/names.hpp"

namespace forerun::models {
namespace {

using chip::Format;

struct Named {
  std::string_view name;
  NumberFormat format;
};

constexpr std::array named{Named{"fp32", {Format::f32}},          Named{"fp16", {Format::f16}},
                           Named{"bf16", {Format::bf16}},         Named{"fp8_e4m3", {Format::f8e4m3}},
                           Named{"fp8_e5m2", {Format::f8e5m2}},   Named{"int8", {Format::i8}},
                           Named{"int8_g32", {Format::i8, 32}},   Named{"int8_g64", {Format::i8, 64}},
                           Named{"int8_g128", {Format::i8, 128}}, Named{"int4_g16", {Format::i4, 16}},
                           Named{"int4_g32", {Format::i4, 32}},   Named{"int4_g64", {Format::i4, 64}},
                           Named{"int4_g128", {Format::i4, 128}}, Named{"mxfp8", {Format::mxfp8}},
                           Named{"mxfp6", {Format::mxfp6}},       Named{"mxfp4", {Format::mxfp4}},
                           Named{"mxint8", {Format::mxint8}}};

constexpr std::array short_for{Named{"fp8", {Format::f8e4m3}}, Named{"int4", {Format::i4, 128}}};

constexpr std::array<std::string_view, 11> whole{"fp32", "fp16", "bf16",  "fp8",   "fp8_e4m3", "fp8_e5m2",
                                                 "int8", "int4", "mxfp8", "mxfp6", "mxfp4"};

}  // namespace

bool NumberFormat::is_float() const {
  return format == Format::f32 || format == Format::f16 || format == Format::bf16;
}
bool NumberFormat::is_fp8() const { return format == Format::f8e4m3 || format == Format::f8e5m2; }
bool NumberFormat::is_integer() const { return format == Format::i8 || format == Format::i4; }
bool NumberFormat::is_mx() const { return !is_float() && !is_fp8() && !is_integer(); }

unsigned NumberFormat::element() const {
  switch (format) {
    case Format::f32:
      return FR_TYPE_F32;
    case Format::f16:
      return FR_TYPE_F16;
    case Format::bf16:
      return FR_TYPE_BF16;
    case Format::i8:
      return FR_TYPE_I8;
    case Format::i4:
      return FR_TYPE_I4;
    case Format::f8e4m3:
    case Format::mxfp8:
      return FR_TYPE_F8E4M3;
    case Format::f8e5m2:
      return FR_TYPE_F8E5M2;
    case Format::mxfp6:
      return FR_TYPE_F6E2M3;
    case Format::mxfp4:
      return FR_TYPE_F4E2M1;
    case Format::mxint8:
      return FR_TYPE_MXI8;
  }
  throw std::logic_error("a format without elements");
}

std::string_view format_name(NumberFormat format) {
  const auto* found =
      std::find_if(named.begin(), named.end(), [&](const Named& n) { return n.format == format; });
  if (found == named.end())
    throw std::logic_error(
        fmt::format("no name for groups of {} in {}", format.group, chip::name(format.format)));
  return found->name;
}

std::optional<NumberFormat> parse_format(std::string_view name) {
  for (const auto& n : named)
    if (n.name == name) return n.format;
  for (const auto& n : short_for)
    if (n.name == name) return n.format;
  return std::nullopt;
}

std::vector<std::string_view> format_names() {
  std::vector<std::string_view> names;
  for (const auto& n : named) names.push_back(n.name);
  return names;
}

NumberFormats::NumberFormats(chip::Format format) : weights{format}, activations{format}, kv{format} {
  switch (format) {
    case Format::i4:
      weights.group = 128;
      activations = kv = {Format::f16};
      break;
    case Format::mxfp4:
      activations = kv = {Format::bf16};
      break;
    default:
      kv = carrier();
  }
}

NumberFormat NumberFormats::carrier() const {
  if (activations.is_float()) return activations;
  return {activations.format == Format::i8 ? Format::f16 : Format::bf16};
}

void NumberFormats::check() const {
  const auto fail = [](std::string_view what, NumberFormat given, std::string_view expected) {
    throw FormatError(fmt::format("{} in {}: expected {}", what, format_name(given), expected));
  };
  if (activations.format == Format::i4 || activations.group != 0)
    fail("activations", activations,
         "fp32, fp16, bf16, fp8_e4m3, fp8_e5m2, int8, mxfp8, mxfp6, mxfp4 or mxint8");
  if (activations.format == Format::i8 && !weights.is_integer())
    fail("weights beside activations in int8", weights,
         "int8 or int4, for integers are multiplied with integers");
  if ((activations.is_fp8() || activations.is_mx()) && (weights.is_float() || weights.is_integer()))
    fail(fmt::format("weights beside activations in {}", format_name(activations)), weights,
         "fp8_e4m3, fp8_e5m2, mxfp8, mxfp6, mxfp4 or mxint8");
  if (weights.format == Format::i4 && weights.group == 0)
    throw std::logic_error("weights in int4 without groups");
  if (!kv.is_float() && !kv.is_fp8() && (kv.format != Format::i8 || kv.group != 0))
    fail("keys and values", kv, "fp32, fp16, bf16, fp8_e4m3, fp8_e5m2 or int8");
}

std::string NumberFormats::name() const {
  for (const auto w : whole)
    if (*this == *parse_formats(w)) return std::string(w);
  return fmt::format("{} x {}, kv {}", format_name(weights), format_name(activations), format_name(kv));
}

std::optional<NumberFormats> parse_formats(std::string_view name) {
  if (std::find(whole.begin(), whole.end(), name) == whole.end()) return std::nullopt;
  return NumberFormats(parse_format(name)->format);
}

std::vector<std::string_view> whole_format_names() { return {whole.begin(), whole.end()}; }

std::vector<std::string_view> lacking_formats(const NumberFormats& formats, const chip::Chip& chip) {
  std::vector<std::string_view> lacking;
  const auto& has = chip.clusters.tensor.formats;
  for (const auto f : {formats.weights, formats.activations, formats.carrier(), formats.kv})
    if (std::find(has.begin(), has.end(), f.format) == has.end() &&
        std::find(lacking.begin(), lacking.end(), chip::name(f.format)) == lacking.end())
      lacking.push_back(chip::name(f.format));
  return lacking;
}

}  // namespace forerun::models
