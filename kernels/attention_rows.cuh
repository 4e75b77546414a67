// SPDX-License-Identifier: Apache-2.0
// What lies between the products of the attention kernels on tensor cores, row by row: [0] is row l / 4 of the warp's, [1] that 8 below.
#pragma once
#include "attention_mma.cuh"

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

    /// Sums become factors 1 / sum; writes lse if asked to, one lane of the four that share a row.
    __device__ __forceinline__ void end(float* lse, int row, bool writes, const Sizes& z) {
#pragma unroll
        for (int r = 0; r < 2; r++) {
            const float total = row_sum(sum[r]);
            sum[r] = 1.0f / total;
            if (writes && (threadIdx.x & 3) == 0 && row + 8 * r < z.n) lse[row + 8 * r] = (top[r] + log2_approx(total)) * kLn2;
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

// ---- pull-back

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

/// ds to dS = p (ds - delta).
template <int N> __device__ __forceinline__ void differentials(float (&ds)[N][4], const float (&p)[N][4], const float (&delta)[2]) {
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) ds[n][i] = p[n][i] * (ds[n][i] - delta[i / 2]);
    }
}

/// Scores of keys (rows) and queries (columns) to p and, with ds = v go^T, to dS; lse2 and delta are lane l's of query tile + l.
template <int N>
__device__ __forceinline__ void weigh_columns(float (&s)[N][4], float (&ds)[N][4], float lse2, float delta, int row, int tile, const Sizes& z, float c) {
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const int column = 8 * n + my_column() + i;
            const float l = __shfl_sync(0xffffffffu, lse2, column), dot = __shfl_sync(0xffffffffu, delta, column);
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float& x = s[n][2 * r + i];
                x = z.causal && tile + column < row + 8 * r ? 0.0f : exp2_approx(fmaf(x, c, -l));
                ds[n][2 * r + i] = x * (ds[n][2 * r + i] - dot);
            }
        }
    }
}

// ---- push-forward

/// t scale - reference, the reference being t's mean over a row's first tile (that it be 0 where a key is not seen): a push-forward does not depend on
/// it, but sums of large t that nearly cancel would lose digits.
template <int N> __device__ __forceinline__ void lean(float (&t)[N][4], float (&reference)[2], int row, int tile, const Sizes& z, float scale) {
    if (tile == 0) {
        float sum[2] = {0.0f, 0.0f};
#pragma unroll
        for (int n = 0; n < N; n++) sum[0] += t[n][0] + t[n][1], sum[1] += t[n][2] + t[n][3];
        reference[0] = row_sum(sum[0]) * scale / min(8 * N, visible(z, row));
        reference[1] = row_sum(sum[1]) * scale / min(8 * N, visible(z, row + 8));
    }
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) t[n][i] = fmaf(t[n][i], scale, -reference[i / 2]);
    }
}

/// t becomes w t; the lane's share of its sum is added to mean.
template <int N> __device__ __forceinline__ void weigh_tangents(float (&t)[N][4], float (&mean)[2], const float (&w)[N][4]) {
#pragma unroll
    for (int n = 0; n < N; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) t[n][i] *= w[n][i], mean[i / 2] += t[n][i];
    }
}

/// acc -= mean o, columns c on of o.
template <typename T, int D>
__device__ __forceinline__ void subtract(float (&acc)[Tile<D>::kOut][4], float (&mean)[2], const T* o, int row, int c, const Sizes& z) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
        mean[r] = row_sum(mean[r]);
        if (row + 8 * r >= z.n) continue;
        const T* mine = o + (row + 8 * r) * stride(z) + c + my_column();
#pragma unroll
        for (int n = 0; n < Tile<D>::kOut; n++) {
            if (c + 8 * n >= z.d) break;
            float x, y;
            unpack2<T>(*reinterpret_cast<const unsigned*>(mine + 8 * n), x, y);
            acc[n][2 * r] = fmaf(-mean[r], x, acc[n][2 * r]);
            acc[n][2 * r + 1] = fmaf(-mean[r], y, acc[n][2 * r + 1]);
        }
    }
}

// ---- results

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
