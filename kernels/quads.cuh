// SPDX-License-Identifier: Apache-2.0
// Four neighbouring elements at once: 16 bytes of F32, 8 of F16 or BF16. For kernels between the solver's latents, which are F32, and a network's
// values of any type: a thread does the same four elements of each.
#pragma once
#include "types.cuh"

struct Quad { float x[4]; };

/// Elements i .. i+3 of p; the address of the first must be a multiple of the access's bytes.
__device__ __forceinline__ Quad load_quad(const float* p, long long i) {
    const float4 v = *reinterpret_cast<const float4*>(p + i);
    return {v.x, v.y, v.z, v.w};
}

template <typename T> __device__ __forceinline__ Quad load_quad(const T* p, long long i) {
    const uint2 v = *reinterpret_cast<const uint2*>(p + i);
    Quad q;
    unpack2<T>(v.x, q.x[0], q.x[1]);
    unpack2<T>(v.y, q.x[2], q.x[3]);
    return q;
}

__device__ __forceinline__ void store_quad(float* p, long long i, const Quad& q) {
    *reinterpret_cast<float4*>(p + i) = make_float4(q.x[0], q.x[1], q.x[2], q.x[3]);
}

template <typename T> __device__ __forceinline__ void store_quad(T* p, long long i, const Quad& q) {
    *reinterpret_cast<uint2*>(p + i) = make_uint2(pack2<T>(q.x[0], q.x[1]), pack2<T>(q.x[2], q.x[3]));
}

/// The first `count` (1 to 4) elements, one by one, at any address.
template <typename T> __device__ __forceinline__ Quad load_some(const T* p, long long i, int count) {
    Quad q;
#pragma unroll
    for (int k = 0; k < 4; k++) q.x[k] = k < count ? load(p, i + k) : 0.0f;
    return q;
}

template <typename T> __device__ __forceinline__ void store_some(T* p, long long i, int count, const Quad& q) {
#pragma unroll
    for (int k = 0; k < 4; k++) {
        if (k < count) store(p, i + k, q.x[k]);
    }
}

/// The thread's part of a sample of d elements that starts at element `base`: elements base + i .. base + i + count - 1, together if `whole`.
/// A grid of (blocks of quads, samples).
struct Part {
    long long i;    // first element within the sample
    long long base; // of the sample
    int count;      // 0: nothing to do
    bool whole;     // four, at an address that is a multiple of the access's bytes
};

__device__ __forceinline__ Part part_of(long long d) {
    const long long i = 4 * thread_index();
    const long long left = d - i;
    return {i, blockIdx.y * d, left <= 0 ? 0 : left < 4 ? static_cast<int>(left) : 4, (d & 3) == 0};
}

template <typename T> __device__ __forceinline__ Quad get(const T* p, long long i, const Part& s) {
    return s.whole ? load_quad(p, i) : load_some(p, i, s.count);
}

template <typename T> __device__ __forceinline__ void put(T* p, long long i, const Part& s, const Quad& q) {
    if (s.whole) {
        store_quad(p, i, q);
    } else {
        store_some(p, i, s.count, q);
    }
}
