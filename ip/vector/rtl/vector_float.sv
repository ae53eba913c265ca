// SPDX-License-Identifier: Apache-2.0
// Arithmetic in IEEE 754 binary32 for the lanes of the vector engine: each result is rounded once, to nearest, ties to
// even. Subnormals are kept, overflow gives infinity, every NaN that comes out is 32'h7fc00000.
package vector_float;

  localparam logic [31:0] NOT_A_NUMBER = 32'h7fc00000, INFINITE = 32'h7f800000, ONE = 32'h3f800000;

  function automatic logic is_nan(input logic [31:0] a);
    is_nan = (a & 32'h7fffffff) > INFINITE;
  endfunction

  // x * 2^exponent, x not 0. The lowest bit of x may stand for whatever there is below it, if x has 26 bits or more.
  function automatic logic [31:0] rounded(input logic sign, input logic signed [11:0] exponent, input logic [63:0] x);
    /* verilator no_inline_task */
    logic [63:0] v;
    logic signed [11:0] e, power, distance;
    logic below, up;
    logic [30:0] bits;
    v = x;
    e = exponent;
    if (v[63]) begin
      v = {1'b0, v[63:2], v[1] | v[0]};
      e = e + 12'sd1;
    end
    // Bring the leading one to bit 62: the result is v[62:39], and what is below is rounded off.
    if (v[62:31] == 0) begin v = v << 32; e = e - 12'sd32; end
    if (v[62:47] == 0) begin v = v << 16; e = e - 12'sd16; end
    if (v[62:55] == 0) begin v = v << 8; e = e - 12'sd8; end
    if (v[62:59] == 0) begin v = v << 4; e = e - 12'sd4; end
    if (v[62:61] == 0) begin v = v << 2; e = e - 12'sd2; end
    if (!v[62]) begin v = v << 1; e = e - 12'sd1; end
    power = e + 12'sd189;  // biased, of the leading one
    below = 1'b0;
    if (power < 12'sd1) begin  // subnormal: the last bit weighs 2^-149
      distance = 12'sd1 - power;
      if (distance > 12'sd63) distance = 12'sd63;
      below = (v & ((64'd1 << distance[5:0]) - 64'd1)) != 0;
      v = v >> distance[5:0];
      power = 12'sd1;
    end
    up = v[38] & (v[39] | below | v[37:0] != 0);
    // A carry out of the mantissa runs into the exponent, as the leading one does.
    bits = {power[7:0] - 8'd1, 23'b0} + {7'b0, v[62:39]} + {30'b0, up};
    if (power >= 12'sd255 || bits > 31'h7f800000) bits = 31'h7f800000;
    rounded = {sign, bits};
  endfunction

  // a * b + s
  function automatic logic [31:0] fma(input logic [31:0] a, input logic [31:0] b, input logic [31:0] s);
    /* verilator no_inline_task */
    logic sign, infinite, nan, swap, upper_sign;
    logic [47:0] product;
    logic [63:0] p, t, upper, lower, x;
    logic signed [11:0] p_exponent, t_exponent, exponent, distance;
    sign = a[31] ^ b[31];
    if (a[30:23] == 8'hff || b[30:23] == 8'hff || s[30:23] == 8'hff) begin
      infinite = a[30:23] == 8'hff || b[30:23] == 8'hff;
      nan = is_nan(a) || is_nan(b) || is_nan(s) || (infinite && (a[30:0] == 0 || b[30:0] == 0))
          || (infinite && s[30:23] == 8'hff && sign != s[31]);
      fma = nan ? NOT_A_NUMBER : infinite ? {sign, INFINITE[30:0]} : s;
    end else begin
      product = {24'b0, a[30:23] != 0, a[22:0]} * {24'b0, b[30:23] != 0, b[22:0]};
      p_exponent = $signed({4'b0, a[30:23]}) + $signed({4'b0, b[30:23]}) + (a[30:23] == 0 ? 12'sd1 : 12'sd0)
                 + (b[30:23] == 0 ? 12'sd1 : 12'sd0) - 12'sd300;
      t_exponent = $signed({4'b0, s[30:23]}) + (s[30:23] == 0 ? 12'sd1 : 12'sd0) - 12'sd150;
      // Leading ones at bit 62, or near below it for a subnormal.
      p = {1'b0, product, 15'b0};
      p_exponent = p_exponent - 12'sd15;
      if (p[62:31] == 0) begin p = p << 32; p_exponent = p_exponent - 12'sd32; end
      if (p[62:47] == 0) begin p = p << 16; p_exponent = p_exponent - 12'sd16; end
      if (p[62:55] == 0) begin p = p << 8; p_exponent = p_exponent - 12'sd8; end
      if (p[62:59] == 0) begin p = p << 4; p_exponent = p_exponent - 12'sd4; end
      if (p[62:61] == 0) begin p = p << 2; p_exponent = p_exponent - 12'sd2; end
      if (!p[62]) begin p = p << 1; p_exponent = p_exponent - 12'sd1; end
      t = {1'b0, s[30:23] != 0, s[22:0], 39'b0};
      t_exponent = t_exponent - 12'sd39;
      if (product == 0) begin
        fma = s[30:0] == 0 ? {sign & s[31], 31'b0} : s;
      end else if (s[30:0] == 0) begin
        fma = rounded(sign, p_exponent, p);
      end else begin
        swap = t_exponent > p_exponent;
        exponent = swap ? t_exponent : p_exponent;
        distance = swap ? t_exponent - p_exponent : p_exponent - t_exponent;
        upper = swap ? t : p;
        lower = swap ? p : t;
        upper_sign = swap ? s[31] : sign;
        if (distance > 12'sd63) distance = 12'sd63;
        x = lower >> distance[5:0];
        if ((lower & ((64'd1 << distance[5:0]) - 64'd1)) != 0) x[0] = 1'b1;
        if (sign == s[31]) begin
          x = upper + x;
        end else if (upper >= x) begin
          x = upper - x;
        end else begin
          x = x - upper;
          upper_sign = !upper_sign;
        end
        fma = x == 0 ? 32'b0 : rounded(upper_sign, exponent, x);
      end
    end
  endfunction

  function automatic logic [31:0] add(input logic [31:0] a, input logic [31:0] b);
    add = fma(a, ONE, b);
  endfunction

  function automatic logic [31:0] sub(input logic [31:0] a, input logic [31:0] b);
    sub = fma(a, ONE, is_nan(b) ? b : {!b[31], b[30:0]});
  endfunction

  function automatic logic [31:0] mul(input logic [31:0] a, input logic [31:0] b);
    mul = fma(a, b, {a[31] ^ b[31], 31'b0});
  endfunction

  function automatic logic greater(input logic [31:0] a, input logic [31:0] b);
    /* verilator no_inline_task */
    if (is_nan(a) || is_nan(b) || (a[30:0] == 0 && b[30:0] == 0)) greater = 1'b0;
    else if (a[31] != b[31]) greater = b[31];
    else greater = a[31] ? a[30:0] < b[30:0] : a[30:0] > b[30:0];
  endfunction

  // Of equal ones, b.
  function automatic logic [31:0] largest(input logic [31:0] a, input logic [31:0] b);
    largest = is_nan(a) || greater(a, b) ? a : b;
  endfunction

  function automatic logic [31:0] smallest(input logic [31:0] a, input logic [31:0] b);
    smallest = is_nan(a) || greater(b, a) ? a : b;
  endfunction

  function automatic logic [31:0] divide(input logic [31:0] a, input logic [31:0] b);
    /* verilator no_inline_task */
    logic sign;
    logic [23:0] n, d;
    logic [63:0] quotient, remainder;
    logic signed [11:0] exponent;
    sign = a[31] ^ b[31];
    if (is_nan(a) || is_nan(b) || (a[30:0] == 0 && b[30:0] == 0) || (a[30:0] == INFINITE[30:0] && b[30:0] == INFINITE[30:0]))
      divide = NOT_A_NUMBER;
    else if (a[30:0] == INFINITE[30:0] || b[30:0] == 0) divide = {sign, INFINITE[30:0]};
    else if (a[30:0] == 0 || b[30:0] == INFINITE[30:0]) divide = {sign, 31'b0};
    else begin
      exponent = $signed({4'b0, a[30:23]}) + (a[30:23] == 0 ? 12'sd1 : 12'sd0) - $signed({4'b0, b[30:23]})
               - (b[30:23] == 0 ? 12'sd1 : 12'sd0) - 12'sd28;
      n = {a[30:23] != 0, a[22:0]};
      d = {b[30:23] != 0, b[22:0]};
      for (int i = 0; i < 23; i++) begin
        if (!n[23]) begin n = n << 1; exponent = exponent - 12'sd1; end
        if (!d[23]) begin d = d << 1; exponent = exponent + 12'sd1; end
      end
      quotient = {12'b0, n, 28'b0} / {40'b0, d};
      remainder = {12'b0, n, 28'b0} - quotient * {40'b0, d};
      quotient[0] = quotient[0] | remainder != 0;
      divide = rounded(sign, exponent, quotient);
    end
  endfunction

  function automatic logic [31:0] square_root(input logic [31:0] a);
    /* verilator no_inline_task */
    logic [23:0] m;
    logic signed [11:0] exponent;
    logic [63:0] rest, root, trial;
    if (is_nan(a) || (a[31] && a[30:0] != 0)) square_root = NOT_A_NUMBER;
    else if (a[30:0] == 0 || a[30:23] == 8'hff) square_root = a;
    else begin
      m = {a[30:23] != 0, a[22:0]};
      exponent = $signed({4'b0, a[30:23]}) + (a[30:23] == 0 ? 12'sd1 : 12'sd0) - 12'sd150;
      for (int i = 0; i < 23; i++)
        if (!m[23]) begin m = m << 1; exponent = exponent - 12'sd1; end
      // The root of m * 2^exponent, from an even power of two and 56 or 57 bits.
      rest = exponent[0] ? {7'b0, m, 33'b0} : {8'b0, m, 32'b0};
      exponent = (exponent - (exponent[0] ? 12'sd33 : 12'sd32)) >>> 1;
      root = 0;
      for (int i = 28; i >= 0; i--) begin
        trial = (root << (i + 1)) + (64'd1 << (2 * i));
        if (rest >= trial) begin
          rest = rest - trial;
          root = root + (64'd1 << i);
        end
      end
      root[0] = root[0] | rest != 0;
      square_root = rounded(1'b0, exponent, root);
    end
  endfunction

  // To the nearest whole number, ties to even; its size, at most 2^40.
  function automatic logic [40:0] whole(input logic [30:0] a);
    /* verilator no_inline_task */
    logic [7:0] distance;
    logic [40:0] m, kept, rest;
    m = {17'b0, a[30:23] != 0, a[22:0]};
    if (a[30:23] >= 8'd167) whole = 41'h10000000000;  // 2^40 and more
    else if (a[30:23] >= 8'd150) whole = m << (a[30:23] - 8'd150);
    else begin
      distance = 8'd150 - a[30:23];
      if (distance > 8'd30) distance = 8'd30;
      kept = m >> distance;
      rest = m & ((41'd1 << distance) - 41'd1);
      if (rest > (41'd1 << (distance - 8'd1)) || (rest == (41'd1 << (distance - 8'd1)) && kept[0])) kept = kept + 41'd1;
      whole = kept;
    end
  endfunction

  // The same as a float of the same sign.
  function automatic logic [31:0] round_even(input logic [31:0] a);
    logic [40:0] size;
    size = whole(a[30:0]);
    if (a[30:23] >= 8'd150) round_even = is_nan(a) ? NOT_A_NUMBER : a;
    else round_even = size == 0 ? {a[31], 31'b0} : rounded(a[31], 12'sd0, {23'b0, size});
  endfunction

endpackage
