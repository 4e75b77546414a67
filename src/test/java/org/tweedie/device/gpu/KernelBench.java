// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.tweedie.program.Rounding;
import org.tweedie.device.sim.Simulator;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.ptx.Memory;
import org.tweedie.ptx.Options;

/**
 * Memory and a machine for kernels under test: outputs start as NaN and uninitialised, each buffer has guard bytes on both sides, every check
 * of the machine is on. Close it when done: it looks at the guards.
 */
public final class KernelBench implements AutoCloseable {
    private static final int GUARD = 256;
    private static final byte MARK = (byte) 0xFF; // NaN in every floating-point type

    private final Arena arena = Arena.ofShared();
    private final List<MemorySegment> blocks = new ArrayList<>();
    private final Simulator simulator;

    public KernelBench() {
        this(Options.STRICT);
    }

    public KernelBench(Options options) {
        simulator = new Simulator(new Memory(), options);
    }

    /** A buffer that holds numbers, rounded to its type. */
    public Buffer in(String name, DType dtype, Shape shape, double... x) {
        Buffer b = out(name, dtype, shape);
        MemorySegment s = segment(b);
        for (int i = 0; i < x.length; i++) {
            put(s, dtype, i, x[i]);
        }
        simulator.memory().wrote(b.address(), b.bytes());
        return b;
    }

    public Buffer in(String name, DType dtype, Tensor x) {
        return in(name, dtype, x.shape(), x.doubles());
    }

    /** A buffer that holds these bytes, numbers or not. */
    public Buffer bits(String name, DType dtype, Shape shape, byte[] bits) {
        Buffer b = out(name, dtype, shape);
        segment(b).copyFrom(MemorySegment.ofArray(bits));
        simulator.memory().wrote(b.address(), b.bytes());
        return b;
    }

    /** A buffer that nothing has written. */
    public Buffer out(String name, DType dtype, Shape shape) {
        long bytes = shape.size() * dtype.bytes();
        MemorySegment block = arena.allocate(bytes + 2 * GUARD, 256);
        block.fill(MARK);
        blocks.add(block.asSlice(0, GUARD));
        blocks.add(block.asSlice(GUARD + bytes));
        long address = block.address() + GUARD;
        simulator.memory().map(address, bytes);
        return new Buffer(name, dtype, shape, address);
    }

    /** Working memory for a kernel. */
    public long scratch(long bytes) {
        return out("scratch", DType.U8, Shape.of(Math.toIntExact(bytes))).address();
    }

    /** Lowers by hand: runs the steps of a kernel on these buffers. */
    public void run(GpuKernel k, List<Buffer> in, List<Buffer> out) {
        long scratch = k.scratch() == 0 ? 0 : scratch(k.scratch());
        k.bind().apply(places(in::get, out::get, scratch)).forEach(this::run);
    }

    private static GpuKernel.Places places(IntFunction<Buffer> in, IntFunction<Buffer> out, long scratch) {
        return new GpuKernel.Places() {
            @Override
            public Buffer in(int i) {
                return in.apply(i);
            }

            @Override
            public Buffer out(int i) {
                return out.apply(i);
            }

            @Override
            public long scratch() {
                return scratch;
            }
        };
    }

    /** Name of the kernel that is launched first when all operands lie in one buffer. */
    public static String entry(GpuKernel k, Buffer all) {
        return ((Launch) k.bind().apply(places(i -> all, i -> all, 0)).getFirst()).entry();
    }

    public void run(Step s) {
        switch (s) {
            case Launch l -> simulator.launch(l);
            case LibraryCall c -> throw new IllegalArgumentException("bench: " + c.op() + " is a library's");
        }
    }

    public double[] read(Buffer b) {
        return new Tensor(b.dtype(), b.shape(), MemorySegment.ofArray(segment(b).toArray(ValueLayout.JAVA_BYTE))).doubles();
    }

    /** The bits of the elements. */
    public byte[] bytes(Buffer b) {
        return segment(b).toArray(ValueLayout.JAVA_BYTE);
    }

    private static MemorySegment segment(Buffer b) {
        return MemorySegment.ofAddress(b.address()).reinterpret(b.bytes());
    }

    private static void put(MemorySegment s, DType t, long i, double x) {
        switch (t) {
            case F32 -> s.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * i, (float) x);
            case F64 -> s.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * i, x);
            case F16 -> s.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i, Float.floatToFloat16((float) x));
            case BF16 -> s.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * i, Rounding.toBf16((float) x));
            case I64 -> s.set(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i, (long) x);
            default -> throw new IllegalArgumentException("bench: no " + t + " buffers");
        }
    }

    /** @throws AssertionError when a guard was written */
    @Override
    public void close() {
        for (MemorySegment s : blocks) {
            for (byte b : s.toArray(ValueLayout.JAVA_BYTE)) {
                if (b != MARK) {
                    throw new AssertionError("a kernel wrote outside of its buffers");
                }
            }
        }
        arena.close();
    }
}
