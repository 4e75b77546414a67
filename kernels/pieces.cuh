// SPDX-License-Identifier: Apache-2.0
// Accesses of 1, 2, 4 or (16 bits) 8 neighbouring elements, chosen by the length of the array, for loops whose pieces differ in length.
// The address must be a multiple of the access.
#pragma once
#include "types.cuh"

// Generic lambdas need the option -default-device, with which a constexpr variable would become one of the module: hence enums.

/// The length of an array as a type, to hand it to a generic lambda.
template <int N> struct Length {
    enum { value = N };
};

/// Elements of 16 bytes: 4 or 8.
template <typename T> struct Lanes {
    enum { n = 16 / sizeof(T) };
};

template <typename T> __device__ __forceinline__ void load_n(const T* p, float (&x)[1]) { x[0] = load(p, 0); }

__device__ __forceinline__ void load_n(const float* p, float (&x)[2]) {
    const float2 v = *reinterpret_cast<const float2*>(p);
    x[0] = v.x, x[1] = v.y;
}

template <typename T> __device__ __forceinline__ void load_n(const T* p, float (&x)[2]) { unpack2<T>(*reinterpret_cast<const unsigned*>(p), x[0], x[1]); }

__device__ __forceinline__ void load_n(const float* p, float (&x)[4]) { load_vec(p, x); }

template <typename T> __device__ __forceinline__ void load_n(const T* p, float (&x)[8]) { load_vec(p, x); }

template <typename T> __device__ __forceinline__ void load_n(const T* p, float (&x)[4]) {
    const uint2 v = *reinterpret_cast<const uint2*>(p);
    unpack2<T>(v.x, x[0], x[1]);
    unpack2<T>(v.y, x[2], x[3]);
}

template <typename T> __device__ __forceinline__ void store_n(T* p, const float (&x)[1]) { store(p, 0, x[0]); }

__device__ __forceinline__ void store_n(float* p, const float (&x)[2]) { *reinterpret_cast<float2*>(p) = make_float2(x[0], x[1]); }

template <typename T> __device__ __forceinline__ void store_n(T* p, const float (&x)[2]) { *reinterpret_cast<unsigned*>(p) = pack2<T>(x[0], x[1]); }

__device__ __forceinline__ void store_n(float* p, const float (&x)[4]) { store_vec(p, x); }

template <typename T> __device__ __forceinline__ void store_n(T* p, const float (&x)[8]) { store_vec(p, x); }

template <typename T> __device__ __forceinline__ void store_n(T* p, const float (&x)[4]) {
    *reinterpret_cast<uint2*>(p) = make_uint2(pack2<T>(x[0], x[1]), pack2<T>(x[2], x[3]));
}
