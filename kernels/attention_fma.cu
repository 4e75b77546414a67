// SPDX-License-Identifier: Apache-2.0
// Attention in F32 arithmetic for any head size: softmax(q k^T scale) v, its pull-back and its push-forward, with no [N,M] matrix in memory. A
// block gives out C columns of the result; heads beyond C go to blocks side by side, each with scores of its own. "any" has C = 16 and takes every head
// size and, by Sizes.type, every storage; "c128_f32" has C = 128 and wants d a multiple of 4.
#include "attention_fma.cuh"

/// Where keys end for a block of queries.
template <int C> __device__ __forceinline__ int keys_end(const Place<C>& p, const Sizes& z) { return visible(z, p.row0 + p.rows - 1); }

template <typename T, int C>
__device__ __forceinline__ void forward(const T* q, const T* k, const T* v, T* o, float* lse, const Sizes& z, float scale) {
    const Place<C> p(z);
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head);
    q = at(q, rows, z), k = at(k, keys, z), v = at(v, keys, z);
    float acc[4][C / 8] = {};
    Online softmax;
    const int end = keys_end(p, z);
    int tile = 0;
#pragma unroll 1
    do {
        float s[4][4] = {}, older[4];
        scores(s, p, q, z.n, k, tile, z.m, z);
        hide(s, p, tile, z);
        softmax.take(s, older, scale * kLog2e);
        scale_rows(acc, older);
        mix(acc, s, p, v, tile, z.m, z);
        tile += kTile;
    } while (tile < end);
    softmax.end(p, lse, z);
    give(at(o, rows, z), acc, softmax.sum, p, z.n, z);
}

// ---- pull-back

/// dot = rowsum(o go) of the thread's rows; writes it to delta unless that is null.
template <typename T, int C>
__device__ __forceinline__ void row_dot(float (&dot)[4], const T* o, const T* go, float* delta, const Place<C>& p, const Sizes& z) {
#pragma unroll 1
    for (int i = 0; i < 4; i++) {
        float sum = 0.0f;
        if (p.row() + i < z.n) {
            int at_c = (p.row() + i) * stride(z) + p.tx;
            const int end = at_c - p.tx + z.d;
#pragma unroll 1
            for (; at_c < end; at_c += 8) sum = fmaf(get(at(o, at_c, z), z), get(at(go, at_c, z), z), sum);
        }
        sum = row_sum(sum);
        if (delta && p.writes(i, z.n)) delta[first_row(z, p.head) + p.row() + i] = sum;
#pragma unroll
        for (int r = 0; r < 4; r++) dot[r] = r == i ? sum : dot[r];
    }
}

template <typename T, int C>
__device__ __forceinline__ void vjp_queries(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* go, T* dq, float* delta, const Sizes& z,
                                            float scale) {
    const Place<C> p(z);
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head);
    q = at(q, rows, z), go = at(go, rows, z), k = at(k, keys, z), v = at(v, keys, z);
    float acc[4][C / 8] = {}, lse2[4], dot[4] = {};
    row_lse(lse2, lse, p, z);
    row_dot(dot, at(o, rows, z), go, delta, p, z);
    const int end = keys_end(p, z);
    int tile = 0;
#pragma unroll 1
    do {
        float s[4][4] = {}, ds[4][4] = {};
#pragma unroll 1
        for (int part = 0; part < 2; part++) { // go v^T, then q k^T
            if (part) hand_over(s, ds);
            scores(s, p, part ? q : go, z.n, part ? k : v, tile, z.m, z);
        }
        hide(s, p, tile, z);
        weigh(s, lse2, scale * kLog2e);
#pragma unroll
        for (int r = 0; r < 4; r++) {
#pragma unroll
            for (int j = 0; j < 4; j++) ds[r][j] = s[r][j] * (ds[r][j] - dot[r]);
        }
        mix(acc, ds, p, k, tile, z.m, z);
        tile += kTile;
    } while (tile < end);
    const float factor[4] = {scale, scale, scale, scale};
    give(at(dq, rows, z), acc, factor, p, z.n, z);
}

template <typename T, int C>
__device__ __forceinline__ void vjp_keys(const T* q, const T* k, const T* v, const float* lse, const T* go, const float* delta, T* dk, T* dv, const Sizes& z,
                                         float scale) {
    const Place<C> p(z); // its rows are keys
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head);
    q = at(q, rows, z), go = at(go, rows, z), k = at(k, keys, z), v = at(v, keys, z);
    lse += first_row(z, p.head), delta += first_row(z, p.head);
    float acc_k[4][C / 8] = {}, acc_v[4][C / 8] = {};
    int tile = z.causal ? p.row0 / kTile * kTile : 0;
#pragma unroll 1
    do {
        float s[4][4] = {}, ds[4][4] = {};
#pragma unroll 1
        for (int part = 0; part < 2; part++) { // v go^T, then k q^T
            if (part) hand_over(s, ds);
            scores(s, p, part ? k : v, z.m, part ? q : go, tile, z.n, z);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const int query = tile + p.tx + 8 * j, end = query < z.n ? visible(z, query) : 0;
            const float lse2 = query < z.n ? lse[query] * kLog2e : 0.0f, dot = query < z.n ? delta[query] : 0.0f;
#pragma unroll
            for (int r = 0; r < 4; r++) {
                s[r][j] = p.row() + r < end ? exp2_approx(fmaf(s[r][j], scale * kLog2e, -lse2)) : 0.0f;
                ds[r][j] = s[r][j] * (ds[r][j] - dot);
            }
        }
        mix(acc_v, s, p, go, tile, z.n, z);
        mix(acc_k, ds, p, q, tile, z.n, z);
        tile += kTile;
    } while (tile < z.n);
    const float one[4] = {1.0f, 1.0f, 1.0f, 1.0f}, factor[4] = {scale, scale, scale, scale};
    give(at(dv, keys, z), acc_v, one, p, z.m, z);
    give(at(dk, keys, z), acc_k, factor, p, z.m, z);
}

// ---- push-forward

/// s = q k^T and t = (tq k^T + q tk^T) scale, the second term only where keys have tangents.
template <typename T, int C>
__device__ __forceinline__ void dual_scores(float (&s)[4][4], float (&t)[4][4], const Place<C>& p, const T* q, const T* k, const T* tq, const T* tk, int tile,
                                            const Sizes& z, float scale) {
#pragma unroll 1
    for (int part = tk ? 0 : 1; part < 3; part++) {
        if (part == 2) hand_over(s, t);
        scores(s, p, part == 1 ? tq : q, z.n, part == 0 ? tk : k, tile, z.m, z);
    }
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int j = 0; j < 4; j++) t[r][j] *= scale;
    }
}

/// With weights w: acc += (w t) v + w tv, mean += rowsum(w t).
template <typename T, int C>
__device__ __forceinline__ void push(float (&acc)[4][C / 8], float (&mean)[4], const float (&w)[4][4], float (&t)[4][4], const Place<C>& p, const T* v, const T* tv,
                                     int tile, const Sizes& z) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int j = 0; j < 4; j++) {
            t[r][j] *= w[r][j];
            mean[r] += t[r][j];
        }
    }
#pragma unroll 1
    for (int part = 0; part < (tv ? 2 : 1); part++) {
        mix(acc, t, p, part ? tv : v, tile, z.m, z);
#pragma unroll
        for (int r = 0; r < 4; r++) {
#pragma unroll
            for (int j = 0; j < 4; j++) t[r][j] = w[r][j];
        }
    }
}

template <typename T, int C>
__device__ __forceinline__ void tangent(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* tq, const T* tk, const T* tv, T* to, const Sizes& z,
                                        float scale) {
    const Place<C> p(z);
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head);
    q = at(q, rows, z), tq = at(tq, rows, z), o = at(o, rows, z), k = at(k, keys, z), v = at(v, keys, z);
    if (tk) tk = at(tk, keys, z), tv = at(tv, keys, z);
    float acc[4][C / 8] = {}, mean[4] = {}, lse2[4];
    row_lse(lse2, lse, p, z);
    const int end = keys_end(p, z);
    int tile = 0;
#pragma unroll 1
    do {
        float s[4][4] = {}, t[4][4] = {};
        dual_scores(s, t, p, q, k, tq, tk, tile, z, scale);
        hide(s, p, tile, z);
        weigh(s, lse2, scale * kLog2e);
        push(acc, mean, s, t, p, v, tv, tile, z);
        tile += kTile;
    } while (tile < end);
#pragma unroll
    for (int r = 0; r < 4; r++) {
        mean[r] = row_sum(mean[r]);
        if (p.row() + r >= z.n) continue;
        const int row = (p.row() + r) * stride(z);
#pragma unroll
        for (int i = 0; i < C / 8; i++) {
            const int c = p.group(i / p.kVec) + i % p.kVec;
            if (c < z.d) acc[r][i] = fmaf(-mean[r], get(at(o, row + c, z), z), acc[r][i]);
        }
    }
    const float one[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    give(at(to, rows, z), acc, one, p, z.n, z);
}

template <typename T, int C>
__device__ __forceinline__ void jvp(const T* q, const T* k, const T* v, const T* tq, const T* tk, const T* tv, T* o, float* lse, T* to, const Sizes& z, float scale) {
    const Place<C> p(z);
    const int rows = first(z, z.n, p.head), keys = first(z, z.m, p.head);
    q = at(q, rows, z), tq = at(tq, rows, z), k = at(k, keys, z), v = at(v, keys, z);
    if (tk) tk = at(tk, keys, z), tv = at(tv, keys, z);
    float acc[4][C / 8] = {}, acc_t[4][C / 8] = {}, mean[4] = {};
    Online softmax;
    const int end = keys_end(p, z);
    int tile = 0;
#pragma unroll 1
    do {
        float s[4][4] = {}, t[4][4] = {}, older[4];
        dual_scores(s, t, p, q, k, tq, tk, tile, z, scale);
        hide(s, p, tile, z);
        softmax.take(s, older, scale * kLog2e);
        scale_rows(acc, older);
        scale_rows(acc_t, older);
#pragma unroll
        for (int r = 0; r < 4; r++) mean[r] *= older[r];
        mix(acc, s, p, v, tile, z.m, z);
        push(acc_t, mean, s, t, p, v, tv, tile, z);
        tile += kTile;
    } while (tile < end);
    softmax.end(p, lse, z);
    const float one[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    scale_rows(acc, softmax.sum);
#pragma unroll
    for (int r = 0; r < 4; r++) {
        mean[r] = row_sum(mean[r]);
#pragma unroll
        for (int i = 0; i < C / 8; i++) acc_t[r][i] = fmaf(-mean[r], acc[r][i], acc_t[r][i]);
    }
    give(at(o, rows, z), acc, one, p, z.n, z);
    give(at(to, rows, z), acc_t, softmax.sum, p, z.n, z);
}

// ---- entry points

#define FOR_COLUMNS(MACRO) MACRO(any_t, any, 16) MACRO(float, c128_f32, 128)
#define ENTRY(NAME, S) extern "C" __global__ void __launch_bounds__(128, 2) attention_##NAME##_##S
#define IN(T, x) const T* __restrict__ x
#define OUT(T, x) T* __restrict__ x

/// o = softmax(q k^T scale) v and lse, online over tiles of keys.
/// Grid (ceil(n / (threads / 2)), heads * ceil(d / C), batch), blocks of 32 to 128 threads; shared memory 16 (17 (threads / 2 + 32) + 8 C + 5 threads).
/// name: attention_forward_{any,c128}
/// bytes: e B h d (2 n + 2 m) + 4 B h n; flops: 4 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define FORWARD(T, S, C) \
    ENTRY(forward, S)(IN(T, q), IN(T, k), IN(T, v), OUT(T, o), OUT(float, lse), Sizes z, float scale) { forward<T, C>(q, k, v, o, lse, z, scale); }
FOR_COLUMNS(FORWARD)

/// dq = dS k scale, dS = P (do v^T - delta); writes delta = rowsum(o do) for the keys' half unless it is null.
/// Geometry as forward.
/// name: attention_vjp_queries_{any,c128}
/// bytes: e B h d (4 n + 2 m) + 8 B h n; flops: 6 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define VJP_QUERIES(T, S, C) \
    ENTRY(vjp_queries, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, go), OUT(T, dq), OUT(float, delta), Sizes z, float scale) { \
        vjp_queries<T, C>(q, k, v, o, lse, go, dq, delta, z, scale); }
FOR_COLUMNS(VJP_QUERIES)

/// dv = P^T do, dk = dS^T q scale: rows are keys, tiles are of queries.
/// Geometry as forward, with m in place of n.
/// name: attention_vjp_keys_{any,c128}
/// bytes: e B h d (2 n + 4 m) + 8 B h n; flops: 8 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define VJP_KEYS(T, S, C) \
    ENTRY(vjp_keys, S)(IN(T, q), IN(T, k), IN(T, v), IN(float, lse), IN(T, go), IN(float, delta), OUT(T, dk), OUT(T, dv), Sizes z, float scale) { \
        vjp_keys<T, C>(q, k, v, lse, go, delta, dk, dv, z, scale); }
FOR_COLUMNS(VJP_KEYS)

/// to = P (T v + tv) - o rowsum(P T), T = (tq k^T + q tk^T) scale, from o and lse; tk and tv null where keys have no tangents.
/// Geometry as forward.
/// name: attention_tangent_{any,c128}
/// bytes: e B h d (4 n + 4 m) + 4 B h n; flops: 10 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define TANGENT(T, S, C) \
    ENTRY(tangent, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, tq), IN(T, tk), IN(T, tv), OUT(T, to), Sizes z, float scale) { \
        tangent<T, C>(q, k, v, o, lse, tq, tk, tv, to, z, scale); }
FOR_COLUMNS(TANGENT)

/// o, lse and to at once: values and tangents through one online softmax (arXiv 2410.11081, appendix F).
/// Geometry as forward.
/// name: attention_jvp_{any,c128}
/// bytes: e B h d (4 n + 4 m) + 4 B h n; flops: 12 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define JVP(T, S, C) \
    ENTRY(jvp, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, tq), IN(T, tk), IN(T, tv), OUT(T, o), OUT(float, lse), OUT(T, to), Sizes z, float scale) { \
        jvp<T, C>(q, k, v, tq, tk, tv, o, lse, to, z, scale); }
FOR_COLUMNS(JVP)
