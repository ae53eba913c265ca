// SPDX-License-Identifier: Apache-2.0
#include "ip/base/register_file.hpp"

#include <gtest/gtest.h>

using namespace forerun::ip;

namespace {

class RegisterFileTest : public testing::Test {
 protected:
  RegisterFileTest() {
    registers_.add("ID", 0x00, 32, Access::RO, 0x1234);
    registers_.add("WIDE", 0x08, 64, Access::RW, 0);
    registers_.add("KEY", 0x10, 32, Access::WO, 0);
    registers_.add("FLAGS", 0x14, 32, Access::W1C, 0xff);
  }
  tlm::tlm_response_status transfer(tlm::tlm_command command, std::uint64_t address, void* data, unsigned length) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    registers_.access(payload);
    return payload.get_response_status();
  }
  RegisterFile registers_;
  std::uint32_t word_ = 0;
};

TEST_F(RegisterFileTest, ReadsResetValue) {
  EXPECT_EQ(transfer(tlm::TLM_READ_COMMAND, 0, &word_, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(word_, 0x1234u);
}

TEST_F(RegisterFileTest, RefusesWhatTheRegisterDoesNotAllow) {
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x00, &word_, 4), tlm::TLM_COMMAND_ERROR_RESPONSE) << "read-only";
  EXPECT_EQ(transfer(tlm::TLM_READ_COMMAND, 0x10, &word_, 4), tlm::TLM_COMMAND_ERROR_RESPONSE) << "write-only";
  EXPECT_EQ(transfer(tlm::TLM_READ_COMMAND, 0x04, &word_, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE) << "a hole";
  EXPECT_EQ(transfer(tlm::TLM_READ_COMMAND, 0x01, &word_, 4), tlm::TLM_BURST_ERROR_RESPONSE) << "misaligned";
  EXPECT_EQ(transfer(tlm::TLM_READ_COMMAND, 0x00, &word_, 2), tlm::TLM_BURST_ERROR_RESPONSE) << "too narrow";
}

TEST_F(RegisterFileTest, HalvesOfAWideRegister) {
  std::uint32_t low = 0x55667788, high = 0x11223344;
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x08, &low, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x0c, &high, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(registers_.get(0x08), 0x1122334455667788u);
}

TEST_F(RegisterFileTest, WriteOneToClear) {
  word_ = 0x0f;
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x14, &word_, 4), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(registers_.get(0x14), 0xf0u);
}

TEST_F(RegisterFileTest, HookMayRefuse) {
  registers_.on_write(0x10, [](std::uint64_t value) { return value == 7; });
  word_ = 7;
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x10, &word_, 4), tlm::TLM_OK_RESPONSE);
  word_ = 8;
  EXPECT_EQ(transfer(tlm::TLM_WRITE_COMMAND, 0x10, &word_, 4), tlm::TLM_GENERIC_ERROR_RESPONSE);
}

}  // namespace
