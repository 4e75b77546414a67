// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import org.tweedie.device.Device;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Program;

/**
 * This machine's processor. It stores what networks compute in F32 or BF16, and sums in F32. Convolutions and matrix products run
 * in oneDNN, everything else in vector loops in Java, all on the same threads. The same program, inputs, machine and number of
 * threads give the same bytes. Our loops do not depend on the number of threads; the last bits of a few of oneDNN's convolutions
 * do (docs/numerics.md).
 */
public final class CpuDevice implements Device {
    final Native.Heap heap = new Native.Heap();
    final Parallel parallel;
    final PackedWeights weights;
    /**
     * If a program's constants exceed this number of bytes, each is held in one layout only; other layouts that are needed are
     * made from it at each run.
     */
    final long layoutLimit;
    /** The type in which the values of networks are stored: F32 or BF16. */
    final DType real;
    /** Whether oneDNN has products in BF16 on this processor; where it has not, they are computed in F32. */
    final boolean brainProducts;
    private static final long LAYOUT_LIMIT = 1L << 30;
    /** Receives the time of each op; may be null. */
    final OpTimes times;

    /** Opens the device on all processors that the JVM may use. */
    public CpuDevice() {
        this(Runtime.getRuntime().availableProcessors());
    }

    /**
     * Opens the device on the given number of threads.
     *
     * @throws IllegalArgumentException when the number of threads is below one
     * @throws UnsatisfiedLinkError when oneDNN cannot be loaded, saying why and what to do
     */
    public CpuDevice(int threads) {
        this(threads, null);
    }

    /**
     * Opens the device and measures ops.
     *
     * @param times receives the time of each op of each run; may be null
     */
    public CpuDevice(int threads, OpTimes times) {
        this(threads, DType.F32, times);
    }

    /**
     * Opens the device.
     *
     * @param real the type in which the values of networks are stored: F32 or BF16
     * @param times receives the time of each op of each run; may be null
     * @throws IllegalArgumentException when the type is another
     */
    public CpuDevice(int threads, DType real, OpTimes times) {
        this(threads, real, Primitives.hasBf16(), LAYOUT_LIMIT, times);
    }

    /**
     * Returns the type in which networks run fastest on this processor: BF16 where it multiplies such numbers natively, else F32.
     *
     * @throws UnsatisfiedLinkError when oneDNN cannot be loaded
     */
    public static DType fastest() {
        return Primitives.isBf16Native() ? DType.BF16 : DType.F32;
    }

    /** Opens the device with another limit, or without products in BF16, for tests. */
    CpuDevice(int threads, DType real, boolean brainProducts, long layoutLimit) {
        this(threads, real, brainProducts, layoutLimit, null);
    }

    private CpuDevice(int threads, DType real, boolean brainProducts, long layoutLimit, OpTimes times) {
        if (real != DType.F32 && real != DType.BF16) {
            throw new IllegalArgumentException("device 'cpu': expected F32 or BF16, got " + real);
        }
        this.real = real;
        this.brainProducts = brainProducts;
        this.times = times;
        this.layoutLimit = layoutLimit;
        parallel = new Parallel(threads);
        parallel.enter();
        weights = new PackedWeights(heap, parallel);
    }

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        return "oneDNN " + Primitives.version() + " with " + Primitives.isa() + ", vectors of " + VectorMath.L + " floats, "
                + parallel.threads() + " threads, networks in " + real;
    }

    @Override
    public CpuExecutable compile(Program program) {
        return new CpuExecutable(this, program, 0);
    }

    @Override
    public long liveBytes() {
        return heap.liveBytes();
    }

    /**
     * Closes the device.
     *
     * @throws IllegalStateException when executables are still open
     */
    @Override
    public void close() {
        if (heap.liveBytes() != 0) {
            throw new IllegalStateException("device 'cpu' is closed while " + heap.liveBytes()
                    + " bytes are live; close its executables before");
        }
        parallel.close();
    }
}
