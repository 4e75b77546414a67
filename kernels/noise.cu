// SPDX-License-Identifier: Apache-2.0
// Random numbers drawn on the device; the sequences are defined on the page of org.tweedie.program.Philox.
#include "philox.cuh"

/// Elements `offset` .. `offset` + n - 1 of a sequence. One thread makes the numbers of one block of the generator, of which the first and the last thread may
/// need only some; whole blocks are stored at once where offset is a multiple of 4.
template <typename Kind, typename T> __device__ __forceinline__ void noise(T* out, const long long* key, long long n) {
    const unsigned long long offset = key[2];
    const long long b = thread_index();
    const int shift = static_cast<int>(offset & 3);
    const long long i = 4 * b - shift; // where the block's first number goes
    if (i >= n) return;
    const Quad q = Kind::of(philox_words(key, (offset >> 2) + b));
    if (shift == 0 && i + 4 <= n) {
        store_quad(out, i, q);
        return;
    }
#pragma unroll
    for (int k = 0; k < 4; k++) {
        if (i + k >= 0 && i + k < n) store(out, i + k, q.x[k]);
    }
}

/// Draws from a distribution, standard normal, +-1 or uniform on [0,1), by Philox4x32-10.
/// out [n]; key [3] of I64: seed, stream, offset of the first number. One thread makes four numbers; (n + 3 + 3) / 4 threads in blocks of 128.
/// Operations of normal numbers are in double and counted as they are; a GPU without fast double is slower.
/// name: noise_{normal,rademacher,uniform}
/// bytes: e n; flops: 40 n; at: n=2*64*64*4
#define NOISE(T, S)                                                                                                                                                 \
    extern "C" __global__ void noise_normal_##S(T* __restrict__ out, const long long* __restrict__ key, long long n) { noise<Normal>(out, key, n); }                \
    extern "C" __global__ void noise_rademacher_##S(T* __restrict__ out, const long long* __restrict__ key, long long n) { noise<Rademacher>(out, key, n); }        \
    extern "C" __global__ void noise_uniform_##S(T* __restrict__ out, const long long* __restrict__ key, long long n) { noise<Uniform>(out, key, n); }

FOR_FLOATS(NOISE)
