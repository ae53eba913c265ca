// SPDX-License-Identifier: Apache-2.0
// The small formats against LLVM's APFloat, on every code and every hard case of rounding. Built where LLVM
// 19 is.
#include <gtest/gtest.h>
#include <llvm/ADT/APFloat.h>

#include "ip/base/numbers.hpp"
#include "ip/base/numbers/microscaling.hpp"
#include "tests/ip/numbers/oracle.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

const llvm::fltSemantics& semantics_of(unsigned type) {
  switch (type) {
    case FR_TYPE_F8E4M3:
      return llvm::APFloat::Float8E4M3FN();
    case FR_TYPE_F8E5M2:
      return llvm::APFloat::Float8E5M2();
    case FR_TYPE_F6E3M2:
      return llvm::APFloat::Float6E3M2FN();
    case FR_TYPE_F6E2M3:
      return llvm::APFloat::Float6E2M3FN();
    case FR_TYPE_F4E2M1:
      return llvm::APFloat::Float4E2M1FN();
    case FR_TYPE_F16:
      return llvm::APFloat::IEEEhalf();
    default:
      return llvm::APFloat::BFloat();
  }
}

class AgainstLlvm : public testing::TestWithParam<oracle::Format> {};

TEST_P(AgainstLlvm, EveryCodeHasTheSameValue) {
  const auto& format = GetParam();
  for (unsigned code = 0; code < 2 * format.sign(); ++code) {
    const llvm::APFloat theirs(semantics_of(format.type), llvm::APInt(format.bits(), code));
    const unsigned char bytes[2] = {static_cast<unsigned char>(code), static_cast<unsigned char>(code >> 8)};
    float ours = 0;
    read_row(format.type, bytes, &ours, 1);
    if (theirs.isNaN())
      ASSERT_TRUE(std::isnan(ours)) << code;
    else
      ASSERT_EQ(std::bit_cast<std::uint32_t>(theirs.convertToFloat()), std::bit_cast<std::uint32_t>(ours))
          << code;
  }
}

TEST_P(AgainstLlvm, EveryHardCaseRoundsTheSame) {
  const auto& format = GetParam();
  const oracle::Rounder rounder(format);
  oracle::for_hard_cases(rounder, [&](float value) {
    if (std::isnan(value) && format.canonical_nan == 0) return;  // NaN of formats without is our choice
    if (std::isinf(value) && format.nan.empty()) return;
    llvm::APFloat theirs(value);
    bool lossy = false;
    theirs.convert(semantics_of(format.type), llvm::APFloat::rmNearestTiesToEven, &lossy);
    unsigned char bytes[2] = {};
    write_row(format.type, &value, bytes, 1, Overflow::special);
    const unsigned ours = bytes[0] | static_cast<unsigned>(bytes[1]) << 8;
    if (theirs.isNaN())
      ASSERT_EQ(ours, format.canonical_nan) << value;
    else
      ASSERT_EQ(ours, theirs.bitcastToAPInt().getZExtValue()) << value;
  });
}

INSTANTIATE_TEST_SUITE_P(Formats, AgainstLlvm, testing::ValuesIn(oracle::formats()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
