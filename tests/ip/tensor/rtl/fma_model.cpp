// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/tensor/rtl/fma.hpp"

#include "Vfma_bench.h"

namespace forerun::rtl {
namespace {

class Model final : public Fma {
 public:
  std::uint32_t operator()(unsigned format, std::uint16_t a, std::uint16_t w, std::uint32_t sum) override {
    top_.format = format & 3, top_.a = a, top_.w = w, top_.sum = sum;
    top_.eval();
    return top_.result;
  }

 private:
  VerilatedContext context_;
  Vfma_bench top_{&context_};
};

}  // namespace

std::unique_ptr<Fma> Fma::make() { return std::make_unique<Model>(); }

}  // namespace forerun::rtl
