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
