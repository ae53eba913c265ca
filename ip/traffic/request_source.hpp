// SPDX-License-Identifier: Apache-2.0
/// What a traffic generator sends, one request after the other.
#pragma once

#include <cstdint>
#include <memory>

#include "ip/traffic/parameters.hpp"

namespace forerun::ip {

struct TrafficRequest {
  std::int64_t picoseconds =
      0;  ///< when it is generated; ascending. The past: as soon as the one before has been taken
  std::uint64_t address = 0;
  std::uint32_t bytes = 0;
  bool write = false;
};

class RequestSource {
 public:
  virtual ~RequestSource() = default;
  /// False when there are no more.
  virtual bool next(TrafficRequest& request) = 0;
};

/// The endless source that the parameters describe: any pattern but `trace`. The same parameters give the
/// same requests on every host. Throws std::invalid_argument for parameters outside their ranges, naming the
/// member.
std::unique_ptr<RequestSource> make_source(const TrafficParameters& parameters);

}  // namespace forerun::ip
