// SPDX-License-Identifier: Apache-2.0
/// What may move the bytes of copies in the place of a Dma's own bursts: RTL.
#pragma once

#include <cstdint>
#include <optional>
#include <tlm>

#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Rows of bytes, none empty, between memory and scratchpad; strides may be negative.
struct DmaCopy {
  bool load = true;  ///< from memory into the scratchpad; false: back
  std::uint64_t global = 0, local = 0;
  std::uint64_t bytes = 0, rows = 1;  ///< of a row; 1 or more each
  std::int64_t global_stride = 0, local_stride = 0;
};

/// How a copier reaches the cluster around it.
class CopierHost {
 public:
  CopierHost() = default;
  CopierHost(const CopierHost&) = delete;
  CopierHost& operator=(const CopierHost&) = delete;
  virtual ~CopierHost() = default;
  /// nb_transport_fw into the network; answers come by DmaCopier::from_global.
  virtual tlm::tlm_sync_enum to_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                       sc_core::sc_time& delay) = 0;
  /// b_transport into the scratchpad, which does not wait.
  virtual void to_local(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) = 0;
  /// Once for each start().
  virtual void copied(std::optional<LocalFault> fault) = 0;
};

class DmaCopier {
 public:
  DmaCopier() = default;
  DmaCopier(const DmaCopier&) = delete;
  DmaCopier& operator=(const DmaCopier&) = delete;
  virtual ~DmaCopier() = default;
  virtual void connect(CopierHost& host) = 0;
  /// Addresses, row bytes and strides must be multiples of this power of two; copies with others are left to
  /// the Dma's own bursts.
  virtual std::uint64_t alignment() const = 0;
  /// One at a time.
  virtual void start(const DmaCopy& copy) = 0;
  /// The copy under way is to end soon, without an effect on memory and scratchpad.
  virtual void abandon() = 0;
  /// nb_transport_bw of a transaction given to CopierHost::to_global.
  virtual tlm::tlm_sync_enum from_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                         sc_core::sc_time& delay) = 0;
};

}  // namespace forerun::ip
