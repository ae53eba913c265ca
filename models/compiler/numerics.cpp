// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/numerics.hpp"

namespace forerun::models {

unsigned Numerics::sum() const {
  const bool integers = operand == FR_TYPE_I8 && (weight == FR_TYPE_I8 || weight == FR_TYPE_I4);
  return integers && !scales_groups() ? +FR_TYPE_I32 : +FR_TYPE_F32;
}

unsigned Numerics::normed() const { return quantises() ? +FR_TYPE_F32 : activation; }

Numerics numerics_for(const NumberFormats& formats) {
  formats.check();
  const auto &w = formats.weights, &a = formats.activations;
  Numerics n;
  n.weight = w.element();
  n.activation = formats.carrier().element();
  n.operand = a.element();
  n.cache = formats.kv.element();
  n.group = w.block() != 0 ? w.block() : a.block();
  if (w.block() != 0) n.group_scale = w.is_mx() ? FR_TYPE_E8M0 : FR_TYPE_F16;
  n.output_scales = !w.is_float() && w.block() == 0;
  n.token_scales = !a.is_float() && !a.is_mx();
  n.block_scales = a.is_mx();
  n.cache_scales = formats.kv.is_integer();
  return n;
}

}  // namespace forerun::models
