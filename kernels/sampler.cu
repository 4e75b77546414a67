// SPDX-License-Identifier: Apache-2.0
// The sampler's own arithmetic, each formula in one pass: Tweedie's mean, deterministic DDIM (arXiv 2010.02502), classifier-free guidance (arXiv 2207.12598).
// Latents and scalars are F32, T is how the network's values are stored. Scalars lie in device memory, so that a recorded graph takes new
// ones. A thread does four elements; blocks of 128 threads, grid ceil(n / 512).
#include "quads.cuh"

/// Tweedie's mean, zbar = (z - sigma eps) / sqrt(abar).
/// z, eps [n], sigma, sqrt_abar [1] to zbar [n].
/// name: tweedie_forward
/// bytes: 8 n + e n; flops: 3 n; at: n=64*64*4
template <typename T>
__device__ __forceinline__ void tweedie(const float* z, const T* eps, const float* sigma, const float* sqrt_abar, float* zbar, long long n) {
    const Part s = part_of(n);
    if (s.count == 0) return;
    Quad x = get(z, s.i, s);
    const Quad noise = get(eps, s.i, s);
    const float a = sigma[0], b = sqrt_abar[0];
#pragma unroll
    for (int k = 0; k < 4; k++) x.x[k] = (x.x[k] - noise.x[k] * a) / b;
    put(zbar, s.i, s, x);
}

/// Level to level: {sigma, sqrt_abar} of where z is, {sqrt_abar, sigma} of where it goes.
struct Levels {
    float sigma, sqrt_abar, to_sqrt_abar, to_sigma;

    __device__ __forceinline__ float move(float z, float eps) const { return (z - eps * sigma) / sqrt_abar * to_sqrt_abar + eps * to_sigma; }
};

/// A DDIM step, z' = sqrt(abar') zbar + sigma' eps with zbar = (z - sigma eps) / sqrt(abar).
/// z, eps [n], four scalars to next [n]; next may lie where z lies.
/// name: ddim_forward
/// bytes: 8 n + e n; flops: 6 n; at: n=64*64*4
template <typename T> __device__ __forceinline__ void ddim(const float* z, const T* eps, const Levels at, float* next, long long n) {
    const Part s = part_of(n);
    if (s.count == 0) return;
    Quad x = get(z, s.i, s);
    const Quad noise = get(eps, s.i, s);
#pragma unroll
    for (int k = 0; k < 4; k++) x.x[k] = at.move(x.x[k], noise.x[k]);
    put(next, s.i, s, x);
}

/// Guidance, eps = without + w (with - without).
/// both [2n] = [without ; with] to eps [n].
/// name: guidance_forward
/// bytes: 3 e n; flops: 3 n; at: n=2*64*64*4
template <typename T> __device__ __forceinline__ void guidance(const T* both, T* eps, long long n, float w) {
    const Part s = part_of(n);
    if (s.count == 0) return;
    Quad x = get(both, s.i, s);
    const Quad with = get(both, n + s.i, s);
#pragma unroll
    for (int k = 0; k < 4; k++) x.x[k] += (with.x[k] - x.x[k]) * w;
    put(eps, s.i, s, x);
}

/// Guidance pulled back, both = [c - w c ; w c].
/// c [n] to both [2n].
/// name: guidance_vjp
/// bytes: 3 e n; flops: 2 n; at: n=2*64*64*4
template <typename T> __device__ __forceinline__ void guidance_vjp(const T* c, T* both, long long n, float w) {
    const Part s = part_of(n);
    if (s.count == 0) return;
    Quad x = get(c, s.i, s), with;
#pragma unroll
    for (int k = 0; k < 4; k++) {
        with.x[k] = x.x[k] * w;
        x.x[k] -= with.x[k];
    }
    put(both, s.i, s, x);
    put(both, n + s.i, s, with);
}

#define SAMPLER(T, S)                                                                                                                                         \
    extern "C" __global__ void tweedie_forward_##S(const float* __restrict__ z, const T* __restrict__ eps, const float* __restrict__ sigma,                   \
                                                   const float* __restrict__ sqrt_abar, float* __restrict__ zbar, long long n) {                              \
        tweedie(z, eps, sigma, sqrt_abar, zbar, n);                                                                                                           \
    }                                                                                                                                                         \
    extern "C" __global__ void ddim_forward_##S(const float* z, const T* __restrict__ eps, const float* __restrict__ sigma,                                   \
                                                const float* __restrict__ sqrt_abar, const float* __restrict__ to_sqrt_abar,                                  \
                                                const float* __restrict__ to_sigma, float* next, long long n) {                                               \
        ddim(z, eps, Levels{sigma[0], sqrt_abar[0], to_sqrt_abar[0], to_sigma[0]}, next, n);                                                                  \
    }                                                                                                                                                         \
    extern "C" __global__ void guidance_forward_##S(const T* __restrict__ both, T* __restrict__ eps, long long n, float w) { guidance(both, eps, n, w); }     \
    extern "C" __global__ void guidance_vjp_##S(const T* __restrict__ c, T* __restrict__ both, long long n, float w) { guidance_vjp(c, both, n, w); }

FOR_FLOATS(SAMPLER)
