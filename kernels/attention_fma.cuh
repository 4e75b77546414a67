// SPDX-License-Identifier: Apache-2.0
// Parts of the attention kernels in F32 arithmetic. A warp owns 16 rows (queries, or keys where the rows are keys); the other side passes by in tiles of
// 32. A thread has 4 rows, 4 columns of the scores and, of the C columns that its block gives out, C/8. Lane = 8 ty + tx: rows 4 ty + 0..3 of its warp;
// columns tx + 8 j of a tile; columns of the result V (tx + 8 u) + 0..V-1. Shared memory, in groups of 4 floats: left rows [rows, kPitch], right rows
// [32, kPitch], values [32, C/4], weights [warps, 32, kWeights]; pitches are odd, so that 8 rows lie in 8 different groups of banks.
#pragma once
#include "attention.cuh"

constexpr int kTile = 32, kChunk = 16, kPitch = kChunk + 1, kWeights = 5;

extern __shared__ float4 shared_memory[];

/// What a block, and a thread of it, works on. C: columns of the result.
template <int C> struct Place {
    static constexpr int kVec = C < 32 ? 2 : 4;
    int head, column, rows, row0, tx, ty, mine, left, right, values, weights;

    __device__ __forceinline__ explicit Place(const Sizes& z) {
        const int chunks = (z.d + C - 1) / C, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
        head = blockIdx.y / chunks;
        column = (blockIdx.y - head * chunks) * C;
        rows = blockDim.x / 2;
        row0 = blockIdx.x * rows;
        tx = lane & 7;
        ty = lane >> 3;
        mine = 16 * warp + 4 * ty;
        right = rows * kPitch;
        values = right + kTile * kPitch;
        weights = values + kTile * (C / 4) + warp * kTile * kWeights;
    }

    /// The thread's first row.
    __device__ __forceinline__ int row() const { return row0 + mine; }

    /// Whether the thread is the one to write row r's statistics.
    __device__ __forceinline__ bool writes(int r, int tokens) const { return column == 0 && tx == 0 && row() + r < tokens; }

    /// Column of the result that the thread's group u begins with.
    __device__ __forceinline__ int group(int u) const { return column + kVec * (tx + 8 * u); }
};

// ---- global memory

/// 4 U columns from column c on, of `rows` tokens, into shared memory; zeros where there is no such token or column.
template <int U, typename T> __device__ __forceinline__ void fill(int to, int pitch, int rows, const T* x, int token, int tokens, int c, const Sizes& z) {
    if (sizeof(T) == 4 || z.type == 0) {
        const int unit = threadIdx.x % U, step = blockDim.x / U;
        int r = threadIdx.x / U; // < rows
        c += 4 * unit;
#pragma unroll 1
        do {
            float4 y = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (token + r < tokens && c < z.d) y = *(reinterpret_cast<const float4*>(x) + ((token + r) * stride(z) + c) / 4u);
            shared_memory[to + r * pitch + unit] = y;
            r += step;
        } while (r < rows);
    } else {
        const int column = threadIdx.x % (4 * U), step = blockDim.x / (4 * U);
        int r = threadIdx.x / (4 * U);
#pragma unroll 1
        do {
            float y = 0.0f;
            if (token + r < tokens && c + column < z.d) y = get(at(x, (token + r) * stride(z) + c + column, z), z);
            reinterpret_cast<float*>(shared_memory + to + r * pitch)[column] = y;
            r += step;
        } while (r < rows);
    }
}

/// The thread's part of a result, times a factor for each row.
template <int C>
__device__ __forceinline__ void give(float* y, const float (&acc)[4][C / 8], const float (&factor)[4], const Place<C>& p, int tokens, const Sizes& z) {
    static_assert(Place<C>::kVec == 4, "16 bytes");
#pragma unroll
    for (int r = 0; r < 4; r++) {
        if (p.row() + r >= tokens) break;
#pragma unroll
        for (int u = 0; u < C / 32; u++) {
            if (p.group(u) >= z.d) break;
            const float* x = acc[r] + 4 * u;
            *reinterpret_cast<float4*>(y + (p.row() + r) * stride(z) + p.group(u)) =
                make_float4(x[0] * factor[r], x[1] * factor[r], x[2] * factor[r], x[3] * factor[r]);
        }
    }
}

/// Through shared memory (the left rows'), so that elements go out one after the other.
template <int C>
__device__ __forceinline__ void give(any_t* y, const float (&acc)[4][C / 8], const float (&factor)[4], const Place<C>& p, int tokens, const Sizes& z) {
    static_assert(C == 16, "a lane's elements are two neighbours");
    float* mine = reinterpret_cast<float*>(shared_memory + (p.mine - 4 * p.ty) * kPitch); // of the warp
    __syncthreads();
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int i = 0; i < 2; i++) mine[(4 * p.ty + r) * C + 2 * p.tx + i] = acc[r][i] * factor[r];
    }
    __syncwarp();
#pragma unroll 1
    for (int i = threadIdx.x & 31; i < 16 * C; i += 32) {
        const int row = p.row() - 4 * p.ty + i / C, c = p.column + i % C;
        if (row < tokens && c < z.d) set(at(y, row * stride(z) + c, z), mine[i], z);
    }
}

// ---- the two products

/// s [4,4] += rows of x times rows of y: the thread's 4 rows with its 4 columns of the tile.
template <typename T, int C>
__device__ __forceinline__ void scores(float (&s)[4][4], const Place<C>& p, const T* x, int x_tokens, const T* y, int tile, int y_tokens, const Sizes& z) {
    constexpr int U = C < 4 * kChunk ? C / 4 : kChunk;
    int c = 0;
#pragma unroll 1
    do {
        __syncthreads();
        fill<U>(0, kPitch, p.rows, x, p.row0, x_tokens, c, z);
        fill<U>(p.right, kPitch, kTile, y, tile, y_tokens, c, z);
        __syncthreads();
        const float4* left = shared_memory + p.mine * kPitch;
        const float4* right = shared_memory + p.right + p.tx * kPitch;
        const float4* end = left + min(U, (z.d - c + 3) / 4);
#pragma unroll 1
        do {
            float4 a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; i++) a[i] = left[i * kPitch], b[i] = right[8 * i * kPitch];
#pragma unroll
            for (int r = 0; r < 4; r++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    s[r][j] = fmaf(a[r].x, b[j].x, fmaf(a[r].y, b[j].y, fmaf(a[r].z, b[j].z, fmaf(a[r].w, b[j].w, s[r][j]))));
                }
            }
            left++, right++;
        } while (left < end);
        c += 4 * U;
    } while (c < z.d);
}

/// acc [4,C/8] += w [rows, tile] of the block's threads times rows of x.
template <typename T, int C>
__device__ __forceinline__ void mix(float (&acc)[4][C / 8], const float (&w)[4][4], const Place<C>& p, const T* x, int tile, int tokens, const Sizes& z) {
    constexpr int V = Place<C>::kVec, kUnroll = C < 32 ? 4 : 1;
    __syncthreads(); // the values and weights before have been read
    fill<C / 4>(p.values, C / 4, kTile, x, tile, tokens, p.column, z);
#pragma unroll
    for (int j = 0; j < 4; j++) shared_memory[p.weights + (p.tx + 8 * j) * kWeights + p.ty] = make_float4(w[0][j], w[1][j], w[2][j], w[3][j]);
    __syncthreads();
    const float4* weight = shared_memory + p.weights + p.ty;
    const float* value = reinterpret_cast<const float*>(shared_memory + p.values) + V * p.tx;
    const float4* end = weight + min(kTile, (tokens - tile + kUnroll - 1) / kUnroll * kUnroll) * kWeights;
#pragma unroll 1
    do {
#pragma unroll
        for (int j = 0; j < kUnroll; j++) {
            const float4 f = weight[j * kWeights];
#pragma unroll
            for (int u = 0; u < C / 8 / V; u++) {
                float y[V];
                if constexpr (V == 4) *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(value + j * C + 32 * u);
                else *reinterpret_cast<float2*>(y) = *reinterpret_cast<const float2*>(value + j * C + 16 * u);
#pragma unroll
                for (int i = 0; i < V; i++) {
                    acc[0][u * V + i] = fmaf(f.x, y[i], acc[0][u * V + i]);
                    acc[1][u * V + i] = fmaf(f.y, y[i], acc[1][u * V + i]);
                    acc[2][u * V + i] = fmaf(f.z, y[i], acc[2][u * V + i]);
                    acc[3][u * V + i] = fmaf(f.w, y[i], acc[3][u * V + i]);
                }
            }
        }
        weight += kUnroll * kWeights, value += kUnroll * C;
    } while (weight < end);
}

// ---- rows

/// Over the 8 lanes that share rows.
__device__ __forceinline__ float row_sum(float x) {
#pragma unroll
    for (int step = 1; step < 8; step *= 2) x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

__device__ __forceinline__ float row_max(float x) {
#pragma unroll
    for (int step = 1; step < 8; step *= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, step));
    return x;
}

template <int N> __device__ __forceinline__ void scale_rows(float (&x)[4][N], const float (&f)[4]) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int i = 0; i < N; i++) x[r][i] *= f[r];
    }
}

/// -infinity for keys that a query does not see; columns are keys.
template <int C> __device__ __forceinline__ void hide(float (&s)[4][4], const Place<C>& p, int tile, const Sizes& z) {
    if (tile + kTile <= visible(z, p.row0)) return; // all rows see all of it
#pragma unroll
    for (int r = 0; r < 4; r++) {
        const int end = visible(z, p.row() + r) - tile - p.tx;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (8 * j >= end) s[r][j] = -infinity();
        }
    }
}

/// A softmax that grows: largest score so far (in base 2), the lane's share of the sum of the weights.
struct Online {
    float top[4], sum[4] = {};

    __device__ __forceinline__ Online() { top[0] = top[1] = top[2] = top[3] = -infinity(); }

    /// Scores to weights 2^(s c - top); gives what older weights are to be multiplied with.
    __device__ __forceinline__ void take(float (&s)[4][4], float (&older)[4], float c) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
            const float now = fmaxf(top[r], c * row_max(fmaxf(fmaxf(s[r][0], s[r][1]), fmaxf(s[r][2], s[r][3]))));
            older[r] = exp2_approx(top[r] - now);
            top[r] = now;
            sum[r] *= older[r];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                s[r][j] = exp2_approx(fmaf(s[r][j], c, -now));
                sum[r] += s[r][j];
            }
        }
    }

    /// Sums become factors 1 / sum; writes lse.
    template <int C> __device__ __forceinline__ void end(const Place<C>& p, float* lse, const Sizes& z) {
#pragma unroll
        for (int r = 0; r < 4; r++) {
            const float total = row_sum(sum[r]);
            sum[r] = 1.0f / total;
            if (p.writes(r, z.n)) lse[first_row(z, p.head) + p.row() + r] = (top[r] + log2_approx(total)) * kLn2;
        }
    }
};

/// lse of the thread's rows, in base 2; infinite, so that weights are 0, for rows that are not there.
template <int C> __device__ __forceinline__ void row_lse(float (&lse2)[4], const float* lse, const Place<C>& p, const Sizes& z) {
#pragma unroll
    for (int r = 0; r < 4; r++) lse2[r] = p.row() + r < z.n ? lse[first_row(z, p.head) + p.row() + r] * kLog2e : infinity();
}

/// Scores of rows of known lse to softmax weights.
__device__ __forceinline__ void weigh(float (&s)[4][4], const float (&lse2)[4], float c) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int j = 0; j < 4; j++) s[r][j] = exp2_approx(fmaf(s[r][j], c, -lse2[r]));
    }
}

/// Moves x to y and makes x zero.
__device__ __forceinline__ void hand_over(float (&x)[4][4], float (&y)[4][4]) {
#pragma unroll
    for (int r = 0; r < 4; r++) {
#pragma unroll
        for (int j = 0; j < 4; j++) y[r][j] = x[r][j], x[r][j] = 0.0f;
    }
}
