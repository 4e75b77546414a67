// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.tweedie.program.DType;

/** The oneDNN objects of one owner: descriptors, primitives and their argument lists. All are freed when it is closed. */
public final class Primitives implements AutoCloseable {
    public static final int SRC = 1;
    public static final int DST = 17;
    public static final int WEIGHTS = 33;
    public static final int BIAS = 41;
    static final int SCRATCHPAD = 80;
    public static final int DIFF_SRC = 129;
    public static final int DIFF_DST = 145;

    private static final int BF16 = 2;
    private static final int F32 = 3;
    private static final int TYPE_OF_DST = 0;
    private static final int TAG_ANY = 1;
    private static final int FORWARD_INFERENCE = 96;
    private static final int DIRECT = 1;
    private static final int QUERY_IMPL = 8;
    private static final int QUERY_WEIGHTS = 131;
    private static final int QUERY_SCRATCHPAD = 136;
    private static final int MAX_DIMS = 12;
    private static final int AVX512 = 0x27;
    private static final int AVX512_BF16 = 0xa7; // without the bit for VNNI

    private static final long ENGINE;
    private static final long STREAM;

    static {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(8);
            Dnnl.check((int) Dnnl.API.engineCreate().invokeExact(out.address(), 1, 0L), "dnnl_engine_create");
            ENGINE = out.get(ValueLayout.JAVA_LONG, 0);
            Dnnl.check((int) Dnnl.API.streamCreate().invokeExact(out.address(), ENGINE, 1), "dnnl_stream_create");
            STREAM = out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** A C call that returns a new object through its first argument. */
    private interface Creation {
        int at(long out) throws Throwable;
    }

    private interface Release {
        int run() throws Throwable;
    }

    /**
     * A primitive descriptor and the working memory that it needs.
     *
     * @param threads the number of threads that it is made for, whatever number runs it; 0 for the number that runs it
     */
    public record Descriptor(long pd, long scratch, String implementation, int threads) {}

    private final int threads;
    private final Arena arena = Arena.ofShared();
    private final Deque<Release> releases = new ArrayDeque<>();

    /** Makes convolutions for all processors. */
    public Primitives() {
        this(Runtime.getRuntime().availableProcessors());
    }

    /**
     * Makes convolutions for a number of threads. All owners with that number get the same bytes, on however many threads they
     * run them: see {@link ThreadLimit}.
     */
    public Primitives(int threads) {
        this.threads = threads;
    }

    private static long create(String name, Creation c) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment out = a.allocate(8);
            Dnnl.check(c.at(out.address()), name);
            return out.get(ValueLayout.JAVA_LONG, 0);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    private static MemorySegment dims(Arena a, long... x) {
        return a.allocateFrom(ValueLayout.JAVA_LONG, Arrays.copyOf(x, MAX_DIMS));
    }

    // ---- memory descriptors ------------------------------------------------------------------------------------

    private static int type(DType t) {
        return switch (t) {
            case F32 -> F32;
            case BF16 -> BF16;
            default -> throw new IllegalArgumentException("oneDNN: expected F32 or BF16, got " + t);
        };
    }

    /** Makes a strided layout of F32 or BF16 (strides are in elements). */
    public long layout(DType t, long[] dims, long[] strides) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment d = dims(a, dims);
            MemorySegment s = dims(a, strides);
            long md = create("dnnl_memory_desc_create_with_strides",
                    out -> (int) Dnnl.API.mdStrides().invokeExact(out, dims.length, d.address(), type(t), s.address()));
            releases.push(() -> (int) Dnnl.API.mdDestroy().invokeExact(md));
            return md;
        }
    }

    /** Makes a row-major layout of F32 or BF16. */
    public long dense(DType t, long... dims) {
        long[] strides = new long[dims.length];
        long n = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = n;
            n *= dims[i];
        }
        return layout(t, dims, strides);
    }

    /** Makes a layout of F32 or BF16 that the primitive may choose. */
    public long any(DType t, long... dims) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment d = dims(a, dims);
            long md = create("dnnl_memory_desc_create_with_tag",
                    out -> (int) Dnnl.API.mdTag().invokeExact(out, dims.length, d.address(), type(t), TAG_ANY));
            releases.push(() -> (int) Dnnl.API.mdDestroy().invokeExact(md));
            return md;
        }
    }

    public static long bytes(long md) {
        try {
            return (long) Dnnl.API.mdSize().invokeExact(md);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    public static boolean same(long md, long other) {
        try {
            return (int) Dnnl.API.mdEqual().invokeExact(md, other) != 0;
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Copies a descriptor; the copy outlives its owner, until {@link #destroy}. */
    public static long copyOf(long md) {
        return create("dnnl_memory_desc_clone", out -> (int) Dnnl.API.mdClone().invokeExact(out, md));
    }

    public static void destroy(long md) {
        try {
            Dnnl.check((int) Dnnl.API.mdDestroy().invokeExact(md), "dnnl_memory_desc_destroy");
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    // ---- primitive descriptors ---------------------------------------------------------------------------------

    /** Describes a convolution; bias may be 0. Paddings are top, left and bottom, right. */
    public Descriptor convolution(long src, long weights, long bias, long dst, int stride, long[] before, long[] after) {
        try (Arena a = Arena.ofConfined()) {
            long s = dims(a, stride, stride).address();
            long dilation = dims(a).address();
            long l = dims(a, before).address();
            long r = dims(a, after).address();
            return describe("convolution", false, threads, attr -> out -> (int) Dnnl.API.convForward().invokeExact(
                    out, ENGINE, FORWARD_INFERENCE, DIRECT, src, weights, bias, dst, s, dilation, l, r, attr));
        }
    }

    /** Describes the adjoint of a convolution with respect to its image. oneDNN takes the forward descriptor as a hint. */
    public Descriptor convolutionVjp(long diffSrc, long weights, long diffDst, int stride, long[] before, long[] after,
            Descriptor forward) {
        try (Arena a = Arena.ofConfined()) {
            long s = dims(a, stride, stride).address();
            long dilation = dims(a).address();
            long l = dims(a, before).address();
            long r = dims(a, after).address();
            return describe("convolution pull-back", false, threads, attr -> out -> (int) Dnnl.API.convBackwardData().invokeExact(
                    out, ENGINE, DIRECT, diffSrc, weights, diffDst, s, dilation, l, r, forward.pd, attr));
        }
    }

    /** Describes a matrix product; bias may be 0. With {@code accumulate} it is added to the content of dst. */
    public Descriptor matmul(long src, long weights, long bias, long dst, boolean accumulate) {
        return describe("matmul", accumulate, 0,
                attr -> out -> (int) Dnnl.API.matmul().invokeExact(out, ENGINE, src, weights, bias, dst, attr));
    }

    public Descriptor reorder(long src, long dst) {
        return describe("reorder", false, 0,
                attr -> out -> (int) Dnnl.API.reorder().invokeExact(out, src, ENGINE, dst, ENGINE, attr));
    }

    private interface WithAttributes {
        Creation at(long attr);
    }

    private Descriptor describe(String name, boolean accumulate, int madeFor, WithAttributes make) {
        long attr = create("dnnl_primitive_attr_create", out -> (int) Dnnl.API.attrCreate().invokeExact(out));
        try {
            Dnnl.check((int) Dnnl.API.attrScratchpad().invokeExact(attr, 1), "dnnl_primitive_attr_set_scratchpad_mode");
            Dnnl.check((int) Dnnl.API.attrDeterministic().invokeExact(attr, 1), "dnnl_primitive_attr_set_deterministic");
            if (accumulate) {
                long ops = create("dnnl_post_ops_create", out -> (int) Dnnl.API.postOpsCreate().invokeExact(out));
                Dnnl.check((int) Dnnl.API.postOpsSum().invokeExact(ops, 1f, 0, TYPE_OF_DST), "dnnl_post_ops_append_sum");
                Dnnl.check((int) Dnnl.API.attrPostOps().invokeExact(attr, ops), "dnnl_primitive_attr_set_post_ops");
                Dnnl.check((int) Dnnl.API.postOpsDestroy().invokeExact(ops), "dnnl_post_ops_destroy");
            }
            long pd = madeFor == 0 ? create(name, make.at(attr)) : ThreadLimit.made(madeFor, () -> create(name, make.at(attr)));
            releases.push(() -> (int) Dnnl.API.pdDestroy().invokeExact(pd));
            return new Descriptor(pd, bytes(query(pd, QUERY_SCRATCHPAD)), implementation(pd), madeFor);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        } finally {
            try {
                int status = (int) Dnnl.API.attrDestroy().invokeExact(attr);
                Dnnl.check(status, "dnnl_primitive_attr_destroy");
            } catch (Throwable e) {
                throw Dnnl.rethrow(e);
            }
        }
    }

    private static long query(long pd, int what) {
        try {
            return (long) Dnnl.API.pdMd().invokeExact(pd, what, 0);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    private static String implementation(long pd) {
        long text = create("dnnl_primitive_desc_query", out -> (int) Dnnl.API.pdQuery().invokeExact(pd, QUERY_IMPL, 0, out));
        return Native.ALL.getString(text);
    }

    /** Returns the layout that a primitive chose for its weights, which lives as long as the descriptor. */
    public static long weights(Descriptor d) {
        return query(d.pd, QUERY_WEIGHTS);
    }

    // ---- primitives --------------------------------------------------------------------------------------------

    /** Makes a memory object for an argument at some address. */
    public long memory(long md, long address) {
        long m = create("dnnl_memory_create", out -> (int) Dnnl.API.memoryCreate().invokeExact(out, md, ENGINE, address));
        releases.push(() -> (int) Dnnl.API.memoryDestroy().invokeExact(m));
        return m;
    }

    static void move(long memory, long address) {
        try {
            Dnnl.check((int) Dnnl.API.memorySet().invokeExact(memory, address), "dnnl_memory_set_data_handle");
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /**
     * Prepares a primitive with its arguments, ready to run.
     *
     * @param scratch address of the descriptor's scratch bytes
     * @param args argument index and memory object, in turn
     */
    public Runnable prepare(Descriptor d, long scratch, long... args) {
        long primitive = primitive(d);
        releases.push(() -> (int) Dnnl.API.primitiveDestroy().invokeExact(primitive));
        int n = args.length / 2 + 1;
        MemorySegment list = arena.allocate(16L * n, 8);
        for (int i = 0; i < n - 1; i++) {
            list.set(ValueLayout.JAVA_INT, 16L * i, (int) args[2 * i]);
            list.set(ValueLayout.JAVA_LONG, 16L * i + 8, args[2 * i + 1]);
        }
        list.set(ValueLayout.JAVA_INT, 16L * (n - 1), SCRATCHPAD);
        list.set(ValueLayout.JAVA_LONG, 16L * (n - 1) + 8, memory(query(d.pd, QUERY_SCRATCHPAD), scratch));
        long address = list.address();
        return d.threads == 0 ? () -> execute(primitive, n, address)
                : ThreadLimit.step(d.threads, primitive, STREAM, n, address, arena);
    }

    /** Makes a primitive for the threads of its descriptor, by which oneDNN also looks for it among those that it keeps. */
    private static long primitive(Descriptor d) {
        Creation c = out -> (int) Dnnl.API.primitiveCreate().invokeExact(out, d.pd);
        try {
            return d.threads == 0 ? create("dnnl_primitive_create", c)
                    : ThreadLimit.made(d.threads, () -> create("dnnl_primitive_create", c));
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    private static void execute(long primitive, int n, long args) {
        try {
            Dnnl.check((int) Dnnl.API.primitiveExecute().invokeExact(primitive, STREAM, n, args), "dnnl_primitive_execute");
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Returns the version, for example "3.13.0". */
    public static String version() {
        try {
            long v = (long) Dnnl.API.version().invokeExact();
            return Native.ALL.get(Native.INT, v) + "." + Native.ALL.get(Native.INT, v + 4) + "."
                    + Native.ALL.get(Native.INT, v + 8);
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** The instruction set that oneDNN uses on this machine, a set of bits as in dnnl_cpu_isa_t. */
    private static int isaBits() {
        try {
            return (int) Dnnl.API.isa().invokeExact();
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
    }

    /** Returns the instruction set that oneDNN uses on this machine. */
    public static String isa() {
        int isa = isaBits();
        return switch (isa) {
            case 0x1 -> "SSE4.1";
            case 0x3 -> "AVX";
            case 0x7 -> "AVX2";
            case 0xf, 0x1f -> "AVX2-VNNI";
            case 0x27 -> "AVX-512";
            case 0x67 -> "AVX-512 VNNI";
            case 0xe7 -> "AVX-512 BF16";
            case 0x1ef -> "AVX-512 FP16";
            case 0xfef, 0x1fef -> "AMX";
            default -> "instruction set 0x" + Integer.toHexString(isa);
        };
    }

    /** Returns whether the processor multiplies BF16 numbers with instructions for it, so that products in BF16 are fast. */
    public static boolean isBf16Native() {
        return (isaBits() & AVX512_BF16) == AVX512_BF16;
    }

    /** Returns whether oneDNN has products in BF16 at all: where AVX-512 lacks the instructions, it emulates them. */
    public static boolean hasBf16() {
        return (isaBits() & AVX512) == AVX512;
    }

    @Override
    public void close() {
        try {
            while (!releases.isEmpty()) {
                Dnnl.check(releases.pop().run(), "release");
            }
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
        arena.close();
    }
}
