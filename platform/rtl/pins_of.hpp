// SPDX-License-Identifier: Apache-2.0
/// Pins of a model by the names of a pin map: whole ports, fields and bits of them.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/shared_model.hpp"
#include "platform/rtl/design.hpp"
#include "platform/rtl/pin_map.hpp"
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

/// The pin map that is in a model.
PinMap pin_map_of(const ip::cosim::SharedModel& model);

/// The ports of a module with their types, as a pin map names them. Errors are std::runtime_error that begin
/// with the place in the map, which `at` is the path to (MapPlaces), and name module and pin.
class PinsOf {
 public:
  PinsOf(const ip::cosim::SharedModel& model, MapPlaces places);
  /// Of a module that has not been made into a model.
  PinsOf(const std::vector<Port>& ports, std::string module, MapPlaces places);

  /// Nothing if there is no port of this name; throws if there is one that has no such field or bits.
  std::optional<Pin> find(const std::string& name, std::string_view at) const;
  /// A pin that must be there, in this direction and of so many bits (0: any).
  Pin get(const std::string& name, bool input, unsigned bits, std::string_view at) const;
  /// A clock or a reset, the `i`th that `key` names: a port of one bit. Returns its number.
  unsigned use_wire(const std::string& name, const std::string& key, std::size_t i);
  /// Bits of a port or a part of one; 0: there is none of this name.
  unsigned width(const std::string& name, std::string_view at) const;
  /// Names of ports and of their fields that begin with this.
  std::vector<std::string> beginning_with(const std::string& start, std::string_view at) const;
  /// Of all ports.
  std::vector<std::string> names() const;
  /// Of all inputs or outputs of one bit.
  std::vector<std::string> wires(bool inputs) const;
  [[noreturn]] void refuse(std::string_view at, const std::string& text) const;

  /// Gives an input a value of the map's `constants`.
  void hold(ip::cosim::ModelInstance& instance, const std::string& name, std::uint64_t value);

  /// From now on these bits count as connected. Refuses an input of which something is.
  void use(const Pin& pin, std::string_view at);
  /// Inputs or outputs, and parts of them, that are not.
  std::vector<std::string> unused(bool inputs) const;
  /// The same, in a line for people each, or nothing.
  std::string describe_unused() const;

 private:
  std::optional<std::pair<unsigned, std::string>> split(const std::string& name) const;
  struct Entry {
    std::string name;
    bool input;
    PortType type;
    std::vector<bool> used{};  ///< by bit, element by element
  };
  std::string module_;
  MapPlaces places_;
  std::vector<Entry> entries_;
};

/// "; did you mean X?" with the nearest of the names, capitals and underscores aside, or nothing.
std::string near_miss(const std::string& name, const std::vector<std::string>& names);
/// The same, or "; it has A, B, ..." with the first few of them.
std::string near_or_all(const std::string& name, const std::vector<std::string>& names);

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
