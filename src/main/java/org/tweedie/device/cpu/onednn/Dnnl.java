// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The functions of oneDNN's C API (dnnl.h) and of libgomp that the CPU device calls. Pointers are longs. If the libraries cannot
 * be loaded, the handles exist nevertheless and throw the reason when they are called.
 */
record Dnnl(
        MethodHandle version, // () -> dnnl_version_t*
        MethodHandle isa, // () -> dnnl_cpu_isa_t
        MethodHandle engineCreate, // (engine**, kind, index)
        MethodHandle streamCreate, // (stream**, engine, flags)
        MethodHandle mdStrides, // (md**, ndims, dims, type, strides)
        MethodHandle mdTag, // (md**, ndims, dims, type, tag)
        MethodHandle mdDestroy, // (md)
        MethodHandle mdSize, // (md) -> size_t
        MethodHandle mdClone, // (md**, md)
        MethodHandle mdEqual, // (md, md) -> int
        MethodHandle memoryCreate, // (memory**, md, engine, handle)
        MethodHandle memoryDestroy, // (memory)
        MethodHandle attrCreate, // (attr**)
        MethodHandle attrDestroy, // (attr)
        MethodHandle attrScratchpad, // (attr, mode)
        MethodHandle attrDeterministic, // (attr, int)
        MethodHandle attrPostOps, // (attr, ops)
        MethodHandle postOpsCreate, // (ops**)
        MethodHandle postOpsSum, // (ops, float scale, int zeroPoint, type)
        MethodHandle postOpsDestroy, // (ops)
        MethodHandle convForward, // (pd**, engine, prop, alg, src, weights, bias, dst, strides, dilates, padL, padR, attr)
        MethodHandle convBackwardData, // (pd**, engine, alg, dsrc, weights, ddst, strides, dilates, padL, padR, hint, attr)
        MethodHandle matmul, // (pd**, engine, src, weights, bias, dst, attr)
        MethodHandle reorder, // (pd**, src, engine, dst, engine, attr)
        MethodHandle pdMd, // (pd, query, index) -> md
        MethodHandle pdQuery, // (pd, query, index, result*)
        MethodHandle pdDestroy, // (pd)
        MethodHandle primitiveCreate, // (primitive**, pd)
        MethodHandle primitiveExecute, // (primitive, stream, nargs, args)
        MethodHandle primitiveDestroy, // (primitive)
        MethodHandle ompThreads, // omp_set_num_threads(int)
        MethodHandle gompParallel) { // GOMP_parallel(fn, data, threads, flags)

    /** This field is static and final, so that calls through it compile to direct calls. */
    static final Dnnl API = link();


    private static Dnnl link() {
        Throwable reason = null;
        try {
            DnnlLibrary.load();
        } catch (UnsatisfiedLinkError e) {
            reason = e;
        }
        Symbols s = new Symbols(SymbolLookup.loaderLookup(), reason);
        ValueLayout i = JAVA_INT;
        ValueLayout l = JAVA_LONG;
        return new Dnnl(
                s.find("dnnl_version", l),
                s.find("dnnl_get_effective_cpu_isa", i),
                s.find("dnnl_engine_create", i, l, i, l),
                s.find("dnnl_stream_create", i, l, l, i),
                s.find("dnnl_memory_desc_create_with_strides", i, l, i, l, i, l),
                s.find("dnnl_memory_desc_create_with_tag", i, l, i, l, i, i),
                s.find("dnnl_memory_desc_destroy", i, l),
                s.find("dnnl_memory_desc_get_size", l, l),
                s.find("dnnl_memory_desc_clone", i, l, l),
                s.find("dnnl_memory_desc_equal", i, l, l),
                s.find("dnnl_memory_create", i, l, l, l, l),
                s.find("dnnl_memory_destroy", i, l),
                s.find("dnnl_primitive_attr_create", i, l),
                s.find("dnnl_primitive_attr_destroy", i, l),
                s.find("dnnl_primitive_attr_set_scratchpad_mode", i, l, i),
                s.find("dnnl_primitive_attr_set_deterministic", i, l, i),
                s.find("dnnl_primitive_attr_set_post_ops", i, l, l),
                s.find("dnnl_post_ops_create", i, l),
                s.find("dnnl_post_ops_append_sum", i, l, JAVA_FLOAT, i, i),
                s.find("dnnl_post_ops_destroy", i, l),
                s.find("dnnl_convolution_forward_primitive_desc_create", i, l, l, i, i, l, l, l, l, l, l, l, l, l),
                s.find("dnnl_convolution_backward_data_primitive_desc_create", i, l, l, i, l, l, l, l, l, l, l, l, l),
                s.find("dnnl_matmul_primitive_desc_create", i, l, l, l, l, l, l, l),
                s.find("dnnl_reorder_primitive_desc_create", i, l, l, l, l, l, l),
                s.find("dnnl_primitive_desc_query_md", l, l, i, i),
                s.find("dnnl_primitive_desc_query", i, l, i, i, l),
                s.find("dnnl_primitive_desc_destroy", i, l),
                s.find("dnnl_primitive_create", i, l, l),
                s.find("dnnl_primitive_execute", i, l, l, i, l),
                s.find("dnnl_primitive_destroy", i, l),
                s.find("omp_set_num_threads", null, i),
                s.find("GOMP_parallel", null, l, l, i, i));
    }

    /** Links symbols, or makes handles that throw the reason why there are none. */
    private record Symbols(SymbolLookup lookup, Throwable reason) {
        MethodHandle find(String name, ValueLayout result, MemoryLayout... arguments) {
            FunctionDescriptor type = result == null ? FunctionDescriptor.ofVoid(arguments)
                    : FunctionDescriptor.of(result, arguments);
            if (reason == null) {
                return Linker.nativeLinker().downcallHandle(lookup.findOrThrow(name), type);
            }
            MethodHandle thrower = MethodHandles.insertArguments(
                    MethodHandles.throwException(type.toMethodType().returnType(), Throwable.class), 0, reason);
            return MethodHandles.dropArguments(thrower, 0, type.toMethodType().parameterList());
        }
    }

    /**
     * Checks a status.
     *
     * @throws IllegalStateException naming the call and oneDNN's status
     */
    static void check(int status, String call) {
        if (status != 0) {
            throw new IllegalStateException("oneDNN: " + call + " failed with status " + status + " (" + switch (status) {
                case 1 -> "out of memory";
                case 2 -> "invalid arguments";
                case 3 -> "unimplemented";
                case 5 -> "runtime error";
                default -> "see dnnl_common_types.h";
            } + ")");
        }
    }

    /** Returns what a handle threw, which these C functions never do, as an unchecked exception. */
    static RuntimeException rethrow(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        throw e instanceof RuntimeException r ? r : new IllegalStateException(e);
    }
}
