// SPDX-License-Identifier: Apache-2.0
// Measurement operators on pictures [B,H,W,3] in F32, each with its true adjoint: correlation along one axis (Gaussian blur and bicubic reduction,
// rows and columns apart), correlation with a small picture (motion blur), a mask. Twin: org.tweedie.device.gpu.Measures.
// All are linear: a push-forward is the forward itself.
#include "axes.cuh"
#include "types.cuh"

/// A line of n numbers goes to one of m: y[i] = sum over t of taps[t] x[border(i stride + offset + t)], offset <= 0.
/// Beyond its ends the line is reflected, the edge once (mirror = 0: .. 2 1 | 0 1 2 ..) or twice (mirror = 1: .. 1 0 | 0 1 2 ..).
struct Line {
    int n, m, inner, taps, stride, offset, mirror;
};

__device__ __forceinline__ int period(int n, int mirror) { return max(1, 2 * n - 2 + 2 * mirror); }

/// Where place i of the endless reflected line is.
__device__ __forceinline__ int border(int i, int n, int mirror) {
    if (i >= 0 && i < n) return i;
    const int p = period(n, mirror);
    int j = i % p;
    j = j < 0 ? j + p : j;
    return j < n ? j : p - mirror - j;
}

/// The first place at or after `from` that border() sends where it sends `place`.
__device__ __forceinline__ int first(int place, int from, int p) {
    while (place < from) place += p;
    while (place - p >= from) place -= p;
    return place;
}

/// A block's share of x or y [outer,n,inner]: up to 32 neighbours along inner, kEach results a thread.
constexpr int kTile = 4096, kEach = 4;

struct Share {
    int outer, c0, c, row, rows;
    bool any;

    __device__ __forceinline__ Share(const Line& s, const Div& columns, const Div& tiles) {
        outer = quotient(blockIdx.x, tiles);
        c0 = (blockIdx.x - outer * tiles.d) * columns.d;
        row = quotient(threadIdx.x, columns);
        c = threadIdx.x - row * columns.d;
        rows = quotient(256, columns);
        any = row < rows && c0 + c < s.inner;
    }
};

/// y = A x along one axis of x [outer,n,inner], y [outer,m,inner]; the line's window goes through shared memory, 16 KiB at a time.
/// One thread does 4 results; a block min(inner, 32) columns (the divisor `columns`) of 4 (256 / columns) results.
/// Grid of outer ceil(inner / columns), ceil(m / results of a block) blocks of 256; `tiles`: ceil(inner / columns).
/// name: correlate_forward
/// bytes: e outer (n + m) inner + e taps; flops: 2 outer m inner taps; at: outer=2, n=512, m=512, inner=1536, taps=25
extern "C" __global__ void __launch_bounds__(256)
    correlate_forward_f32(const float* __restrict__ x, const float* __restrict__ taps, float* __restrict__ y, Line s, Div columns, Div tiles) {
    __shared__ float tile[kTile];
    const Share me(s, columns, tiles);
    const int i0 = blockIdx.y * kEach * me.rows, width = columns.d;
    const int end = (min(i0 + kEach * me.rows, s.m) - 1) * s.stride + s.offset + s.taps;
    float sum[kEach] = {};
    for (int from = i0 * s.stride + s.offset; from < end; from += kTile / width) {
        const int many = min(kTile / width, end - from);
        __syncthreads();
        for (int e = threadIdx.x; e < many * width; e += 256) {
            const int k = quotient(e, columns), c = me.c0 + e - k * width;
            if (c < s.inner) tile[e] = x[(static_cast<long long>(me.outer) * s.n + border(from + k, s.n, s.mirror)) * s.inner + c];
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            const int i = i0 + me.row + k * me.rows, start = i * s.stride + s.offset;
            const int to = me.any && i < s.m ? min(from + many, start + s.taps) : from;
            for (int j = max(from, start); j < to; ++j) sum[k] = fmaf(taps[j - start], tile[(j - from) * width + me.c], sum[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
        const int i = i0 + me.row + k * me.rows;
        if (me.any && i < s.m) y[(static_cast<long long>(me.outer) * s.m + i) * s.inner + me.c0 + me.c] = sum[k];
    }
}

/// Which results i of the forward read place d + offset: those from `lo` to `hi`, with tap d - i stride.
__device__ __forceinline__ int lo(int d, const Line& s) { return d >= s.taps ? (d - s.taps) / s.stride + 1 : 0; }
__device__ __forceinline__ int hi(int d, const Line& s) { return min(s.m - 1, d / s.stride); }

/// What the forward would give back to one place of the endless line. y: the line's column.
__device__ __forceinline__ float gathered(const float* y, const float* taps, int place, const Line& s) {
    const int d = place - s.offset, last = hi(d, s);
    float sum = 0.0f;
    for (int i = lo(d, s); i <= last; ++i) sum = fmaf(taps[d - i * s.stride], y[static_cast<long long>(i) * s.inner], sum);
    return sum;
}

/// The sum of that over the places beyond the ends that are reflected to j.
__device__ __forceinline__ float reflected(const float* y, const float* taps, int j, const Line& s) {
    const int p = period(s.n, s.mirror), end = (s.m - 1) * s.stride + s.offset + s.taps;
    float sum = 0.0f;
    for (int place = first(j, s.offset, p); place < end; place += p) {
        if (place != j) sum += gathered(y, taps, place, s);
    }
    const int other = -j - s.mirror;
    if ((j - other) % p == 0) return sum; // the edge, reflected onto itself
    for (int place = first(other, s.offset, p); place < end; place += p) sum += gathered(y, taps, place, s);
    return sum;
}

/// x = A^T y, the adjoint of correlate_forward: what lies inside goes through shared memory, what the borders give back is read where it is.
/// As correlate_forward, with x and y, n and m exchanged.
/// name: correlate_vjp
/// bytes: e outer (n + m) inner + e taps; flops: 2 outer m inner taps; at: outer=2, n=512, m=512, inner=1536, taps=25
extern "C" __global__ void __launch_bounds__(256)
    correlate_vjp_f32(const float* __restrict__ y, const float* __restrict__ taps, float* __restrict__ x, Line s, Div columns, Div tiles) {
    __shared__ float tile[kTile];
    const Share me(s, columns, tiles);
    const int j0 = blockIdx.y * kEach * me.rows, width = columns.d;
    const float* line = y + static_cast<long long>(me.outer) * s.m * s.inner;
    const int end = hi(min(j0 + kEach * me.rows, s.n) - 1 - s.offset, s) + 1;
    float sum[kEach] = {};
    for (int from = lo(j0 - s.offset, s); from < end; from += kTile / width) {
        const int many = min(kTile / width, end - from);
        __syncthreads();
        for (int e = threadIdx.x; e < many * width; e += 256) {
            const int k = quotient(e, columns), c = me.c0 + e - k * width;
            if (c < s.inner) tile[e] = line[static_cast<long long>(from + k) * s.inner + c];
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            const int j = j0 + me.row + k * me.rows, d = j - s.offset;
            const int to = me.any && j < s.n ? min(from + many, hi(d, s) + 1) : from;
            for (int i = max(from, lo(d, s)); i < to; ++i) sum[k] = fmaf(taps[d - i * s.stride], tile[(i - from) * width + me.c], sum[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
        const int j = j0 + me.row + k * me.rows, c = me.c0 + me.c;
        if (me.any && j < s.n) x[(static_cast<long long>(me.outer) * s.n + j) * s.inner + c] = sum[k] + reflected(line + c, taps, j, s);
    }
}

/// y = mask x: x, y [B,H,W,3], mask [H,W], its own adjoint.
/// One thread does one pixel. Grid of (B H W + 255) / 256 blocks of 256; picture: H W. y may be x.
/// name: mask_forward
/// bytes: 24 n + 4 n; flops: 3 n; at: n=2*512*512
extern "C" __global__ void __launch_bounds__(256) mask_forward_f32(const float* x, const float* __restrict__ mask, float* y, int n, Div picture) {
    const long long i = thread_index();
    if (i >= n) return;
    const float m = mask[static_cast<int>(i) - quotient(static_cast<int>(i), picture) * picture.d];
    const float r = x[3 * i], g = x[3 * i + 1], b = x[3 * i + 2];
    y[3 * i] = m * r;
    y[3 * i + 1] = m * g;
    y[3 * i + 2] = m * b;
}

/// Pictures [B,h,w,3] and a kernel [kh,kw] whose place (up,left) lies on the pixel that it makes; `rows` of the window lie in shared memory at a time.
struct Plane {
    int h, w, kh, kw, up, left, rows;
};

/// A block makes 32 x 8 pixels, one a thread.
struct Pixel {
    int x, y;
    bool any;

    __device__ __forceinline__ explicit Pixel(const Plane& s) : x(blockIdx.x * 32 + threadIdx.x), y(blockIdx.y * 8 + threadIdx.y) { any = x < s.w && y < s.h; }
};

__device__ __forceinline__ void add(float (&sum)[3], float k, const float* pixel) {
#pragma unroll
    for (int c = 0; c < 3; ++c) sum[c] = fmaf(k, pixel[c], sum[c]);
}

/// y[b,i,j] = sum over u, v of k[u,v] x[b, i + u - up, j + v - left], the picture reflected at its ends, the edge once. A kernel's zeros are left out.
/// One thread does the three channels of a pixel; rows of the window go through shared memory, [rows,31 + kw,3] (the divisor: a row's floats).
/// Grid of ceil(w / 32), ceil(h / 8), B blocks of 32 x 8.
/// name: convolve_forward
/// bytes: 24 n + 4 k; flops: 6 n k; at: n=2*512*512, k=300
extern "C" __global__ void __launch_bounds__(256)
    convolve_forward_f32(const float* __restrict__ x, const float* __restrict__ kernel, float* __restrict__ y, Plane s, Div row) {
    extern __shared__ float window[];
    const Pixel me(s);
    const float* picture = x + static_cast<long long>(blockIdx.z) * s.h * s.w * 3;
    const int thread = threadIdx.y * 32 + threadIdx.x;
    float sum[3] = {};
    for (int from = 0; from < 7 + s.kh; from += s.rows) {
        const int many = min(s.rows, 7 + s.kh - from);
        __syncthreads();
        for (int e = thread; e < many * row.d; e += 256) {
            const int r = quotient(e, row), column = (e - r * row.d) / 3, c = e - r * row.d - 3 * column;
            const int at = border(static_cast<int>(blockIdx.y) * 8 + from + r - s.up, s.h, 0);
            window[e] = picture[(static_cast<long long>(at) * s.w + border(static_cast<int>(blockIdx.x) * 32 + column - s.left, s.w, 0)) * 3 + c];
        }
        __syncthreads();
        for (int r = 0; r < many; ++r) {
            const int u = from + r - static_cast<int>(threadIdx.y);
            if (!me.any || u < 0 || u >= s.kh) continue;
            for (int v = 0; v < s.kw; ++v) {
                const float k = kernel[u * s.kw + v];
                if (k != 0.0f) add(sum, k, window + r * row.d + 3 * (threadIdx.x + v));
            }
        }
    }
    if (me.any) {
        float* to = y + ((static_cast<long long>(blockIdx.z) * s.h + me.y) * s.w + me.x) * 3;
        to[0] = sum[0], to[1] = sum[1], to[2] = sum[2];
    }
}

/// What the forward gives back to place (i,j) of the endless reflected picture.
__device__ __forceinline__ void gathered(float (&sum)[3], const float* y, const float* kernel, int i, int j, const Plane& s) {
    const int v0 = max(0, j + s.left - s.w + 1), v1 = min(s.kw - 1, j + s.left);
    for (int u = max(0, i + s.up - s.h + 1); u <= min(s.kh - 1, i + s.up); ++u) {
        const float* row = y + (static_cast<long long>(i + s.up - u) * s.w + j + s.left) * 3;
#pragma unroll 1
        for (int v = v0; v <= v1; ++v) {
            const float k = kernel[u * s.kw + v];
            if (k != 0.0f) add(sum, k, row - 3 * v);
        }
    }
}

/// The places that are reflected to `at`, of a line of n with `before` places more in front and `after` behind, one after another; a copy of
/// the line turned round comes after the straight one.
struct Places {
    int at, p, end, place, turned;
    bool straight;

    __device__ __forceinline__ Places(int at, int n, int before, int after)
        : at(at), p(period(n, 0)), end(n + after), place(first(at, -before, p)), turned(first(-at, -before, p)), straight(true) {
        if (2 * at % p == 0) turned = end; // the edge, reflected onto itself
        settle();
    }

    __device__ __forceinline__ bool more() const { return place < end; }

    __device__ __forceinline__ void next() {
        place += p;
        settle();
    }

    __device__ __forceinline__ void settle() {
        if (straight && place >= end) place = turned, straight = false;
    }
};

/// x = A^T y, the adjoint of convolve_forward: what lies inside goes through shared memory, what the borders give back is read where it is.
/// As convolve_forward.
/// name: convolve_vjp
/// bytes: 24 n + 4 k; flops: 6 n k; at: n=2*512*512, k=300
extern "C" __global__ void __launch_bounds__(256)
    convolve_vjp_f32(const float* __restrict__ y, const float* __restrict__ kernel, float* __restrict__ x, Plane s, Div row) {
    extern __shared__ float window[];
    const Pixel me(s);
    const float* picture = y + static_cast<long long>(blockIdx.z) * s.h * s.w * 3;
    const int thread = threadIdx.y * 32 + threadIdx.x;
    float sum[3] = {};
    for (int from = 0; from < 7 + s.kh; from += s.rows) {
        const int many = min(s.rows, 7 + s.kh - from);
        __syncthreads();
        for (int e = thread; e < many * row.d; e += 256) {
            const int r = quotient(e, row), column = (e - r * row.d) / 3, c = e - r * row.d - 3 * column;
            const int i = static_cast<int>(blockIdx.y) * 8 + from + r + s.up - s.kh + 1, j = static_cast<int>(blockIdx.x) * 32 + column + s.left - s.kw + 1;
            window[e] = i >= 0 && i < s.h && j >= 0 && j < s.w ? picture[(static_cast<long long>(i) * s.w + j) * 3 + c] : 0.0f;
        }
        __syncthreads();
        for (int r = 0; r < many; ++r) {
            const int u = s.kh - 1 - from - r + static_cast<int>(threadIdx.y);
            if (!me.any || u < 0 || u >= s.kh) continue;
            for (int v = 0; v < s.kw; ++v) {
                const float k = kernel[u * s.kw + v];
                if (k != 0.0f) add(sum, k, window + r * row.d + 3 * (threadIdx.x + s.kw - 1 - v));
            }
        }
    }
    if (me.any) {
        for (Places i(me.y, s.h, s.up, s.kh - 1 - s.up); i.more(); i.next()) {
            for (Places j(me.x, s.w, s.left, s.kw - 1 - s.left); j.more(); j.next()) {
                if (i.place != me.y || j.place != me.x) gathered(sum, picture, kernel, i.place, j.place, s);
            }
        }
        float* to = x + ((static_cast<long long>(blockIdx.z) * s.h + me.y) * s.w + me.x) * 3;
        to[0] = sum[0], to[1] = sum[1], to[2] = sum[2];
    }
}
