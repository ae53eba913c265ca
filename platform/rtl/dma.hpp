// SPDX-License-Identifier: Apache-2.0
/// RTL that copies in the place of a cluster's DMA: clusters.dma.model rtl.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <vector>

#include "ip/dma/copier.hpp"
#include "ip/record/format.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/device.hpp"
#include "platform/rtl/dma_checker.hpp"

namespace forerun::rtl {

/// The model that the chip names in rtl.dma, or that of ip/dma/rtl in the chip's own size, made when it is
/// first needed. Throws std::runtime_error if it cannot be made.
std::string dma_model(const chip::Chip& chip, Waves waves);
/// What it is, for reports.
std::string describe_dma(const chip::Chip& chip);

/// One engine of RTL, told what to copy as the section `dma` of its pin map says. Its managers see one
/// address space of as many bits as the narrowest of their address buses and of what takes addresses has: the
/// scratchpad where the highest bit is set; elsewhere memory, whose further address bits are held here for
/// each copy, so that copies are cut where these change.
///
/// A copy fails with FR_ERROR_BUS and the address of the first transaction that failed, or of the copy if the
/// engine says so without one. Throws std::runtime_error from a process, which ends the run, when registers
/// answer with an error and when nothing has moved for a million clock cycles of a copy.
class RtlDma : public sc_core::sc_module, public ip::DmaCopier {
 public:
  /// Throws std::runtime_error, naming the file, for a module that is no such engine.
  RtlDma(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place);

  void connect(ip::CopierHost& host) override { host_ = &host; }
  std::uint64_t alignment() const override { return map_.alignment; }
  void start(const ip::DmaCopy& copy) override;
  void abandon() override;
  tlm::tlm_sync_enum from_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                 sc_core::sc_time& delay) override;
  /// The engine's reset; a copy under way ends.
  void reset();

  /// Lockstep: what each copy writes is compared with what it must, and its time with the model's as the pin
  /// map's tolerance says. Before the simulation starts.
  void compare(const DmaTimeModel& model, std::function<void(const Difference&)> on_difference);

  /// Each copy at its end, with the transactions of the engine's managers.
  std::function<void(const ip::record::Copy&)> on_copy;

  RtlDevice& device() { return device_; }
  const RtlDevice& device() const { return device_; }
  std::uint64_t copies() const { return copies_; }  ///< that the engine was told

 private:
  /// Drives the descriptor's pins.
  struct Descriptor : ip::cosim::PinUser {
    explicit Descriptor(RtlDma& owner) : dma(owner) {}
    void drive(std::uint64_t) override;
    void edge(std::uint64_t) override;
    bool idle() const override { return !offered && !taken; }
    RtlDma& dma;
    bool offered = false, taken = false;
  };
  struct Owner {
    tlm::tlm_generic_payload* payload;
    int input;
    std::int64_t begun_ps;
    std::size_t recorded;  ///< which of recording_.transactions
  };
  void work();
  void copy(const ip::DmaCopy& rows);
  void tell(const ip::DmaCopy& rows);
  void by_registers(const ip::DmaCopy& rows);
  void by_descriptor(const ip::DmaCopy& rows);
  void write(const DmaWrite& write, const ip::DmaCopy& rows);
  std::uint64_t value_of(const DmaWrite& write, const ip::DmaCopy& rows) const;
  std::uint32_t status();
  /// A descriptor's address: above the scratchpad. Accesses there are answered from descriptor_bytes_.
  std::uint64_t descriptor_address() const { return local_bit_ | local_bit_ >> 1; }
  void write_descriptor(const ip::DmaCopy& rows);
  tlm::tlm_sync_enum access_descriptor(tlm::tlm_generic_payload& payload);
  void access(tlm::tlm_command command, std::uint64_t address, unsigned char* data, unsigned bytes);
  void wait_for_end(const sc_core::sc_event& event);
  /// The copy under way: rows, bytes, source and destination.
  std::string describe_copy() const;
  /// Throws for a copy that has no end; `why` it is thought so.
  [[noreturn]] void endless(const std::string& why);
  bool over() const { return cut_ || fault_ || draining_; }
  std::uint64_t seen(std::uint64_t global) const { return global & (local_bit_ - 1); }
  std::uint64_t source(const ip::DmaCopy& c) const { return c.load ? seen(c.global) : c.local | local_bit_; }
  std::uint64_t destination(const ip::DmaCopy& c) const {
    return c.load ? c.local | local_bit_ : seen(c.global);
  }
  void note(const tlm::tlm_generic_payload& payload);
  bool comparing() const { return checker_ && !draining_ && !cut_; }
  void check_write(bool local, const tlm::tlm_generic_payload& payload);
  void check_read(bool local, const tlm::tlm_generic_payload& payload);
  /// Notes a request as the engine made it, and its answer.
  std::size_t record(const tlm::tlm_generic_payload& payload);
  void record_answer(const tlm::tlm_generic_payload& payload, std::size_t which);
  void landed(const tlm::tlm_generic_payload& payload, const Owner& owner);
  void check_end(std::int64_t begun_ps);
  void differ(const std::string& transaction, const std::string& what);
  std::uint64_t cycles_since(std::int64_t ps) const;
  tlm::tlm_sync_enum nb_transport_fw(int input, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);

  RtlDevice device_;
  DmaMap map_;
  std::string label_;
  ip::LevelIn interrupt_;
  std::unique_ptr<tlm_utils::simple_initiator_socket<RtlDma>> bus_;  ///< to the registers
  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<RtlDma>> in_;
  Descriptor descriptor_{*this};
  ip::CopierHost* host_ = nullptr;
  std::uint64_t local_bit_, most_bytes_;
  std::uint64_t page_ = 0;  ///< the further address bits
  WaveOptions waves_;
  std::optional<ip::DmaCopy> job_;
  std::vector<unsigned char> descriptor_bytes_;
  ip::DmaCopy told_copy_{};  ///< the part of job_ that the engine was told last
  std::optional<ip::LocalFault> fault_;
  bool set_up_ = false, draining_ = false, cut_ = false;
  std::vector<Owner> owners_;
  ip::record::Copy recording_;
  std::unique_ptr<DmaChecker> checker_;
  std::function<void(const Difference&)> on_difference_;
  std::uint64_t copies_ = 0, moves_ = 0;
  sc_core::sc_event begin_, told_, cut_event_, landed_event_;
};

}  // namespace forerun::rtl
