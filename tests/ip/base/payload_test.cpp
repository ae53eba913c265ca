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

}  // namespace
