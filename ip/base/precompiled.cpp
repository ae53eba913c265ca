// SPDX-License-Identifier: Apache-2.0
// Holds the precompiled SystemC header that all SystemC targets share.
