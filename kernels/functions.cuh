// SPDX-License-Identifier: Apache-2.0
// The scalar functions of program/op/Fn.java with their derivatives, in F32. Errors are a few units in the last place of the larger of |f(x)| and, where a
// derivative is a difference of nearly equal numbers, 1.
#pragma once
#include "types.cuh"

/// 1 / (1 + e^-x).
__device__ __forceinline__ float sigmoid(float x) { return rcp_approx(1.0f + exp_approx(-x)); }

__device__ __forceinline__ float silu(float x) { return x * sigmoid(x); }

/// s + x s (1 - s).
__device__ __forceinline__ float silu_slope(float x) {
    const float s = sigmoid(x);
    return s * fmaf(x, 1.0f - s, 1.0f);
}

/// The normal distribution function.
__device__ __forceinline__ float normal_cdf(float x) { return fmaf(0.5f, erff(x * 0.707106781f), 0.5f); }

/// Its density.
__device__ __forceinline__ float normal_pdf(float x) { return 0.398942280f * exp_approx(-0.5f * x * x); }

// ---- a function and its slope, together where they share work: what the kernels of the common activations are made of

struct Silu {
    static __device__ __forceinline__ float value(float x) { return silu(x); }
    static __device__ __forceinline__ float slope(float x) { return silu_slope(x); }
    static __device__ __forceinline__ void both(float x, float& y, float& dy) {
        const float s = sigmoid(x);
        y = x * s;
        dy = s * fmaf(x, 1.0f - s, 1.0f);
    }
};

/// x sigmoid(1.702 x).
struct QuickGelu {
    static __device__ __forceinline__ float value(float x) { return x * sigmoid(1.702f * x); }
    static __device__ __forceinline__ float slope(float x) { return silu_slope(1.702f * x); }
    static __device__ __forceinline__ void both(float x, float& y, float& dy) {
        const float s = sigmoid(1.702f * x);
        y = x * s;
        dy = s * fmaf(1.702f * x, 1.0f - s, 1.0f);
    }
};

/// x Phi(x).
struct Gelu {
    static __device__ __forceinline__ float value(float x) { return x * normal_cdf(x); }
    static __device__ __forceinline__ float slope(float x) { return fmaf(x, normal_pdf(x), normal_cdf(x)); }
    static __device__ __forceinline__ void both(float x, float& y, float& dy) {
        const float cdf = normal_cdf(x);
        y = x * cdf;
        dy = fmaf(x, normal_pdf(x), cdf);
    }
};

// ---- every function at every order, chosen at run time

/// Derivatives of x s(x): x s^(n) + n s^(n-1).
__device__ __forceinline__ float swish(int order, float x) {
    const float s = sigmoid(x), d1 = s * (1.0f - s);
    const float d2 = d1 * (1.0f - 2.0f * s), d3 = d1 * fmaf(6.0f * s, s - 1.0f, 1.0f);
    switch (order) {
        case 0: return x * s;
        case 1: return fmaf(x, d1, s);
        case 2: return fmaf(x, d2, 2.0f * d1);
        default: return fmaf(x, d3, 3.0f * d2);
    }
}

__device__ __forceinline__ float gelu(int order, float x) {
    const float pdf = normal_pdf(x);
    switch (order) {
        case 0: return Gelu::value(x);
        case 1: return Gelu::slope(x);
        case 2: return pdf * fmaf(-x, x, 2.0f);
        default: return pdf * x * fmaf(x, x, -4.0f);
    }
}

/// sin(x + order pi/2). x is brought into [-pi/4, pi/4] in double, with pi/2 as two numbers: exact enough for |x| below 2^48. Then Taylor's series.
__device__ __forceinline__ float sine(int order, float x) {
    const double q = rint(x * 0.63661977236758138);
    const float r = static_cast<float>(fma(-q, 6.123233995736766e-17, fma(-q, 1.5707963267948966, static_cast<double>(x))));
    const int quadrant = (static_cast<int>(static_cast<long long>(q)) + order) & 3;
    const float z = r * r;
    const float sin = fmaf(r * z, fmaf(z, fmaf(z, fmaf(z, 1.0f / 362880, -1.0f / 5040), 1.0f / 120), -1.0f / 6), r);
    const float cos = fmaf(z, fmaf(z, fmaf(z, fmaf(z, fmaf(z, -1.0f / 3628800, 1.0f / 40320), -1.0f / 720), 1.0f / 24), -0.5f), 1.0f);
    const float y = quadrant & 1 ? cos : sin;
    return quadrant & 2 ? -y : y;
}

/// sqrt(x), 1/2 x^(-1/2), -1/4 x^(-3/2), 3/8 x^(-5/2).
__device__ __forceinline__ float square_root(int order, float x) {
    const float r = 1.0f / sqrtf(x);
    switch (order) {
        case 0: return sqrtf(x);
        case 1: return 0.5f * r;
        case 2: return -0.25f * r / x;
        default: return 0.375f * r / x / x;
    }
}

/// x^(-1/2), -1/2 x^(-3/2), 3/4 x^(-5/2), -15/8 x^(-7/2).
__device__ __forceinline__ float reciprocal_root(int order, float x) {
    const float r = 1.0f / sqrtf(x);
    switch (order) {
        case 0: return r;
        case 1: return -0.5f * r / x;
        case 2: return 0.75f * r / x / x;
        default: return -1.875f * r / x / x / x;
    }
}

/// min(max(x, -30), 20); NaN stays.
__device__ __forceinline__ float logvar_clamp(int order, float x) {
    switch (order) {
        case 0: return x < -30.0f ? -30.0f : x > 20.0f ? 20.0f : x;
        case 1: return x > -30.0f && x < 20.0f ? 1.0f : 0.0f;
        default: return 0.0f;
    }
}

/// The derivative of the given order (0: the function itself) at x; `fn` counts as Fn.java does.
__device__ __forceinline__ float function(int fn, int order, float x) {
    switch (fn) {
        case 0: return swish(order, x);
        case 1: return gelu(order, x);
        case 2: return swish(order, 1.702f * x) * (order == 0 ? 1.0f / 1.702f : order == 1 ? 1.0f : order == 2 ? 1.702f : 1.702f * 1.702f);
        case 3: return exp_approx(x);
        case 4: return square_root(order, x);
        case 5: return reciprocal_root(order, x);
        case 6: return sine(order, x);
        case 7: return sine(order + 1, x);
        default: return logvar_clamp(order, x);
    }
}
