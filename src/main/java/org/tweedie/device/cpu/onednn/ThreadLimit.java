// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Makes primitives for a number of threads and runs them on fewer. oneDNN chooses the blocks of a convolution, and with them the
 * order of its sums, by the number of threads for which it is made, and asks libgomp for that number of threads when it runs.
 * Inside of a {@code teams} region with a thread limit libgomp gives fewer. A convolution then shares its blocks among these
 * threads: the same blocks, so the same bytes.
 */
final class ThreadLimit {
    private static final long STATUS = 0; // offsets in the call that an upcall makes
    private static final long COUNT = 4;
    private static final long PRIMITIVE = 8;
    private static final long STREAM = 16;
    private static final long ARGUMENTS = 24;
    private static final long CALL = 32;

    /** The address of a C function that does the call to which its argument points. */
    private static final long EXECUTE;

    static {
        try {
            MethodType type = MethodType.methodType(void.class, long.class);
            EXECUTE = Linker.nativeLinker().upcallStub(MethodHandles.lookup().findStatic(ThreadLimit.class, "call", type),
                    FunctionDescriptor.ofVoid(JAVA_LONG), Arena.global()).address();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private ThreadLimit() {}

    /** A call of C functions. */
    interface Making<T> {
        T make() throws Throwable;
    }

    /** Makes something while oneDNN believes that it has the given number of threads. */
    static <T> T made(int threads, Making<T> making) throws Throwable {
        int now = (int) Dnnl.API.ompMaxThreads().invokeExact();
        Dnnl.API.ompThreads().invokeExact(threads);
        try {
            return making.make();
        } finally {
            Dnnl.API.ompThreads().invokeExact(now);
        }
    }

    /**
     * Returns a step that runs a primitive which was made for a number of threads on no more threads than the caller has.
     *
     * @param arena holds the call as long as the step is used
     */
    static Runnable step(int threads, long primitive, long stream, int count, long arguments, Arena arena) {
        MemorySegment call = arena.allocate(CALL, 8);
        call.set(JAVA_INT, COUNT, count);
        call.set(JAVA_LONG, PRIMITIVE, primitive);
        call.set(JAVA_LONG, STREAM, stream);
        call.set(JAVA_LONG, ARGUMENTS, arguments);
        long at = call.address();
        return () -> {
            try {
                int limit = (int) Dnnl.API.ompMaxThreads().invokeExact();
                if (limit < threads) {
                    Dnnl.API.gompTeams().invokeExact(EXECUTE, at, 1, limit, 0);
                } else {
                    call(at);
                }
            } catch (Throwable e) {
                throw Dnnl.rethrow(e);
            }
            Dnnl.check(Native.ALL.get(Native.INT, at + STATUS), "dnnl_primitive_execute");
        };
    }

    private static void call(long at) {
        int status;
        try {
            status = (int) Dnnl.API.primitiveExecute().invokeExact(Native.ALL.get(Native.LONG, at + PRIMITIVE),
                    Native.ALL.get(Native.LONG, at + STREAM), Native.ALL.get(Native.INT, at + COUNT),
                    Native.ALL.get(Native.LONG, at + ARGUMENTS));
        } catch (Throwable e) {
            status = 5; // dnnl_runtime_error; an exception must not pass through C frames
        }
        Native.ALL.set(Native.INT, at + STATUS, status);
    }
}
