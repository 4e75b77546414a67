// SPDX-License-Identifier: Apache-2.0
// Softmax along rows of n elements, x [R,n]: y = exp(x - max) / sum exp(x - max). Its derivatives are products and sums of their own.
//
// Rows of up to 256 elements: a warp per row, which stays in its registers. Longer rows: a block per row, read twice; maximum and sum come in one pass, a thread's sum
// is scaled anew when its maximum grows. Outputs may lie where inputs lie: all of a row is read before it is written, or a thread writes what it has read.
/// options: -default-device
#include "pieces.cuh"

__device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }

/// The row of this warp.
__device__ __forceinline__ long long warp_row() { return static_cast<long long>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; }

// ---- a warp per row

/// A lane's elements of a row of up to 256: `used` of 8, vectors of 16 bytes where n is a multiple of them, else every 32nd element.
template <typename T> struct Lane {
    enum { V = Lanes<T>::n };
    int n, used; // used: the same for all lanes
    float x[8];

    __device__ __forceinline__ Lane(const T* p, int n, float rest) : n(n), used(n % V == 0 ? (n + 32 * V - 1) / (32 * V) * V : (n + 31) / 32) {
        const int lane = threadIdx.x & 31;
#pragma unroll
        for (int k = 0; k < 8; k++) x[k] = rest;
        if (n % V == 0) {
#pragma unroll
            for (int j = 0; j < 8 / V; j++) {
                const int i = (j * 32 + lane) * V;
                if (i < n) load_vec(p + i, reinterpret_cast<float(&)[V]>(x[j * V]));
            }
        } else {
            each([&](int k) {
                if (k * 32 + lane < n) x[k] = load(p, k * 32 + lane);
            });
        }
    }

    template <typename F> __device__ __forceinline__ void each(F f) const {
#pragma unroll
        for (int k = 0; k < 8; k++) {
            if (k < used) f(k);
        }
    }

    __device__ __forceinline__ void write(T* p) const {
        const int lane = threadIdx.x & 31;
        if (n % V == 0) {
#pragma unroll
            for (int j = 0; j < 8 / V; j++) {
                const int i = (j * 32 + lane) * V;
                if (i < n) store_vec(p + i, reinterpret_cast<const float(&)[V]>(x[j * V]));
            }
        } else {
            each([&](int k) {
                if (k * 32 + lane < n) store(p, k * 32 + lane, x[k]);
            });
        }
    }

    /// Softmax in place; what lies beyond the row is minus infinity and becomes 0.
    __device__ __forceinline__ void softmax() {
        float max = x[0], sum = 0.0f;
        each([&](int k) { max = fmaxf(max, x[k]); });
        max = warp_max(max);
        each([&](int k) { sum += x[k] = exp_approx(x[k] - max); });
        const float scale = 1.0f / warp_sum(sum);
        each([&](int k) { x[k] *= scale; });
    }
};

template <typename T> __device__ __forceinline__ void forward(const T* x, T* y, int rows, int n) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Lane<T> a(x + at, n, -infinity());
    a.softmax();
    a.write(y + at);
}

// ---- a block per row

/// Calls f(element, how many) for what a thread takes of a row of n.
template <typename T, typename F> __device__ __forceinline__ void each(int n, F f) {
    constexpr int V = Lanes<T>::n;
    if (n % V == 0) {
        for (int i = threadIdx.x * V; i < n; i += blockDim.x * V) f(i, Length<V>());
    } else {
        for (int i = threadIdx.x; i < n; i += blockDim.x) f(i, Length<1>());
    }
}

/// The largest of a row and 1 / sum exp(x - max). A finite start keeps a first -infinity from making NaN.
template <typename T> __device__ __forceinline__ void totals(const T* x, int n, float* scratch, float& max, float& scale) {
    float m = -3.402823466e38f, sum = 0.0f;
    each<T>(n, [&](int i, auto length) {
        float a[length.value];
        load_n(x + i, a);
        float top = m;
#pragma unroll
        for (float v : a) top = fmaxf(top, v);
        sum *= exp_approx(m - top);
#pragma unroll
        for (int j = 0; j < length.value; j++) sum += exp_approx(a[j] - top);
        m = top;
    });
    max = block_max(m, scratch);
    scale = 1.0f / block_sum(sum * exp_approx(m - max), scratch);
}

template <typename T> __device__ __forceinline__ void long_forward(const T* x, T* y, int n) {
    __shared__ float scratch[32];
    const long long at = static_cast<long long>(blockIdx.x) * n;
    float max, scale;
    totals(x + at, n, scratch, max, scale);
    each<T>(n, [&](int i, auto length) {
        float a[length.value];
        load_n(x + at + i, a);
#pragma unroll
        for (float& v : a) v = exp_approx(v - max) * scale;
        store_n(y + at + i, a);
    });
}

/// Softmax of rows of up to 256 elements: x [R,n] -> y [R,n]; a warp per row.
/// One lane takes 8 elements. Grid of (R + 3) / 4 blocks of 128 threads.
/// name: softmax_forward
/// bytes: 2 e R n; flops: 14 R n; at: R=2*8*4096, n=77
#define FORWARD(T, suffix)                                                                                                                          \
    extern "C" __global__ void softmax_forward_##suffix(const T* x, T* y, int rows, int n) { forward(x, y, rows, n); }
FOR_FLOATS(FORWARD)

/// Softmax of rows of any length: x [R,n] -> y [R,n]; a block per row.
/// One thread takes vectors of 16 bytes (single elements where n is no multiple), every blockDim.x-th. Grid of R blocks of 256 threads.
/// name: softmax_forward_long
/// bytes: 2 e R n; flops: 24 R n; at: R=2*4096, n=4096
#define LONG_FORWARD(T, suffix)                                                                                                                     \
    extern "C" __global__ void softmax_forward_long_##suffix(const T* x, T* y, int n) { long_forward(x, y, n); }
FOR_FLOATS(LONG_FORWARD)
