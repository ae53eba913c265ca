// SPDX-License-Identifier: Apache-2.0
// Empty: carries the precompiled header of the tests without SystemC.
