// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <systemc>

namespace forerun::ip {

/// A method process of the module under construction that runs whenever one of the events happens, and not at
/// the start. The events must live as long as the module.
template <typename Function>
void add_method(const char* name, std::initializer_list<const sc_core::sc_event*> events, Function function) {
  sc_core::sc_spawn_options options;
  options.spawn_method();
  for (const auto* event : events) options.set_sensitivity(event);
  options.dont_initialize();
  sc_core::sc_spawn(function, name, &options);
}

}  // namespace forerun::ip
