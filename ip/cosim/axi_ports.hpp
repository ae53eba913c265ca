// SPDX-License-Identifier: Apache-2.0
/// The two sides of an AXI interface as a bridge to TLM sees them: bursts go in, bursts come out, once a
/// cycle. The bus model behind may be on pins of this process or of another.
#pragma once

#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_subordinate.hpp"

namespace forerun::ip::cosim {

/// The manager's side; see AxiManager.
class AxiRequester {
 public:
  AxiRequester() = default;
  AxiRequester(const AxiRequester&) = delete;
  AxiRequester& operator=(const AxiRequester&) = delete;
  virtual ~AxiRequester() = default;
  virtual void issue(AxiBurst& burst) = 0;
  virtual AxiBurst* take_done() = 0;
  virtual void drive(std::uint64_t cycle) = 0;
  virtual void edge() = 0;
  virtual bool idle() const = 0;
};

/// The subordinate's side; see AxiSubordinate.
class AxiServer {
 public:
  AxiServer() = default;
  AxiServer(const AxiServer&) = delete;
  AxiServer& operator=(const AxiServer&) = delete;
  virtual ~AxiServer() = default;
  virtual AxiBurst* take() = 0;
  virtual void complete(AxiBurst& burst) = 0;
  virtual void drive(std::uint64_t cycle) = 0;
  virtual void edge() = 0;
  virtual bool idle() const = 0;
};

class PinRequester final : public AxiRequester {
 public:
  PinRequester(AxiPins& pins, const AxiShape& shape, const AxiManagerParameters& parameters)
      : pins_(pins), manager_(shape, parameters) {}
  void issue(AxiBurst& burst) override { manager_.issue(burst); }
  AxiBurst* take_done() override { return manager_.take_done(); }
  void drive(std::uint64_t cycle) override { manager_.drive(pins_, cycle); }
  void edge() override { manager_.edge(pins_); }
  bool idle() const override { return manager_.idle(); }

 private:
  AxiPins& pins_;
  AxiManager manager_;
};

class PinServer final : public AxiServer {
 public:
  PinServer(AxiPins& pins, const AxiShape& shape, const AxiSubordinateParameters& parameters)
      : pins_(pins), subordinate_(shape, parameters) {}
  AxiBurst* take() override { return subordinate_.take(); }
  void complete(AxiBurst& burst) override { subordinate_.complete(burst); }
  void drive(std::uint64_t cycle) override { subordinate_.drive(pins_, cycle); }
  void edge() override { subordinate_.edge(pins_); }
  bool idle() const override { return subordinate_.idle(); }

 private:
  AxiPins& pins_;
  AxiSubordinate subordinate_;
};

}  // namespace forerun::ip::cosim
