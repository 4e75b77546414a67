// SPDX-License-Identifier: Apache-2.0
// A libcublas.so.12 without a card, for JcudaTest: tells what it is asked for.
#include <stddef.h>
#include <stdio.h>

#define TELL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), 0)

static char *handle = "handle";

int cublasCreate_v2(void **h) { *h = handle; return 0; }
int cublasDestroy_v2(void *h) { return TELL("cublasDestroy %s", (char *)h); }
int cublasSetStream_v2(void *h, void *s) { return TELL("cublasSetStream %s", (char *)s); }
int cublasSetWorkspace_v2(void *h, void *w, size_t n) { return TELL("cublasSetWorkspace %zu", n); }
int cublasSetMathMode(void *h, int m) { return TELL("cublasSetMathMode %d", m); }
int cublasGetVersion_v2(void *h, int *v) { *v = 120600; return 0; }
int cublasGemmEx(void *h, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int at, int lda, const float *b, int bt, int ldb, const float *beta,
        float *c, int ct, int ldc, int compute, int algo) {
    return TELL("cublasGemmEx %d%d %d,%d,%d %g a %g %d %d b %g %d %d beta %g c %d %d compute %d %d", ta, tb, m, n, k, *alpha, *a, at, lda, *b, bt, ldb, *beta, ct, ldc,
            compute, algo);
}
int cublasGemmStridedBatchedEx(void *h, int ta, int tb, int m, int n, int k, const float *alpha, const float *a, int at, int lda, long long sa, const float *b, int bt,
        int ldb, long long sb, const float *beta, float *c, int ct, int ldc, long long sc, int count, int compute, int algo) {
    if (count == 99) return 13;
    return TELL("cublasGemmStridedBatchedEx %d%d %d,%d,%d %g a %g %d %d %lld b %g %d %d %lld beta %g c %d %d %lld count %d compute %d %d", ta, tb, m, n, k, *alpha, *a, at,
            lda, sa, *b, bt, ldb, sb, *beta, ct, ldc, sc, count, compute, algo);
}
