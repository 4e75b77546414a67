// SPDX-License-Identifier: Apache-2.0
// Group norm for groups that one block can take (groups too large for that: norm_strips.cu); x [B,P,C], P places.
//
//   y  = act(gamma xhat + beta), xhat = (x - mean) r, r = 1/sqrt(var + eps); mean and variance over the P places and C/groups channels of a group
//   dx = r (v - mean(v) - xhat mean(xhat v)), v = gamma act'(u) dy, u = gamma xhat + beta           (pull-back)
//   ty = act'(u) gamma r (v - mean(v) - xhat mean(xhat v)), v = tx                                  (push-forward)
//
// The mean is summed as the distance from one element of the group, the variance as squared distances from the mean (two passes), so neither
// loses digits to a large mean. Outputs may lie where x, dy or tx lie: a block reads all of its group before it writes, a thread writes what it read.
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

    /// Calls f(first channel, offset, N as the length of an array) for each of the thread's pieces. UNROLL: how many it reads at a time.
    template <int N, int UNROLL, typename F> __device__ __forceinline__ void pieces(F f) const {
        const int stride = min(width / N, static_cast<int>(blockDim.x)), lanes = blockDim.x / stride, lane = threadIdx.x / stride;
        for (int c = threadIdx.x % stride * N; c < width && lane < lanes; c += N * stride) {
#pragma unroll UNROLL
            for (int p = lane; p < places; p += lanes) f(first + c, base + static_cast<long long>(p) * channels + c, Length<N>());
        }
    }

    template <int UNROLL, typename F> __device__ __forceinline__ void each(F f) const {
        if (width % 4 == 0) {
            pieces<4, UNROLL>(f);
        } else if (width % 2 == 0) {
            pieces<2, UNROLL>(f);
        } else {
            pieces<1, 1>(f);
        }
    }

    __device__ __forceinline__ float mean(float sum) const { return sum / (static_cast<float>(places) * width); }
};

/// Mean and 1/sqrt(var + eps) of a group.
template <typename T> __device__ __forceinline__ void moments(const T* x, const Group& g, float eps, float* scratch, float& mean, float& r) {
    const float shift = load(x, g.base);
    float sum = 0.0f, squares = 0.0f;
    g.each<4>([&](int, long long at, auto n) {
        float a[n.value];
        load_n(x + at, a);
#pragma unroll
        for (float v : a) sum += v - shift;
    });
    const float m = shift + g.mean(block_sum(sum, scratch));
    g.each<4>([&](int, long long at, auto n) {
        float a[n.value];
        load_n(x + at, a);
#pragma unroll
        for (float v : a) squares = fmaf(v - m, v - m, squares);
    });
    mean = m;
    r = 1.0f / sqrtf(g.mean(block_sum(squares, scratch)) + eps);
}

/// The two means of the projection: of v and of xhat v. f(first channel, offset, xhat, v) gives some elements of each.
template <typename F> __device__ __forceinline__ void means(const Group& g, float* scratch, float& mean, float& along, F f) {
    float s = 0.0f, sx = 0.0f;
    g.each<2>([&](int c, long long at, auto n) {
        float xhat[n.value], v[n.value];
        f(c, at, xhat, v);
#pragma unroll
        for (int j = 0; j < n.value; j++) s += v[j], sx = fmaf(v[j], xhat[j], sx);
    });
    mean = g.mean(block_sum(s, scratch));
    along = g.mean(block_sum(sx, scratch));
}

template <typename T, bool SILU>
__device__ __forceinline__ void forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, T* y, const Group& g, float eps) {
    __shared__ float scratch[32];
    float mean, r;
    moments(x, g, eps, scratch, mean, r);
    g.each<1>([&](int c, long long at, auto n) {
        float a[n.value], scale[n.value], shift[n.value];
        load_n(x + at, a);
        load_n(gamma + c, scale);
        load_n(beta + c, shift);
#pragma unroll
        for (int j = 0; j < n.value; j++) {
            const float u = fmaf((a[j] - mean) * r, scale[j], shift[j]);
            a[j] = SILU ? silu(u) : u;
        }
        store_n(y + at, a);
    });
}

template <typename T, bool SILU>
__device__ __forceinline__ void pull_back(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* dy, T* dx, const Group& g, float eps) {
    __shared__ float scratch[32];
    float mean, r, mean_v, along;
    moments(x, g, eps, scratch, mean, r);
    const auto direction = [&](int c, long long at, auto& xhat, auto& v) {
        constexpr int N = sizeof(v) / sizeof(float);
        float scale[N], shift[N];
        load_n(x + at, xhat);
        load_n(dy + at, v);
        load_n(gamma + c, scale);
        load_n(beta + c, shift);
#pragma unroll
        for (int j = 0; j < N; j++) {
            xhat[j] = (xhat[j] - mean) * r;
            v[j] *= SILU ? scale[j] * silu_slope(fmaf(xhat[j], scale[j], shift[j])) : scale[j];
        }
    };
    means(g, scratch, mean_v, along, direction);
    g.each<1>([&](int c, long long at, auto n) {
        float xhat[n.value], v[n.value];
        direction(c, at, xhat, v);
#pragma unroll
        for (int j = 0; j < n.value; j++) v[j] = r * fmaf(-xhat[j], along, v[j] - mean_v);
        store_n(dx + at, v);
    });
}

template <typename T, bool SILU>
__device__ __forceinline__ void push_forward(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* tx, T* y, T* ty, const Group& g, float eps) {
    __shared__ float scratch[32];
    float mean, r, mean_v, along;
    moments(x, g, eps, scratch, mean, r);
    const auto direction = [&](int, long long at, auto& xhat, auto& v) {
        load_n(x + at, xhat);
        load_n(tx + at, v);
#pragma unroll
        for (float& a : xhat) a = (a - mean) * r;
    };
    means(g, scratch, mean_v, along, direction);
    g.each<1>([&](int c, long long at, auto n) {
        float xhat[n.value], v[n.value], scale[n.value], shift[n.value];
        direction(c, at, xhat, v);
        load_n(gamma + c, scale);
        load_n(beta + c, shift);
#pragma unroll
        for (int j = 0; j < n.value; j++) {
            float act = fmaf(xhat[j], scale[j], shift[j]), slope = 1.0f;
            if (SILU) Silu::both(act, act, slope);
            v[j] = slope * scale[j] * r * fmaf(-xhat[j], along, v[j] - mean_v);
            xhat[j] = act;
        }
        if (y) store_n(y + at, xhat);
        store_n(ty + at, v);
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

/// Its pull-back: x, gamma, beta, dy -> dx; a block per sample and group, statistics recomputed.
/// Threads and grid as for the forward kernel; four passes: mean, variance, the two means of the projection, result.
/// name: groupnorm_{vjp,silu_vjp}
/// bytes: 3 e B P C; flops: 30 B P C; at: B=2, P=32*32, C=640
#define VJP(T, entry, silu)                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(512, 2) entry(const T* x, const T* __restrict__ gamma, const T* __restrict__ beta, const T* dy,       \
                                                            T* dx, int places, int channels, int groups, float eps) {                               \
        pull_back<T, silu>(x, gamma, beta, dy, dx, Group(places, channels, groups), eps);                                                           \
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
