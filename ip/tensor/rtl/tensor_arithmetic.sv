// SPDX-License-Identifier: Apache-2.0
// Arithmetic of one cell of the tensor tile.
//
//   mac_int8   sum + a * w in wrapping 32 bits; a and w are two's complement, 8 bits.
//   fma_bf16   sum + a * w, rounded once to binary32 (nearest, ties to even); a and w are bfloat16.
//   fma_fp16   the same; a and w are IEEE 754 binary16.
//
// Subnormals are kept in operands, sums and results; overflow gives infinity; every NaN that comes out is 32'h7fc00000.
// An exact zero is positive, unless product and sum are both negative zeros.
//
// How the rounding is exact: the product (at most 22 bits) is normalised, and the smaller of product and sum is aligned
// below the larger in 51 bits. Where that does not suffice the smaller one lies below a quarter of the last bit of the
// result, and any non-zero value there rounds alike: it is kept at the lowest distance for which this holds.
package tensor_arithmetic;

  localparam logic [31:0] CANONICAL_NAN = 32'h7fc00000;

  function automatic logic [31:0] mac_int8(input logic [7:0] a, input logic [7:0] w, input logic [31:0] sum);
    logic signed [15:0] product;
    product = $signed({{8{a[7]}}, a}) * $signed({{8{w[7]}}, w});
    mac_int8 = sum + {{16{product[15]}}, product};
  endfunction

  // (-1)^sign * significand * 2^exponent + sum for finite operands, significand an integer.
  function automatic logic [31:0] add_product(input logic sign, input logic [21:0] significand,
                                              input logic signed [10:0] exponent, input logic [31:0] sum);
    /* verilator no_inline_task */
    logic [21:0] p;
    logic signed [10:0] p_exponent, s_exponent, distance, last;
    logic [5:0] align;
    logic [50:0] upper, lower;
    logic [50:0] x;
    logic [24:0] m;
    logic result_sign, below;
    logic [31:0] bits;

    // Bring the product's leading one to bit 21.
    p = significand;
    p_exponent = exponent;
    if (p[21:6] == 0) begin p = p << 16; p_exponent = p_exponent - 11'sd16; end
    if (p[21:14] == 0) begin p = p << 8; p_exponent = p_exponent - 11'sd8; end
    if (p[21:18] == 0) begin p = p << 4; p_exponent = p_exponent - 11'sd4; end
    if (p[21:20] == 0) begin p = p << 2; p_exponent = p_exponent - 11'sd2; end
    if (!p[21]) begin p = p << 1; p_exponent = p_exponent - 11'sd1; end

    // The last bit of the sum weighs 2^s_exponent.
    s_exponent = $signed({3'b0, sum[30:23]}) - 11'sd150 + (sum[30:23] == 0 ? 11'sd1 : 11'sd0);
    distance = p == 0 ? 11'sd0 : p_exponent - s_exponent;
    if (distance >= 0) begin
      align = distance > 11'sd28 ? 6'd28 : distance[5:0];
      upper = {29'b0, p} << align;
      lower = {27'b0, sum[30:23] != 0, sum[22:0]};
      last = p == 0 ? s_exponent : p_exponent - $signed({5'b0, align});
    end else begin
      distance = -distance;
      align = distance > 11'sd24 ? 6'd24 : distance[5:0];
      upper = {27'b0, sum[30:23] != 0, sum[22:0]} << align;
      lower = {29'b0, p};
      last = s_exponent - $signed({5'b0, align});
    end
    result_sign = p_exponent >= s_exponent && p != 0 ? sign : sum[31];
    if (sign == sum[31]) begin
      x = upper + lower;
      result_sign = sign;
    end else begin
      x = upper - lower;
      if (p == 0) begin
        x = lower;
        result_sign = sum[31];
      end else if (upper < lower) begin
        x = lower - upper;
        result_sign = !result_sign;
      end
    end

    if (x == 0) begin
      bits = {sign & sum[31], 31'b0};
    end else begin
      // Bring the leading one to bit 50: the result is x[50:27], and what is below is rounded off.
      if (x[50:19] == 0) begin x = x << 32; last = last - 11'sd32; end
      if (x[50:35] == 0) begin x = x << 16; last = last - 11'sd16; end
      if (x[50:43] == 0) begin x = x << 8; last = last - 11'sd8; end
      if (x[50:47] == 0) begin x = x << 4; last = last - 11'sd4; end
      if (x[50:49] == 0) begin x = x << 2; last = last - 11'sd2; end
      if (!x[50]) begin x = x << 1; last = last - 11'sd1; end
      last = last + 11'sd27;
      below = 1'b0;
      if (last < -11'sd149) begin  // subnormal: the last bit weighs 2^-149
        distance = -11'sd149 - last;
        align = distance > 11'sd50 ? 6'd50 : distance[5:0];
        below = (x & ((51'd1 << align) - 51'd1)) != 0;
        x = x >> align;
        last = -11'sd149;
      end
      m = {1'b0, x[50:27]} + {24'b0, x[26] & (x[27] | below | x[25:0] != 0)};
      last = last + 11'sd149;
      // A carry out of the mantissa runs into the exponent.
      if (last >= 11'sd254) bits = {result_sign, 31'h7f800000};
      else begin
        bits = {result_sign, {last[7:0], 23'b0} + {6'b0, m}};
        if (bits[30:23] == 8'hff) bits[22:0] = 0;
      end
    end
    add_product = bits;
  endfunction

  function automatic logic [31:0] fma_bf16(input logic [15:0] a, input logic [15:0] w, input logic [31:0] sum);
    /* verilator no_inline_task */
    logic a_special, w_special, s_special, nan, infinite;
    logic [7:0] a_significand, w_significand;
    logic [15:0] product;
    logic signed [10:0] exponent;
    a_special = a[14:7] == 8'hff;
    w_special = w[14:7] == 8'hff;
    s_special = sum[30:23] == 8'hff;
    if (a_special || w_special || s_special) begin
      infinite = a_special || w_special;
      nan = (a_special && a[6:0] != 0) || (w_special && w[6:0] != 0) || (s_special && sum[22:0] != 0);
      if (infinite && (a[14:0] == 0 || w[14:0] == 0)) nan = 1'b1;
      if (infinite && s_special && (a[15] ^ w[15]) != sum[31]) nan = 1'b1;
      fma_bf16 = nan ? CANONICAL_NAN : infinite ? {a[15] ^ w[15], 31'h7f800000} : sum;
    end else begin
      a_significand = {a[14:7] != 0, a[6:0]};
      w_significand = {w[14:7] != 0, w[6:0]};
      product = {8'b0, a_significand} * {8'b0, w_significand};
      exponent = $signed({3'b0, a[14:7]}) + $signed({3'b0, w[14:7]}) + (a[14:7] == 0 ? 11'sd1 : 11'sd0)
               + (w[14:7] == 0 ? 11'sd1 : 11'sd0) - 11'sd268;
      fma_bf16 = add_product(a[15] ^ w[15], {6'b0, product}, exponent, sum);
    end
  endfunction

  function automatic logic [31:0] fma_fp16(input logic [15:0] a, input logic [15:0] w, input logic [31:0] sum);
    /* verilator no_inline_task */
    logic a_special, w_special, s_special, nan, infinite;
    logic [10:0] a_significand, w_significand;
    logic [21:0] product;
    logic signed [10:0] exponent;
    a_special = a[14:10] == 5'h1f;
    w_special = w[14:10] == 5'h1f;
    s_special = sum[30:23] == 8'hff;
    if (a_special || w_special || s_special) begin
      infinite = a_special || w_special;
      nan = (a_special && a[9:0] != 0) || (w_special && w[9:0] != 0) || (s_special && sum[22:0] != 0);
      if (infinite && (a[14:0] == 0 || w[14:0] == 0)) nan = 1'b1;
      if (infinite && s_special && (a[15] ^ w[15]) != sum[31]) nan = 1'b1;
      fma_fp16 = nan ? CANONICAL_NAN : infinite ? {a[15] ^ w[15], 31'h7f800000} : sum;
    end else begin
      a_significand = {a[14:10] != 0, a[9:0]};
      w_significand = {w[14:10] != 0, w[9:0]};
      product = {11'b0, a_significand} * {11'b0, w_significand};
      exponent = $signed({6'b0, a[14:10]}) + $signed({6'b0, w[14:10]}) + (a[14:10] == 0 ? 11'sd1 : 11'sd0)
               + (w[14:10] == 0 ? 11'sd1 : 11'sd0) - 11'sd50;
      fma_fp16 = add_product(a[15] ^ w[15], product, exponent, sum);
    end
  endfunction

endpackage
