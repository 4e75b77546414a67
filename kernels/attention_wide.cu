// SPDX-License-Identifier: Apache-2.0
// Attention on tensor cores for F16 and BF16 and heads beyond 160 (a multiple of 8), such as the autoencoder's single head of 512. A block of 128 threads
// has 64 rows and 128 columns of the result; columns beyond go to blocks side by side, each with scores of its own. Rows and tiles pass through shared
// memory 128 columns at a time, so that its size does not depend on the head's.
#include "attention_rows.cuh"

constexpr int kColumns = 128, kTile = 32, kN = kTile / 8, kWidePitch = Tile<kColumns>::kPitch;

/// What a block works on, and where: left rows [64], right rows [32], values [32] and values again.
struct Place {
    int head, column, row0, row, warp_row;
    unsigned left, right, own, values;

    __device__ __forceinline__ explicit Place(const Sizes& z) {
        const int chunks = (z.d + kColumns - 1) / kColumns;
        head = blockIdx.y / chunks;
        column = (blockIdx.y - head * chunks) * kColumns;
        row0 = blockIdx.x * kRows;
        row = row0 + my_row();
        warp_row = threadIdx.x / 32 * 16;
        left = shared_base();
        right = left + kRows * kWidePitch;
        own = left + warp_row * kWidePitch;
        values = right + kTile * kWidePitch;
    }
};

/// Starts to copy the block's columns of a tile, for mix, once all are done with the tile before.
template <typename T> __device__ __forceinline__ void fetch(const T* x, int slot, int tile, int tokens, const Place& p, const Sizes& z) {
    copy<kColumns, kTile>(p.values + slot * kTile * kWidePitch, x, tile, tokens, p.column, z);
}

/// s += rows of x times rows of y. Copies started before have landed when it ends.
template <typename T>
__device__ __forceinline__ void scores(float (&s)[kN][4], const Place& p, const T* x, int x_tokens, const T* y, int tile, int y_tokens, const Sizes& z) {
    int c = 0;
#pragma unroll 1
    do {
        __syncthreads();
        copy<kColumns, kRows>(p.left, x, p.row0, x_tokens, c, z);
        copy<kColumns, kTile>(p.right, y, tile, y_tokens, c, z);
        copies_done();
        __syncthreads();
        scores<T, kColumns>(s, p.own + left_lane<kColumns>(), p.right + right_lane<kColumns>(), kColumns / 16);
        c += kColumns;
    } while (c < z.d);
}

/// acc += w times the tile in a slot.
template <typename T> __device__ __forceinline__ void mix(float (&acc)[kColumns / 8][4], const float (&w)[kN][4], int slot, const Place& p, const Sizes& z) {
    unsigned x[kN / 2][4];
    operands<T>(x, w);
    mix<T, kColumns>(acc, x, p.values + slot * kTile * kWidePitch + left_lane<kColumns>(), z);
}

/// Moves x to y and makes x zero.
__device__ __forceinline__ void hand_over(float (&x)[kN][4], float (&y)[kN][4]) {
#pragma unroll
    for (int n = 0; n < kN; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) y[n][i] = x[n][i], x[n][i] = 0.0f;
    }
}

/// The block's columns of its rows of a result; all are done with the left rows before.
template <typename T>
__device__ __forceinline__ void give(T* y, const float (&acc)[kColumns / 8][4], float f0, float f1, const Place& p, int tokens, const Sizes& z) {
    __syncthreads();
    give<T, kColumns>(y, acc, f0, f1, p.own, p.row0 + p.warp_row, tokens, p.column, z);
}

template <typename T>
__device__ __forceinline__ void forward(const T* q, const T* k, const T* v, T* o, float* lse, const Sizes& z, float scale) {
    const Place p(z);
    const int rows = first(z, z.n, p.head), end = visible(z, p.row0 + kRows - 1);
    q += rows, k += first(z, z.m, p.head), v += first(z, z.m, p.head);
    float acc[kColumns / 8][4] = {};
    Online softmax;
    int tile = 0;
#pragma unroll 1
    do {
        float s[kN][4] = {}, older[2];
        __syncthreads();
        fetch(v, 0, tile, z.m, p, z);
        scores(s, p, q, z.n, k, tile, z.m, z);
        hide(s, -infinity(), p.row, tile, z);
        if (softmax.take(s, older, scale * kLog2e)) scale_rows(acc, older[0], older[1]);
        mix<T>(acc, s, 0, p, z);
        tile += kTile;
    } while (tile < end);
    softmax.end(lse + first_row(z, p.head), p.row, p.column == 0, z);
    give(o + rows, acc, softmax.sum[0], softmax.sum[1], p, z.n, z);
}

template <typename T>
__device__ __forceinline__ void vjp_queries(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* go, T* dq, float* delta, const Sizes& z,
                                            float scale) {
    const Place p(z);
    const int rows = first(z, z.n, p.head), lane = threadIdx.x & 31, end = visible(z, p.row0 + kRows - 1);
    q += rows, o += rows, go += rows, k += first(z, z.m, p.head), v += first(z, z.m, p.head), lse += first_row(z, p.head);
    const float lse2[2] = {lse2_of(lse, p.row, z), lse2_of(lse, p.row + 8, z)};
    const int dot_row = p.row0 + p.warp_row + lane / 2;
    const float dot = row_dot(o, go, dot_row, z);
    if (delta && p.column == 0 && (lane & 1) == 0 && dot_row < z.n) delta[first_row(z, p.head) + dot_row] = dot;
    const float dots[2] = {__shfl_sync(0xffffffffu, dot, lane / 4 * 2), __shfl_sync(0xffffffffu, dot, lane / 4 * 2 + 16)};
    float acc[kColumns / 8][4] = {};
    int tile = 0;
#pragma unroll 1
    do {
        float s[kN][4] = {}, ds[kN][4] = {};
        __syncthreads();
        fetch(k, 0, tile, z.m, p, z);
#pragma unroll 1
        for (int part = 0; part < 2; part++) { // go v^T, then q k^T
            if (part) hand_over(s, ds);
            scores(s, p, part ? q : go, z.n, part ? k : v, tile, z.m, z);
        }
        hide(s, -infinity(), p.row, tile, z);
        weigh(s, lse2, scale * kLog2e);
        differentials(ds, s, dots);
        mix<T>(acc, ds, 0, p, z);
        tile += kTile;
    } while (tile < end);
    give(dq + rows, acc, scale, scale, p, z.n, z);
}

template <typename T>
__device__ __forceinline__ void vjp_keys(const T* q, const T* k, const T* v, const float* lse, const T* go, const float* delta, T* dk, T* dv, const Sizes& z,
                                         float scale) {
    const Place p(z); // its rows are keys
    const int keys = first(z, z.m, p.head), lane = threadIdx.x & 31;
    q += first(z, z.n, p.head), go += first(z, z.n, p.head), k += keys, v += keys, lse += first_row(z, p.head), delta += first_row(z, p.head);
    float acc_k[kColumns / 8][4] = {}, acc_v[kColumns / 8][4] = {};
    int tile = z.causal ? p.row0 : 0;
#pragma unroll 1
    do {
        const float lse2 = lse2_of(lse, tile + lane, z), dot = tile + lane < z.n ? delta[tile + lane] : 0.0f;
        float s[kN][4] = {}, ds[kN][4] = {};
        __syncthreads();
        fetch(go, 0, tile, z.n, p, z);
        fetch(q, 1, tile, z.n, p, z);
#pragma unroll 1
        for (int part = 0; part < 2; part++) { // v go^T, then k q^T
            if (part) hand_over(s, ds);
            scores(s, p, part ? k : v, z.m, part ? q : go, tile, z.n, z);
        }
        weigh_columns(s, ds, lse2, dot, p.row, tile, z, scale * kLog2e);
        mix<T>(acc_v, s, 0, p, z);
        mix<T>(acc_k, ds, 1, p, z);
        tile += kTile;
    } while (tile < z.n);
    give(dv + keys, acc_v, 1.0f, 1.0f, p, z.m, z);
    give(dk + keys, acc_k, scale, scale, p, z.m, z);
}

template <typename T>
__device__ __forceinline__ void tangent(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* tq, const T* tk, const T* tv, T* to, const Sizes& z,
                                        float scale) {
    const Place p(z);
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head), end = visible(z, p.row0 + kRows - 1);
    q += rows, tq += rows, k += keys, v += keys, lse += first_row(z, p.head);
    if (tk) tk += keys, tv += keys;
    const float lse2[2] = {lse2_of(lse, p.row, z), lse2_of(lse, p.row + 8, z)};
    float acc[kColumns / 8][4] = {}, mean[2] = {}, reference[2] = {};
    int tile = 0;
#pragma unroll 1
    do {
        float s[kN][4] = {}, t[kN][4] = {};
        __syncthreads();
        fetch(v, 0, tile, z.m, p, z);
        if (tk) fetch(tv, 1, tile, z.m, p, z);
        int part = tk ? 0 : 1;
#pragma unroll 1
        do { // q tk^T + tq k^T, then q k^T
            if (part == 2) hand_over(s, t);
            scores(s, p, part == 1 ? tq : q, z.n, part == 0 ? tk : k, tile, z.m, z);
        } while (++part < 3);
        if (hide(s, -infinity(), p.row, tile, z)) hide(t, 0.0f, p.row, tile, z);
        lean(t, reference, p.row, tile, z, scale);
        weigh(s, lse2, scale * kLog2e);
        weigh_tangents(t, mean, s);
        mix<T>(acc, t, 0, p, z);
        if (tk) mix<T>(acc, s, 1, p, z);
        tile += kTile;
    } while (tile < end);
    subtract<T, kColumns>(acc, mean, o + rows, p.row, p.column, z);
    give(to + rows, acc, 1.0f, 1.0f, p, z.n, z);
}

// ---- entry points

#define FOR_TYPES(MACRO) MACRO(half_t, f16) MACRO(bf16_t, bf16)
#define ENTRY(NAME, S) extern "C" __global__ void __launch_bounds__(kThreads, 2) attention_wide_##NAME##_##S
#define IN(T, x) const T* __restrict__ x
#define OUT(T, x) T* __restrict__ x

/// o = softmax(q k^T scale) v and lse, online over tiles of keys.
/// Grid (ceil(n / 64), heads * ceil(d / 128), batch), blocks of 128 threads; shared memory 272 (64 + 32 + 32) bytes.
/// name: attention_wide_forward
/// bytes: e B h d (2 n + 2 m) + 4 B h n; tensor: 2 B h n m d (1 + d / 128); at: B=2 h=1 n=4096 m=4096 d=512
#define FORWARD(T, S) \
    ENTRY(forward, S)(IN(T, q), IN(T, k), IN(T, v), OUT(T, o), OUT(float, lse), Sizes z, float scale) { forward<T>(q, k, v, o, lse, z, scale); }
FOR_TYPES(FORWARD)

/// dq = dS k scale, dS = P (do v^T - delta); writes delta = rowsum(o do) for the keys' half unless it is null.
/// Geometry as forward.
/// name: attention_wide_vjp_queries
/// bytes: e B h d (4 n + 2 m) + 8 B h n; tensor: 2 B h n m d (1 + 2 d / 128); at: B=2 h=1 n=4096 m=4096 d=512
#define VJP_QUERIES(T, S) \
    ENTRY(vjp_queries, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, go), OUT(T, dq), OUT(float, delta), Sizes z, float scale) { \
        vjp_queries<T>(q, k, v, o, lse, go, dq, delta, z, scale); }
FOR_TYPES(VJP_QUERIES)

/// dv = P^T do, dk = dS^T q scale: rows are keys, tiles are of queries.
/// Geometry as forward, with m in place of n; shared memory 272 (64 + 32 + 64) bytes.
/// name: attention_wide_vjp_keys
/// bytes: e B h d (2 n + 4 m) + 8 B h n; tensor: 4 B h n m d (1 + d / 128); at: B=2 h=1 n=4096 m=4096 d=512
#define VJP_KEYS(T, S) \
    ENTRY(vjp_keys, S)(IN(T, q), IN(T, k), IN(T, v), IN(float, lse), IN(T, go), IN(float, delta), OUT(T, dk), OUT(T, dv), Sizes z, float scale) { \
        vjp_keys<T>(q, k, v, lse, go, delta, dk, dv, z, scale); }
FOR_TYPES(VJP_KEYS)

/// to = P (T v + tv) - o rowsum(P T), T = (tq k^T + q tk^T) scale, from o and lse; tk and tv null where keys have no tangents.
/// Geometry as forward; shared memory 272 (64 + 32 + 64) bytes.
/// name: attention_wide_tangent
/// bytes: e B h d (4 n + 4 m) + 4 B h n; tensor: 2 B h n m d (2 + 3 d / 128); at: B=2 h=1 n=4096 m=4096 d=512
#define TANGENT(T, S) \
    ENTRY(tangent, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, tq), IN(T, tk), IN(T, tv), OUT(T, to), Sizes z, float scale) { \
        tangent<T>(q, k, v, o, lse, tq, tk, tv, to, z, scale); }
FOR_TYPES(TANGENT)
