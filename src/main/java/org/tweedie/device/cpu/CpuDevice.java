// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import org.tweedie.device.Device;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Heap;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.Program;

/**
 * This machine's processor in single precision. Convolutions and matrix products run in oneDNN, everything else in vector loops
 * in Java, all on the same threads. The same program, inputs and machine give the same bytes on any number of threads
 * (docs/numerics.md).
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
        this(threads, Runtime.getRuntime().availableProcessors(), LAYOUT_LIMIT, times);
    }

    /** Opens the device with another limit, for tests. */
    CpuDevice(int threads, long layoutLimit) {
        this(threads, Runtime.getRuntime().availableProcessors(), layoutLimit, null);
    }

    /** Opens the device as on a machine with another number of processors, for tests. */
    static CpuDevice onMachine(int processors, int threads) {
        return new CpuDevice(threads, processors, LAYOUT_LIMIT, null);
    }

    private CpuDevice(int threads, int processors, long layoutLimit, OpTimes times) {
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
                + parallel.threads() + " threads";
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
