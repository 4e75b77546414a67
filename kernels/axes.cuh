// SPDX-License-Identifier: Apache-2.0
// Index spaces of up to six axes, walked element by element. Twin: org.tweedie.device.gpu.Axes.
#pragma once

/// A divisor known on the host: n / d = (high word of n mul + n) >> shift, for 0 <= n < 2^31 (Granlund and Montgomery 1994).
struct Div {
    int d;
    unsigned mul;
    int shift;
};

__device__ __forceinline__ int quotient(int n, const Div& by) {
    return static_cast<int>((__umulhi(static_cast<unsigned>(n), by.mul) + static_cast<unsigned>(n)) >> by.shift);
}

/// One axis: its extent, and how far apart its elements lie in the operands x and y (0 where an operand is repeated).
struct Axis {
    Div extent;
    int x, y;
};

/// The innermost axis first.
struct Axes {
    int rank;
    Axis axis[6];
};

/// Where element i of the index space lies in x and in y. Unrolled, so that the struct is read in place.
__device__ __forceinline__ void offsets(int i, const Axes& a, int& x, int& y) {
    x = y = 0;
#pragma unroll
    for (int d = 0; d < 6; ++d) {
        if (d < a.rank) {
            const int rest = d + 1 < a.rank ? quotient(i, a.axis[d].extent) : 0;
            const int at = i - rest * a.axis[d].extent.d;
            x += at * a.axis[d].x;
            y += at * a.axis[d].y;
            i = rest;
        }
    }
}
