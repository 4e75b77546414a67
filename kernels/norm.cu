// SPDX-License-Identifier: Apache-2.0
// Group norm for groups that one block can take (groups too large for that: norm_strips.cu); x [B,P,C], P places.
//
//   y  = act(gamma xhat + beta), xhat = (x - mean) r, r = 1/sqrt(var + eps); mean and variance over the P places and C/groups channels of a group
//   dx = r (v - mean(v) - xhat mean(xhat v)), v = gamma act'(u) dy, u = gamma xhat + beta           (pull-back; + plus, where there is one)
//   ty = act'(u) gamma r (v - mean(v) - xhat mean(xhat v)), v = tx                                  (push-forward)
//
// The mean is summed as the distance from one element of the group, the variance as squared distances from the mean (two passes), so neither
// loses digits to a large mean. Outputs may lie where x, dy, tx or plus lie: a block reads all of its group before it writes, a thread writes what it read.
/// options: -default-device
#include "functions.cuh"
#include "pieces.cuh"

/// Where a block's group lies. A thread takes a column of N neighbouring channels at places `lane`, `lane + lanes`, ...; N is 4, 2 or 1, the
/// largest that divides the group's width, so that accesses are aligned.
struct Group {
    int places, channels, width, first;
    long long base;

    __device__ __forceinline__ Group(int places, int channels, int groups) : places(places), channels(channels), width(channels / groups) {
        first = blockIdx.x % groups * width;
        base = static_cast<long long>(blockIdx.x / groups) * places * channels + first;
    }

    /// Calls f(first channel, N as the length of an array) for each of the thread's columns.
    template <typename F> __device__ __forceinline__ void columns(F f) const {
        if (width % 4 == 0) {
            columns<4>(f);
        } else if (width % 2 == 0) {
            columns<2>(f);
        } else {
            columns<1>(f);
        }
    }

    template <int N, typename F> __device__ __forceinline__ void columns(F f) const {
        const int stride = min(width / N, static_cast<int>(blockDim.x));
        for (int c = threadIdx.x % stride * N; c < width; c += N * stride) f(first + c, Length<N>());
    }

    /// Calls f(offset) for each of the thread's places in a column. UNROLL: how many are read at a time.
    template <int N, int UNROLL, typename F> __device__ __forceinline__ void each(int c, F f) const {
        const int stride = min(width / N, static_cast<int>(blockDim.x)), lanes = blockDim.x / stride, lane = threadIdx.x / stride;
        const long long column = base - first + c;
#pragma unroll(N == 1 ? 1 : UNROLL)
        for (int p = lane < lanes ? lane : places; p < places; p += lanes) f(column + static_cast<long long>(p) * channels);
    }

    __device__ __forceinline__ float mean(float sum) const { return sum / (static_cast<float>(places) * width); }
};

/// gamma and beta of a thread's column.
template <typename T, int LENGTH> struct Column {
    enum { N = LENGTH };
    float gamma[N], beta[N];

    __device__ __forceinline__ Column(const T* g, const T* b, int c) {
        load_n(g + c, gamma);
        load_n(b + c, beta);
    }
};

/// Mean and 1/sqrt(var + eps) of a group.
template <typename T> __device__ __forceinline__ void moments(const T* x, const Group& g, float eps, float* scratch, float& mean, float& r) {
    const float shift = load(x, g.base);
    float sum = 0.0f, squares = 0.0f;
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        g.each<N, 4>(c, [&](long long at) {
            float a[N];
            load_n(x + at, a);
#pragma unroll
            for (float v : a) sum += v - shift;
        });
    });
    const float m = shift + g.mean(block_sum(sum, scratch));
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        g.each<N, 4>(c, [&](long long at) {
            float a[N];
            load_n(x + at, a);
#pragma unroll
            for (float v : a) squares = fmaf(v - m, v - m, squares);
        });
    });
    mean = m;
    r = 1.0f / sqrtf(g.mean(block_sum(squares, scratch)) + eps);
}

/// The two means of the projection: of v and of xhat v. f(column, offset, xhat, v) gives some elements of each.
template <typename T, typename F>
__device__ __forceinline__ void means(const T* gamma, const T* beta, const Group& g, float* scratch, float& mean, float& along, F f) {
    float s = 0.0f, sx = 0.0f;
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        const Column<T, N> column(gamma, beta, c);
        g.each<N, 2>(c, [&](long long at) {
            float xhat[N], v[N];
            f(column, at, xhat, v);
#pragma unroll
            for (int j = 0; j < N; j++) s += v[j], sx = fmaf(v[j], xhat[j], sx);
        });
    });
    mean = g.mean(block_sum(s, scratch));
    along = g.mean(block_sum(sx, scratch));
}

template <typename T, bool SILU>
__device__ __forceinline__ void forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, T* y, const Group& g, float eps) {
    __shared__ float scratch[32];
    float mean, r;
    moments(x, g, eps, scratch, mean, r);
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        const Column<T, N> column(gamma, beta, c);
        g.each<N, 1>(c, [&](long long at) {
            float a[N];
            load_n(x + at, a);
#pragma unroll
            for (int j = 0; j < N; j++) {
                const float u = fmaf((a[j] - mean) * r, column.gamma[j], column.beta[j]);
                a[j] = SILU ? silu(u) : u;
            }
            store_n(y + at, a);
        });
    });
}

template <typename T, bool SILU>
__device__ __forceinline__ void pull_back(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* dy, const T* plus, T* dx, const Group& g,
                                          float eps) {
    __shared__ float scratch[32];
    float mean, r, mean_v, along;
    moments(x, g, eps, scratch, mean, r);
    const auto direction = [&](const auto& column, long long at, auto& xhat, auto& v) {
        load_n(x + at, xhat);
        load_n(dy + at, v);
#pragma unroll
        for (int j = 0; j < column.N; j++) {
            xhat[j] = (xhat[j] - mean) * r;
            v[j] *= SILU ? column.gamma[j] * silu_slope(fmaf(xhat[j], column.gamma[j], column.beta[j])) : column.gamma[j];
        }
    };
    means(gamma, beta, g, scratch, mean_v, along, direction);
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        const Column<T, N> column(gamma, beta, c);
        g.each<N, 1>(c, [&](long long at) {
            float xhat[N], v[N], skip[N] = {};
            if (plus) load_n(plus + at, skip);
            direction(column, at, xhat, v);
#pragma unroll
            for (int j = 0; j < N; j++) v[j] = fmaf(r, fmaf(-xhat[j], along, v[j] - mean_v), skip[j]);
            store_n(dx + at, v);
        });
    });
}

template <typename T, bool SILU>
__device__ __forceinline__ void push_forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* tx, T* y, T* ty, const Group& g, float eps) {
    __shared__ float scratch[32];
    float mean, r, mean_v, along;
    moments(x, g, eps, scratch, mean, r);
    const auto direction = [&](const auto&, long long at, auto& xhat, auto& v) {
        load_n(x + at, xhat);
        load_n(tx + at, v);
#pragma unroll
        for (float& a : xhat) a = (a - mean) * r;
    };
    means(gamma, beta, g, scratch, mean_v, along, direction);
    g.columns([&](int c, auto n) {
        constexpr int N = decltype(n)::value;
        const Column<T, N> column(gamma, beta, c);
        g.each<N, 1>(c, [&](long long at) {
            float xhat[N], v[N];
            direction(column, at, xhat, v);
#pragma unroll
            for (int j = 0; j < N; j++) {
                float act = fmaf(xhat[j], column.gamma[j], column.beta[j]), slope = 1.0f;
                if (SILU) Silu::both(act, act, slope);
                v[j] = slope * column.gamma[j] * r * fmaf(-xhat[j], along, v[j] - mean_v);
                xhat[j] = act;
            }
            if (y) store_n(y + at, xhat);
            store_n(ty + at, v);
        });
    });
}

/// Group norm (+ SiLU): x [B,P,C], gamma, beta [C] -> y [B,P,C]; a block per sample and group.
/// One thread takes 4 neighbouring channels (2 or 1 where a group's width is no multiple) at every `lanes`-th place, three times over: mean,
/// variance, result. Grid of B groups blocks of 32 to 512 threads. What is read again comes from the L1 or L2 cache.
/// name: groupnorm_{forward,silu_forward}
/// bytes: 2 e B P C; flops: 13 B P C; at: B=2, P=32*32, C=640
#define FORWARD(T, entry, silu)                                                                                                                     \
    extern "C" __global__ void __launch_bounds__(512, 2) entry(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, T* y, int places,  \
                                                            int channels, int groups, float eps) {                                                  \
        forward<T, silu>(x, gamma, beta, y, Group(places, channels, groups), eps);                                                                  \
    }
#define FORWARDS(T, suffix) FORWARD(T, groupnorm_forward_##suffix, false) FORWARD(T, groupnorm_silu_forward_##suffix, true)
FOR_FLOATS(FORWARDS)

/// Its pull-back: x, gamma, beta, dy -> dx, or dx + plus, rounded once, where plus is not null; a block per sample and group, statistics recomputed.
/// Threads and grid as for the forward kernel; four passes: mean, variance, the two means of the projection, result. plus is read in the last, e B P C bytes more.
/// name: groupnorm_{vjp,silu_vjp}
/// bytes: 3 e B P C; flops: 30 B P C; at: B=2, P=32*32, C=640
#define VJP(T, entry, silu)                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(512, 2) entry(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* dy,       \
                                                            const T* plus, T* dx, int places, int channels, int groups, float eps) {                \
        pull_back<T, silu>(x, gamma, beta, dy, plus, dx, Group(places, channels, groups), eps);                                                     \
    }
#define VJPS(T, suffix) VJP(T, groupnorm_vjp_##suffix, false) VJP(T, groupnorm_silu_vjp_##suffix, true)
FOR_FLOATS(VJPS)

/// Its push-forward: x, gamma, beta, tx -> y and ty at once, or ty alone where y is null; a block per sample and group.
/// Threads, grid and passes as for the pull-back.
/// name: groupnorm_{jvp,silu_jvp}
/// bytes: 4 e B P C; flops: 30 B P C; at: B=2, P=32*32, C=640
#define JVP(T, entry, silu)                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(512, 2) entry(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* tx, T* y, \
                                                            T* ty, int places, int channels, int groups, float eps) {                               \
        push_forward<T, silu>(x, gamma, beta, tx, y, ty, Group(places, channels, groups), eps);                                                     \
    }
#define JVPS(T, suffix) JVP(T, groupnorm_jvp_##suffix, false) JVP(T, groupnorm_silu_jvp_##suffix, true)
FOR_FLOATS(JVPS)
