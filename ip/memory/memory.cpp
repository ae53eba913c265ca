// SPDX-License-Identifier: Apache-2.0
#include "ip/memory/memory.hpp"

#include <sys/mman.h>

#include <new>

#include "ip/base/payload.hpp"

namespace forerun::ip {

Memory::Memory(const sc_core::sc_module_name& name, const MemoryParameters& parameters)
    : sc_module(name), socket("socket"), parameters_(parameters) {
  void* pages = mmap(nullptr, parameters.size.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  bytes_ = static_cast<unsigned char*>(pages);
  socket.register_b_transport(this, &Memory::b_transport);
  socket.register_transport_dbg(this, &Memory::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
}

Memory::~Memory() { munmap(bytes_, parameters_.size.count); }

void Memory::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  if (payload.is_write() && parameters_.read_only) return payload.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
  if (payload.get_streaming_width() < payload.get_data_length())
    return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  ++(payload.is_write() ? writes : reads);
  delay += to_sc_time(parameters_.latency);
  payload.set_dmi_allowed(true);
  transport_dbg(payload);
}

unsigned Memory::transport_dbg(tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  if (address > parameters_.size.count || length > parameters_.size.count - address) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  copy_data(payload, bytes_ + address);
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return length;
}

bool Memory::get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
  dmi.set_dmi_ptr(bytes_);
  dmi.set_start_address(0);
  dmi.set_end_address(parameters_.size.count - 1);
  dmi.set_read_latency(to_sc_time(parameters_.latency));
  dmi.set_write_latency(to_sc_time(parameters_.latency));
  if (parameters_.read_only)
    dmi.allow_read();
  else
    dmi.allow_read_write();
  return true;
}

}  // namespace forerun::ip
