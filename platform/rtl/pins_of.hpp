// SPDX-License-Identifier: Apache-2.0
/// Pins of a model by the names of a pin map: whole ports, fields and bits of them.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/design.hpp"
#include "platform/rtl/port_type.hpp"

namespace forerun::rtl {

/// Where a pin is in a model.
struct Pin {
  std::string name;
  unsigned port = 0;
  bool input = false;
  unsigned low = 0, bits = 0;  ///< of the word that it is in
  unsigned word_bits = 0;      ///< of that word: the port, or an element of an unpacked array
  unsigned element = 0;        ///< which one
};

/// The ports of a model with their types. Errors are std::runtime_error that name file, module and pin.
class PinsOf {
 public:
  explicit PinsOf(const ip::cosim::SharedModel& model);
  /// Of a module that has not been made into a model; `where` it is, for errors.
  PinsOf(const std::vector<Port>& ports, std::string where);

  /// Nothing if there is no port of this name; throws if there is one that has no such field or bits.
  std::optional<Pin> find(const std::string& name) const;
  /// A pin that must be there, in this direction and of so many bits (0: any).
  Pin get(const std::string& name, bool input, unsigned bits = 0) const;
  /// Names of ports and of their fields that begin with this.
  std::vector<std::string> beginning_with(const std::string& start) const;
  /// Of all ports.
  std::vector<std::string> names() const;
  [[noreturn]] void refuse(const std::string& text) const;

 private:
  std::optional<std::pair<unsigned, std::string>> split(const std::string& name) const;
  struct Entry {
    std::string name;
    bool input;
    PortType type;
  };
  std::string where_;
  std::vector<Entry> entries_;
};

/// Copies a pin of one instance to or from a field of so many bytes, low bits first.
class PinCopy {
 public:
  PinCopy(ip::cosim::ModelInstance& instance, const Pin& pin, void* field, unsigned field_bytes);
  void to_port() const {
    if (!whole_) return insert();
    std::memcpy(word_, field_, copied_);
  }
  void from_port() const {
    if (copied_ < field_bytes_ && field_bytes_ <= 8) std::memset(field_, 0, field_bytes_);
    if (!whole_) return extract();
    std::memcpy(field_, word_, copied_);
  }

 private:
  void insert() const;
  void extract() const;
  unsigned char *word_, *field_;
  unsigned low_, bits_, field_bytes_;
  bool whole_;       ///< nothing else is in the word
  unsigned copied_;  ///< bytes
};

}  // namespace forerun::rtl
