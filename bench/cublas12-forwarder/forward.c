// SPDX-License-Identifier: Apache-2.0
//
// A libcublas.so.12 that hands each call on to cuBLAS 13. JCublas 12.6 asks for the versioned symbols of libcublas.so.12 and no other; what this
// project calls of it has the same C signatures in both. JCublas binds a function when it is first called, so those alone are listed.
//
// The library handed on to is libcublas.so.13 of the loader's search, or the file that TWEEDIE_CUBLAS13 names.
// Built by `build` beside this file.

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS(f) \
  f(cublasCreate_v2) f(cublasDestroy_v2) f(cublasGetVersion_v2) f(cublasGetProperty) f(cublasGetStatusName) f(cublasGetStatusString) \
  f(cublasSetStream_v2) f(cublasGetStream_v2) f(cublasSetWorkspace_v2) f(cublasSetMathMode) f(cublasGetMathMode) f(cublasSetPointerMode_v2) \
  f(cublasGetPointerMode_v2) f(cublasSetAtomicsMode) f(cublasGemmEx) f(cublasGemmStridedBatchedEx)

// Each function is one jump through a pointer, which leaves registers and stack as the caller laid them out, however many arguments there are.
#define DEFINE(name) \
  __attribute__((visibility("hidden"))) void *to_##name; \
  __asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n\tjmp *to_" #name "(%rip)\n.size " #name ",.-" #name "\n");
FUNCTIONS(DEFINE)

// What cannot be handed on answers CUBLAS_STATUS_NOT_INITIALIZED, so that the caller fails with its own words; ours stand before them.
static int absent(void) { return 1; }

static void find(void *library, const char *name, void **place) {
  *place = library ? dlsym(library, name) : NULL;
  if (!*place) {
    if (library) {
      fprintf(stderr, "libcublas.so.12 (forwarder): cuBLAS 13 has no %s; install cuBLAS 12\n", name);
    }
    *place = (void *)absent;
  }
}

__attribute__((constructor)) static void open_target(void) {
  const char *named = getenv("TWEEDIE_CUBLAS13");
  void *library = dlopen(named ? named : "libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "libcublas.so.12 (forwarder): %s; put the folder of libcublas.so.13 on LD_LIBRARY_PATH\n", dlerror());
  }
#define FIND(name) find(library, #name, &to_##name);
  FUNCTIONS(FIND)
}
