// SPDX-License-Identifier: Apache-2.0
// Attention on tensor cores for F16 and BF16 and heads of up to 160 (a multiple of 8): softmax(q k^T scale) v, its pull-back and its push-forward, with no
// [N,M] matrix in memory. Names say for which size D a kernel is made; smaller heads fit too, padded with zeros in shared memory.
// Blocks of 128 threads own 64 rows; tiles of the other side are copied (cp.async) while the one before is worked on.
#include "attention_rows.cuh"

template <int D> constexpr int kTile = 32;                       // keys of a tile of the forward
template <int D> constexpr int kVjpTile = D <= 96 ? 32 : 16;     // of the pull-back
constexpr int kJvpTile = 16;                                     // of the push-forward

/// What a block works on.
template <int D> struct Place {
    int head, row0, row, warp_row, steps;
    __device__ __forceinline__ explicit Place(const Sizes& z)
        : head(blockIdx.y), row0(blockIdx.x * kRows), row(row0 + my_row()), warp_row(threadIdx.x / 32 * 16), steps(columns<D>(z) / 16) {}
};

template <typename T, int D>
__device__ __forceinline__ void forward(const T* q, const T* k, const T* v, T* o, float* lse, const Sizes& z, float scale) {
    constexpr int N = kTile<D> / 8, kPitch = Tile<D>::kPitch, kPart = kTile<D> * kPitch, kSteps = Tile<D>::kSteps, kSplit = Tile<D>::kSplit / 16;
    const Place<D> p(z);
    q += first(z, z.n, p.head), o += first(z, z.n, p.head), k += first(z, z.m, p.head), v += first(z, z.m, p.head);
    const unsigned base = shared_base(), own = base + p.warp_row * kPitch, tiles = base + kRows * kPitch;
    const int end = visible(z, p.row0 + kRows - 1);
    copy<D, kRows>(base, q, p.row0, z.n, 0, z);
    copy<D, kTile<D>>(tiles, k, 0, z.m, 0, z);
    copy<D, kTile<D>>(tiles + kPart, v, 0, z.m, 0, z);
    copies_done();
    __syncthreads();
    unsigned left[kSteps][4];
#pragma unroll
    for (int u = 0; u < kSteps && (u < kSplit || z.d > Tile<D>::kSplit); u++) ldmatrix(left[u], own + left_lane<D>() + 32 * u);
    float acc[Tile<D>::kOut][4] = {};
    Online softmax;
    unsigned here = 0;
#pragma unroll 1
    for (int tile = 0;; ) {
        const unsigned now = tiles + here;
        here ^= 2 * kPart;
        if (tile + kTile<D> < end) {
            copy<D, kTile<D>>(tiles + here, k, tile + kTile<D>, z.m, 0, z);
            copy<D, kTile<D>>(tiles + here + kPart, v, tile + kTile<D>, z.m, 0, z);
        }
        float s[N][4] = {}, older[2];
#pragma unroll
        for (int u = 0; u < kSteps; u++) {
            if (u == kSplit && z.d <= Tile<D>::kSplit) break;
#pragma unroll
            for (int n = 0; n < N; n += 2) {
                unsigned b[4];
                ldmatrix(b, now + right_lane<D>() + n * 8 * kPitch + 32 * u);
                mma<T>(s[n], left[u], b[0], b[1]);
                mma<T>(s[n + 1], left[u], b[2], b[3]);
            }
        }
        hide(s, -infinity(), p.row, tile, z);
        if (softmax.take(s, older, scale * kLog2e)) scale_rows(acc, older[0], older[1]);
        unsigned w[N / 2][4];
        operands<T>(w, s);
        mix<T, D>(acc, w, now + kPart + left_lane<D>(), z);
        tile += kTile<D>;
        if (tile >= end) break;
        copies_done();
        __syncthreads();
    }
    softmax.end(lse + first_row(z, p.head), p.row, true, z);
    give<T, D>(o, acc, softmax.sum[0], softmax.sum[1], own, p.row0 + p.warp_row, z.n, 0, z);
}

// ---- pull-back

template <typename T, int D>
__device__ __forceinline__ void vjp_queries(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* go, T* dq, float* delta, const Sizes& z,
                                            float scale) {
    constexpr int R = kVjpTile<D>, N = R / 8, kPitch = Tile<D>::kPitch, kPart = R * kPitch;
    const Place<D> p(z);
    const int rows = first(z, z.n, p.head), lane = threadIdx.x & 31;
    q += rows, o += rows, go += rows, k += first(z, z.m, p.head), v += first(z, z.m, p.head), lse += first_row(z, p.head);
    const unsigned base = shared_base(), own = base + p.warp_row * kPitch, tiles = base + 2 * kRows * kPitch;
    const int end = visible(z, p.row0 + kRows - 1);
    copy<D, kRows>(base, q, p.row0, z.n, 0, z);
    copy<D, kRows>(base + kRows * kPitch, go, p.row0, z.n, 0, z);
    copy<D, R>(tiles, k, 0, z.m, 0, z);
    copy<D, R>(tiles + kPart, v, 0, z.m, 0, z);
    const float lse2[2] = {lse2_of(lse, p.row, z), lse2_of(lse, p.row + 8, z)};
    const int dot_row = p.row0 + p.warp_row + lane / 2;
    const float dot = row_dot(o, go, dot_row, z);
    if (delta && (lane & 1) == 0 && dot_row < z.n) delta[first_row(z, p.head) + dot_row] = dot;
    const float dots[2] = {__shfl_sync(0xffffffffu, dot, lane / 4 * 2), __shfl_sync(0xffffffffu, dot, lane / 4 * 2 + 16)};
    float acc[Tile<D>::kOut][4] = {};
    unsigned here = 0;
    copies_done();
    __syncthreads();
#pragma unroll 1
    for (int tile = 0;; ) {
        const unsigned now = tiles + here;
        here ^= 2 * kPart;
        if (tile + R < end) {
            copy<D, R>(tiles + here, k, tile + R, z.m, 0, z);
            copy<D, R>(tiles + here + kPart, v, tile + R, z.m, 0, z);
        }
        float s[N][4] = {}, ds[N][4] = {};
        scores<T, D>(s, own + left_lane<D>(), now + right_lane<D>(), p.steps);
        scores<T, D>(ds, own + kRows * kPitch + left_lane<D>(), now + kPart + right_lane<D>(), p.steps);
        hide(s, -infinity(), p.row, tile, z);
        weigh(s, lse2, scale * kLog2e);
        unsigned w[N / 2][4];
        differentials(ds, s, dots);
        operands<T>(w, ds);
        mix<T, D>(acc, w, now + left_lane<D>(), z);
        tile += R;
        if (tile >= end) break;
        copies_done();
        __syncthreads();
    }
    give<T, D>(dq + rows, acc, scale, scale, own, p.row0 + p.warp_row, z.n, 0, z);
}

template <typename T, int D>
__device__ __forceinline__ void vjp_keys(const T* q, const T* k, const T* v, const float* lse, const T* go, const float* delta, T* dk, T* dv, const Sizes& z,
                                         float scale) {
    constexpr int R = kVjpTile<D>, N = R / 8, kPitch = Tile<D>::kPitch, kPart = R * kPitch;
    const Place<D> p(z); // its rows are keys
    const int keys = first(z, z.m, p.head), lane = threadIdx.x & 31;
    q += first(z, z.n, p.head), go += first(z, z.n, p.head), lse += first_row(z, p.head), delta += first_row(z, p.head);
    const unsigned base = shared_base(), own = base + p.warp_row * kPitch, tiles = base + 2 * kRows * kPitch;
    int tile = z.causal ? p.row0 / R * R : 0;
    copy<D, kRows>(base, k + keys, p.row0, z.m, 0, z);
    copy<D, kRows>(base + kRows * kPitch, v + keys, p.row0, z.m, 0, z);
    copy<D, R>(tiles, q, tile, z.n, 0, z);
    copy<D, R>(tiles + kPart, go, tile, z.n, 0, z);
    float acc_k[Tile<D>::kOut][4] = {}, acc_v[Tile<D>::kOut][4] = {};
    unsigned here = 0;
    copies_done();
    __syncthreads();
#pragma unroll 1
    for (;;) {
        const unsigned now = tiles + here;
        here ^= 2 * kPart;
        if (tile + R < z.n) {
            copy<D, R>(tiles + here, q, tile + R, z.n, 0, z);
            copy<D, R>(tiles + here + kPart, go, tile + R, z.n, 0, z);
        }
        const float lse2 = lse2_of(lse, tile + lane, z), dot = tile + lane < z.n ? delta[tile + lane] : 0.0f;
        float s[N][4] = {}, ds[N][4] = {};
        scores<T, D>(s, own + left_lane<D>(), now + right_lane<D>(), p.steps);
        scores<T, D>(ds, own + kRows * kPitch + left_lane<D>(), now + kPart + right_lane<D>(), p.steps);
        weigh_columns(s, ds, lse2, dot, p.row, tile, z, scale * kLog2e);
        unsigned w[N / 2][4];
        operands<T>(w, s);
        mix<T, D>(acc_v, w, now + kPart + left_lane<D>(), z);
        operands<T>(w, ds);
        mix<T, D>(acc_k, w, now + left_lane<D>(), z);
        tile += R;
        if (tile >= z.n) break;
        copies_done();
        __syncthreads();
    }
    give<T, D>(dv + keys, acc_v, 1.0f, 1.0f, own, p.row0 + p.warp_row, z.m, 0, z);
    give<T, D>(dk + keys, acc_k, scale, scale, own, p.row0 + p.warp_row, z.m, 0, z);
}

// ---- push-forward

/// What both push-forwards need: places of tiles in shared memory and their copies. Parts of a stage are k, v and, where keys have tangents, tk, tv.
template <typename T, int D> struct Tangents {
    static constexpr int R = kJvpTile, N = R / 8, kPart = R * Tile<D>::kPitch;
    const T *k, *v, *tk, *tv;
    unsigned own, tiles, stage;

    __device__ __forceinline__ Tangents(const T* q, const T* tq, const T* k0, const T* v0, const T* tk0, const T* tv0, const Place<D>& p, const Sizes& z) {
        const int keys = first(z, z.m, p.head);
        const unsigned base = shared_base();
        k = k0 + keys, v = v0 + keys, tk = tk0 ? tk0 + keys : nullptr, tv = tv0 + keys;
        own = base + p.warp_row * Tile<D>::kPitch;
        tiles = base + 2 * kRows * Tile<D>::kPitch;
        stage = (tk ? 4 : 2) * kPart;
        copy<D, kRows>(base, q + first(z, z.n, p.head), p.row0, z.n, 0, z);
        copy<D, kRows>(base + kRows * Tile<D>::kPitch, tq + first(z, z.n, p.head), p.row0, z.n, 0, z);
        fetch(tiles, 0, z);
    }

    __device__ __forceinline__ void fetch(unsigned to, int tile, const Sizes& z) const {
        copy<D, R>(to, k, tile, z.m, 0, z);
        copy<D, R>(to + kPart, v, tile, z.m, 0, z);
        if (tk) {
            copy<D, R>(to + 2 * kPart, tk, tile, z.m, 0, z);
            copy<D, R>(to + 3 * kPart, tv, tile, z.m, 0, z);
        }
    }

    /// s = q k^T, t = (tq k^T + q tk^T) scale - reference. Keys that are not seen get scores of -infinity.
    __device__ __forceinline__ void scores_of(float (&s)[N][4], float (&t)[N][4], float (&reference)[2], unsigned now, int tile, const Place<D>& p, const Sizes& z,
                                              float scale) const {
        const unsigned left = own + left_lane<D>(), right = now + right_lane<D>();
        scores<T, D>(s, left, right, p.steps);
        scores<T, D>(t, left + kRows * Tile<D>::kPitch, right, p.steps);
        if (tk) scores<T, D>(t, left, right + 2 * kPart, p.steps);
        if (hide(s, -infinity(), p.row, tile, z)) hide(t, 0.0f, p.row, tile, z);
        lean(t, reference, p.row, tile, z, scale);
    }

    /// With weights w: acc += (w t) v + w tv, mean += rowsum(w t).
    __device__ __forceinline__ void push(float (&acc)[Tile<D>::kOut][4], float (&mean)[2], const float (&w)[N][4], float (&t)[N][4], unsigned now, const Sizes& z) const {
        weigh_tangents(t, mean, w);
        unsigned x[N / 2][4];
        operands<T>(x, t);
        mix<T, D>(acc, x, now + kPart + left_lane<D>(), z);
        if (tk) {
            operands<T>(x, w);
            mix<T, D>(acc, x, now + 3 * kPart + left_lane<D>(), z);
        }
    }
};

template <typename T, int D>
__device__ __forceinline__ void tangent(const T* q, const T* k, const T* v, const T* o, const float* lse, const T* tq, const T* tk, const T* tv, T* to, const Sizes& z,
                                        float scale) {
    constexpr int N = Tangents<T, D>::N;
    const Place<D> p(z);
    const int rows = first(z, z.n, p.head), end = visible(z, p.row0 + kRows - 1);
    const Tangents<T, D> a(q, tq, k, v, tk, tv, p, z);
    lse += first_row(z, p.head);
    const float lse2[2] = {lse2_of(lse, p.row, z), lse2_of(lse, p.row + 8, z)};
    float acc[Tile<D>::kOut][4] = {}, mean[2] = {}, reference[2];
    unsigned here = a.tiles, next = a.tiles + a.stage;
    copies_done();
    __syncthreads();
#pragma unroll 1
    for (int tile = 0;; ) {
        if (tile + a.R < end) a.fetch(next, tile + a.R, z);
        float s[N][4] = {}, t[N][4] = {};
        a.scores_of(s, t, reference, here, tile, p, z, scale);
        weigh(s, lse2, scale * kLog2e);
        a.push(acc, mean, s, t, here, z);
        const unsigned swap = here;
        here = next, next = swap;
        tile += a.R;
        if (tile >= end) break;
        copies_done();
        __syncthreads();
    }
    subtract<T, D>(acc, mean, o + rows, p.row, 0, z);
    give<T, D>(to + rows, acc, 1.0f, 1.0f, a.own, p.row0 + p.warp_row, z.n, 0, z);
}

template <typename T, int D>
__device__ __forceinline__ void jvp(const T* q, const T* k, const T* v, const T* tq, const T* tk, const T* tv, T* o, float* lse, T* to, const Sizes& z, float scale) {
    constexpr int N = Tangents<T, D>::N;
    const Place<D> p(z);
    const int rows = first(z, z.n, p.head), end = visible(z, p.row0 + kRows - 1);
    const Tangents<T, D> a(q, tq, k, v, tk, tv, p, z);
    float acc[Tile<D>::kOut][4] = {}, acc_t[Tile<D>::kOut][4] = {}, mean[2] = {}, reference[2];
    Online softmax;
    unsigned here = a.tiles, next = a.tiles + a.stage;
    copies_done();
    __syncthreads();
#pragma unroll 1
    for (int tile = 0;; ) {
        if (tile + a.R < end) a.fetch(next, tile + a.R, z);
        float s[N][4] = {}, t[N][4] = {}, older[2];
        a.scores_of(s, t, reference, here, tile, p, z, scale);
        if (softmax.take(s, older, scale * kLog2e)) {
            scale_rows(acc, older[0], older[1]);
            scale_rows(acc_t, older[0], older[1]);
            mean[0] *= older[0], mean[1] *= older[1];
        }
        unsigned w[N / 2][4];
        operands<T>(w, s);
        mix<T, D>(acc, w, here + a.kPart + left_lane<D>(), z);
        a.push(acc_t, mean, s, t, here, z);
        const unsigned swap = here;
        here = next, next = swap;
        tile += a.R;
        if (tile >= end) break;
        copies_done();
        __syncthreads();
    }
    softmax.end(lse + first_row(z, p.head), p.row, true, z);
    scale_rows(acc, softmax.sum[0], softmax.sum[1]);
    mean[0] = row_sum(mean[0]), mean[1] = row_sum(mean[1]);
#pragma unroll
    for (int n = 0; n < Tile<D>::kOut; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) acc_t[n][i] = fmaf(-mean[i / 2], acc[n][i], acc_t[n][i]);
    }
    give<T, D>(o + rows, acc, 1.0f, 1.0f, a.own, p.row0 + p.warp_row, z.n, 0, z);
    give<T, D>(to + rows, acc_t, softmax.sum[0], softmax.sum[1], a.own, p.row0 + p.warp_row, z.n, 0, z);
}

// ---- entry points

#define FOR_TYPES(MACRO, D) MACRO(half_t, f16, D) MACRO(bf16_t, bf16, D)
#define FOR_HEADS(MACRO) FOR_TYPES(MACRO, 64) FOR_TYPES(MACRO, 96) FOR_TYPES(MACRO, 160)
#define ENTRY(NAME, D, S) extern "C" __global__ void __launch_bounds__(kThreads, 2) attention_##NAME##_d##D##_##S
#define IN(T, x) const T* __restrict__ x
#define OUT(T, x) T* __restrict__ x

/// o = softmax(q k^T scale) v and lse, online over tiles of keys.
/// Grid (ceil(n / 64), heads, batch), blocks of 128 threads; a row in shared memory is P = 16 (D / 8 + 1) bytes; shared memory (64 + 4 * 32) P.
/// name: attention_forward_{d64,d96,d160}
/// bytes: e B h d (2 n + 2 m) + 4 B h n; tensor: 4 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define FORWARD(T, S, D) \
    ENTRY(forward, D, S)(IN(T, q), IN(T, k), IN(T, v), OUT(T, o), OUT(float, lse), Sizes z, float scale) { forward<T, D>(q, k, v, o, lse, z, scale); }
FOR_HEADS(FORWARD)

/// dq = dS k scale, dS = P (do v^T - delta); writes delta = rowsum(o do) for the keys' half unless it is null.
/// Grid as forward; shared memory (128 + 4 R) P, tiles of R = 32 keys, 16 where D = 160.
/// name: attention_vjp_queries_{d64,d96,d160}
/// bytes: e B h d (4 n + 2 m) + 8 B h n; tensor: 6 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define VJP_QUERIES(T, S, D) \
    ENTRY(vjp_queries, D, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, go), OUT(T, dq), OUT(float, delta), Sizes z, float scale) { \
        vjp_queries<T, D>(q, k, v, o, lse, go, dq, delta, z, scale); }
FOR_HEADS(VJP_QUERIES)

/// dv = P^T do, dk = dS^T q scale: rows are keys, tiles are of queries.
/// Grid (ceil(m / 64), heads, batch); shared memory as attention_vjp_queries.
/// name: attention_vjp_keys_{d64,d96,d160}
/// bytes: e B h d (2 n + 4 m) + 8 B h n; tensor: 8 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define VJP_KEYS(T, S, D) \
    ENTRY(vjp_keys, D, S)(IN(T, q), IN(T, k), IN(T, v), IN(float, lse), IN(T, go), IN(float, delta), OUT(T, dk), OUT(T, dv), Sizes z, float scale) { \
        vjp_keys<T, D>(q, k, v, lse, go, delta, dk, dv, z, scale); }
FOR_HEADS(VJP_KEYS)

/// to = P (T v + tv) - o rowsum(P T), T = (tq k^T + q tk^T) scale, from o and lse; tk and tv null where keys have no tangents.
/// Grid as forward; shared memory (128 + 8 R) P (4 R without tk), tiles of R = 16 keys.
/// name: attention_tangent_{d64,d96,d160}
/// bytes: e B h d (4 n + 4 m) + 4 B h n; tensor: 10 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define TANGENT(T, S, D) \
    ENTRY(tangent, D, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, o), IN(float, lse), IN(T, tq), IN(T, tk), IN(T, tv), OUT(T, to), Sizes z, float scale) { \
        tangent<T, D>(q, k, v, o, lse, tq, tk, tv, to, z, scale); }
FOR_HEADS(TANGENT)

/// o, lse and to at once: values and tangents through one online softmax (arXiv 2410.11081, appendix F).
/// Grid and shared memory as attention_tangent.
/// name: attention_jvp_{d64,d96,d160}
/// bytes: e B h d (4 n + 4 m) + 4 B h n; tensor: 12 B h n m d; at: B=2 h=8 n=1024 m=1024 d=80
#define JVP(T, S, D) \
    ENTRY(jvp, D, S)(IN(T, q), IN(T, k), IN(T, v), IN(T, tq), IN(T, tk), IN(T, tv), OUT(T, o), OUT(float, lse), OUT(T, to), Sizes z, float scale) { \
        jvp<T, D>(q, k, v, tq, tk, tv, o, lse, to, z, scale); }
FOR_HEADS(JVP)
