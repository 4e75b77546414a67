// SPDX-License-Identifier: Apache-2.0
// Layer norm over rows of n elements, n a multiple of 8 up to 1280: the case of group norm (norm.cu) with one group and one place, for x [rows,n].
// A warp holds its row in registers, so each element is read once and the variance is summed about the mean. Outputs may lie where inputs lie.
#include "pieces.cuh"

/// A warp's row: vectors of V elements (16 bytes), the j-th of a lane begins at element (32 j + lane) V.
template <typename T> struct Row {
    enum { V = Lanes<T>::n, VECTORS = 1280 / 32 / V };
    float x[VECTORS][V];

    /// Calls f(j, its first element, whether that is in the row) for each vector of the lane.
    template <typename F> static __device__ __forceinline__ void each(int n, F f) {
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            const int i = (j * 32 + (threadIdx.x & 31)) * V;
            if (j * 32 * V < n) f(j, i, i < n); // the same for all lanes
        }
    }

    /// p's row, 0 beyond it.
    __device__ __forceinline__ void read(const T* p, int n) {
        each(n, [&](int j, int i, bool inside) {
            if (inside) {
                load_vec(p + i, x[j]);
            } else {
#pragma unroll
                for (float& a : x[j]) a = 0.0f;
            }
        });
    }

    /// Makes xhat of p's row, 0 beyond it; gives r.
    __device__ __forceinline__ float normalise(const T* p, int n, float eps) {
        float sum = 0.0f, squares = 0.0f;
        read(p, n);
        const float shift = __shfl_sync(0xffffffffu, x[0][0], 0);
        each(n, [&](int j, int, bool inside) {
#pragma unroll
            for (float a : x[j]) sum += inside ? a - shift : 0.0f;
        });
        const float mean = shift + warp_sum(sum) / n;
        each(n, [&](int j, int, bool inside) {
#pragma unroll
            for (float& a : x[j]) {
                a = inside ? a - mean : 0.0f;
                squares = fmaf(a, a, squares);
            }
        });
        const float r = 1.0f / sqrtf(warp_sum(squares) / n + eps);
        each(n, [&](int j, int, bool) {
#pragma unroll
            for (float& a : x[j]) a *= r;
        });
        return r;
    }

    /// v - mean(v) - xhat mean(xhat v) in place of v, which is 0 beyond the row.
    static __device__ __forceinline__ void project(const Row& xhat, Row& v, int n) {
        float sum = 0.0f, along = 0.0f;
        each(n, [&](int j, int, bool) {
#pragma unroll
            for (int e = 0; e < V; e++) sum += v.x[j][e], along = fmaf(v.x[j][e], xhat.x[j][e], along);
        });
        sum = warp_sum(sum) / n;
        along = warp_sum(along) / n;
        each(n, [&](int j, int, bool) {
#pragma unroll
            for (int e = 0; e < V; e++) v.x[j][e] = fmaf(-xhat.x[j][e], along, v.x[j][e] - sum);
        });
    }
};

/// The row of this warp.
__device__ __forceinline__ long long warp_row() { return static_cast<long long>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32; }

/// Layer norm: x [R,n], gamma, beta [n] -> y [R,n]; a warp per row.
/// One lane takes up to 40 elements in vectors of 16 bytes. Grid of (R + 3) / 4 blocks of 128 threads.
/// name: layernorm_forward
/// bytes: 2 e R n; flops: 8 R n; at: R=2*4096, n=320
template <typename T>
__device__ __forceinline__ void forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, T* y, int rows, int n, float eps) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Row<T> xhat;
    xhat.normalise(x + at, n, eps);
    Row<T>::each(n, [&](int j, int i, bool inside) {
        if (!inside) return;
        float scale[Row<T>::V], shift[Row<T>::V];
        load_vec(gamma + i, scale);
        load_vec(beta + i, shift);
#pragma unroll
        for (int e = 0; e < Row<T>::V; e++) shift[e] = fmaf(xhat.x[j][e], scale[e], shift[e]);
        store_vec(y + at + i, shift);
    });
}

/// Its pull-back: x, gamma, dy -> dx = r (v - mean(v) - xhat mean(xhat v)), v = gamma dy, or dx + plus, rounded once, where plus is not null.
/// Threads and grid as for the forward kernel. plus: e R n bytes more.
/// name: layernorm_vjp
/// bytes: 3 e R n; flops: 15 R n; at: R=2*4096, n=320
template <typename T>
__device__ __forceinline__ void pull_back(const T* x, const T* __restrict__ gamma, const T* dy, const T* plus, T* dx, int rows, int n, float eps) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Row<T> xhat, v;
    const float r = xhat.normalise(x + at, n, eps);
    v.read(dy + at, n);
    Row<T>::each(n, [&](int j, int i, bool inside) {
        if (!inside) return;
        float scale[Row<T>::V];
        load_vec(gamma + i, scale);
#pragma unroll
        for (int e = 0; e < Row<T>::V; e++) v.x[j][e] *= scale[e];
    });
    Row<T>::project(xhat, v, n);
    Row<T>& skip = xhat; // whose registers are free now
    if (plus) skip.read(plus + at, n);
    Row<T>::each(n, [&](int j, int i, bool inside) {
#pragma unroll
        for (int e = 0; e < Row<T>::V; e++) v.x[j][e] = fmaf(v.x[j][e], r, plus ? skip.x[j][e] : 0.0f);
        if (inside) store_vec(dx + at + i, v.x[j]);
    });
}

/// Its push-forward: x, gamma, beta, tx -> y and ty = gamma r (tx - mean(tx) - xhat mean(xhat tx)) at once, or ty alone where y is null.
/// Threads and grid as for the forward kernel.
/// name: layernorm_jvp
/// bytes: 4 e R n; flops: 17 R n; at: R=2*4096, n=320
template <typename T>
__device__ __forceinline__ void push_forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* tx, T* y, T* ty, int rows, int n, float eps) {
    if (warp_row() >= rows) return;
    const long long at = warp_row() * n;
    Row<T> xhat, v;
    const float r = xhat.normalise(x + at, n, eps);
    v.read(tx + at, n);
    Row<T>::project(xhat, v, n);
    Row<T>::each(n, [&](int j, int i, bool inside) {
        if (!inside) return;
        float scale[Row<T>::V], shift[Row<T>::V];
        load_vec(gamma + i, scale);
#pragma unroll
        for (int e = 0; e < Row<T>::V; e++) v.x[j][e] *= r * scale[e];
        store_vec(ty + at + i, v.x[j]);
        if (y) {
            load_vec(beta + i, shift);
#pragma unroll
            for (int e = 0; e < Row<T>::V; e++) shift[e] = fmaf(xhat.x[j][e], scale[e], shift[e]);
            store_vec(y + at + i, shift);
        }
    });
}

#define ENTRIES(T, suffix)                                                                                                                          \
    extern "C" __global__ void layernorm_forward_##suffix(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, T* y, int rows,      \
                                                          int n, float eps) {                                                                       \
        forward(x, gamma, beta, y, rows, n, eps);                                                                                                   \
    }                                                                                                                                               \
    extern "C" __global__ void layernorm_vjp_##suffix(const T* x, const T* __restrict__ gamma, const T* dy, const T* plus, T* dx, int rows, int n,  \
                                                      float eps) {                                                                                  \
        pull_back(x, gamma, dy, plus, dx, rows, n, eps);                                                                                            \
    }                                                                                                                                               \
    extern "C" __global__ void layernorm_jvp_##suffix(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* tx, T* y,       \
                                                      T* ty, int rows, int n, float eps) {                                                          \
        push_forward(x, gamma, beta, tx, y, ty, rows, n, eps);                                                                                      \
    }
FOR_FLOATS(ENTRIES)
