// SPDX-License-Identifier: Apache-2.0
// Activations y = f(x), their pull-backs g f'(x), push-forwards (y and ty at once), and GEGLU; arithmetic in F32, accesses of 16 bytes.
// The common ones have kernels of their own; `unary_..` knows every function of program/op/Fn.java at every order. Outputs may lie where inputs lie: a thread
// writes what it has read.
/// options: -default-device
#include "functions.cuh"
#include "pieces.cuh"

/// Calls f(first element, how many, 1 or a vector's worth, as the length of an array) for what a thread takes of n elements.
template <typename T, typename F> __device__ __forceinline__ void each(long long n, F f) {
    constexpr int V = Lanes<T>::n;
    const long long i = thread_index() * V;
    if (i + V <= n) {
        f(i, Length<V>());
    } else {
        for (long long k = i; k < n; k++) f(k, Length<1>());
    }
}

template <typename T, typename F> __device__ __forceinline__ void forward(const T* x, T* y, long long n) {
    each<T>(n, [&](long long i, auto length) {
        float a[length.value];
        load_n(x + i, a);
#pragma unroll
        for (float& v : a) v = F::value(v);
        store_n(y + i, a);
    });
}

/// y = g f(x), or with SLOPE g f'(x).
template <typename T, typename F, bool SLOPE> __device__ __forceinline__ void times(const T* x, const T* g, T* y, long long n) {
    each<T>(n, [&](long long i, auto length) {
        float a[length.value], b[length.value];
        load_n(x + i, a);
        load_n(g + i, b);
#pragma unroll
        for (int j = 0; j < length.value; j++) a[j] = b[j] * (SLOPE ? F::slope(a[j]) : F::value(a[j]));
        store_n(y + i, a);
    });
}

template <typename T, typename F> __device__ __forceinline__ void dual(const T* x, const T* tx, T* y, T* ty, long long n) {
    each<T>(n, [&](long long i, auto length) {
        float a[length.value], t[length.value];
        load_n(x + i, a);
        load_n(tx + i, t);
#pragma unroll
        for (int j = 0; j < length.value; j++) {
            float slope;
            F::both(a[j], a[j], slope);
            t[j] *= slope;
        }
        store_n(y + i, a);
        store_n(ty + i, t);
    });
}

// ---- any function of Fn, any order

/// Elements as they come in 16 bytes of memory. `next` takes the first out and puts y at the end: after as many calls as there are elements, all are replaced.
/// So one copy of a long function serves all elements of a vector, and nothing is indexed that lies in registers.
template <typename T> struct Turntable {
    uint4 w;

    __device__ __forceinline__ float front() const {
        if constexpr (sizeof(T) == 4) return __uint_as_float(w.x);
        else return to_float(T{static_cast<unsigned short>(w.x & 0xffffu)});
    }

    __device__ __forceinline__ void next(float y) {
        if constexpr (sizeof(T) == 4) {
            w = make_uint4(w.y, w.z, w.w, __float_as_uint(y));
        } else {
            const unsigned last = from_float<T>(y).bits;
            w = make_uint4(w.x >> 16 | w.y << 16, w.y >> 16 | w.z << 16, w.z >> 16 | w.w << 16, w.w >> 16 | last << 16);
        }
    }
};

template <typename T, bool TIMES> __device__ __forceinline__ void any(const T* x, const T* g, T* y, long long n, int fn, int order) {
    constexpr int V = Lanes<T>::n;
    const long long first = thread_index() * V;
    const bool whole = first + V <= n;
    Turntable<T> a = {}, b = {};
    if (whole) {
        a.w = *reinterpret_cast<const uint4*>(x + first);
        if (TIMES) b.w = *reinterpret_cast<const uint4*>(g + first);
    }
    const long long end = whole ? first + V : n;
#pragma unroll 1
    for (long long i = first; i < end; i++) {
        float v = function(fn, order, whole ? a.front() : load(x, i));
        if (TIMES) {
            v *= whole ? b.front() : load(g, i);
            b.next(0.0f);
        }
        a.next(v);
        if (!whole) store(y, i, v);
    }
    if (whole) *reinterpret_cast<uint4*>(y + first) = a.w;
}

// ---- GEGLU, a gelu(b) for x = [a, b] along the last axis

/// Calls f(offset of a's elements in x, offset in y, how many) for what a thread takes of row blockIdx.x.
template <typename T, typename F> __device__ __forceinline__ void each_of_row(int c, F f) {
    constexpr int V = Lanes<T>::n;
    const int i = (blockIdx.y * blockDim.x + threadIdx.x) * V;
    const long long row = blockIdx.x;
    if (c % V == 0) {
        if (i < c) f(row * 2 * c + i, row * c + i, Length<V>());
    } else {
        for (int k = i; k < min(i + V, c); k++) f(row * 2 * c + k, row * c + k, Length<1>());
    }
}

template <typename T> __device__ __forceinline__ void geglu(const T* x, T* y, int c) {
    each_of_row<T>(c, [&](long long from, long long to, auto length) {
        float a[length.value], b[length.value];
        load_n(x + from, a);
        load_n(x + from + c, b);
#pragma unroll
        for (int j = 0; j < length.value; j++) a[j] *= Gelu::value(b[j]);
        store_n(y + to, a);
    });
}

template <typename T> __device__ __forceinline__ void geglu_back(const T* x, const T* dy, T* dx, int c) {
    each_of_row<T>(c, [&](long long at, long long from, auto length) {
        float a[length.value], b[length.value], g[length.value];
        load_n(x + at, a);
        load_n(x + at + c, b);
        load_n(dy + from, g);
#pragma unroll
        for (int j = 0; j < length.value; j++) {
            float value, slope;
            Gelu::both(b[j], value, slope);
            b[j] = g[j] * a[j] * slope;
            a[j] = g[j] * value;
        }
        store_n(dx + at, a);
        store_n(dx + at + c, b);
    });
}

template <typename T> __device__ __forceinline__ void geglu_dual(const T* x, const T* tx, T* y, T* ty, int c) {
    each_of_row<T>(c, [&](long long at, long long to, auto length) {
        float a[length.value], b[length.value], ta[length.value], tb[length.value];
        load_n(x + at, a);
        load_n(x + at + c, b);
        load_n(tx + at, ta);
        load_n(tx + at + c, tb);
#pragma unroll
        for (int j = 0; j < length.value; j++) {
            float value, slope;
            Gelu::both(b[j], value, slope);
            ta[j] = fmaf(ta[j], value, a[j] * slope * tb[j]);
            a[j] *= value;
        }
        if (y) store_n(y + to, a);
        store_n(ty + to, ta);
    });
}

/// y = f(x): x [n] -> y [n], f = SiLU, exact GELU, CLIP's GELU x sigmoid(1.702 x).
/// One thread does 16 bytes, 4 or 8 elements, the last one by one. Grid of n / (256 V) blocks, rounded up, of 256 threads.
/// name: {silu,gelu,quick_gelu}_forward
/// bytes: 2 e n; flops: 20 n; at: n=2*4096*1280
#define FORWARD(T, name, F, suffix)                                                                                                                 \
    extern "C" __global__ void name##_forward_##suffix(const T* x, T* y, long long n) { forward<T, F>(x, y, n); }

/// Its pull-back: x, dy -> dx = dy f'(x).
/// Threads and grid as for the forward kernel.
/// name: {silu,gelu,quick_gelu}_vjp
/// bytes: 3 e n; flops: 25 n; at: n=2*4096*1280
#define VJP(T, name, F, suffix)                                                                                                                     \
    extern "C" __global__ void name##_vjp_##suffix(const T* x, const T* dy, T* dx, long long n) { times<T, F, true>(x, dy, dx, n); }

/// Its push-forward: x, tx -> y = f(x) and ty = tx f'(x) at once.
/// Threads and grid as for the forward kernel.
/// name: {silu,gelu,quick_gelu}_jvp
/// bytes: 4 e n; flops: 26 n; at: n=2*4096*1280
#define JVP(T, name, F, suffix)                                                                                                                     \
    extern "C" __global__ void name##_jvp_##suffix(const T* x, const T* tx, T* y, T* ty, long long n) { dual<T, F>(x, tx, y, ty, n); }

#define ALL(T, name, F, suffix) FORWARD(T, name, F, suffix) VJP(T, name, F, suffix) JVP(T, name, F, suffix)
#define ACTIVATIONS(T, suffix) ALL(T, silu, Silu, suffix) ALL(T, gelu, Gelu, suffix) ALL(T, quick_gelu, QuickGelu, suffix)
FOR_FLOATS(ACTIVATIONS)

/// A gate: x, g -> y = g gelu(x).
/// Threads and grid as for gelu_forward.
/// name: gelu_gate_forward
/// bytes: 3 e n; flops: 21 n; at: n=2*4096*1280
#define GATE(T, suffix)                                                                                                                             \
    extern "C" __global__ void gelu_gate_forward_##suffix(const T* x, const T* g, T* y, long long n) { times<T, Gelu, false>(x, g, y, n); }
FOR_FLOATS(GATE)

/// The derivative of order 0 to 3 of any function of Fn: x [n] -> y [n].
/// One thread does 16 bytes, one element after the other. Grid of n / (256 V) blocks, rounded up, of 256 threads.
/// name: unary_forward
/// bytes: 2 e n; flops: 25 n; at: n=2*4096*1280
#define UNARY(T, suffix)                                                                                                                            \
    extern "C" __global__ void unary_forward_##suffix(const T* x, T* y, long long n, int fn, int order) { any<T, false>(x, nullptr, y, n, fn, order); }
FOR_FLOATS(UNARY)

/// The same times g: x, g -> y = g f^(order)(x).
/// Threads and grid as for unary_forward.
/// name: unary_mul_forward
/// bytes: 3 e n; flops: 26 n; at: n=2*4096*1280
#define UNARY_MUL(T, suffix)                                                                                                                        \
    extern "C" __global__ void unary_mul_forward_##suffix(const T* x, const T* g, T* y, long long n, int fn, int order) {                           \
        any<T, true>(x, g, y, n, fn, order);                                                                                                        \
    }
FOR_FLOATS(UNARY_MUL)

/// GEGLU: x = [a, b] [R,2C] -> y = a gelu(b) [R,C].
/// One thread does 16 bytes of y. Grid of R x C / (256 V), rounded up, blocks of 256 threads.
/// name: geglu_forward
/// bytes: 3 e R C; flops: 21 R C; at: R=2*4096, C=1280
#define GEGLU(T, suffix)                                                                                                                            \
    extern "C" __global__ void geglu_forward_##suffix(const T* x, T* y, int c) { geglu(x, y, c); }
FOR_FLOATS(GEGLU)

/// Its pull-back: x, dy -> dx = [dy gelu(b), dy a gelu'(b)].
/// Threads and grid as for geglu_forward.
/// name: geglu_vjp
/// bytes: 5 e R C; flops: 30 R C; at: R=2*4096, C=1280
#define GEGLU_VJP(T, suffix)                                                                                                                        \
    extern "C" __global__ void geglu_vjp_##suffix(const T* x, const T* dy, T* dx, int c) { geglu_back(x, dy, dx, c); }
FOR_FLOATS(GEGLU_VJP)

/// Its push-forward: x, tx -> y and ty = ta gelu(b) + a gelu'(b) tb at once, or ty alone where y is null.
/// Threads and grid as for geglu_forward.
/// name: geglu_jvp
/// bytes: 6 e R C; flops: 32 R C; at: R=2*4096, C=1280
#define GEGLU_JVP(T, suffix)                                                                                                                        \
    extern "C" __global__ void geglu_jvp_##suffix(const T* x, const T* tx, T* y, T* ty, int c) { geglu_dual(x, tx, y, ty, c); }
FOR_FLOATS(GEGLU_JVP)
