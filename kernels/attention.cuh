// SPDX-License-Identifier: Apache-2.0
// What the families of attention kernels share. q, o [B,N,heads,d], k, v [B,M,heads,d], lse, delta [B,heads,N]; blockIdx.z is the batch element.
#pragma once
#include "types.cuh"

/// Heads, queries, keys, size of a head, whether queries see keys up to themselves only, and how elements are stored (any_t only).
struct Sizes { int heads, n, m, d, causal, type; };

/// An element whose type is known at run time only. Sizes.type: 0 is F32 with d a multiple of 4, 1 F32, 2 F16, 3 BF16.
struct any_t { char byte; };

constexpr float kLog2e = 1.44269504f, kLn2 = 0.693147181f;

/// log2(x), absolute error about 2^-22 near 1, else relative.
__device__ __forceinline__ float log2_approx(float x) {
    float y;
    asm("lg2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }

/// How many keys a query sees: all, or those up to itself.
__device__ __forceinline__ int visible(const Sizes& z, int query) { return z.causal ? min(z.m, query + 1) : z.m; }

/// Elements from a token to the next.
__device__ __forceinline__ int stride(const Sizes& z) { return z.heads * z.d; }

/// Index of the head's first element in a tensor of so many tokens a batch element; tensors have less than 2^31 elements.
__device__ __forceinline__ int first(const Sizes& z, int tokens, int head) { return (blockIdx.z * tokens * z.heads + head) * z.d; }

/// Index of the head's first row in lse or delta.
__device__ __forceinline__ int first_row(const Sizes& z, int head) { return (blockIdx.z * z.heads + head) * z.n; }

// ---- elements of any type

template <typename T> __device__ __forceinline__ T* at(T* x, int i, const Sizes&) { return x + i; }

template <> __device__ __forceinline__ any_t* at(any_t* x, int i, const Sizes& z) { return x + (static_cast<long long>(i) << (z.type < 2 ? 2 : 1)); }

template <> __device__ __forceinline__ const any_t* at(const any_t* x, int i, const Sizes& z) { return x + (static_cast<long long>(i) << (z.type < 2 ? 2 : 1)); }

template <typename T> __device__ __forceinline__ float get(const T* x, const Sizes&) { return to_float(*x); }

template <> __device__ __forceinline__ float get(const any_t* x, const Sizes& z) {
    if (z.type < 2) return *reinterpret_cast<const float*>(x);
    return z.type == 2 ? to_float(*reinterpret_cast<const half_t*>(x)) : to_float(*reinterpret_cast<const bf16_t*>(x));
}

template <typename T> __device__ __forceinline__ void set(T* x, float y, const Sizes&) { *x = from_float<T>(y); }

template <> __device__ __forceinline__ void set(any_t* x, float y, const Sizes& z) {
    if (z.type < 2) {
        *reinterpret_cast<float*>(x) = y;
    } else {
        *reinterpret_cast<unsigned short*>(x) = z.type == 2 ? from_float<half_t>(y).bits : from_float<bf16_t>(y).bits;
    }
}
