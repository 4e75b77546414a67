// SPDX-License-Identifier: Apache-2.0
// Group norm for groups too large for one block (norm.cu has the equations); x [B,P,C], C a multiple of 8. Each sample's places are cut into strips:
//
//   strips      per strip and channel: mean and sum of squares about it      -> partial [B,S,C,2]
//   statistics  joins a group's strips and channels                          -> stats [B,G,2]: mean, r
//   vjp_strips, jvp_strips  per strip and channel: sums of v and xhat v      -> partial
//   projections joins them                                                   -> proj [B,G,2]: mean(v), mean(xhat v)
//   .._apply    writes the result
//
// Means and squares are joined by Chan, Golub and LeVeque's formula (1979), in an order that depends on sizes only.
/// options: -default-device
#include "functions.cuh"
#include "pieces.cuh"

enum { kThreads = 256, kTile = 4 };

/// A block's part: strip blockIdx.x of sample blockIdx.z, columns from blockIdx.y * w. A thread has one column (V channels, 16 bytes) and every `lanes`-th place.
template <typename T> struct Strip {
    enum { V = Lanes<T>::n };
    int channels, lanes, lane, channel, length, whole, rest, first_channel, end_channel;
    bool active;
    long long base; // of the thread's column at its first place
    long long step; // between its places

    __device__ __forceinline__ Strip(int places, int channels, int rows, int w) : channels(channels) {
        const int first = blockIdx.x * rows;
        lanes = kThreads / w;
        lane = threadIdx.x / w;
        first_channel = blockIdx.y * w * V;
        end_channel = min(channels, first_channel + w * V);
        channel = first_channel + threadIdx.x % w * V;
        active = lane < lanes && channel < channels;
        length = min(rows, places - first);
        whole = length / lanes;
        rest = length % lanes;
        base = (static_cast<long long>(blockIdx.z) * places + first + lane) * channels + channel;
        step = static_cast<long long>(lanes) * channels;
    }

    /// Places of a lane.
    __device__ __forceinline__ int count(int lane) const { return whole + (lane < rest ? 1 : 0); }

    /// Calls f(offset, how many places) for tiles of the thread's places, then for what is left, one at a time.
    template <int TILE, typename F> __device__ __forceinline__ void each(F f) const {
        const int n = active ? count(lane) : 0;
        long long at = base;
        int i = 0;
        for (; i + TILE <= n; i += TILE, at += TILE * step) f(at, Length<TILE>());
        for (; i < n; i++, at += step) f(at, Length<1>());
    }

    /// Where this strip's pair of channel c lies in partial.
    __device__ __forceinline__ long long pair(int c) const { return (static_cast<long long>(blockIdx.z) * gridDim.x + blockIdx.x) * channels + c; }
};

/// A number of each thread and channel in shared memory: V rows of a number per thread, set apart so that neither threads nor channels in order meet in a bank.
template <int V> struct Shared {
    enum { STEP = kThreads + 32 / V, SIZE = V * STEP };

    /// The thread's own, of its j-th channel.
    static __device__ __forceinline__ int own(int j) { return j * STEP + threadIdx.x; }

    /// Channel c of the block's, of lane 0; those of further lanes lie w further each.
    static __device__ __forceinline__ int of(int c) { return c % V * STEP + c / V; }
};

/// Means and squares of a strip.
template <typename T> __device__ __forceinline__ void strip_moments(const T* x, float2* partial, int places, int channels, int rows, int w) {
    constexpr int V = Lanes<T>::n;
    __shared__ float means[Shared<V>::SIZE], squares[Shared<V>::SIZE];
    const Strip<T> s(places, channels, rows, w);
    float m[V] = {}, q[V] = {}, n = 0.0f;
    s.template each<kTile>([&](long long at, auto tile) {
        constexpr int K = tile.value;
        float a[K][V];
#pragma unroll
        for (int k = 0; k < K; k++) load_vec(x + at + k * s.step, a[k]);
        const float share = K / (n + K), both = n * share;
#pragma unroll
        for (int j = 0; j < V; j++) {
            float mean = 0.0f;
#pragma unroll
            for (int k = 0; k < K; k++) mean += a[k][j];
            mean *= 1.0f / K;
#pragma unroll
            for (int k = 0; k < K; k++) q[j] = fmaf(a[k][j] - mean, a[k][j] - mean, q[j]);
            const float off = mean - m[j];
            m[j] = fmaf(off, share, m[j]);
            q[j] = fmaf(off * off, both, q[j]);
        }
        n += K;
    });
    if (s.active) {
#pragma unroll
        for (int j = 0; j < V; j++) means[Shared<V>::own(j)] = m[j], squares[Shared<V>::own(j)] = q[j];
    }
    __syncthreads();
    for (int c = s.first_channel + threadIdx.x; c < s.end_channel; c += kThreads) {
        const int at = Shared<V>::of(c - s.first_channel);
        const float shift = means[at];
        float sum = 0.0f, square = 0.0f;
        for (int l = 0; l < s.lanes; l++) sum += s.count(l) * (means[at + l * w] - shift);
        const float mean = shift + sum / s.length;
        for (int l = 0; l < s.lanes; l++) {
            const float off = means[at + l * w] - mean;
            square += squares[at + l * w] + s.count(l) * off * off;
        }
        partial[s.pair(c)] = make_float2(mean, square);
    }
}

/// What a thread's V channels have in common over their places.
template <typename T> struct Channels {
    enum { V = Lanes<T>::n };
    float mean[V], r[V], gamma[V], beta[V];

    __device__ __forceinline__ Channels(const Strip<T>& s, const T* __restrict__ g, const T* __restrict__ b, const float2* __restrict__ stats, int groups) {
        if (!s.active) return;
        load_vec(g + s.channel, gamma);
        load_vec(b + s.channel, beta);
        of_groups(s, stats, groups, mean, r);
    }

    /// The pair of each channel's group.
    static __device__ __forceinline__ void of_groups(const Strip<T>& s, const float2* __restrict__ pairs, int groups, float (&a)[V], float (&b)[V]) {
        const int width = s.channels / groups, group = s.channel / width;
        int left = (group + 1) * width - s.channel; // channels of the group
        pairs += blockIdx.z * groups + group;
#pragma unroll
        for (int j = 0; j < V; j++) {
            const float2 p = *pairs;
            a[j] = p.x, b[j] = p.y;
            if (--left == 0 && j + 1 < V) pairs++, left = width;
        }
    }

    /// Makes xhat of x; and v of dy, where this is a pull-back.
    template <bool BACK, bool SILU> __device__ __forceinline__ void direction(float (&x)[V], float (&t)[V]) const {
#pragma unroll
        for (int j = 0; j < V; j++) {
            x[j] = (x[j] - mean[j]) * r[j];
            if (BACK) t[j] *= SILU ? gamma[j] * silu_slope(fmaf(x[j], gamma[j], beta[j])) : gamma[j];
        }
    }
};

/// Sums of v and xhat v of a strip.
template <typename T, bool BACK, bool SILU>
__device__ __forceinline__ void strip_sums(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* t, const float2* __restrict__ stats,
                                           float2* partial, int places, int channels, int groups, int rows, int w) {
    constexpr int V = Lanes<T>::n;
    __shared__ float sums[Shared<V>::SIZE], along[Shared<V>::SIZE];
    const Strip<T> s(places, channels, rows, w);
    const Channels<T> channel(s, gamma, beta, stats, groups);
    float a[V] = {}, b[V] = {};
    s.template each<2>([&](long long at, auto tile) {
        float xs[tile.value][V], ts[tile.value][V];
#pragma unroll
        for (int k = 0; k < tile.value; k++) load_vec(x + at + k * s.step, xs[k]), load_vec(t + at + k * s.step, ts[k]);
#pragma unroll
        for (int k = 0; k < tile.value; k++) {
            channel.template direction<BACK, SILU>(xs[k], ts[k]);
#pragma unroll
            for (int j = 0; j < V; j++) a[j] += ts[k][j], b[j] = fmaf(ts[k][j], xs[k][j], b[j]);
        }
    });
    if (s.active) {
#pragma unroll
        for (int j = 0; j < V; j++) sums[Shared<V>::own(j)] = a[j], along[Shared<V>::own(j)] = b[j];
    }
    __syncthreads();
    for (int c = s.first_channel + threadIdx.x; c < s.end_channel; c += kThreads) {
        const int at = Shared<V>::of(c - s.first_channel);
        float2 total = make_float2(0.0f, 0.0f);
        for (int l = 0; l < s.lanes; l++) {
            total.x += sums[at + l * w];
            total.y += along[at + l * w];
        }
        partial[s.pair(c)] = total;
    }
}

template <typename T, bool SILU>
__device__ __forceinline__ void apply_forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const float2* __restrict__ stats, T* y,
                                              int places, int channels, int groups, int rows, int w) {
    const Strip<T> s(places, channels, rows, w);
    const Channels<T> channel(s, gamma, beta, stats, groups);
    s.template each<kTile>([&](long long at, auto tile) {
        float a[tile.value][Lanes<T>::n];
#pragma unroll
        for (int k = 0; k < tile.value; k++) load_vec(x + at + k * s.step, a[k]);
#pragma unroll
        for (int k = 0; k < tile.value; k++) {
#pragma unroll
            for (int j = 0; j < Lanes<T>::n; j++) {
                const float u = fmaf((a[k][j] - channel.mean[j]) * channel.r[j], channel.gamma[j], channel.beta[j]);
                a[k][j] = SILU ? silu(u) : u;
            }
            store_vec(y + at + k * s.step, a[k]);
        }
    });
}

template <typename T, bool BACK, bool SILU>
__device__ __forceinline__ void apply_derivative(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* t, const float2* __restrict__ stats,
                                                 const float2* __restrict__ proj, const T* plus, T* y, T* out, int places, int channels, int groups, int rows,
                                                 int w) {
    constexpr int V = Lanes<T>::n;
    const Strip<T> s(places, channels, rows, w);
    const Channels<T> channel(s, gamma, beta, stats, groups);
    float sum[V], along[V];
    if (s.active) Channels<T>::of_groups(s, proj, groups, sum, along);
    s.template each<2>([&](long long at, auto tile) {
        float xs[tile.value][V], ts[tile.value][V];
#pragma unroll
        for (int k = 0; k < tile.value; k++) load_vec(x + at + k * s.step, xs[k]), load_vec(t + at + k * s.step, ts[k]);
#pragma unroll
        for (int k = 0; k < tile.value; k++) {
            channel.template direction<BACK, SILU>(xs[k], ts[k]);
#pragma unroll
            for (int j = 0; j < V; j++) {
                ts[k][j] = channel.r[j] * fmaf(-xs[k][j], along[j], ts[k][j] - sum[j]);
                if (!BACK) {
                    float act = fmaf(xs[k][j], channel.gamma[j], channel.beta[j]), slope = 1.0f;
                    if (SILU) Silu::both(act, act, slope);
                    ts[k][j] *= slope * channel.gamma[j];
                    xs[k][j] = act;
                }
            }
            if (!BACK && y) store_vec(y + at + k * s.step, xs[k]);
            if (!BACK) store_vec(out + at + k * s.step, ts[k]);
        }
        if (!BACK) return; // has written, place by place
        if (plus) { // into the registers of xs, which are free now
#pragma unroll
            for (int k = 0; k < tile.value; k++) load_vec(plus + at + k * s.step, xs[k]);
#pragma unroll
            for (int k = 0; k < tile.value; k++) {
#pragma unroll
                for (int j = 0; j < V; j++) ts[k][j] += xs[k][j];
            }
        }
#pragma unroll
        for (int k = 0; k < tile.value; k++) store_vec(out + at + k * s.step, ts[k]);
    });
}

/// Means and squares per strip and channel: x [B,P,C] -> partial [B,S,C,2].
/// One thread sums V channels (16 bytes) over every `lanes`-th place of a strip of `rows`, 4 at a time. Grid of S x chunks of w columns x B blocks of 256 threads.
/// name: groupnorm_strips
/// bytes: e B P C; flops: 5 B P C; at: B=1, P=512*512, C=128
#define STRIPS(T, suffix)                                                                                                                           \
    extern "C" __global__ void groupnorm_strips_##suffix(const T* x, float2* partial, int places, int channels, int rows, int w) {                  \
        strip_moments(x, partial, places, channels, rows, w);                                                                                       \
    }
FOR_FLOATS(STRIPS)

/// Joins a group's means and squares: partial [B,S,C,2] -> stats [B,G,2], its mean and 1/sqrt(var + eps).
/// One thread takes every 256th pair of the group's S C/G. Grid of B G blocks of 256 threads.
/// name: groupnorm_statistics
/// bytes: 16 B S C; flops: 8 B S C; at: B=1, S=512, C=128
extern "C" __global__ void groupnorm_statistics(const float2* __restrict__ partial, float2* stats, int places, int channels, int groups, int rows, int strips, float eps) {
    __shared__ float scratch[32];
    const int width = channels / groups;
    const float2* p = partial + static_cast<long long>(blockIdx.x / groups) * strips * channels + blockIdx.x % groups * width;
    const float n = static_cast<float>(places) * width, shift = p->x;
    float sum = 0.0f, squares = 0.0f;
    for (int i = threadIdx.x; i < strips * width; i += kThreads) {
        const int s = i / width;
        sum += min(rows, places - s * rows) * (p[static_cast<long long>(s) * channels + i % width].x - shift);
    }
    const float mean = shift + block_sum(sum, scratch) / n;
    for (int i = threadIdx.x; i < strips * width; i += kThreads) {
        const int s = i / width;
        const float2 a = p[static_cast<long long>(s) * channels + i % width];
        squares += a.y + min(rows, places - s * rows) * (a.x - mean) * (a.x - mean);
    }
    squares = block_sum(squares, scratch);
    if (threadIdx.x == 0) stats[blockIdx.x] = make_float2(mean, 1.0f / sqrtf(squares / n + eps));
}

/// Joins a group's sums: partial [B,S,C,2] -> proj [B,G,2], the means of v and xhat v.
/// Threads and grid as for groupnorm_statistics.
/// name: groupnorm_projections
/// bytes: 8 B S C; flops: 2 B S C; at: B=1, S=512, C=128
extern "C" __global__ void groupnorm_projections(const float2* __restrict__ partial, float2* proj, int places, int channels, int groups, int strips) {
    __shared__ float scratch[32];
    const int width = channels / groups;
    const float2* p = partial + static_cast<long long>(blockIdx.x / groups) * strips * channels + blockIdx.x % groups * width;
    float a = 0.0f, b = 0.0f;
    for (int i = threadIdx.x; i < strips * width; i += kThreads) {
        const float2 v = p[static_cast<long long>(i / width) * channels + i % width];
        a += v.x, b += v.y;
    }
    a = block_sum(a, scratch);
    b = block_sum(b, scratch);
    const float n = static_cast<float>(places) * width;
    if (threadIdx.x == 0) proj[blockIdx.x] = make_float2(a / n, b / n);
}

#define SIZES int places, int channels, int groups, int rows, int w
#define WEIGHTS(T) const T *__restrict__ gamma, const T *__restrict__ beta

/// Sums of v = gamma act'(u) dy (pull-back) or v = tx (push-forward) and of xhat v, per strip and channel.
/// Threads and grid as for groupnorm_strips, 2 places at a time.
/// name: groupnorm_{vjp,silu_vjp,jvp}_strips
/// bytes: 2 e B P C; flops: 14 B P C; at: B=1, P=512*512, C=128
#define SUMS(T, entry, back, silu)                                                                                                                  \
    extern "C" __global__ void entry(const T* x, WEIGHTS(T), const T* t, const float2* __restrict__ stats, float2* partial, SIZES) {                \
        strip_sums<T, back, silu>(x, gamma, beta, t, stats, partial, places, channels, groups, rows, w);                                            \
    }
#define ALL_SUMS(T, suffix)                                                                                                                         \
    SUMS(T, groupnorm_vjp_strips_##suffix, true, false)                                                                                             \
    SUMS(T, groupnorm_silu_vjp_strips_##suffix, true, true)                                                                                         \
    SUMS(T, groupnorm_jvp_strips_##suffix, false, false)
FOR_FLOATS(ALL_SUMS)

/// Group norm (+ SiLU) with statistics known: x, gamma, beta, stats -> y. y may lie where x lies.
/// Threads and grid as for groupnorm_strips, 4 places at a time.
/// name: groupnorm_{forward,silu_forward}_apply
/// bytes: 2 e B P C; flops: 9 B P C; at: B=1, P=512*512, C=128
#define FORWARD(T, entry, silu)                                                                                                                     \
    extern "C" __global__ void entry(const T* x, WEIGHTS(T), const float2* __restrict__ stats, T* y, SIZES) {                                       \
        apply_forward<T, silu>(x, gamma, beta, stats, y, places, channels, groups, rows, w);                                                        \
    }
#define FORWARDS(T, suffix) FORWARD(T, groupnorm_forward_apply_##suffix, false) FORWARD(T, groupnorm_silu_forward_apply_##suffix, true)
FOR_FLOATS(FORWARDS)

/// Its pull-back with statistics and projections known: x, gamma, beta, dy, stats, proj -> dx, or dx + plus, rounded once, where plus is not null.
/// The result may lie where x, dy or plus lies. Threads and grid as for groupnorm_strips, 2 places at a time. plus: e B P C bytes more. The bounds keep as many
/// blocks on a multiprocessor as there were without plus.
/// name: groupnorm_{vjp,silu_vjp}_apply
/// bytes: 3 e B P C; flops: 18 B P C; at: B=1, P=512*512, C=128
#define VJP(T, entry, silu)                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(kThreads, sizeof(T) == 4 ? 4 : silu ? 2 : 3)                                                       \
        entry(const T* x, WEIGHTS(T), const T* dy, const float2* __restrict__ stats, const float2* __restrict__ proj, const T* plus, T* dx, SIZES) { \
        apply_derivative<T, true, silu>(x, gamma, beta, dy, stats, proj, plus, nullptr, dx, places, channels, groups, rows, w);                     \
    }
#define VJPS(T, suffix) VJP(T, groupnorm_vjp_apply_##suffix, false) VJP(T, groupnorm_silu_vjp_apply_##suffix, true)
FOR_FLOATS(VJPS)

/// Its push-forward with both known: x, gamma, beta, tx, stats, proj -> y and ty at once, or ty alone where y is null. They may lie where x and tx lie.
/// Threads and grid as for groupnorm_strips, 2 places at a time.
/// name: groupnorm_{jvp,silu_jvp}_apply
/// bytes: 4 e B P C; flops: 20 B P C; at: B=1, P=512*512, C=128
#define JVP(T, entry, silu)                                                                                                                         \
    extern "C" __global__ void entry(const T* x, WEIGHTS(T), const T* tx, const float2* __restrict__ stats, const float2* __restrict__ proj, T* y,  \
                                     T* ty, SIZES) {                                                                                                \
        apply_derivative<T, false, silu>(x, gamma, beta, tx, stats, proj, nullptr, y, ty, places, channels, groups, rows, w);                       \
    }
#define JVPS(T, suffix) JVP(T, groupnorm_jvp_apply_##suffix, false) JVP(T, groupnorm_silu_jvp_apply_##suffix, true)
FOR_FLOATS(JVPS)
