// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/output_line.hpp"

#include <fmt/format.h>

#include "ip/base/method.hpp"
#include "ip/base/time.hpp"

namespace forerun::rtl {

OutputLine::OutputLine(const sc_core::sc_module_name& name, Device& device, std::string signal,
                       ip::LevelOut* model)
    : sc_module(name),
      device_(device),
      signal_(std::move(signal)),
      lockstep_(model != nullptr),
      rtl_("rtl", [this](bool) { changed(); }),
      model_("model", [this](bool) { changed(); }) {
  if (model != nullptr) model->bind(model_);
  if (signal_.empty())
    device.interrupt.bind(rtl_);
  else
    device.watch_signal(signal_, [this](const SignalValue& value) { rtl_->set_level(value[0] != 0); });
  ip::add_method("late", {&late_}, [this] {
    if (found_ || rtl_.level() == model_.level()) return;
    found_ = true;
    const auto now = ip::now_picoseconds();
    if (on_difference)
      on_difference(
          {device_.label(), signal_.empty() ? "its interrupt" : "signal " + signal_,
           static_cast<std::uint64_t>(now / period(device_.frequency()).picoseconds), now,
           fmt::format("it is {} for more than {} cycles, by the model {}", rtl_.level() ? "high" : "low",
                       device_.map().tolerance->cycles, model_.level() ? "high" : "low")});
  });
}

void OutputLine::changed() {
  out.set(lockstep_ ? model_.level() : rtl_.level());
  const auto& tolerance = device_.map().tolerance;
  if (!lockstep_ || !tolerance) return;
  late_.cancel();
  if (rtl_.level() == model_.level()) return;
  const auto cycle = period(device_.frequency()).picoseconds;
  late_.notify(ip::to_sc_time(Time{static_cast<std::int64_t>(tolerance->cycles + 1) * cycle}));
}

}  // namespace forerun::rtl
