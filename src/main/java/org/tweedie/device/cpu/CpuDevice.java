// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import org.tweedie.device.Device;
import org.tweedie.device.Footprint;
import org.tweedie.device.OpTimes;
import org.tweedie.device.cpu.loops.VectorMath;
import org.tweedie.device.cpu.onednn.Native;
import org.tweedie.device.cpu.onednn.Parallel;
import org.tweedie.device.cpu.onednn.Primitives;
import org.tweedie.program.Program;

/**
 * This machine's processor in single precision. Convolutions and matrix products run in oneDNN, everything else in vector loops
 * in Java, all on the same threads. The same program, inputs, machine and number of threads give the same bytes. Our loops do not
 * depend on the number of threads; the last bits of a few of oneDNN's convolutions do (docs/numerics.md).
 */
public final class CpuDevice implements Device {
    final Native.Heap heap;
    final SharedArena arena;
    final Parallel parallel;
    final PackedWeights weights;
    /**
     * If a program's constants exceed this number of bytes, each is held in one layout only; other layouts that are needed are
     * made from it at each run.
     */
    final long layoutLimit;
    private static final long LAYOUT_LIMIT = 1L << 30;
    /** Receives the time of each op; may be null. */
    final OpTimes times;
    /** The most bytes of an arena. A program that takes more is compiled in a form that computes values again. */
    final long arenaLimit;
    /** Whether the device only plans: it takes no memory and runs nothing. */
    final boolean rehearses;

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
        this(threads, LAYOUT_LIMIT, times, Long.MAX_VALUE, false);
    }

    /**
     * Opens the device with a limit, or for a rehearsal.
     *
     * @param times receives the time of each op of each run; may be null
     * @param arenaLimit the most bytes of an arena
     * @param rehearses whether it is to plan programs and to count their memory only: it takes no memory for weights and arenas,
     *         and a run gives made-up numbers
     */
    public CpuDevice(int threads, OpTimes times, long arenaLimit, boolean rehearses) {
        this(threads, LAYOUT_LIMIT, times, arenaLimit, rehearses);
    }

    /** Opens the device with another limit, for tests. */
    CpuDevice(int threads, long layoutLimit) {
        this(threads, layoutLimit, null, Long.MAX_VALUE, false);
    }

    private CpuDevice(int threads, long layoutLimit, OpTimes times, long arenaLimit, boolean rehearses) {
        this.times = times;
        this.layoutLimit = layoutLimit;
        this.arenaLimit = arenaLimit;
        this.rehearses = rehearses;
        heap = new Native.Heap(rehearses);
        arena = new SharedArena(rehearses);
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
        return heap.liveBytes() + arena.bytes();
    }

    @Override
    public Footprint footprint() {
        return new Footprint(heap.peakBytes(), arena.peak());
    }

    @Override
    public long peakBytes() {
        return footprint().bytes();
    }

    /**
     * Closes the device.
     *
     * @throws IllegalStateException when executables are still open
     */
    @Override
    public void close() {
        if (liveBytes() != 0) {
            throw new IllegalStateException("device 'cpu' is closed while " + liveBytes()
                    + " bytes are live; close its executables before");
        }
        arena.close();
        parallel.close();
        Native.trim();
    }
}
