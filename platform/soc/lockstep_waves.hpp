// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "platform/rtl/device.hpp"

namespace forerun::soc {

/// Of a block in lockstep, without what tells its format.
std::string lockstep_file(const rtl::WaveOptions& waves, const std::string& block);

/// In which a model is made: what is compared wants waves in any case.
inline rtl::Waves wave_format(const rtl::WaveOptions& waves, bool lockstep) {
  return lockstep && waves.format == rtl::Waves::none ? rtl::Waves::fst : waves.format;
}

/// How waves of what is compared are kept from the beginning, so that those before a difference are there:
/// as Device::roll_waves or as Device::replay_waves, for blocks whose inputs seldom change.
enum class Keep : unsigned char { rolling, replayed };
/// Where they are if they are not kept so, or why there can be none.
std::string keep_waves(rtl::Device& device, const rtl::WaveOptions& waves, Keep how = Keep::rolling);

}  // namespace forerun::soc
