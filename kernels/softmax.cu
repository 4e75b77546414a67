// SPDX-License-Identifier: Apache-2.0
// Softmax along rows of n elements, its pull-back and its push-forward (one formula, the Jacobian is symmetric), and both at once; x [R,n].
//
//   y = exp(x - max) / sum exp(x - max);   dx = y (g - sum g y);   from x and tx: y and ty = y (tx - sum tx y)
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

    /// y (g - sum g y) in place of g.
    static __device__ __forceinline__ void project(const Lane& y, Lane& g) {
        float along = 0.0f;
        g.each([&](int k) { along = fmaf(g.x[k], y.x[k], along); });
        along = warp_sum(along);
        g.each([&](int k) { g.x[k] = y.x[k] * (g.x[k] - along); });
    }
};

template <typename T> __device__ __forceinline__ void forward(const T* x, T* y, int rows, int n) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Lane<T> a(x + at, n, -infinity());
    a.softmax();
    a.write(y + at);
}

template <typename T> __device__ __forceinline__ void derivative(const T* y, const T* g, T* dx, int rows, int n) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    const Lane<T> a(y + at, n, 0.0f);
    Lane<T> b(g + at, n, 0.0f);
    Lane<T>::project(a, b);
    b.write(dx + at);
}

template <typename T> __device__ __forceinline__ void dual(const T* x, const T* tx, T* y, T* ty, int rows, int n) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Lane<T> a(x + at, n, -infinity()), t(tx + at, n, 0.0f);
    a.softmax();
    Lane<T>::project(a, t);
    a.write(y + at);
    t.write(ty + at);
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

/// The largest of a row and 1 / sum exp(x - max); with DUAL also sum of t exp(x - max) over that sum. A finite start keeps a first -infinity from making NaN.
template <typename T, bool DUAL> __device__ __forceinline__ void totals(const T* x, const T* t, int n, float* scratch, float& max, float& scale, float& along) {
    float m = -3.402823466e38f, sum = 0.0f, dot = 0.0f;
    each<T>(n, [&](int i, auto length) {
        float a[length.value], b[length.value];
        load_n(x + i, a);
        if (DUAL) load_n(t + i, b);
        float top = m;
#pragma unroll
        for (float v : a) top = fmaxf(top, v);
        const float old = exp_approx(m - top);
        sum *= old;
        dot *= old;
#pragma unroll
        for (int j = 0; j < length.value; j++) {
            const float e = exp_approx(a[j] - top);
            sum += e;
            if (DUAL) dot = fmaf(b[j], e, dot);
        }
        m = top;
    });
    max = block_max(m, scratch);
    const float mine = exp_approx(m - max);
    scale = 1.0f / block_sum(sum * mine, scratch);
    if (DUAL) along = block_sum(dot * mine, scratch) * scale;
}

template <typename T> __device__ __forceinline__ void long_forward(const T* x, T* y, int n) {
    __shared__ float scratch[32];
    const long long at = static_cast<long long>(blockIdx.x) * n;
    float max, scale, along;
    totals<T, false>(x + at, nullptr, n, scratch, max, scale, along);
    each<T>(n, [&](int i, auto length) {
        float a[length.value];
        load_n(x + at + i, a);
#pragma unroll
        for (float& v : a) v = exp_approx(v - max) * scale;
        store_n(y + at + i, a);
    });
}

template <typename T> __device__ __forceinline__ void long_derivative(const T* y, const T* g, T* dx, int n) {
    __shared__ float scratch[32];
    const long long at = static_cast<long long>(blockIdx.x) * n;
    float along = 0.0f;
    each<T>(n, [&](int i, auto length) {
        float a[length.value], b[length.value];
        load_n(y + at + i, a);
        load_n(g + at + i, b);
#pragma unroll
        for (int j = 0; j < length.value; j++) along = fmaf(b[j], a[j], along);
    });
    along = block_sum(along, scratch);
    each<T>(n, [&](int i, auto length) {
        float a[length.value], b[length.value];
        load_n(y + at + i, a);
        load_n(g + at + i, b);
#pragma unroll
        for (int j = 0; j < length.value; j++) b[j] = a[j] * (b[j] - along);
        store_n(dx + at + i, b);
    });
}

template <typename T> __device__ __forceinline__ void long_dual(const T* x, const T* tx, T* y, T* ty, int n) {
    __shared__ float scratch[32];
    const long long at = static_cast<long long>(blockIdx.x) * n;
    float max, scale, along;
    totals<T, true>(x + at, tx + at, n, scratch, max, scale, along);
    each<T>(n, [&](int i, auto length) {
        float a[length.value], t[length.value];
        load_n(x + at + i, a);
        load_n(tx + at + i, t);
#pragma unroll
        for (int j = 0; j < length.value; j++) {
            a[j] = exp_approx(a[j] - max) * scale;
            t[j] = a[j] * (t[j] - along);
        }
        store_n(y + at + i, a);
        store_n(ty + at + i, t);
    });
}

/// Softmax of rows of up to 256 elements: x [R,n] -> y [R,n]; a warp per row.
/// One lane takes 8 elements. Grid of (R + 3) / 4 blocks of 128 threads.
/// name: softmax_forward
/// bytes: 2 e R n; flops: 14 R n; at: R=2*8*4096, n=77
#define FORWARD(T, suffix)                                                                                                                          \
    extern "C" __global__ void softmax_forward_##suffix(const T* x, T* y, int rows, int n) { forward(x, y, rows, n); }
FOR_FLOATS(FORWARD)

/// Its pull-back or push-forward from the result: y, g -> y (g - sum g y).
/// Threads and grid as for softmax_forward.
/// name: softmax_vjp
/// bytes: 3 e R n; flops: 4 R n; at: R=2*8*4096, n=77
#define VJP(T, suffix)                                                                                                                              \
    extern "C" __global__ void softmax_vjp_##suffix(const T* y, const T* g, T* dx, int rows, int n) { derivative(y, g, dx, rows, n); }
FOR_FLOATS(VJP)

/// Result and push-forward at once: x, tx -> y, ty.
/// Threads and grid as for softmax_forward.
/// name: softmax_jvp
/// bytes: 4 e R n; flops: 18 R n; at: R=2*8*4096, n=77
#define JVP(T, suffix)                                                                                                                              \
    extern "C" __global__ void softmax_jvp_##suffix(const T* x, const T* tx, T* y, T* ty, int rows, int n) { dual(x, tx, y, ty, rows, n); }
FOR_FLOATS(JVP)

/// Softmax of rows of any length: x [R,n] -> y [R,n]; a block per row.
/// One thread takes vectors of 16 bytes (single elements where n is no multiple), every blockDim.x-th. Grid of R blocks of 256 threads.
/// name: softmax_forward_long
/// bytes: 2 e R n; flops: 24 R n; at: R=2*4096, n=4096
#define LONG_FORWARD(T, suffix)                                                                                                                     \
    extern "C" __global__ void softmax_forward_long_##suffix(const T* x, T* y, int n) { long_forward(x, y, n); }
FOR_FLOATS(LONG_FORWARD)

/// Its pull-back or push-forward from the result: y, g -> y (g - sum g y).
/// Threads and grid as for softmax_forward_long.
/// name: softmax_vjp_long
/// bytes: 3 e R n; flops: 4 R n; at: R=2*4096, n=4096
#define LONG_VJP(T, suffix)                                                                                                                         \
    extern "C" __global__ void softmax_vjp_long_##suffix(const T* y, const T* g, T* dx, int n) { long_derivative(y, g, dx, n); }
FOR_FLOATS(LONG_VJP)

/// Result and push-forward at once: x, tx -> y, ty.
/// Threads and grid as for softmax_forward_long.
/// name: softmax_jvp_long
/// bytes: 4 e R n; flops: 28 R n; at: R=2*4096, n=4096
#define LONG_JVP(T, suffix)                                                                                                                         \
    extern "C" __global__ void softmax_jvp_long_##suffix(const T* x, const T* tx, T* y, T* ty, int n) { long_dual(x, tx, y, ty, n); }
FOR_FLOATS(LONG_JVP)
