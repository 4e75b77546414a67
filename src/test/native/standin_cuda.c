// SPDX-License-Identifier: Apache-2.0
// A libcuda.so.1 without a card, for JcudaTest: host memory in place of a card's, each call told on standard error. It is compiled where the test finds a
// C compiler, and only has what device.cuda.Jcuda calls.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TELL(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), 0)

typedef uint64_t ptr;

static char *context = "context", *stream = "stream", *module = "module", *graph = "graph", *exec = "exec", *event = "event";

static const char *name(const void *p) { return p ? (const char *)p : "none"; }

int cuInit(unsigned flags) { return TELL("cuInit %u", flags); }
int cuDriverGetVersion(int *v) { *v = 12060; return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *d, int ordinal) { *d = ordinal; return 0; }
int cuDeviceGetName(char *to, int n, int d) { strncpy(to, "Stand-in", n); return 0; }
int cuDeviceTotalMem_v2(size_t *n, int d) { *n = (size_t)80 << 30; return 0; }
int cuDeviceGetAttribute(int *v, int which, int d) {
    *v = which == 75 ? 9 : which == 76 ? 0 : which == 16 ? 132 : which == 97 ? 232448 : -1;
    return 0;
}
int cuDevicePrimaryCtxRetain(void **c, int d) { *c = context; return TELL("cuDevicePrimaryCtxRetain %d", d); }
int cuDevicePrimaryCtxRelease_v2(int d) { return TELL("cuDevicePrimaryCtxRelease %d", d); }
int cuCtxSetCurrent(void *c) { return c == context ? 0 : TELL("cuCtxSetCurrent of no context") + 201; }
int cuMemAlloc_v2(ptr *p, size_t n) {
    if (n > (size_t)1 << 32) return 2;
    *p = (ptr)calloc(1, n);
    return TELL("cuMemAlloc %zu", n);
}
int cuMemFree_v2(ptr p) { free((void *)p); return TELL("cuMemFree"); }
int cuMemGetInfo_v2(size_t *f, size_t *t) { *f = 123 << 20; *t = (size_t)80 << 30; return 0; }
int cuMemAllocHost_v2(void **p, size_t n) { *p = malloc(n); return TELL("cuMemAllocHost %zu", n); }
int cuMemFreeHost(void *p) { free(p); return TELL("cuMemFreeHost"); }
int cuMemcpyHtoDAsync_v2(ptr to, const void *from, size_t n, void *s) { memcpy((void *)to, from, n); return TELL("cuMemcpyHtoDAsync %zu %s", n, name(s)); }
int cuMemcpyDtoHAsync_v2(void *to, ptr from, size_t n, void *s) { memcpy(to, (void *)from, n); return TELL("cuMemcpyDtoHAsync %zu %s", n, name(s)); }
int cuMemcpyDtoDAsync_v2(ptr to, ptr from, size_t n, void *s) { memcpy((void *)to, (void *)from, n); return TELL("cuMemcpyDtoDAsync %zu %s", n, name(s)); }
int cuMemsetD8Async(ptr to, unsigned char v, size_t n, void *s) { memset((void *)to, v, n); return TELL("cuMemsetD8Async %d %zu %s", v, n, name(s)); }
int cuStreamCreate(void **s, unsigned flags) { *s = stream; return TELL("cuStreamCreate %u", flags); }
int cuStreamDestroy_v2(void *s) { return TELL("cuStreamDestroy %s", name(s)); }
int cuStreamSynchronize(void *s) { return s == stream ? 0 : 400; }
int cuEventCreate(void **e, unsigned flags) { *e = event; return TELL("cuEventCreate %u", flags); }
int cuEventRecord(void *e, void *s) { return TELL("cuEventRecord %s %s", name(e), name(s)); }
int cuEventRecordWithFlags(void *e, void *s, unsigned flags) { return TELL("cuEventRecordWithFlags %s %s %u", name(e), name(s), flags); }
int cuEventElapsedTime(float *ms, void *from, void *to) { *ms = 0.5f; return 0; }
int cuEventDestroy_v2(void *e) { return TELL("cuEventDestroy %s", name(e)); }
int cuModuleLoadDataEx(void **m, const char *text, unsigned n, int *options, void **values) {
    TELL("cuModuleLoadDataEx %u options", n);
    if (strstr(text, ".version") == NULL) {
        for (unsigned i = 0; i < n; i++) {
            if (options[i] == 5) strcpy(values[i], "line 1; fatal: no version");
        }
        return 218;
    }
    *m = module;
    return 0;
}
int cuModuleUnload(void *m) { return TELL("cuModuleUnload %s", name(m)); }
int cuModuleGetFunction(void **f, void *m, const char *entry) {
    if (strcmp(entry, "absent") == 0) return 500;
    *f = strdup(entry);
    return TELL("cuModuleGetFunction %s %s", name(m), entry);
}
int cuFuncSetAttribute(void *f, int which, int v) { return TELL("cuFuncSetAttribute %s %d %d", name(f), which, v); }
// Every parameter is printed as the type that the test gives it: pointer to what was uploaded, float, int.
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void *s, void **p, void **extra) {
    return TELL("cuLaunchKernel %s <<<%u,%u,%u %u,%u,%u %u>>> %s: *%g %g %d", name(f), gx, gy, gz, bx, by, bz, shared, name(s), **(float **)p[0], *(float *)p[1],
            *(int *)p[2]);
}
int cuStreamBeginCapture_v2(void *s, int mode) { return TELL("cuStreamBeginCapture %s %d", name(s), mode); }
int cuStreamEndCapture(void *s, void **g) { *g = graph; return TELL("cuStreamEndCapture %s", name(s)); }
int cuGraphInstantiateWithFlags(void **x, void *g, unsigned long long flags) { *x = exec; return TELL("cuGraphInstantiate %s %llu", name(g), flags); }
int cuGraphLaunch(void *x, void *s) { return TELL("cuGraphLaunch %s %s", name(x), name(s)); }
int cuGraphDestroy(void *g) { return TELL("cuGraphDestroy %s", name(g)); }
int cuGraphExecDestroy(void *x) { return TELL("cuGraphExecDestroy %s", name(x)); }
int cuGetErrorName(int e, const char **s) { *s = e == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : e == 218 ? "CUDA_ERROR_INVALID_PTX" : e == 500 ? "CUDA_ERROR_NOT_FOUND" : "?"; return 0; }
int cuGetErrorString(int e, const char **s) { *s = e == 2 ? "out of memory" : e == 218 ? "a PTX JIT compilation failed" : e == 500 ? "named symbol not found" : "?"; return 0; }
