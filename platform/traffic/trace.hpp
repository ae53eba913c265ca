// SPDX-License-Identifier: Apache-2.0
/// Requests from a file, a line each:
///
///     # time    operation  address  bytes  generator
///     12.5 ns   R          0x1000   64     0
///
/// Times ascend; blank lines and what follows a # are skipped; the generator may be left out and is 0 then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ip/traffic/request_source.hpp"

namespace forerun::traffic {

/// The requests of each generator. Throws ExperimentError with FILE:LINE for what cannot be read, a generator
/// number that is not below `generators`, or an address range that does not lie below `size`.
std::vector<std::vector<ip::TrafficRequest>> read_trace(const std::string& file, unsigned generators,
                                                        std::uint64_t size);

/// Gives them one after the other, `base` added to the addresses.
std::unique_ptr<ip::RequestSource> make_trace_source(std::vector<ip::TrafficRequest> requests,
                                                     std::uint64_t base);

}  // namespace forerun::traffic
