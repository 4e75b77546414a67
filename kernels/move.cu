// SPDX-License-Identifier: Apache-2.0
// What only moves elements: bits go through unchanged, in units of 2, 4, 8 or 16 bytes, the widest that fits. Twin: org.tweedie.device.gpu.Moves.
// Sizes and strides are in units. Each map is linear: its push-forward is itself, its adjoint another of these, or a sum (reduce.cu).
#include "axes.cuh"
#include "types.cuh"

/// Makes MACRO(type, suffix) for each width of a unit.
#define FOR_WIDTHS(MACRO) MACRO(unsigned short, b16) MACRO(unsigned, b32) MACRO(uint2, b64) MACRO(uint4, b128)

/// y = x read in another order: slices, transposes that keep the innermost axis, repetition (stride 0), plain copies.
/// One thread does one unit of y, which is contiguous. Grid of (n + 255) / 256 blocks of 256. from: where the first unit lies in x.
/// name: copy_forward
/// bytes: 2 e n; at: n=2*64*64*320
#define COPY(U, WIDTH)                                                                                                                   \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        copy_forward_##WIDTH(const U* __restrict__ x, U* __restrict__ y, int n, int from, Axes axes) {                                   \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        int ox, oy;                                                                                                                      \
        offsets(static_cast<int>(i), axes, ox, oy);                                                                                      \
        y[i] = x[from + ox];                                                                                                             \
    }
FOR_WIDTHS(COPY)

__device__ __forceinline__ unsigned word(unsigned short x) { return x | static_cast<unsigned>(x) << 16; }
__device__ __forceinline__ unsigned word(unsigned x) { return x; }
template <typename U> __device__ __forceinline__ uint4 repeat(U x) { return make_uint4(word(x), word(x), word(x), word(x)); }

/// y = x repeated along the innermost axis, which is whole 16 bytes of y: broadcasts from [..,1].
/// One thread does 16 bytes of y, from one unit of x. Grid of (n + 255) / 256 blocks of 256; n: threads.
/// name: fill_forward
/// bytes: 16 n; at: n=2*64*64*320/4
#define FILL(U, WIDTH)                                                                                                                   \
    extern "C" __global__ void __launch_bounds__(256) fill_forward_##WIDTH(const U* __restrict__ x, uint4* __restrict__ y, int n, Axes axes) { \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        int ox, oy;                                                                                                                      \
        offsets(static_cast<int>(i), axes, ox, oy);                                                                                      \
        y[i] = repeat(x[ox]);                                                                                                            \
    }
FILL(unsigned short, b16)
FILL(unsigned, b32)

/// A matrix x [p,q] with rows stride_x apart; y [q,p] with rows stride_y apart.
struct Tiled {
    int p, q, stride_x, stride_y, batches;
};

template <typename U> __device__ __forceinline__ void transpose(const U* x, U* y, const Tiled& s, const Axes& axes) {
    __shared__ U tile[32][33]; // a column more: columns then lie in different banks
    const int p0 = blockIdx.x * 32, q0 = blockIdx.y * 32, lane = threadIdx.x;
    for (int b = blockIdx.z; b < s.batches; b += gridDim.z) {
        int ox, oy;
        offsets(b, axes, ox, oy);
#pragma unroll
        for (int r = threadIdx.y; r < 32; r += 8) {
            if (p0 + r < s.p && q0 + lane < s.q) tile[r][lane] = x[ox + (p0 + r) * s.stride_x + q0 + lane];
        }
        __syncthreads();
#pragma unroll
        for (int r = threadIdx.y; r < 32; r += 8) {
            if (q0 + r < s.q && p0 + lane < s.p) y[oy + (q0 + r) * s.stride_y + p0 + lane] = tile[lane][r];
        }
        __syncthreads();
    }
}

/// y = x with its innermost axis (q) and another (p) exchanged, batch by batch: NHWC to NCHW and back, and every other transpose.
/// A block moves tiles of 32 x 32 through shared memory, both sides in whole rows; one thread 4 units of each tile.
/// Grid of (p + 31) / 32, (q + 31) / 32, min(batches, 1024) blocks of 32 x 8. axes: where a batch lies in x and y.
/// name: transpose_forward
/// bytes: 2 e n; at: n=2*64*64*320
#define TRANSPOSE(U, WIDTH)                                                                                                              \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        transpose_forward_##WIDTH(const U* __restrict__ x, U* __restrict__ y, Tiled size, Axes axes) {                                   \
        transpose(x, y, size, axes);                                                                                                     \
    }
TRANSPOSE(unsigned short, b16)
TRANSPOSE(unsigned, b32)
TRANSPOSE(uint2, b64)

template <typename U> __device__ __forceinline__ U zero() { return U{}; }

/// y [rows,before + m + after] = x [rows,m] with zeros around; its adjoint is a slice (copy_forward).
/// One thread does one unit of y. Grid of (n + 255) / 256 blocks of 256; n: units of y.
/// name: pad_forward
/// bytes: 2 e n; at: n=2*64*64*320
#define PAD(U, WIDTH)                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        pad_forward_##WIDTH(const U* __restrict__ x, U* __restrict__ y, int n, Div row, int before, int m) {                             \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        const int r = quotient(static_cast<int>(i), row), at = static_cast<int>(i) - r * row.d - before;                                 \
        y[i] = at >= 0 && at < m ? x[r * m + at] : zero<U>();                                                                            \
    }
FOR_WIDTHS(PAD)

/// Widths of up to four parts of a row; 0 where there is none.
struct Parts {
    int n0, n1, n2, n3;
};

/// Which part a place of a row is in; `at` becomes the place in that part's own memory.
template <typename P> __device__ __forceinline__ P part(P x0, P x1, P x2, P x3, const Parts& w, int row, int& at) {
    if (at < w.n0) return at += row * w.n0, x0;
    if ((at -= w.n0) < w.n1) return at += row * w.n1, x1;
    if ((at -= w.n1) < w.n2) return at += row * w.n2, x2;
    return at += row * w.n3 - w.n2, x3;
}

/// y [rows,total] = x0 | x1 | x2 | x3 at column `from` of each row. Absent parts have width 0.
/// One thread does one unit. Grid of (n + 255) / 256 blocks of 256; n = rows * (widths' sum), the divisor.
/// name: concat_forward
/// bytes: 2 e n; at: n=2*64*64*640
#define CONCAT(U, WIDTH)                                                                                                                 \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        concat_forward_##WIDTH(const U* __restrict__ x0, const U* __restrict__ x1, const U* __restrict__ x2, const U* __restrict__ x3,   \
                               U* __restrict__ y, int n, Div width, Parts parts, int from, int total) {                                  \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        const int row = quotient(static_cast<int>(i), width);                                                                            \
        int at = static_cast<int>(i) - row * width.d;                                                                                    \
        U* to = y + row * total + from + at;                                                                                             \
        const U* x = part(x0, x1, x2, x3, parts, row, at);                                                                               \
        *to = x[at];                                                                                                                     \
    }
FOR_WIDTHS(CONCAT)

/// Nearest-neighbour enlargement: x [B,H,W,C] to y [B,f H,f W,C]. Its adjoint is upsample_vjp (reduce.cu).
/// One thread reads one unit of x and writes it f f times. Grid of (n + 255) / 256 blocks of 256; n: units of x; c: C in units.
/// name: upsample_forward
/// bytes: e n + e n f f; at: n=2*32*32*640, f=2
#define UPSAMPLE(U, WIDTH)                                                                                                               \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        upsample_forward_##WIDTH(const U* __restrict__ x, U* __restrict__ y, int n, Div c, Div w, int f) {                               \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        const int pixel = quotient(static_cast<int>(i), c), line = quotient(pixel, w);                                                   \
        const int step = f * w.d * c.d; /* from line to line of y */                                                                     \
        U* to = y + static_cast<long long>(line) * f * step + (pixel - line * w.d) * f * c.d + (static_cast<int>(i) - pixel * c.d);      \
        const U value = x[i];                                                                                                            \
        for (int u = 0; u < f; ++u) {                                                                                                    \
            for (int v = 0; v < f; ++v) to[static_cast<long long>(u) * step + v * c.d] = value;                                          \
        }                                                                                                                                \
    }
FOR_WIDTHS(UPSAMPLE)

/// Rows of a table [V,C] picked by ids [n]: y [n,C]. An id outside of the table traps.
/// One thread does one unit of y. Grid of (n + 255) / 256 blocks of 256; n: units of y; c: C in units. A table takes no derivative.
/// name: gather_forward
/// bytes: 2 e n; at: n=2*77*768
#define GATHER(U, WIDTH)                                                                                                                 \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        gather_forward_##WIDTH(const U* __restrict__ table, const long long* __restrict__ ids, U* __restrict__ y, int n, Div c, int rows) { \
        const long long i = thread_index();                                                                                              \
        if (i >= n) return;                                                                                                              \
        const int r = quotient(static_cast<int>(i), c);                                                                                  \
        const long long id = ids[r];                                                                                                     \
        if (id < 0 || id >= rows) __trap();                                                                                              \
        y[i] = table[id * c.d + (static_cast<int>(i) - r * c.d)];                                                                        \
    }
FOR_WIDTHS(GATHER)
