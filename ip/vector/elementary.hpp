// SPDX-License-Identifier: Apache-2.0
/// Elementary functions with the same bits on every host: only additions, multiplications and divisions in binary64,
/// rounded once to binary32 at the end (error below 0.51 units in the last place unless said).
#pragma once

namespace forerun::ip {

float exponential(float x);
float logarithm(float x);
float hyperbolic_tangent(float x);
float error_function(float x);
float sigmoid(float x);

/// The same in binary64 (relative error below 1e-14), for functions composed of them.
double exponential(double x);
double logarithm(double x);

}  // namespace forerun::ip
