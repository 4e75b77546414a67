// SPDX-License-Identifier: Apache-2.0
// Sums over axes, and over the blocks of a picture. Twin: org.tweedie.device.gpu.Reductions.
// A long sum is cut by its shape alone: a thread adds runs of 32 numbers, threads add up in a tree, and partial sums of the cuts (F32 in
// working memory) are summed by a second launch. So the order is fixed, and n numbers lose about as much as 32 + log n roundings.
// The pull-back of a sum is a broadcast (move.cu), its push-forward itself.
#include "axes.cuh"
#include "types.cuh"

constexpr int kRun = 32; // numbers that one accumulator takes before it is added to another

template <int V> __device__ __forceinline__ float tree(const float (&v)[V]) {
    if constexpr (V == 8) {
        return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    } else {
        return (v[0] + v[1]) + (v[2] + v[3]);
    }
}

/// Sum over the threads of a warp that share a row, a power of two of them; the warp's threads all take part.
__device__ __forceinline__ float group_sum(float x, int lanes) {
    for (int step = lanes >> 1; step > 0; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

/// What a thread has to do: elements [from,to) of a row, as one of `lanes` = 2^lg threads.
struct Task {
    int index, row, from, to, lane, lanes;
    bool any;

    __device__ __forceinline__ Task(int tasks, const Div& cuts, int n, int chunk, int lg) {
        const long long t = thread_index();
        lanes = 1 << lg;
        lane = static_cast<int>(t) & (lanes - 1);
        index = static_cast<int>(t >> lg);
        any = index < tasks;
        row = any ? quotient(index, cuts) : 0;
        from = any ? (index - row * cuts.d) * chunk : 0;
        to = any ? min(n, from + chunk) : 0;
    }
};

template <typename In>
__device__ __forceinline__ void rows(const In* x, float* y, int tasks, const Div& cuts, int n, int chunk, int lg) {
    constexpr int V = kLanes<In>;
    const Task t(tasks, cuts, n, chunk, lg);
    const In* row = x + static_cast<long long>(t.row) * n;
    const bool wide = n % V == 0; // then every row starts on 16 bytes, and chunks are whole vectors
    const int step = wide ? t.lanes * V : t.lanes;
    float sum = 0.0f;
    for (int i = t.from + (wide ? t.lane * V : t.lane); i < t.to;) {
        float run = 0.0f;
        for (int k = 0; k < kRun && i < t.to; ++k, i += step) {
            if (wide) {
                float v[V];
                load_vec(row + i, v);
                run += tree(v);
            } else {
                run += load(row, i);
            }
        }
        sum += run;
    }
    sum = group_sum(sum, t.lanes);
    if (t.any && t.lane == 0) store(y, t.index, sum);
}

/// Sums of rows: x [outer,n] to y [outer,cuts], each of a chunk of n; with cuts = 1 the result. y is F32; forward: so is x; partial: x is not.
/// 2^lg threads, at most 32, do one chunk, by 16 bytes where n allows. Grid of (tasks 2^lg + 255) / 256 blocks of 256;
/// tasks = outer cuts; chunk: a multiple of 8.
/// name: reduce_rows_forward reduce_rows_partial
/// bytes: e outer n; flops: outer n; at: outer=2, n=512*512*3
#define ROWS(NAME, IN)                                                                                                              \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        NAME(const IN* __restrict__ x, float* __restrict__ y, int tasks, Div cuts, int n, int chunk, int lg) {                          \
        rows(x, y, tasks, cuts, n, chunk, lg);                                                                                        \
    }
ROWS(reduce_rows_forward_f32, float)
ROWS(reduce_rows_partial_f16, half_t)
ROWS(reduce_rows_partial_bf16, bf16_t)

template <typename In>
__device__ __forceinline__ void strided(const In* x, float* y, int tasks, const Div& cuts, int n, int chunk, int lg, const Axes& kept, const Axes& summed) {
    const Task t(tasks, cuts, n, chunk, lg);
    int base, at, unused;
    offsets(t.row, kept, base, unused);
    float sum = 0.0f;
    for (int i = t.from + t.lane; i < t.to;) {
        float run = 0.0f;
        for (int k = 0; k < kRun && i < t.to; ++k, i += t.lanes) {
            offsets(i, summed, at, unused);
            run += load(x, base + at);
        }
        sum += run;
    }
    sum = group_sum(sum, t.lanes);
    if (t.any && t.lane == 0) store(y, t.index, sum);
}

/// Sums over any axes, kept and summed ones by turns: as reduce_rows, the elements of a row wherever `summed` says. Second derivatives only.
/// As reduce_rows, one element at a time.
/// name: reduce_strided_forward reduce_strided_partial
/// bytes: e outer n; flops: outer n; at: outer=2*32, n=64*64*10
#define STRIDED(NAME, IN)                                                                                                           \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        NAME(const IN* __restrict__ x, float* __restrict__ y, int tasks, Div cuts, int n, int chunk, int lg, Axes kept, Axes summed) {  \
        strided(x, y, tasks, cuts, n, chunk, lg, kept, summed);                                                                       \
    }
STRIDED(reduce_strided_forward_f32, float)
STRIDED(reduce_strided_partial_f16, half_t)
STRIDED(reduce_strided_partial_bf16, bf16_t)

template <typename T, int V> __device__ __forceinline__ void read(const T* p, float (&v)[V]) {
    if constexpr (V == 1) {
        v[0] = load(p, 0);
    } else {
        load_vec(p, v);
    }
}

template <typename T, int V> __device__ __forceinline__ void write(T* p, const float (&v)[V]) {
    if constexpr (V == kLanes<T>) {
        store_vec(p, v);
    } else {
#pragma unroll
        for (int k = 0; k < V; ++k) store(p, k, v[k]);
    }
}

template <typename In, int V>
__device__ __forceinline__ void columns(const In* x, float* y, int n, int units, const Div& blocks, int chunk) {
    __shared__ float sums[V * 256];
    const int outer = quotient(blockIdx.x, blocks), unit = (blockIdx.x - outer * blocks.d) * blockDim.x + threadIdx.x;
    const int from = blockIdx.y * chunk, to = unit < units ? min(n, from + chunk) : 0, inner = units * V;
    const In* column = x + static_cast<long long>(outer) * n * inner + unit * V;
    float sum[V] = {};
    for (int i = from + threadIdx.y; i < to;) {
        float run[V] = {};
        for (int k = 0; k < kRun && i < to; ++k, i += blockDim.y) {
            float v[V];
            read<In, V>(column + static_cast<long long>(i) * inner, v);
#pragma unroll
            for (int j = 0; j < V; ++j) run[j] += v[j];
        }
#pragma unroll
        for (int j = 0; j < V; ++j) sum[j] += run[j];
    }
    const int thread = threadIdx.y * blockDim.x + threadIdx.x;
#pragma unroll
    for (int j = 0; j < V; ++j) sums[j * 256 + thread] = sum[j];
    for (int half = blockDim.y >> 1; half > 0; half >>= 1) {
        __syncthreads();
        if (threadIdx.y < half) {
#pragma unroll
            for (int j = 0; j < V; ++j) sums[j * 256 + thread] = sum[j] += sums[j * 256 + thread + half * blockDim.x];
        }
    }
    if (threadIdx.y == 0 && unit < units) write<float, V>(y + (static_cast<long long>(outer) * gridDim.y + blockIdx.y) * inner + unit * V, sum);
}

/// Sums of columns: x [outer,n,inner] to y [outer,cuts,inner], each of a chunk of n; with cuts = 1 the result. y is F32; forward: so is x; partial: x is not.
/// Threads side by side do units along inner (an element; with _wide 16 bytes of x), those behind one another every so many rows, summed
/// through shared memory. Grid of outer blocks, cuts blocks of any powers of two up to 256 threads; `blocks`: those along inner; units: of inner.
/// name: reduce_columns_{forward,partial} reduce_columns_{forward,partial}_wide
/// bytes: e n inner; flops: n inner; at: n=64*64, inner=320
#define COLUMNS(NAME, TYPE, IN)                                                                                                     \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        NAME##_##TYPE(const IN* __restrict__ x, float* __restrict__ y, int n, int units, Div blocks, int chunk) {                          \
        columns<IN, 1>(x, y, n, units, blocks, chunk);                                                                              \
    }                                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        NAME##_wide_##TYPE(const IN* __restrict__ x, float* __restrict__ y, int n, int units, Div blocks, int chunk) {                     \
        columns<IN, kLanes<IN>>(x, y, n, units, blocks, chunk);                                                                     \
    }
COLUMNS(reduce_columns_forward, f32, float)
COLUMNS(reduce_columns_partial, f16, half_t)
COLUMNS(reduce_columns_partial, bf16, bf16_t)

template <typename T, int V> __device__ __forceinline__ void sum_pool(const T* x, T* y, int n, const Div& c, const Div& w, int f) {
    const long long i = thread_index();
    if (i >= n) return;
    const int pixel = quotient(static_cast<int>(i), c), line = quotient(pixel, w);
    const int step = f * w.d * c.d * V; // from line to line of x
    const T* from = x + static_cast<long long>(line) * f * step + ((pixel - line * w.d) * f * c.d + static_cast<int>(i) - pixel * c.d) * V;
    float sum[V] = {};
    for (int u = 0; u < f; ++u) {
        float run[V] = {};
        for (int k = 0; k < f; ++k) {
            float v[V];
            read<T, V>(from + static_cast<long long>(u) * step + k * c.d * V, v);
#pragma unroll
            for (int j = 0; j < V; ++j) run[j] += v[j];
        }
#pragma unroll
        for (int j = 0; j < V; ++j) sum[j] += run[j];
    }
    if constexpr (V == 1) {
        store(y, i, sum[0]);
    } else {
        store_vec(y + i * V, sum);
    }
}

/// Sums of f x f blocks, the adjoint of upsample_forward (move.cu): x [B,H,W,C] to y [B,H/f,W/f,C].
/// One thread does one element of y, with _wide 16 bytes (C is whole vectors). Grid of (n + 255) / 256 blocks of 256; n: threads;
/// c: C in elements or vectors; w: W/f.
/// name: upsample_vjp upsample_vjp_wide
/// bytes: e n + e n f f; flops: n f f; at: n=2*32*32*640, f=2
#define SUM_POOL(T, TYPE)                                                                                                                \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        upsample_vjp_##TYPE(const T* __restrict__ x, T* __restrict__ y, int n, Div c, Div w, int f) {                                    \
        sum_pool<T, 1>(x, y, n, c, w, f);                                                                                                \
    }                                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        upsample_vjp_wide_##TYPE(const T* __restrict__ x, T* __restrict__ y, int n, Div c, Div w, int f) {                               \
        sum_pool<T, kLanes<T>>(x, y, n, c, w, f);                                                                                        \
    }
FOR_FLOATS(SUM_POOL)
