// SPDX-License-Identifier: Apache-2.0
#include "ip/base/payload.hpp"

#include <gtest/gtest.h>

namespace {

TEST(PayloadPool, ReusesReleasedPayloads) {
  forerun::ip::PayloadPool pool(64);
  auto& first = pool.acquire(tlm::TLM_READ_COMMAND, 0x100, 64);
  EXPECT_FALSE(forerun::ip::is_timing_only(first));
  EXPECT_EQ(first.get_streaming_width(), 64u);
  first.release();
  auto& second = pool.acquire(tlm::TLM_WRITE_COMMAND, 0x200, 8, true);
  EXPECT_EQ(&first, &second);
  EXPECT_TRUE(forerun::ip::is_timing_only(second));
  EXPECT_EQ(second.get_response_status(), tlm::TLM_INCOMPLETE_RESPONSE);
  second.release();
}

TEST(CopyData, MovesJustTheEnabledBytes) {
  unsigned char memory[] = "abcdefgh", data[] = "ABCDEFGH";
  unsigned char enables[] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
  tlm::tlm_generic_payload payload;
  payload.set_data_ptr(data);
  payload.set_data_length(8);
  payload.set_write();
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(3);  // repeated
  forerun::ip::copy_data(payload, memory);
  EXPECT_STREQ(reinterpret_cast<char*>(memory), "AbCDeFGh");
  payload.set_read();
  forerun::ip::copy_data(payload, memory);
  EXPECT_STREQ(reinterpret_cast<char*>(data), "ABCDEFGH") << "disabled bytes of a read stay";
  payload.set_byte_enable_ptr(nullptr);
  forerun::ip::copy_data(payload, memory);
  EXPECT_STREQ(reinterpret_cast<char*>(data), "AbCDeFGh");
  payload.set_command(tlm::TLM_IGNORE_COMMAND);
  memory[0] = 'x';
  forerun::ip::copy_data(payload, memory);
  EXPECT_STREQ(reinterpret_cast<char*>(data), "AbCDeFGh");
}

}  // namespace
