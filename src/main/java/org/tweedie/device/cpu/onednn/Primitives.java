// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** The oneDNN objects of one owner: descriptors, primitives and their argument lists. All are freed when it is closed. */
public final class Primitives implements AutoCloseable {
    public static final int SRC = 1;
    public static final int DST = 17;
    public static final int WEIGHTS = 33;
    public static final int BIAS = 41;
    static final int SCRATCHPAD = 80;
    public static final int DIFF_SRC = 129;
    public static final int DIFF_DST = 145;

    private static final int F32 = 3;
    private static final int TAG_ANY = 1;
    private static final int FORWARD_INFERENCE = 96;
    private static final int DIRECT = 1;
    private static final int QUERY_IMPL = 8;
    private static final int QUERY_WEIGHTS = 131;
    private static final int QUERY_SCRATCHPAD = 136;
    private static final int MAX_DIMS = 12;

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

    /** A primitive descriptor and the working memory that it needs. */
    public record Descriptor(long pd, long scratch, String implementation) {}

    private final Arena arena = Arena.ofShared();
    private final Deque<Release> releases = new ArrayDeque<>();
    private final boolean describes;
    // A block of attention needs a dozen objects of a kilobyte, and there may be ten thousands of blocks: equal ones are shared.
    private final Map<String, Long> layouts = new HashMap<>();
    private final Map<Place, Long> memories = new HashMap<>();
    private final Map<Long, Long> primitives = new HashMap<>();

    /** Memory of a layout at an address. */
    private record Place(long md, long address) {}

    public Primitives() {
        this(false);
    }

    /** Makes an owner. @param describes whether it makes descriptors only, so that what it prepares does nothing */
    public Primitives(boolean describes) {
        this.describes = describes;
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

    /** Makes a strided F32 layout (strides are in elements). */
    public long layout(long[] dims, long[] strides) {
        return layouts.computeIfAbsent(Arrays.toString(dims) + Arrays.toString(strides), k -> newLayout(dims, strides));
    }

    private long newLayout(long[] dims, long[] strides) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment d = dims(a, dims);
            MemorySegment s = dims(a, strides);
            long md = create("dnnl_memory_desc_create_with_strides",
                    out -> (int) Dnnl.API.mdStrides().invokeExact(out, dims.length, d.address(), F32, s.address()));
            releases.push(() -> (int) Dnnl.API.mdDestroy().invokeExact(md));
            return md;
        }
    }

    /** Makes a row-major F32 layout. */
    public long dense(long... dims) {
        long[] strides = new long[dims.length];
        long n = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            strides[i] = n;
            n *= dims[i];
        }
        return layout(dims, strides);
    }

    /** Makes an F32 layout that the primitive may choose. */
    public long any(long... dims) {
        try (Arena a = Arena.ofConfined()) {
            MemorySegment d = dims(a, dims);
            long md = create("dnnl_memory_desc_create_with_tag",
                    out -> (int) Dnnl.API.mdTag().invokeExact(out, dims.length, d.address(), F32, TAG_ANY));
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
            return describe("convolution", false, attr -> out -> (int) Dnnl.API.convForward().invokeExact(
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
            return describe("convolution pull-back", false, attr -> out -> (int) Dnnl.API.convBackwardData().invokeExact(
                    out, ENGINE, DIRECT, diffSrc, weights, diffDst, s, dilation, l, r, forward.pd, attr));
        }
    }

    /** Describes a matrix product; bias may be 0. With {@code accumulate} it is added to the content of dst. */
    public Descriptor matmul(long src, long weights, long bias, long dst, boolean accumulate) {
        return describe("matmul", accumulate,
                attr -> out -> (int) Dnnl.API.matmul().invokeExact(out, ENGINE, src, weights, bias, dst, attr));
    }

    public Descriptor reorder(long src, long dst) {
        return describe("reorder", false,
                attr -> out -> (int) Dnnl.API.reorder().invokeExact(out, src, ENGINE, dst, ENGINE, attr));
    }

    private interface WithAttributes {
        Creation at(long attr);
    }

    private Descriptor describe(String name, boolean accumulate, WithAttributes make) {
        long attr = create("dnnl_primitive_attr_create", out -> (int) Dnnl.API.attrCreate().invokeExact(out));
        try {
            Dnnl.check((int) Dnnl.API.attrScratchpad().invokeExact(attr, 1), "dnnl_primitive_attr_set_scratchpad_mode");
            Dnnl.check((int) Dnnl.API.attrDeterministic().invokeExact(attr, 1), "dnnl_primitive_attr_set_deterministic");
            if (accumulate) {
                long ops = create("dnnl_post_ops_create", out -> (int) Dnnl.API.postOpsCreate().invokeExact(out));
                Dnnl.check((int) Dnnl.API.postOpsSum().invokeExact(ops, 1f, 0, F32), "dnnl_post_ops_append_sum");
                Dnnl.check((int) Dnnl.API.attrPostOps().invokeExact(attr, ops), "dnnl_primitive_attr_set_post_ops");
                Dnnl.check((int) Dnnl.API.postOpsDestroy().invokeExact(ops), "dnnl_post_ops_destroy");
            }
            long pd = create(name, make.at(attr));
            releases.push(() -> (int) Dnnl.API.pdDestroy().invokeExact(pd));
            return new Descriptor(pd, bytes(query(pd, QUERY_SCRATCHPAD)), implementation(pd));
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

    /** Returns a memory object for an argument at some address. */
    public long memory(long md, long address) {
        if (describes) {
            return 0;
        }
        return memories.computeIfAbsent(new Place(md, address), at -> {
            long m = create("dnnl_memory_create", out -> (int) Dnnl.API.memoryCreate().invokeExact(out, md, ENGINE, address));
            releases.push(() -> (int) Dnnl.API.memoryDestroy().invokeExact(m));
            return m;
        });
    }

    /**
     * Prepares a primitive with its arguments, ready to run.
     *
     * @param scratch address of the descriptor's scratch bytes
     * @param args argument index and memory object, in turn
     */
    public Runnable prepare(Descriptor d, long scratch, long... args) {
        if (describes) {
            return () -> { };
        }
        long primitive = primitives.computeIfAbsent(d.pd, pd -> {
            long made = create("dnnl_primitive_create", out -> (int) Dnnl.API.primitiveCreate().invokeExact(out, d.pd));
            releases.push(() -> (int) Dnnl.API.primitiveDestroy().invokeExact(made));
            return made;
        });
        int n = args.length / 2 + 1;
        MemorySegment list = arena.allocate(16L * n, 8);
        for (int i = 0; i < n - 1; i++) {
            list.set(ValueLayout.JAVA_INT, 16L * i, (int) args[2 * i]);
            list.set(ValueLayout.JAVA_LONG, 16L * i + 8, args[2 * i + 1]);
        }
        list.set(ValueLayout.JAVA_INT, 16L * (n - 1), SCRATCHPAD);
        list.set(ValueLayout.JAVA_LONG, 16L * (n - 1) + 8, memory(query(d.pd, QUERY_SCRATCHPAD), scratch));
        long address = list.address();
        return () -> execute(primitive, n, address);
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

    /** Returns the instruction set that oneDNN uses on this machine. */
    public static String isa() {
        try {
            int isa = (int) Dnnl.API.isa().invokeExact();
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
        } catch (Throwable e) {
            throw Dnnl.rethrow(e);
        }
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
