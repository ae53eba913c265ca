// SPDX-License-Identifier: Apache-2.0
/// Bus accesses of the CPU: b_transport at the exact local time, DMI, and debug accesses.
#include <algorithm>

#include "ip/cpu/core.hpp"

namespace forerun::ip {

namespace {

void prepare(tlm::tlm_generic_payload& payload, tlm::tlm_command command, std::uint64_t address, void* data,
             unsigned bytes) {
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(static_cast<unsigned char*>(data));
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

}  // namespace

bool Cpu::Core::access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes) {
  ++cpu_.bus_accesses;
  publish();
  auto& payload = payload_;
  prepare(payload, command, address, data, bytes);
  synchronise();  // what a device does is done now, and depends on what has happened until now
  auto delay = local_offset();
  cpu_.bus->b_transport(payload, delay);
  const auto before = hart_.cycle();
  // What may be accessed directly costs the same either way: no more than its instruction's class.
  if (payload.is_dmi_allowed()) delay = sc_core::SC_ZERO_TIME;
  const auto after =
      static_cast<std::uint64_t>(clock_.ps_to_cycles(now_picoseconds() + to_picoseconds(delay)));
  if (after > before) {
    hart_.set_cycle(after);
    cpu_.stall_cycles += after - before;
  }
  hart_.limit(limit_cycle());  // the target may have arranged for something to happen
  if (payload.is_dmi_allowed()) refused_.erase(address & ~std::uint64_t{4095});
  if (!payload.is_response_ok()) ++cpu_.bus_errors;
  return payload.is_response_ok();
}

bool Cpu::Core::read(std::uint64_t address, void* data, unsigned bytes) {
  return access(tlm::TLM_READ_COMMAND, address, data, bytes);
}

bool Cpu::Core::write(std::uint64_t address, const void* data, unsigned bytes) {
  return access(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), bytes);
}

riscv::HartBus::Page Cpu::Core::page(std::uint64_t address) {
  const auto find = [&](const std::vector<Region>& regions) -> unsigned char* {
    for (const auto& region : regions)
      if (region.covers(address)) return region.host + (address - region.first);
    return nullptr;
  };
  auto* host = find(readable_);
  if (host == nullptr) {
    if (refused_.contains(address)) return {};
    host = request_dmi(readable_, tlm::TLM_READ_COMMAND, address);
    if (host == nullptr) {
      refused_.insert(address);
      return {};
    }
    request_dmi(writable_, tlm::TLM_WRITE_COMMAND, address);
  }
  return {host, true, find(writable_) == host};
}

/// Asks for the region around a page; null if that may not be used, or not as a whole.
unsigned char* Cpu::Core::request_dmi(std::vector<Region>& regions, tlm::tlm_command command,
                                      std::uint64_t page) {
  tlm::tlm_generic_payload payload;
  unsigned char unused[8] = {};
  prepare(payload, command, page, unused, sizeof unused);
  tlm::tlm_dmi dmi;
  if (!cpu_.bus->get_direct_mem_ptr(payload, dmi)) return nullptr;
  if (command == tlm::TLM_READ_COMMAND ? !dmi.is_read_allowed() : !dmi.is_write_allowed()) return nullptr;
  const Region region{dmi.get_start_address(), dmi.get_end_address(), dmi.get_dmi_ptr()};
  if (!region.covers(page)) return nullptr;
  regions.push_back(region);
  return region.host + (page - region.first);
}

void Cpu::Core::invalidate(std::uint64_t first, std::uint64_t last) {
  for (auto* regions : {&readable_, &writable_})
    std::erase_if(*regions, [&](const Region& region) { return region.overlaps(first, last); });
  refused_.clear();
  hart_.forget();
  hart_.end_slice();
}

bool Cpu::Core::debug_access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes) {
  tlm::tlm_generic_payload payload;  // not the member: a bus access may be under way
  prepare(payload, command, address, data, bytes);
  return cpu_.bus->transport_dbg(payload) == bytes;
}

bool Cpu::Core::debug_read(std::uint64_t address, void* data, unsigned bytes) {
  return debug_access(tlm::TLM_READ_COMMAND, address, data, bytes);
}

bool Cpu::Core::debug_write(std::uint64_t address, const void* data, unsigned bytes) {
  return debug_access(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), bytes);
}

std::optional<std::uint64_t> Cpu::Core::time() {
  if (!cpu_.time_source) return std::nullopt;
  return cpu_.time_source(local_offset());
}

}  // namespace forerun::ip
