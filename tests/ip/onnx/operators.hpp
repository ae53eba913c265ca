// SPDX-License-Identifier: Apache-2.0
/// Which commands carry out which ONNX operator.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/ip/onnx/chip.hpp"

namespace forerun::onnx_test {

/// A node of the graph with its inputs; absent optional ones are null.
struct Node {
  const onnx::NodeProto& proto;
  std::vector<const Tensor*> inputs;

  const Tensor& in(std::size_t i) const;
  const Tensor* optional(std::size_t i) const { return i < inputs.size() ? inputs[i] : nullptr; }
  std::int64_t integer(const std::string& name, std::int64_t otherwise) const;
  float real(const std::string& name, float otherwise) const;
  std::vector<std::int64_t> integers(const std::string& name) const;
  const onnx::AttributeProto* attribute(const std::string& name) const;
};

/// How far a result may be off: |result - wanted| <= absolute + relative * |wanted|.
struct Tolerance {
  double relative = 0, absolute = 0;
};

struct Operator {
  std::string commands;  ///< for the table
  std::function<std::vector<Tensor>(Chip&, const Node&)> run;
  Tolerance tolerance = {};
  bool layout_only = false;  ///< no command at all
  bool quantized = false;    ///< takes biased tensors
};

const std::map<std::string, Operator>& operators();

}  // namespace forerun::onnx_test
