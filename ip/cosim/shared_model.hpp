// SPDX-License-Identifier: Apache-2.0
/// A Verilated module in a shared object, loaded at run time: swapped without a rebuild, any number of them
/// at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ip/cosim/model_abi.hpp"

namespace forerun::ip::cosim {

/// The shared object. Throws std::runtime_error, naming the file, if it is no such model or one of another
/// version.
class SharedModel {
 public:
  explicit SharedModel(const std::string& file);
  /// One without a module, whose ports can be looked at and given values, and nothing more: `functions`
  /// (which must outlive it) has no `create`. No port is larger than `port_bytes`.
  SharedModel(std::string name, const ModelFunctions& functions, std::size_t port_bytes);
  ~SharedModel();
  SharedModel(const SharedModel&) = delete;
  SharedModel& operator=(const SharedModel&) = delete;

  const std::string& file() const { return file_; }
  bool blank() const { return handle_ == nullptr; }
  std::size_t port_bytes() const { return port_bytes_; }
  const ModelFunctions& functions() const { return *functions_; }
  std::span<const ModelPort> ports() const { return {functions_->ports, functions_->port_count}; }
  /// Number of a port, or -1.
  int find(std::string_view name) const;

 private:
  std::string file_;
  void* handle_ = nullptr;
  std::size_t port_bytes_ = 0;
  const ModelFunctions* functions_ = nullptr;
};

/// One instance of the module; the shared object stays loaded as long as it lives.
class ModelInstance {
 public:
  explicit ModelInstance(std::shared_ptr<const SharedModel> model)
      : model_(std::move(model)),
        eval_(model_->functions().eval),
        self_(model_->blank() ? nullptr : model_->functions().create()),
        blank_(model_->port_bytes()) {}
  ~ModelInstance() {
    if (self_ != nullptr) model_->functions().destroy(self_);
  }
  ModelInstance(const ModelInstance&) = delete;
  ModelInstance& operator=(const ModelInstance&) = delete;

  const SharedModel& model() const { return *model_; }
  void eval() { eval_(self_); }
  /// Where a port's bits are.
  unsigned char* storage(unsigned port) {
    return self_ == nullptr ? blank_.data()
                            : static_cast<unsigned char*>(model_->functions().storage(self_, port));
  }

  /// Throws std::runtime_error if the model was made without waves or the file cannot be written.
  void open_waves(const std::string& file);
  void dump_waves(std::uint64_t picoseconds) { model_->functions().dump_waves(self_, picoseconds); }
  void close_waves() { model_->functions().close_waves(self_); }

 private:
  std::shared_ptr<const SharedModel> model_;
  void (*eval_)(void*);
  void* self_;
  std::vector<unsigned char> blank_;  ///< all ports of a blank model
};

}  // namespace forerun::ip::cosim
