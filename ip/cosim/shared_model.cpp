// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/shared_model.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

namespace forerun::ip::cosim {

SharedModel::SharedModel(const std::string& file)
    : file_(file),
      handle_(::dlopen((file.find('/') == std::string::npos ? "./" + file : file).c_str(),
                       RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr)
    throw std::runtime_error(fmt::format("{}: cannot be loaded: {}", file, ::dlerror()));
  using Entry = const ModelFunctions* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(handle_, model_symbol));
  if (entry != nullptr) functions_ = entry();
  if (functions_ != nullptr && functions_->version == ModelFunctions::current) return;
  const auto version = functions_ == nullptr ? 0 : functions_->version;
  ::dlclose(handle_);
  if (entry == nullptr)
    throw std::runtime_error(
        fmt::format("{}: no RTL model (it has no {}); make one with forerun rtl", file, model_symbol));
  throw std::runtime_error(
      fmt::format("{}: an RTL model of version {}, expected {}; make it anew with forerun rtl", file, version,
                  ModelFunctions::current));
}

SharedModel::SharedModel(std::string name, const ModelFunctions& functions, std::size_t port_bytes)
    : file_(std::move(name)), port_bytes_(port_bytes), functions_(&functions) {}

SharedModel::~SharedModel() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

int SharedModel::find(std::string_view name) const {
  for (unsigned i = 0; i < functions_->port_count; ++i)
    if (functions_->ports[i].name == name) return static_cast<int>(i);
  return -1;
}

void ModelInstance::open_waves(const std::string& file) {
  if (*model_->functions().format == '\0')
    throw std::runtime_error(fmt::format(
        "{}: made without waves; make it with --waves fst or vcd (WAVES in CMake)", model_->file()));
  if (!model_->functions().open_waves(self_, file.c_str()))
    throw std::runtime_error(fmt::format("{}: cannot be written", file));
}

}  // namespace forerun::ip::cosim
