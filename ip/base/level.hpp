// SPDX-License-Identifier: Apache-2.0
/// Interrupt and reset lines: a level that its one driver sets by a call.
///
/// A call takes effect at once, without a delta cycle, so that a CPU that has just caused a change by an MMIO access
/// sees it before its next instruction.
#pragma once

#include <functional>
#include <systemc>

namespace forerun::ip {

class LevelIf : public virtual sc_core::sc_interface {
 public:
  /// Sets the line high or low. Repeating the present level changes nothing.
  virtual void set_level(bool level) = 0;
};

/// The driving end; may stay unbound.
class LevelOut : public sc_core::sc_port<LevelIf, 1, sc_core::SC_ZERO_OR_MORE_BOUND> {
 public:
  using sc_port::sc_port;
  void set(bool level) {
    if (level_ == level) return;
    level_ = level;
    if (size() > 0) (*this)->set_level(level);
  }
  bool level() const { return level_; }

 private:
  bool level_ = false;
};

/// The receiving end: calls a function at each change. An unbound line stays low.
class LevelIn : public sc_core::sc_export<LevelIf> {
 public:
  LevelIn(const char* name, std::function<void(bool)> on_change) : sc_export(name), line_(std::move(on_change)) {
    bind(line_);
  }
  bool level() const { return line_.level; }

 private:
  struct Line : LevelIf {
    explicit Line(std::function<void(bool)> function) : on_change(std::move(function)) {}
    void set_level(bool value) override {
      if (level == value) return;
      level = value;
      on_change(value);
    }
    std::function<void(bool)> on_change;
    bool level = false;
  };
  Line line_;
};

}  // namespace forerun::ip
