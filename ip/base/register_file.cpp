// SPDX-License-Identifier: Apache-2.0
#include "ip/base/register_file.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace forerun::ip {

void RegisterFile::add(std::string name, std::uint32_t offset, unsigned bits, Access access,
                       std::uint64_t reset_value) {
  const auto place = std::find_if(registers_.begin(), registers_.end(),
                                  [&](const Register& r) { return r.offset > offset; });
  registers_.insert(place, {std::move(name), offset, bits / 8, access, reset_value, reset_value, {}, {}});
}

RegisterFile::Register* RegisterFile::find(std::uint64_t offset) {
  const auto after = std::upper_bound(registers_.begin(), registers_.end(), offset,
                                      [](std::uint64_t value, const Register& r) { return value < r.offset; });
  if (after == registers_.begin()) return nullptr;
  auto& candidate = *(after - 1);
  return offset < candidate.offset + candidate.bytes ? &candidate : nullptr;
}

const RegisterFile::Register& RegisterFile::at(std::uint32_t offset) const {
  const auto* found = const_cast<RegisterFile*>(this)->find(offset);
  if (found == nullptr || found->offset != offset) throw std::logic_error("no register at this offset");
  return *found;
}

void RegisterFile::on_read(std::uint32_t offset, ReadHook hook) {
  const_cast<Register&>(at(offset)).read = std::move(hook);
}
void RegisterFile::on_write(std::uint32_t offset, WriteHook hook) {
  const_cast<Register&>(at(offset)).write = std::move(hook);
}
std::uint64_t RegisterFile::get(std::uint32_t offset) const { return at(offset).value; }
void RegisterFile::set(std::uint32_t offset, std::uint64_t value) { const_cast<Register&>(at(offset)).value = value; }
void RegisterFile::reset() {
  for (auto& r : registers_) r.value = r.reset_value;
}

tlm::tlm_response_status RegisterFile::carry_out(tlm::tlm_generic_payload& payload, bool debug) {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  auto* r = find(address);
  if (r == nullptr) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  const auto skip = static_cast<unsigned>(address - r->offset);
  if ((length != 4 && length != 8) || address % length != 0 || skip + length > r->bytes ||
      payload.get_streaming_width() < length)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  const unsigned shift = skip * 8;
  const std::uint64_t mask = length == 8 ? ~std::uint64_t{0} : std::uint64_t{0xffffffff} << shift;
  if (payload.is_read()) {
    if (r->access == Access::WO) return tlm::TLM_COMMAND_ERROR_RESPONSE;
    const std::uint64_t value = (r->read ? r->read(debug) : r->value) >> shift;
    std::memcpy(payload.get_data_ptr(), &value, length);
    return tlm::TLM_OK_RESPONSE;
  }
  if (!payload.is_write()) return tlm::TLM_OK_RESPONSE;
  if (r->access == Access::RO) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  std::uint64_t written = 0;
  std::memcpy(&written, payload.get_data_ptr(), length);
  written <<= shift;
  switch (r->access) {
    case Access::W1C:
      written = r->value & ~written;
      break;
    case Access::RW:
      written = (r->value & ~mask) | (written & mask);
      break;
    default:
      break;
  }
  if (r->write && !(debug && r->access == Access::W1S)) {
    if (!r->write(written)) return tlm::TLM_GENERIC_ERROR_RESPONSE;
  }
  if (r->access == Access::RW || r->access == Access::W1C) r->value = written;
  return tlm::TLM_OK_RESPONSE;
}

void RegisterFile::access(tlm::tlm_generic_payload& payload) {
  payload.set_response_status(carry_out(payload, false));
}

unsigned RegisterFile::debug_access(tlm::tlm_generic_payload& payload) {
  const bool done = carry_out(payload, true) == tlm::TLM_OK_RESPONSE;
  payload.set_response_status(done ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
  return done ? payload.get_data_length() : 0;
}

}  // namespace forerun::ip
