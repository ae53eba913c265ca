// SPDX-License-Identifier: Apache-2.0
// Runs the node tests of the ONNX standard, whose results others computed, on the vector and matmul kernels,
// and prints what ran. A test that says nothing about our kernels is listed with its reason; one that runs
// must match.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include <fmt/format.h>

#include "tests/ip/onnx/operators.hpp"

namespace forerun::onnx_test {
namespace {

struct Score {
  unsigned ran = 0, passed = 0;
  double worst = 0;  // of the tolerance
};

/// Operators that only move or describe data: work of the DMA or of the compiler.
const std::set<std::string> moving = {"Compress",     "Concat",   "Constant", "ConstantOfShape",
                                      "DepthToSpace", "Expand",   "Flatten",  "Gather",
                                      "GatherND",     "Identity", "Pad",      "Reshape",
                                      "Shape",        "Size",     "Slice",    "SpaceToDepth",
                                      "Split",        "Squeeze",  "Tile",     "Unsqueeze"};

template <typename Message>
Message read(const std::filesystem::path& path) {
  Message message;
  std::ifstream file(path, std::ios::binary);
  if (!message.ParseFromIstream(&file)) throw std::runtime_error("cannot read " + path.string());
  return message;
}

/// Carries out a graph; returns its outputs in order.
std::vector<Tensor> evaluate(Chip& chip, const onnx::GraphProto& graph,
                             std::map<std::string, Tensor> values) {
  for (const auto& constant : graph.initializer()) values[constant.name()] = chip.load(constant);
  for (const auto& proto : graph.node()) {
    const auto found = operators().find(proto.op_type());
    if (proto.op_type() == "Constant") {
      for (const auto& attribute : proto.attribute())
        if (attribute.name() == "value") values[proto.output(0)] = chip.load(attribute.t());
      continue;
    }
    if (found == operators().end()) throw NotApplicable("operator", proto.op_type());
    Node node{proto, {}};
    for (const auto& name : proto.input()) {
      const auto* tensor = name.empty() ? nullptr : &values.at(name);
      if (tensor != nullptr && tensor->biased && !found->second.quantized)
        throw NotApplicable("element type", "UINT8");
      if (tensor != nullptr && !tensor->host && tensor->count() == 0)
        throw NotApplicable("value", "an empty tensor");
      node.inputs.push_back(tensor);
    }
    const auto results = found->second.run(chip, node);
    for (int i = 0; i < proto.output_size(); ++i)
      values[proto.output(i)] = results.at(static_cast<std::size_t>(i));
  }
  std::vector<Tensor> outputs;
  for (const auto& output : graph.output()) outputs.push_back(values.at(output.name()));
  return outputs;
}

/// Largest deviation as a multiple of the tolerance; where nothing may differ, 0 or infinity.
double compare(const Chip& chip, const Tensor& got, const Tensor& wanted, const Tolerance& tolerance) {
  if (got.dims != wanted.dims) throw std::runtime_error("shape differs");
  if (!wanted.host && (got.type != wanted.type || got.biased != wanted.biased))
    throw std::runtime_error("type differs");
  double worst = 0;
  for (std::int64_t i = 0; i < wanted.count(); ++i) {
    const double g = chip.at(got, i), w = chip.at(wanted, i);
    if (g == w || (std::isnan(g) && std::isnan(w))) continue;
    const double allowed = tolerance.absolute + tolerance.relative * std::fabs(w);
    const double ratio = allowed > 0 ? std::fabs(g - w) / allowed : INFINITY;
    worst = std::isnan(ratio) ? INFINITY : std::max(worst, ratio);
  }
  return worst;
}

TEST(OnnxNodeTests, OursGiveTheStandardsResults) {
  std::set<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(ONNX_NODE_TESTS)) folders.insert(entry.path());
  std::map<std::string, Score> scores;
  std::map<std::string, std::map<std::string, unsigned>> not_applicable;
  std::size_t commands = 0;
  for (const auto& folder : folders) {
    Chip chip;
    const auto name = folder.filename().string();
    try {
      const auto model = read<onnx::ModelProto>(folder / "model.onnx");
      const auto& graph = model.graph();
      if (std::all_of(graph.node().begin(), graph.node().end(),
                      [](const auto& node) { return moving.contains(node.op_type()); }))
        throw NotApplicable("layout only", graph.node(0).op_type());
      for (const auto& node : graph.node())
        if (!operators().contains(node.op_type()) && node.op_type() != "Constant")
          throw NotApplicable("operator", node.op_type());
      for (const auto* values : {&graph.input(), &graph.output()})
        for (const auto& value : *values)
          if (!value.type().has_tensor_type()) throw NotApplicable("element type", "not a tensor");
      const auto data = folder / "test_data_set_0";
      std::map<std::string, Tensor> inputs;
      for (int i = 0; i < graph.input_size(); ++i)
        inputs[graph.input(i).name()] =
            chip.load(read<onnx::TensorProto>(data / ("input_" + std::to_string(i) + ".pb")));
      std::vector<Tensor> wanted;
      for (int i = 0; i < graph.output_size(); ++i)
        wanted.push_back(chip.load(read<onnx::TensorProto>(data / ("output_" + std::to_string(i) + ".pb"))));
      const auto outputs = evaluate(chip, graph, std::move(inputs));
      if (chip.commands() == 0) throw NotApplicable("layout only", graph.node(0).op_type() + " of one input");
      Tolerance tolerance;
      for (const auto& node : graph.node())
        if (const auto found = operators().find(node.op_type()); found != operators().end())
          tolerance = {std::max(tolerance.relative, found->second.tolerance.relative),
                       std::max(tolerance.absolute, found->second.tolerance.absolute)};
      auto& score = scores[graph.node_size() == 1 ? graph.node(0).op_type() : "(several nodes)"];
      ++score.ran;
      double worst = 0;
      for (std::size_t i = 0; i < wanted.size(); ++i)
        worst = std::max(worst, compare(chip, outputs[i], wanted[i], tolerance));
      score.worst = std::max(score.worst, worst);
      if (worst <= 1) ++score.passed;
      EXPECT_LE(worst, 1) << name << ": deviation as a multiple of the tolerance";
      commands += chip.commands();
    } catch (const NotApplicable& reason) {
      ++not_applicable[reason.category][reason.what()];
    } catch (const std::exception& error) {
      ADD_FAILURE() << name << ": " << error.what();
    }
  }
  unsigned ran = 0, passed = 0, left = 0;
  std::cout << fmt::format("{:27}{:>5}{:>8}{:>10}  {}\n", "operator", "ran", "passed", "worst", "commands");
  for (const auto& [name, score] : scores) {
    const auto found = operators().find(name);
    std::cout << fmt::format("{:27}{:5}{:8}{:9.0f}%  {}\n", name, score.ran, score.passed, 100 * score.worst,
                             found != operators().end() ? found->second.commands : "");
    ran += score.ran, passed += score.passed;
  }
  std::cout << fmt::format(
      "{} of {} node tests ran as {} commands, {} passed; worst: share of the tolerance used\nnot "
      "applicable:\n",
      ran, folders.size(), commands, passed);
  for (const auto& [category, reasons] : not_applicable) {
    unsigned count = 0;
    std::string list;
    for (const auto& [reason, number] : reasons)
      count += number, list += fmt::format(" {} {};", number, reason);
    std::cout << fmt::format("{:5}  {}:{}\n", count, category, list);
    left += count;
  }
  EXPECT_EQ(passed, ran);
  EXPECT_EQ(ran + left, folders.size());
  EXPECT_GE(ran, 200u) << "the test data is there and most of what can run does";
  for (const auto& [name, op] : operators())
    EXPECT_TRUE(op.layout_only || scores.contains(name)) << name << " is in the table but no test of it ran";
}

}  // namespace
}  // namespace forerun::onnx_test
