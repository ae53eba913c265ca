// SPDX-License-Identifier: Apache-2.0
/// Elementary functions with the same bits on every host.
#pragma once

namespace forerun::ip {

/// In whole numbers, as ip/vector/rtl has it: 2^(x log2 e) from a table of 128 powers and a cubic, relative
/// error below 2^-32, rounded once to binary32 (error below 0.51 units in the last place).
float exponential(float x);
/// In binary32: (1 or e) / (1 + e), e = e^-|x|.
float sigmoid(float x);

/// In binary64, only additions, multiplications and divisions, rounded once to binary32 (error below 0.51
/// units in the last place). There is no RTL of these.
float logarithm(float x);
float hyperbolic_tangent(float x);
float error_function(float x);
/// The same in binary64 (relative error below 1e-14), for functions composed of it.
double logarithm(double x);

}  // namespace forerun::ip
