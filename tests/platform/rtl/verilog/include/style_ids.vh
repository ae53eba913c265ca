  // SPDX-License-Identifier: Apache-2.0
  // In an include folder, and with a define.
  localparam [`STYLE_ID_BITS-1:0] no_id = 0;
