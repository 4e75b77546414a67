// SPDX-License-Identifier: Apache-2.0
// Arithmetic element by element with numpy's broadcasting, casts, and the sinusoids of a time step. Twin: org.tweedie.device.gpu.Elementwise.
// Derivatives of these ops are these ops again (and sums: reduce.cu). A result may lie where an operand of the same shape lies:
// a thread reads its elements before it writes them, and no pointer of such a pair is __restrict__.
#include "axes.cuh"
#include "types.cuh"

struct Add { static __device__ __forceinline__ float of(float x, float y) { return x + y; } };
struct Sub { static __device__ __forceinline__ float of(float x, float y) { return x - y; } };
struct Mul { static __device__ __forceinline__ float of(float x, float y) { return x * y; } };
struct Div2 { static __device__ __forceinline__ float of(float x, float y) { return x / y; } };

/// V elements along the innermost axis: one after another, or one repeated.
template <typename T, int V> __device__ __forceinline__ void operand(const T* p, int stride, float (&v)[V]) {
    if (V > 1 && stride != 0) {
        if constexpr (V > 1) load_vec(p, v);
    } else {
        const float one = load(p, 0);
#pragma unroll
        for (int k = 0; k < V; ++k) v[k] = one;
    }
}

template <typename Op, typename T, int V> __device__ __forceinline__ void binary(const T* x, const T* y, T* z, int n, const Axes& axes) {
    const long long i = thread_index();
    if (i >= n) return;
    int ox, oy;
    offsets(static_cast<int>(i), axes, ox, oy);
    float a[V], b[V];
    operand(x + ox, axes.axis[0].x, a);
    operand(y + oy, axes.axis[0].y, b);
#pragma unroll
    for (int k = 0; k < V; ++k) a[k] = Op::of(a[k], b[k]);
    if constexpr (V > 1) {
        store_vec(z + i * V, a);
    } else {
        store(z, i, a[0]);
    }
}

/// z = x op y, shapes broadcast: neighbouring axes that move alike are joined (same shapes: one axis; a number: one; bias [C]: two).
/// One thread does one element, with _wide 16 bytes of z: then the innermost axis is whole vectors, and an operand has it or repeats it.
/// Grid of (threads + 255) / 256 blocks of 256. n: threads. z may be x or y.
/// name: {add,sub,mul,div}_forward {add,sub,mul,div}_forward_wide
/// bytes: 3 e n; flops: n; at: n=2*64*64*320
#define BINARY(NAME, OP, T, TYPE)                                                                                                        \
    extern "C" __global__ void __launch_bounds__(256) NAME##_forward_##TYPE(const T* x, const T* y, T* z, int n, Axes axes) {             \
        binary<OP, T, 1>(x, y, z, n, axes);                                                                                              \
    }                                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256) NAME##_forward_wide_##TYPE(const T* x, const T* y, T* z, int n, Axes axes) {        \
        binary<OP, T, kLanes<T>>(x, y, z, n, axes);                                                                                      \
    }
#define BINARIES(T, TYPE) BINARY(add, Add, T, TYPE) BINARY(sub, Sub, T, TYPE) BINARY(mul, Mul, T, TYPE) BINARY(div, Div2, T, TYPE)
FOR_FLOATS(BINARIES)

/// y = scale x + shift.
/// One thread does 16 bytes; the last also what is left. Grid of (ceil(n / lanes) + 255) / 256 blocks of 256. y may be x.
/// name: affine_forward
/// bytes: 2 e n; flops: 2 n; at: n=2*64*64*320
#define AFFINE(T, TYPE)                                                                                                                  \
    extern "C" __global__ void __launch_bounds__(256) affine_forward_##TYPE(const T* x, T* y, long long n, float scale, float shift) {    \
        constexpr int V = kLanes<T>;                                                                                                     \
        long long i = thread_index() * V;                                                                                                \
        if (i + V <= n) {                                                                                                                \
            float v[V];                                                                                                                  \
            load_vec(x + i, v);                                                                                                          \
            _Pragma("unroll") for (int k = 0; k < V; ++k) v[k] = fmaf(v[k], scale, shift);                                               \
            store_vec(y + i, v);                                                                                                         \
        } else {                                                                                                                         \
            for (; i < n; ++i) store(y, i, fmaf(load(x, i), scale, shift));                                                              \
        }                                                                                                                                \
    }
FOR_FLOATS(AFFINE)

template <typename T, int V> __device__ __forceinline__ void residual(const T* x, const T* bias, T* y, int n, const Div& c) {
    const long long i = thread_index();
    if (i >= n) return;
    float v[V], w[V];
    operand(x + i * V, 1, v);
    if (bias != nullptr) {
        operand(bias + static_cast<long long>(static_cast<int>(i) - quotient(static_cast<int>(i), c) * c.d) * V, 1, w);
#pragma unroll
        for (int k = 0; k < V; ++k) v[k] += w[k];
    }
    if constexpr (V > 1) {
        store_vec(y + i * V, v);
    } else {
        store(y, i, v[0]);
    }
}

/// y = x + bias: x, y [..,C], bias [C], which may be absent (null). Rounded once.
/// One thread does one element, with _wide 16 bytes (C is whole vectors). Grid of (threads + 255) / 256 blocks of 256.
/// n: threads; c: C in elements or vectors. y may be x.
/// name: residual_forward residual_forward_wide
/// bytes: 3 e n; flops: n; at: n=2*64*64*320
#define RESIDUAL(T, TYPE)                                                                                                                \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        residual_forward_##TYPE(const T* x, const T* __restrict__ bias, T* y, int n, Div c) {                                            \
        residual<T, 1>(x, bias, y, n, c);                                                                                                \
    }                                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256)                                                                                    \
        residual_forward_wide_##TYPE(const T* x, const T* __restrict__ bias, T* y, int n, Div c) {                                       \
        residual<T, kLanes<T>>(x, bias, y, n, c);                                                                                        \
    }
FOR_FLOATS(RESIDUAL)

template <typename T> __device__ __forceinline__ void load8(const T* p, float (&v)[8]) { load_vec(p, v); }

template <> __device__ __forceinline__ void load8<float>(const float* p, float (&v)[8]) {
    const float4 a = reinterpret_cast<const float4*>(p)[0], b = reinterpret_cast<const float4*>(p)[1];
    v[0] = a.x, v[1] = a.y, v[2] = a.z, v[3] = a.w, v[4] = b.x, v[5] = b.y, v[6] = b.z, v[7] = b.w;
}

template <typename T> __device__ __forceinline__ void store8(T* p, const float (&v)[8]) { store_vec(p, v); }

template <> __device__ __forceinline__ void store8<float>(float* p, const float (&v)[8]) {
    reinterpret_cast<float4*>(p)[0] = make_float4(v[0], v[1], v[2], v[3]);
    reinterpret_cast<float4*>(p)[1] = make_float4(v[4], v[5], v[6], v[7]);
}

#define CAST(T, U, NAME)                                                                                                                 \
    extern "C" __global__ void __launch_bounds__(256) NAME(const T* __restrict__ x, U* __restrict__ y, long long n) {                     \
        long long i = thread_index() * 8;                                                                                                \
        if (i + 8 <= n) {                                                                                                                \
            float v[8];                                                                                                                  \
            load8(x + i, v);                                                                                                             \
            store8(y + i, v);                                                                                                            \
        } else {                                                                                                                         \
            for (; i < n; ++i) store(y, i, load(x, i));                                                                                  \
        }                                                                                                                                \
    }

/// y = x in another type, rounded to nearest, ties to even.
/// One thread does 8 elements; the last also what is left. Grid of (ceil(n / 8) + 255) / 256 blocks of 256.
/// name: cast_f32_f16 cast_f32_bf16 cast_f16_f32 cast_bf16_f32
/// bytes: 6 n; at: n=2*64*64*320
CAST(float, half_t, cast_f32_f16)
CAST(float, bf16_t, cast_f32_bf16)
CAST(half_t, float, cast_f16_f32)
CAST(bf16_t, float, cast_bf16_f32)
