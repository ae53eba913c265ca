// SPDX-License-Identifier: Apache-2.0
/// What holds the bytes of a local memory beside the host memory that models work on, for instance RTL.
#pragma once

#include <cstdint>

namespace forerun::ip {

/// Everything that models read comes through transfers from the store into host memory first, and everything
/// that they write goes through transfers to it afterwards.
class LocalStore {
 public:
  LocalStore() = default;
  LocalStore(const LocalStore&) = delete;
  LocalStore& operator=(const LocalStore&) = delete;
  virtual ~LocalStore() = default;

  /// Brings the store's bytes into host memory, or (`write`) the other way, after what went before and not
  /// before a time, in picoseconds. Returns when it is over.
  virtual std::int64_t transfer(bool write, std::uint64_t address, std::uint64_t bytes,
                                std::int64_t from_ps) = 0;
  /// Its times are those of the local memory; false: the model's are.
  virtual bool timed() const = 0;
};

}  // namespace forerun::ip
