// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import org.tweedie.device.Device;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Heap;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.DType;
import org.tweedie.program.Program;

/**
 * This machine's processor. It stores what networks compute in F32 or BF16, and sums in F32. Convolutions and matrix products run
 * in oneDNN, everything else in vector loops in Java, all on the same threads. The same program, inputs and machine give the same
 * bytes on any number of threads (docs/numerics.md).
 */
public final class CpuDevice implements Device {
    final Heap heap = new Heap();
    final Parallel parallel;
    final PackedWeights weights;
    /** The threads that convolutions are made for, so that their sums have the same order on any number of threads. */
    final int processors;
    /**
     * If a program's constants exceed this number of bytes, each is held in one layout only; other layouts that are needed are
     * made from it at each run.
     */
    final long layoutLimit;
    /** The type in which the values of networks are stored: F32 or BF16. */
    final DType real;
    /** This is true if oneDNN has products in BF16 on this processor; if it has none, they are computed in F32. */
    final boolean brainProducts;
    private static final long LAYOUT_LIMIT = 1L << 30;
    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
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
        this(threads, PROCESSORS, real, Primitives.hasBf16(), LAYOUT_LIMIT, times);
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
        this(threads, PROCESSORS, real, brainProducts, layoutLimit, null);
    }

    /** Opens the device as on a machine with another number of processors, for tests. */
    static CpuDevice onMachine(int processors, int threads) {
        return new CpuDevice(threads, processors, DType.F32, Primitives.hasBf16(), LAYOUT_LIMIT, null);
    }

    private CpuDevice(int threads, int processors, DType real, boolean brainProducts, long layoutLimit, OpTimes times) {
        if (real != DType.F32 && real != DType.BF16) {
            throw new IllegalArgumentException("device 'cpu': expected F32 or BF16, got " + real);
        }
        this.real = real;
        this.brainProducts = brainProducts;
        this.times = times;
        this.processors = processors;
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
        heap.close();
        parallel.close();
    }
}
