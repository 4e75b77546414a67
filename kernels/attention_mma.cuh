// SPDX-License-Identifier: Apache-2.0
// Parts of the attention kernels on tensor cores, for F16 and BF16: blocks of 4 warps, each with 16 rows (queries, or keys where the rows are keys);
// the other side passes by in tiles. Products are mma.sync m16n8k16 with F32 sums; lane l has, of an m16n8 result, rows l / 4 and l / 4 + 8, columns
// 2 (l % 4) and the next. Rows of a tile in shared memory have D columns, zero beyond the head's size, and 16 bytes more: an odd number of 16-byte
// units, so that the 8 rows that an ldmatrix reads lie in 8 different groups of banks.
#pragma once
#include "attention.cuh"

constexpr int kRows = 64, kThreads = 128;

extern __shared__ uint4 shared_memory[];

/// Rows of tiles for heads of up to D; those of up to kSplit do without the columns from there on.
template <int D> struct Tile {
    static constexpr int kSplit = D == 160 ? 128 : D - 16;
    static constexpr int kSteps = D / 16;           // of 16 columns
    static constexpr int kOut = D / 8;              // of 8 columns
    static constexpr int kPitch = 16 * (kOut + 1);  // bytes
};

// ---- instructions

__device__ __forceinline__ unsigned shared_base() { return static_cast<unsigned>(__cvta_generic_to_shared(shared_memory)); }

__device__ __forceinline__ void ldmatrix(unsigned (&x)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3]) : "r"(from) : "memory");
}

__device__ __forceinline__ void ldmatrix_trans(unsigned (&x)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(x[0]), "=r"(x[1]), "=r"(x[2]), "=r"(x[3]) : "r"(from) : "memory");
}

/// c [16,8] += a [16,16] b [16,8].
template <typename T> __device__ __forceinline__ void mma(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1);

#define MMA(T, type) \
    template <> __device__ __forceinline__ void mma<T>(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) { \
        const float x = c[0], y = c[1], z = c[2], w = c[3]; \
        asm("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%10,%11,%12,%13};" \
            : "=f"(c[0]), "=f"(c[1]), "=f"(c[2]), "=f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1), "f"(x), "f"(y), "f"(z), "f"(w)); \
    }
MMA(half_t, "f16")
MMA(bf16_t, "bf16")

/// Two numbers, rounded, in a word.
template <typename T> __device__ __forceinline__ unsigned pack(float lo, float hi);

template <> __device__ __forceinline__ unsigned pack<half_t>(float lo, float hi) {
    unsigned w;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(hi), "f"(lo));
    return w;
}

template <> __device__ __forceinline__ unsigned pack<bf16_t>(float lo, float hi) {
    unsigned w;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(hi), "f"(lo));
    return w;
}

/// Starts to copy 16 bytes of which the first `bytes` are read, the others zero.
__device__ __forceinline__ void copy16(unsigned to, const void* from, int bytes) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

/// All copies of this thread have landed; a barrier makes those of others sure.
__device__ __forceinline__ void copies_done() { asm volatile("cp.async.wait_all;" ::: "memory"); }

// ---- tiles

/// Columns in use.
template <int D> __device__ __forceinline__ int columns(const Sizes& z) { return z.d <= Tile<D>::kSplit ? Tile<D>::kSplit : D; }

/// Starts to copy R rows of a head from a token on, columns c on; zeros where there is no such token or column.
template <int D, int R, typename T> __device__ __forceinline__ void copy(unsigned to, const T* x, int token, int tokens, int c, const Sizes& z) {
    constexpr int kLanes = kThreads / R; // of a row
    const int row = threadIdx.x / kLanes, lane = threadIdx.x % kLanes;
    const bool there = token + row < tokens;
    const T* from = x + (there ? token + row : 0) * stride(z) + c;
    to += row * Tile<D>::kPitch;
#pragma unroll 1
    for (int u = 8 * lane; u < columns<D>(z); u += 8 * kLanes) copy16(to + 2 * u, from + u, there && c + u < z.d ? 16 : 0);
}

/// Where a lane looks in 16 rows for a left operand, and for a transposed right operand.
template <int D> __device__ __forceinline__ unsigned left_lane() { return (threadIdx.x & 15) * Tile<D>::kPitch + (threadIdx.x >> 4 & 1) * 16; }

/// Where a lane looks in 16 rows for a right operand: two m16n8 results.
template <int D> __device__ __forceinline__ unsigned right_lane() {
    return ((threadIdx.x & 7) + (threadIdx.x >> 4 & 1) * 8) * Tile<D>::kPitch + (threadIdx.x >> 3 & 1) * 16;
}

// ---- the two products

/// s [16, 8 N] += the warp's rows times the tile's rows.
template <typename T, int D, int N> __device__ __forceinline__ void scores(float (&s)[N][4], unsigned left, unsigned right, int steps) {
#pragma unroll 1
    do {
        unsigned a[4], b[4];
        ldmatrix(a, left);
#pragma unroll
        for (int n = 0; n < N; n += 2) {
            ldmatrix(b, right + n * 8 * Tile<D>::kPitch);
            mma<T>(s[n], a, b[0], b[1]);
            mma<T>(s[n + 1], a, b[2], b[3]);
        }
        left += 32, right += 32;
    } while (--steps);
}

/// Weights as left operands: an m16n8 result's lanes hold what an m16n8k16's left operand wants.
template <typename T, int N> __device__ __forceinline__ void operands(unsigned (&w)[N / 2][4], const float (&s)[N][4]) {
#pragma unroll
    for (int n = 0; n < N; n++) {
        w[n / 2][n % 2 * 2] = pack<T>(s[n][0], s[n][1]);
        w[n / 2][n % 2 * 2 + 1] = pack<T>(s[n][2], s[n][3]);
    }
}

/// acc [16,D] += w [16, 16 K] times the tile's rows.
template <typename T, int D, int K> __device__ __forceinline__ void mix(float (&acc)[Tile<D>::kOut][4], const unsigned (&w)[K][4], unsigned tile, const Sizes& z) {
#pragma unroll
    for (int part = 0; part < 2; part++) {
        if (part && z.d <= Tile<D>::kSplit) break;
#pragma unroll
        for (int k = 0; k < K; k++) {
#pragma unroll
            for (int u = part * Tile<D>::kSplit / 16; u < (part ? D : Tile<D>::kSplit) / 16; u++) {
                unsigned b[4];
                ldmatrix_trans(b, tile + k * 16 * Tile<D>::kPitch + 32 * u);
                mma<T>(acc[2 * u], w[k], b[0], b[1]);
                mma<T>(acc[2 * u + 1], w[k], b[2], b[3]);
            }
        }
    }
}

// ---- rows: [0] is row l / 4 of the warp's, [1] that 8 below

__device__ __forceinline__ float row_sum(float x) {
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

__device__ __forceinline__ float row_max(float x) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
    return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

template <int N> __device__ __forceinline__ void scale_rows(float (&x)[N][4], float f0, float f1) {
#pragma unroll
    for (int n = 0; n < N; n++) x[n][0] *= f0, x[n][1] *= f0, x[n][2] *= f1, x[n][3] *= f1;
}

/// The thread's first row.
__device__ __forceinline__ int my_row() { return (threadIdx.x >> 5) * 16 + (threadIdx.x >> 2 & 7); }

/// The thread's first column of eight.
__device__ __forceinline__ int my_column() { return 2 * (threadIdx.x & 3); }

/// Another value for the keys of a tile that a query does not see; columns are keys. False if there is none for the warp's rows.
template <int N> __device__ __forceinline__ bool hide(float (&s)[N][4], float value, int row, int tile, const Sizes& z) {
    if (tile + 8 * N <= visible(z, row - (threadIdx.x >> 2 & 7))) return false;
    const int end0 = visible(z, row) - tile - my_column(), end1 = visible(z, row + 8) - tile - my_column();
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            if (8 * n + i >= end0) s[n][i] = value;
            if (8 * n + i >= end1) s[n][2 + i] = value;
        }
    }
    return true;
}

/// A softmax that grows: largest score so far (in base 2), the lane's share of the sum of the weights.
struct Online {
    float top[2] = {-infinity(), -infinity()}, sum[2] = {0.0f, 0.0f};

    /// Scores to weights 2^(s c - top); gives what older weights are to be multiplied with. False if by 1, in all rows of the warp.
    template <int N> __device__ __forceinline__ bool take(float (&s)[N][4], float (&older)[2], float c) {
        bool grows = false;
#pragma unroll
        for (int r = 0; r < 2; r++) {
            float most = fmaxf(s[0][2 * r], s[0][2 * r + 1]);
#pragma unroll
            for (int n = 1; n < N; n++) most = fmaxf(most, fmaxf(s[n][2 * r], s[n][2 * r + 1]));
            const float now = fmaxf(top[r], c * row_max(most));
            grows = grows || now > top[r];
            older[r] = exp2_approx(top[r] - now);
            top[r] = now;
            sum[r] *= older[r];
#pragma unroll
            for (int n = 0; n < N; n++) {
                s[n][2 * r] = exp2_approx(fmaf(s[n][2 * r], c, -now));
                s[n][2 * r + 1] = exp2_approx(fmaf(s[n][2 * r + 1], c, -now));
                sum[r] += s[n][2 * r] + s[n][2 * r + 1];
            }
        }
        return __any_sync(0xffffffffu, grows);
    }

    /// Sums become factors 1 / sum; writes lse, one lane of the four that share a row.
    __device__ __forceinline__ void end(float* lse, int row, const Sizes& z) {
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const float total = row_sum(sum[r]);
            sum[r] = 1.0f / total;
            if ((threadIdx.x & 3) == 0 && row + 8 * r < z.n) lse[row + 8 * r] = (top[r] + log2_approx(total)) * kLn2;
        }
    }
};

/// lse of a row in base 2; infinite, so that weights are 0, for rows that are not there.
__device__ __forceinline__ float lse2_of(const float* lse, int row, const Sizes& z) { return row < z.n ? lse[row] * kLog2e : infinity(); }

/// Scores of rows of known lse to softmax weights.
template <int N> __device__ __forceinline__ void weigh(float (&s)[N][4], const float (&lse2)[2], float c) {
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) s[n][i] = exp2_approx(fmaf(s[n][i], c, -lse2[i / 2]));
    }
}

/// rowsum(o go) of the warp's row l / 2, which two lanes share; 0 for rows that are not there.
template <typename T> __device__ __forceinline__ float row_dot(const T* o, const T* go, int row, const Sizes& z) {
    float sum = 0.0f;
    if (row < z.n) {
        const int i = row * stride(z) + (threadIdx.x & 1) * 8, end = row * stride(z) + z.d;
#pragma unroll 1
        for (int c = i; c < end; c += 16) {
            float x[8], y[8];
            load_vec(o + c, x);
            load_vec(go + c, y);
#pragma unroll
            for (int k = 0; k < 8; k++) sum = fmaf(x[k], y[k], sum);
        }
    }
    return sum + __shfl_xor_sync(0xffffffffu, sum, 1);
}

/// The warp's 16 rows, times factors, to columns c on of a result of so many tokens: through shared memory that is the warp's own, in 16-byte accesses.
template <typename T, int D>
__device__ __forceinline__ void give(T* y, const float (&acc)[Tile<D>::kOut][4], float f0, float f1, unsigned own, int row0, int tokens, int c, const Sizes& z) {
    constexpr int kPitch = Tile<D>::kPitch;
    const int lane = threadIdx.x & 31;
    char* rows = reinterpret_cast<char*>(shared_memory) + (own - shared_base());
    char* mine = rows + (lane >> 2) * kPitch + (lane & 3) * 4;
    __syncwarp();
#pragma unroll
    for (int n = 0; n < Tile<D>::kOut; n++) {
        *reinterpret_cast<unsigned*>(mine + 16 * n) = pack<T>(acc[n][0] * f0, acc[n][1] * f0);
        *reinterpret_cast<unsigned*>(mine + 8 * kPitch + 16 * n) = pack<T>(acc[n][2] * f1, acc[n][3] * f1);
    }
    __syncwarp();
#pragma unroll 1
    for (int i = lane; i < 16 * Tile<D>::kOut; i += 32) {
        const int row = i / Tile<D>::kOut, unit = i % Tile<D>::kOut;
        if (row0 + row < tokens && c + 8 * unit < z.d) {
            *reinterpret_cast<uint4*>(y + (row0 + row) * stride(z) + c + 8 * unit) = *reinterpret_cast<const uint4*>(rows + row * kPitch + 16 * unit);
        }
    }
    __syncwarp();
}
