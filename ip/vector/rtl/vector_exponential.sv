// SPDX-License-Identifier: Apache-2.0
// e^x of a binary32, and what the special-function units make of it.
//
// x log2(e) = n + f, with 36 bits of fraction. 2^f comes from a table of 128 powers, for the upper 7 bits of f, and a cubic
// for the others; relative error below 2^-32, rounded once.
package vector_exponential;
  import vector_float::*;

  // round(2^(i/128) * 2^34), i = 127 first
  localparam logic [128*35-1:0] POWERS = {
    35'h7f4f08ae4, 35'h7e9f06068, 35'h7deff6b67, 35'h7d41d96dc, 35'h7c94acddb, 35'h7be86fb98, 35'h7b3d20b64, 35'h7a92be8a9,
    35'h79e947ef2, 35'h7940bb9e3, 35'h78991853d, 35'h77f25ccdf, 35'h774c87cc0, 35'h76a7980f7, 35'h76038c5b2, 35'h75606373f,
    35'h74be1c203, 35'h741cb5282, 35'h737c2d557, 35'h72dc8373c, 35'h723db6502, 35'h719fc4b96, 35'h7102ad800, 35'h70666f761,
    35'h6fcb096f6, 35'h6f307a413, 35'h6e96c0c28, 35'h6dfddbcbf, 35'h6d65ca379, 35'h6cce8ae14, 35'h6c381ca63, 35'h6ba27e657,
    35'h6b0daeff5, 35'h6a79ad55e, 35'h69e6784cc, 35'h69540ec90, 35'h68c26fb13, 35'h683199ed7, 35'h67a18c679, 35'h6712460a9,
    35'h6683c5c33, 35'h65f60a7f8, 35'h6569132f2, 35'h64dcdec33, 35'h64516c2e4, 35'h63c6ba645, 35'h633cc85ad, 35'h62b39508b,
    35'h622b1f663, 35'h61a3666d1, 35'h611c69189, 35'h609626653, 35'h60109d510, 35'h5f8bccdb4, 35'h5f07b404c, 35'h5e8451cfb,
    35'h5e01a53f8, 35'h5d7fad591, 35'h5cfe69229, 35'h5c7dd7a3b, 35'h5bfdf7e54, 35'h5b7ec8f19, 35'h5b0049d43, 35'h5a82799a0,
    35'h5a0557513, 35'h5988e2095, 35'h590d18d33, 35'h5891fac0f, 35'h581786e5e, 35'h579dbc56b, 35'h57249a296, 35'h56ac1f752,
    35'h56344b526, 35'h55bd1cdad, 35'h554693297, 35'h54d0ad5a7, 35'h545b6a8b4, 35'h53e6c9da7, 35'h5372ca67f, 35'h52ff6b54e,
    35'h528cabc36, 35'h521a8ad70, 35'h51a907b47, 35'h513821818, 35'h50c7d7654, 35'h50582887e, 35'h4fe91412b, 35'h4f7a99305,
    35'h4f0cb70c5, 35'h4e9f6cd39, 35'h4e32b9b41, 35'h4dc69cdcf, 35'h4d5b157e5, 35'h4cf022c99, 35'h4c85c3f13, 35'h4c1bf828c,
    35'h4bb2bea50, 35'h4b4a169b9, 35'h4ae1ff437, 35'h4a7a77d48, 35'h4a137f87d, 35'h49ad15979, 35'h4947393ed, 35'h48e1e9b9d,
    35'h487d2645f, 35'h4818ee219, 35'h47b5408bf, 35'h47521cc5a, 35'h46ef82101, 35'h468d6fadc, 35'h462be4e23, 35'h45cae0f1f,
    35'h456a63229, 35'h450a6abaa, 35'h44aaf701b, 35'h444c07405, 35'h43ed9ac00, 35'h438fb0cb5, 35'h433248add, 35'h42d561b3e,
    35'h4278fb2b2, 35'h421d1461d, 35'h41c1aca77, 35'h4166c34c5, 35'h410c57a1c, 35'h40b268f9e, 35'h4058f6a7f, 35'h400000000};
  localparam logic [63:0] LOG2_E = 64'd793129986396;  // 39 bits of fraction
  // ln 2, its square / 2, its cube / 6; 32 bits of fraction
  localparam logic [63:0] LN2 = 64'd2977044472, HALF = 64'd1031764991, SIXTH = 64'd238388332;

  function automatic logic [31:0] exponential(input logic [31:0] x);
    /* verilator no_inline_task */
    logic [63:0] product, z, power, slope;
    logic [47:0] size, t;
    logic [34:0] entry;
    logic [7:0] drop;
    logic signed [11:0] n;
    if (is_nan(x)) exponential = NOT_A_NUMBER;
    else if (x[30:0] >= 31'h43000000) exponential = x[31] ? 32'b0 : INFINITE;  // 128
    else begin
      drop = 8'd153 - x[30:23];
      product = {40'b0, 1'b1, x[22:0]} * LOG2_E;
      size = drop < 8'd64 ? 48'(product >> drop[5:0]) : 48'b0;
      t = x[31] ? -size : size;
      n = $signed(t[47:36]);
      z = {35'b0, t[28:0]};
      entry = POWERS[{25'b0, t[35:29]}*35+:35];
      slope = LN2 + (((HALF + ((SIXTH * z) >> 36)) * z) >> 36);
      power = {29'b0, entry};
      power = power + ((power * ((slope * z) >> 32)) >> 36);
      exponential = rounded(1'b0, n - 12'sd34, power);
    end
  endfunction

  // x sigmoid(y)
  function automatic logic [31:0] gated(input logic [31:0] x, input logic [31:0] y);
    /* verilator no_inline_task */
    logic [31:0] e;
    e = exponential(is_nan(y) ? y : {1'b1, y[30:0]});
    gated = divide(y[31] && y[30:0] != 0 || is_nan(y) ? mul(x, e) : x, add(ONE, e));
  endfunction

  // 2 sqrt(2 / pi) (x + 0.044715 x^3)
  function automatic logic [31:0] gelu_argument(input logic [31:0] x);
    gelu_argument = mul(32'h3fcc4229, add(x, mul(mul(mul(32'h3d372713, x), x), x)));
  endfunction

endpackage
