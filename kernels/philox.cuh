// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers, Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), bit for bit those of org.tweedie.program.Philox, whose page defines
// the sequences. Normal numbers are worked out in double, in that page's order, by intrinsics that are never contracted into fused multiply-adds.
#pragma once
#include "quads.cuh"

/// The generator: ten rounds on a counter of four words under a key of two.
__device__ __forceinline__ uint4 philox_block(uint4 c, unsigned k0, unsigned k1) {
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const unsigned hi0 = __umulhi(0xD2511F53u, c.x), lo0 = 0xD2511F53u * c.x;
        const unsigned hi1 = __umulhi(0xCD9E8D57u, c.z), lo1 = 0xCD9E8D57u * c.z;
        c = make_uint4(hi1 ^ c.y ^ k0, lo1, hi0 ^ c.w ^ k1, lo0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

/// Block b (indices 4b .. 4b+3) of the sequence of key = {seed, stream, offset}.
__device__ __forceinline__ uint4 philox_words(const long long* key, unsigned long long b) {
    const unsigned long long seed = key[0], stream = key[1];
    return philox_block(make_uint4(static_cast<unsigned>(b), static_cast<unsigned>(b >> 32), static_cast<unsigned>(stream), static_cast<unsigned>(stream >> 32)),
                        static_cast<unsigned>(seed), static_cast<unsigned>(seed >> 32));
}

/// ln(n 2^-32) for n in [1, 2^32]: n = 2^e m, m in (sqrt(1/2), sqrt(2)]; ln m = 2 artanh s, s = (m-1)/(m+1), nine terms.
__device__ __forceinline__ double philox_log(unsigned long long n) {
    int e = 63 - __clzll(n);
    double m = __dmul_rn(__ull2double_rn(n), __longlong_as_double(static_cast<long long>(1023 - e) << 52)); // n 2^-e, exact
    if (m > 1.4142135623730951) {
        m = __dmul_rn(m, 0.5);
        e++;
    }
    const double s = __ddiv_rn(__dsub_rn(m, 1.0), __dadd_rn(m, 1.0));
    const double q = __dmul_rn(s, s);
    double sum = 1.0 / 17;
#pragma unroll
    for (int k = 15; k >= 1; k -= 2) sum = __dadd_rn(__dmul_rn(sum, q), 1.0 / k);
    return __dadd_rn(__dmul_rn(__int2double_rn(e - 32), 0.6931471805599453), __dmul_rn(__dmul_rn(2.0, s), sum));
}

/// Cosine and sine of 2 pi x 2^-32: the nearest quarter turn and Taylor's series (degrees 16 and 15) for the rest.
__device__ __forceinline__ void philox_cos_sin(unsigned x, double& c, double& s) {
    const unsigned quarter = (x + (1u << 29)) >> 30;
    const double a = __dmul_rn(__int2double_rn(static_cast<int>(x - (quarter << 30))), 1.5707963267948966 / 1073741824.0); // [-pi/4, pi/4]
    const double q = __dmul_rn(a, a);
    double cos = 1, sin = 1;
#pragma unroll
    for (int k = 16; k >= 2; k -= 2) cos = __dsub_rn(1.0, __dmul_rn(__dmul_rn(cos, q), 1.0 / (k * (k - 1))));
#pragma unroll
    for (int k = 15; k >= 3; k -= 2) sin = __dsub_rn(1.0, __dmul_rn(__dmul_rn(sin, q), 1.0 / (k * (k - 1))));
    sin = __dmul_rn(sin, a);
    c = (quarter & 1) ? sin : cos;
    s = (quarter & 1) ? cos : sin;
    if (quarter == 1 || quarter == 2) c = -c;
    if (quarter & 2) s = -s;
}

/// Two standard normal numbers of two words (Box-Muller).
__device__ __forceinline__ void philox_normal2(unsigned x0, unsigned x1, float& y0, float& y1) {
    const double r = __dsqrt_rn(__dmul_rn(-2.0, philox_log(static_cast<unsigned long long>(x0) + 1)));
    double c, s;
    philox_cos_sin(x1, c, s);
    y0 = __double2float_rn(__dmul_rn(r, c));
    y1 = __double2float_rn(__dmul_rn(r, s));
}

/// What to make of the words of a block.
struct Normal {
    static __device__ __forceinline__ Quad of(uint4 w) {
        Quad q;
        philox_normal2(w.x, w.y, q.x[0], q.x[1]);
        philox_normal2(w.z, w.w, q.x[2], q.x[3]);
        return q;
    }
};

struct Rademacher {
    static __device__ __forceinline__ float of(unsigned w) { return static_cast<int>(w) < 0 ? -1.0f : 1.0f; }
    static __device__ __forceinline__ Quad of(uint4 w) { return {of(w.x), of(w.y), of(w.z), of(w.w)}; }
};

struct Uniform {
    static __device__ __forceinline__ float of(unsigned w) { return __uint2float_rn(w >> 8) * 5.9604644775390625e-8f; }
    static __device__ __forceinline__ Quad of(uint4 w) { return {of(w.x), of(w.y), of(w.z), of(w.w)}; }
};
