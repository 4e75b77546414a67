// SPDX-License-Identifier: Apache-2.0
// What all kernels share: element types (stored as F32, F16 or BF16, computed in F32), accesses of 16 bytes, reductions, fast functions.
// No header of the CUDA toolkit is needed: conversions and approximations are the PTX instructions themselves.
#pragma once

/// Elements of 16 bits as they lie in memory.
struct half_t { unsigned short bits; };
struct bf16_t { unsigned short bits; };

// ---- conversions: widening is exact, narrowing rounds to nearest, ties to even

__device__ __forceinline__ float to_float(float x) { return x; }

__device__ __forceinline__ float to_float(half_t x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}

__device__ __forceinline__ float to_float(bf16_t x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }

template <typename T> __device__ __forceinline__ T from_float(float x);

template <> __device__ __forceinline__ float from_float<float>(float x) { return x; }

template <> __device__ __forceinline__ half_t from_float<half_t>(float x) {
    half_t y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}

template <> __device__ __forceinline__ bf16_t from_float<bf16_t>(float x) {
    bf16_t y;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}

template <typename T> __device__ __forceinline__ float load(const T* p, long long i) { return to_float(p[i]); }

template <typename T> __device__ __forceinline__ void store(T* p, long long i, float x) { p[i] = from_float<T>(x); }

// ---- accesses of 16 bytes: 4 elements of F32, 8 of F16 or BF16; the address must be a multiple of 16

template <typename T> constexpr int kLanes = 16 / sizeof(T);

__device__ __forceinline__ void load_vec(const float* p, float (&x)[4]) {
    const float4 v = *reinterpret_cast<const float4*>(p);
    x[0] = v.x, x[1] = v.y, x[2] = v.z, x[3] = v.w;
}

__device__ __forceinline__ void store_vec(float* p, const float (&x)[4]) { *reinterpret_cast<float4*>(p) = make_float4(x[0], x[1], x[2], x[3]); }

/// Two elements of 16 bits in a word, the first in its low half.
template <typename T> __device__ __forceinline__ unsigned pack2(float lo, float hi) {
    return static_cast<unsigned>(from_float<T>(lo).bits) | static_cast<unsigned>(from_float<T>(hi).bits) << 16;
}

template <typename T> __device__ __forceinline__ void unpack2(unsigned w, float& lo, float& hi) {
    lo = to_float(T{static_cast<unsigned short>(w & 0xffffu)});
    hi = to_float(T{static_cast<unsigned short>(w >> 16)});
}

template <typename T> __device__ __forceinline__ void load_vec(const T* p, float (&x)[8]) {
    const uint4 v = *reinterpret_cast<const uint4*>(p);
    unpack2<T>(v.x, x[0], x[1]);
    unpack2<T>(v.y, x[2], x[3]);
    unpack2<T>(v.z, x[4], x[5]);
    unpack2<T>(v.w, x[6], x[7]);
}

template <typename T> __device__ __forceinline__ void store_vec(T* p, const float (&x)[8]) {
    *reinterpret_cast<uint4*>(p) = make_uint4(pack2<T>(x[0], x[1]), pack2<T>(x[2], x[3]), pack2<T>(x[4], x[5]), pack2<T>(x[6], x[7]));
}

// ---- reductions in a fixed order: same inputs, same bytes

/// Sum over the 32 lanes of a warp; each lane gets it. All lanes must take part.
__device__ __forceinline__ float warp_sum(float x) {
#pragma unroll
    for (int step = 16; step > 0; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

__device__ __forceinline__ float warp_max(float x) {
#pragma unroll
    for (int step = 16; step > 0; step >>= 1) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

/// Sum over a block of threads along x, a multiple of 32, all of which must take part; each gets it. `scratch`: 32 floats of shared memory,
/// free for reuse by the next reduction.
__device__ __forceinline__ float block_sum(float x, float* scratch) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    x = warp_sum(x);
    __syncthreads(); // the reduction before may still be read
    if (lane == 0) scratch[warp] = x;
    __syncthreads();
    return warp_sum(lane < warps ? scratch[lane] : 0.0f);
}

/// As block_sum, of the largest.
__device__ __forceinline__ float block_max(float x, float* scratch) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
    x = warp_max(x);
    __syncthreads();
    if (lane == 0) scratch[warp] = x;
    __syncthreads();
    return warp_max(lane < warps ? scratch[lane] : __int_as_float(0xff800000));
}

// ---- fast functions

/// 2^x, relative error about 2^-22.
__device__ __forceinline__ float exp2_approx(float x) {
    float y;
    asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

/// e^x; what x * log2(e) loses in rounding is put back, so the relative error stays about 2^-22 for every x.
__device__ __forceinline__ float exp_approx(float x) {
    const float t = x * 1.44269502f;                                    // log2(e), upper part
    const float lost = fmaf(x, 1.44269502f, -t) + x * 1.92596303e-8f;   // rounding of t, and the lower part
    const float y = exp2_approx(t);
    return fabsf(t) < 128.0f ? fmaf(y, lost * 0.693147181f, y) : y;     // beyond, y is infinite, or too small to have the digits
}

__device__ __forceinline__ float rcp_approx(float x) {
    float y;
    asm("rcp.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ __forceinline__ float rsqrt_approx(float x) {
    float y;
    asm("rsqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// ---- where a thread stands

/// Its index among all threads of the grid along x.
__device__ __forceinline__ long long thread_index() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }

/// How many threads the grid has along x: the stride of a loop over more items than threads.
__device__ __forceinline__ long long thread_count() { return static_cast<long long>(gridDim.x) * blockDim.x; }

/// Makes MACRO(type, suffix) for each element type: MACRO(float, f32) MACRO(half_t, f16) MACRO(bf16_t, bf16).
#define FOR_FLOATS(MACRO) MACRO(float, f32) MACRO(half_t, f16) MACRO(bf16_t, bf16)
