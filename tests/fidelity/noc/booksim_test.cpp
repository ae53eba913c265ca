// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/fidelity/noc/booksim.hpp"

using forerun::ip::noc::Model;

TEST(NocFidelity, FlitModelFollowsBookSimAtAFewLoads) { compare(Model::flit, false, 6000, 0.9, 0.03); }
TEST(NocFidelity, PacketModelFollowsBookSimAtAFewLoads) { compare(Model::packet, false, 6000, 0.8, 0.05); }
