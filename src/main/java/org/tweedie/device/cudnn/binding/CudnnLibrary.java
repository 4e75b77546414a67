// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The functions of libcudnn.so.9. If the library lacks a function, the object is made nevertheless; {@link #missing} then says
 * what is lacking, and calling such a function throws that error.
 */
public final class CudnnLibrary implements Backend {
    private static final int TEXT = 8192; // cuDNN cuts its message at this length
    private static final FunctionDescriptor OF_ADDRESS = FunctionDescriptor.of(JAVA_INT, JAVA_LONG);

    private final UnsatisfiedLinkError missing;
    private final MethodHandle version;
    private final MethodHandle errorString;
    private final MethodHandle lastErrorString;
    private final MethodHandle createHandle;
    private final MethodHandle destroyHandle;
    private final MethodHandle setStream;
    private final MethodHandle create;
    private final MethodHandle destroy;
    private final MethodHandle set;
    private final MethodHandle get;
    private final MethodHandle finish;
    private final MethodHandle execute;

    /**
     * Looks up the functions.
     *
     * @param symbols the symbols of a libcudnn.so.9 that is loaded
     */
    public CudnnLibrary(SymbolLookup symbols) {
        Functions f = new Functions(symbols);
        version = f.find("cudnnGetVersion", FunctionDescriptor.of(JAVA_LONG));
        errorString = f.find("cudnnGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
        lastErrorString = f.find("cudnnGetLastErrorString", FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG));
        createHandle = f.find("cudnnCreate", FunctionDescriptor.of(JAVA_INT, ADDRESS));
        destroyHandle = f.find("cudnnDestroy", OF_ADDRESS);
        setStream = f.find("cudnnSetStream", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));
        create = f.find("cudnnBackendCreateDescriptor", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
        destroy = f.find("cudnnBackendDestroyDescriptor", OF_ADDRESS);
        set = f.find("cudnnBackendSetAttribute", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG,
                ADDRESS));
        get = f.find("cudnnBackendGetAttribute", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG,
                ADDRESS, ADDRESS));
        finish = f.find("cudnnBackendFinalize", OF_ADDRESS);
        execute = f.find("cudnnBackendExecute", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
        missing = f.missing;
    }

    /** Returns why some functions cannot be called, or null. */
    public UnsatisfiedLinkError missing() {
        return missing;
    }

    @Override
    public long version() {
        try {
            return (long) version.invokeExact();
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public String describe(int status) {
        try (Arena arena = Arena.ofConfined()) {
            String name = ((MemorySegment) errorString.invokeExact(status)).reinterpret(Long.MAX_VALUE).getString(0);
            MemorySegment text = arena.allocate(TEXT);
            lastErrorString.invokeExact(text, (long) TEXT);
            String last = text.getString(0).strip();
            return name + " (" + status + ")" + (last.isEmpty() ? "" : ": " + last);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int createHandle(MemorySegment handle) {
        try {
            return (int) createHandle.invokeExact(handle);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int destroyHandle(long handle) {
        try {
            return (int) destroyHandle.invokeExact(handle);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int setStream(long handle, long stream) {
        try {
            return (int) setStream.invokeExact(handle, stream);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int create(int kind, MemorySegment descriptor) {
        try {
            return (int) create.invokeExact(kind, descriptor);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int destroy(long descriptor) {
        try {
            return (int) destroy.invokeExact(descriptor);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int set(long descriptor, int attribute, int type, long count, MemorySegment values) {
        try {
            return (int) set.invokeExact(descriptor, attribute, type, count, values);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int get(long descriptor, int attribute, int type, long room, MemorySegment count, MemorySegment values) {
        try {
            return (int) get.invokeExact(descriptor, attribute, type, room, count, values);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int finish(long descriptor) {
        try {
            return (int) finish.invokeExact(descriptor);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    @Override
    public int execute(long handle, long plan, long variantPack) {
        try {
            return (int) execute.invokeExact(handle, plan, variantPack);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** Returns what a method handle threw as an unchecked exception. An error is thrown on; C throws no checked exceptions. */
    private static RuntimeException rethrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException r ? r : new IllegalStateException("cuDNN: a call of a C function threw", e);
    }

    /** Looks functions up and remembers the first that does not exist. */
    private static final class Functions {
        private final SymbolLookup symbols;
        private UnsatisfiedLinkError missing;

        Functions(SymbolLookup symbols) {
            this.symbols = symbols;
        }

        MethodHandle find(String name, FunctionDescriptor type) {
            MemorySegment at = symbols.find(name).orElse(null);
            if (at != null) {
                return Linker.nativeLinker().downcallHandle(at, type);
            }
            if (missing == null) {
                missing = new UnsatisfiedLinkError("cuDNN: the library has no function " + name
                        + "; expected cuDNN 9 (libcudnn.so.9)");
            }
            MethodHandle thrower = MethodHandles.throwException(type.toMethodType().returnType(), Error.class).bindTo(missing);
            return MethodHandles.dropArguments(thrower, 0, type.toMethodType().parameterList());
        }
    }
}
