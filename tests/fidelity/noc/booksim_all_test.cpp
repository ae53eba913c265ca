// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/fidelity/noc/booksim.hpp"

using forerun::ip::noc::Model;

TEST(NocFidelity, FlitModelFollowsBookSimAtAllLoads) { compare(Model::flit, true, 20000, 0.9, 0.03); }
TEST(NocFidelity, PacketModelFollowsBookSimAtAllLoads) { compare(Model::packet, true, 20000, 0.8, 0.05); }
