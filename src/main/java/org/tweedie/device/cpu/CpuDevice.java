// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import org.tweedie.device.Device;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.Program;

/**
 * This machine's processor in single precision: convolutions and matrix products by oneDNN, the rest by vector loops in Java, all on the
 * same threads. The same program, inputs, machine and number of threads give the same bytes. Loops of ours do not
 * depend on the number of threads; a few of oneDNN's convolutions do in their last bits (docs/numerics.md).
 */
public final class CpuDevice implements Device {
    final Native.Heap heap = new Native.Heap();
    final Parallel parallel;
    final PackedWeights weights;
    /** Constants of a program beyond so many bytes are held in one layout only; what else is needed is made of that at each run. */
    final long layoutLimit;
    private static final long LAYOUT_LIMIT = 1L << 30;
    /** Gets the time of each op, or null. */
    final OpTimes times;

    /** On all processors that the JVM may use. */
    public CpuDevice() {
        this(Runtime.getRuntime().availableProcessors());
    }

    /**
     * @throws IllegalArgumentException when there is not at least one thread
     * @throws UnsatisfiedLinkError when oneDNN cannot be loaded, telling why and what to do
     */
    public CpuDevice(int threads) {
        this(threads, null);
    }

    /** @param times gets the time of each op of each run, or null */
    public CpuDevice(int threads, OpTimes times) {
        this(threads, LAYOUT_LIMIT, times);
    }

    /** With another limit, for tests. */
    CpuDevice(int threads, long layoutLimit) {
        this(threads, layoutLimit, null);
    }

    private CpuDevice(int threads, long layoutLimit, OpTimes times) {
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
                + parallel.threads() + " threads";
    }

    @Override
    public CpuExecutable compile(Program program) {
        return new CpuExecutable(this, program, 0);
    }

    /** With unused bytes behind each buffer and an arena of NaN, for tests that look for reads and writes out of place. */
    CpuExecutable compileGuarded(Program program, int guard) {
        return new CpuExecutable(this, program, guard);
    }

    @Override
    public long liveBytes() {
        return heap.liveBytes();
    }

    /** @throws IllegalStateException when executables are still open */
    @Override
    public void close() {
        if (heap.liveBytes() != 0) {
            throw new IllegalStateException("device 'cpu' is closed while " + heap.liveBytes() + " bytes are live; close its executables before");
        }
        parallel.close();
    }
}
