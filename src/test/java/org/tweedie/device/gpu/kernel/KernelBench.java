// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.tweedie.device.cuda.CardSite;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.DType;
import org.tweedie.program.Rounding;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * Memory and launches for kernels under test, on the PTX machine, or on a card with {@code -Dtweedie.device=cuda}: outputs start
 * as NaN, on the machine
 * uninitialised; each buffer has guard bytes on both sides. Close it when done: it looks at the guards.
 */
public final class KernelBench implements AutoCloseable {
    private static final int GUARD = 256;
    private static final byte MARK = (byte) 0xFF; // NaN in every floating-point type

    private record Block(long address, long bytes) {}

    private final KernelSite site = onCard() ? CardSite.open() : new MachineSite();
    private final List<Block> blocks = new ArrayList<>();

    /** Whether kernels run on a card, which stops at their faults and tells little of them. */
    public static boolean onCard() {
        return "cuda".equals(System.getProperty("tweedie.device"));
    }

    /** A buffer that holds numbers, rounded to its type. */
    public Buffer in(String name, DType dtype, Shape shape, double... x) {
        Buffer b = out(name, dtype, shape);
        MemorySegment s = MemorySegment.ofArray(new byte[Math.toIntExact(b.bytes())]);
        for (int i = 0; i < x.length; i++) {
            put(s, dtype, i, x[i]);
        }
        site.write(b.address(), s);
        return b;
    }

    public Buffer in(String name, DType dtype, Tensor x) {
        return in(name, dtype, x.shape(), x.doubles());
    }

    /** A buffer that holds these bytes, numbers or not. */
    public Buffer bits(String name, DType dtype, Shape shape, byte[] bits) {
        Buffer b = out(name, dtype, shape);
        site.write(b.address(), MemorySegment.ofArray(bits));
        return b;
    }

    /** A buffer that nothing has written. */
    public Buffer out(String name, DType dtype, Shape shape) {
        long bytes = shape.size() * dtype.bytes();
        long address = site.allocate(bytes + 2 * GUARD, GUARD, MARK);
        blocks.add(new Block(address, bytes + 2 * GUARD));
        return new Buffer(name, dtype, shape, address + GUARD);
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

    public void run(PlanStep s) {
        switch (s) {
            case Launch l -> site.launch(l);
            case LibraryCall c -> throw new IllegalArgumentException("bench: " + c.op() + " is a library's");
        }
    }

    public double[] read(Buffer b) {
        return new Tensor(b.dtype(), b.shape(), MemorySegment.ofArray(bytes(b))).doubles();
    }

    /** The bits of the elements. */
    public byte[] bytes(Buffer b) {
        return site.read(b.address(), b.bytes());
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
        for (Block b : blocks) {
            for (long at : new long[] {b.address, b.address + b.bytes - GUARD}) {
                for (byte x : site.read(at, GUARD)) {
                    if (x != MARK) {
                        throw new AssertionError("a kernel wrote outside of its buffers");
                    }
                }
            }
        }
        site.close();
    }
}
