// SPDX-License-Identifier: Apache-2.0
// The fused Hutchinson probe of STSL's surrogate loss, trace = k e.(eps(z + h e) - eps(z)) / (h sigma) with k = -1 (the score is -eps/sigma).
// z, e, u and the scalars are the solver's, in F32; T is how the network's values are stored. A sample has d elements, a half of the network's batch
// B samples, n = B d. Scalars lie in device memory, so that a recorded graph takes new ones. Blocks of 128 threads, one of each thread's tasks four elements:
// grid (ceil(d / 512), B).
#include "quads.cuh"

/// Writes [z ; z + h e], the network's batch for z and for z moved along the probe e.
/// z, e [B,d], h [1] to both [2B,d].
/// name: hutchinson_form_forward
/// bytes: 8 n + 2 e n; flops: 2 n; at: n=64*64*4
template <typename T>
__device__ __forceinline__ void form(const float* z, const float* e, const float* h, T* both, long long d) {
    const Part s = part_of(d);
    if (s.count == 0) return;
    const long long i = s.base + s.i, n = d * gridDim.y;
    const float step = h[0];
    const Quad x = get(z, i, s), probe = get(e, i, s);
    Quad moved;
#pragma unroll
    for (int k = 0; k < 4; k++) moved.x[k] = x.x[k] + probe.x[k] * step;
    put(both, i, s, x);
    put(both, n + i, s, moved);
}

/// Sends the pull-back of both halves home: dz = u + both[first half] + both[second half].
/// both [2B,d], u [B,d] (what else flows into z; may be null) to dz [B,d].
/// name: hutchinson_form_vjp
/// bytes: 8 n + 2 e n; flops: 2 n; at: n=64*64*4
template <typename T>
__device__ __forceinline__ void form_vjp(const T* both, const float* u, float* dz, long long d) {
    const Part s = part_of(d);
    if (s.count == 0) return;
    const long long i = s.base + s.i, n = d * gridDim.y;
    const Quad a = get(both, i, s), b = get(both, n + i, s);
    Quad x = {};
    if (u) x = get(u, i, s);
#pragma unroll
    for (int k = 0; k < 4; k++) x.x[k] = x.x[k] + a.x[k] + b.x[k];
    put(dz, i, s, x);
}

/// Seeds the network's one pull-back for both terms: [-sigma u - c e ; c e], c = k weight / (sigma h) per sample.
/// u, e [B,d], weight [B], sigma, h [1] to both [2B,d]; -sigma u is the data term's share, c e the trace term's.
/// name: hutchinson_seed_forward
/// bytes: 8 n + 2 e n; flops: 5 n; at: n=64*64*4
template <typename T>
__device__ __forceinline__ void seed(const float* u, const float* e, const float* weight, const float* sigma, const float* h, T* both, long long d, float k) {
    const Part s = part_of(d);
    if (s.count == 0) return;
    const long long i = s.base + s.i, n = d * gridDim.y;
    const float c = k * weight[blockIdx.y] / sigma[0] / h[0], share = -sigma[0];
    const Quad data = get(u, i, s), probe = get(e, i, s);
    Quad first, second;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        second.x[j] = c * probe.x[j];
        first.x[j] = share * data.x[j] - second.x[j];
    }
    put(both, i, s, first);
    put(both, n + i, s, second);
}

/// The thread's part of e.(second half - first half) over the elements [from, to) of a sample: a block takes them in rows of four per thread. Every thread
/// goes through every row, so that the warps are whole when their sums are added up.
template <typename T> __device__ __forceinline__ float probe_sum(const T* both, const float* e, long long d, long long n, long long from, long long to) {
    const long long base = blockIdx.y * d;
    const bool whole = (d & 3) == 0;
    float sum = 0.0f;
    for (long long row = from; row < to; row += 4 * blockDim.x) {
        const long long i = row + 4 * threadIdx.x, left = to - i;
        const int count = left < 0 ? 0 : left < 4 ? static_cast<int>(left) : 4;
        const Part s = {i, base, count, whole && count == 4};
        const Quad x = get(both, base + i, s), y = get(both, n + base + i, s), probe = get(e, base + i, s);
        float four = 0.0f;
#pragma unroll
        for (int k = 0; k < 4; k++) four += probe.x[k] * (y.x[k] - x.x[k]); // elements that there are not are zero in all three
        sum += four;
    }
    return sum;
}

/// trace = k e.(second half - first half) / (h sigma) per sample, one block a sample.
/// both [2B,d], e [B,d], h, sigma [1] to trace [B]. Block of 1024 threads, grid (1, B); each thread sums its rows of four in order, then the block as a tree.
/// name: hutchinson_reduce_forward
/// bytes: 4 n + 2 e n; flops: 3 n; at: n=64*64*4
template <typename T>
__device__ __forceinline__ void reduce(const T* both, const float* e, const float* h, const float* sigma, float* trace, long long d, float k) {
    __shared__ float scratch[32];
    const float sum = block_sum(probe_sum(both, e, d, d * gridDim.y, 0, d), scratch);
    if (threadIdx.x == 0) trace[blockIdx.y] = k * (sum / h[0] / sigma[0]);
}

/// The first of two steps of hutchinson_reduce_forward for long samples: the sum of each chunk of a sample.
/// both [2B,d], e [B,d] to sums [B, chunks], a chunk of `length` elements (a multiple of 4) a block. Blocks of 1024 threads, grid (chunks, B).
/// name: hutchinson_chunks_forward
/// bytes: 4 n + 2 e n; flops: 3 n; at: n=192*192*4
template <typename T> __device__ __forceinline__ void chunks(const T* both, const float* e, float* sums, long long d, long long length) {
    __shared__ float scratch[32];
    const long long from = blockIdx.x * length, to = from + length < d ? from + length : d;
    const float sum = block_sum(probe_sum(both, e, d, d * gridDim.y, from, to), scratch);
    if (threadIdx.x == 0) sums[blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

/// The second step: trace = k sum of sums / (h sigma) per sample.
/// sums [B, chunks], h, sigma [1] to trace [B]. Blocks of 256 threads, grid (1, B).
/// name: hutchinson_total_forward
/// bytes: 4 m; flops: m; at: m=5
extern "C" __global__ void hutchinson_total_forward_f32(const float* __restrict__ sums, const float* __restrict__ h, const float* __restrict__ sigma,
                                                        float* __restrict__ trace, int chunks, float k) {
    __shared__ float scratch[32];
    float sum = 0.0f;
    for (int i = threadIdx.x; i < chunks; i += blockDim.x) sum += sums[static_cast<long long>(blockIdx.y) * chunks + i];
    sum = block_sum(sum, scratch);
    if (threadIdx.x == 0) trace[blockIdx.y] = k * (sum / h[0] / sigma[0]);
}

#define HUTCHINSON(T, S)                                                                                                                                      \
    extern "C" __global__ void hutchinson_form_forward_##S(const float* __restrict__ z, const float* __restrict__ e, const float* __restrict__ h,             \
                                                           T* __restrict__ both, long long d) {                                                               \
        form(z, e, h, both, d);                                                                                                                               \
    }                                                                                                                                                         \
    extern "C" __global__ void hutchinson_form_vjp_##S(const T* __restrict__ both, const float* __restrict__ u, float* __restrict__ dz, long long d) {        \
        form_vjp(both, u, dz, d);                                                                                                                             \
    }                                                                                                                                                         \
    extern "C" __global__ void hutchinson_seed_forward_##S(const float* __restrict__ u, const float* __restrict__ e, const float* __restrict__ weight,        \
                                                           const float* __restrict__ sigma, const float* __restrict__ h, T* __restrict__ both, long long d,   \
                                                           float k) {                                                                                    \
        seed(u, e, weight, sigma, h, both, d, k);                                                                                                          \
    }                                                                                                                                                         \
    extern "C" __global__ void hutchinson_reduce_forward_##S(const T* __restrict__ both, const float* __restrict__ e, const float* __restrict__ h,            \
                                                             const float* __restrict__ sigma, float* __restrict__ trace, long long d, float k) {              \
        reduce(both, e, h, sigma, trace, d, k);                                                                                                               \
    }                                                                                                                                                         \
    extern "C" __global__ void hutchinson_chunks_forward_##S(const T* __restrict__ both, const float* __restrict__ e, float* __restrict__ sums, long long d,  \
                                                             long long length) {                                                                              \
        chunks(both, e, sums, d, length);                                                                                                                     \
    }

FOR_FLOATS(HUTCHINSON)
