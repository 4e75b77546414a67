// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.tweedie.device.Device;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.plan.Constant;
import org.tweedie.device.gpu.plan.Constants;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;

/**
 * Simulates a GPU: it runs plans launch by launch on the PTX machine, with its checks on, and computes the calls of a vendor's
 * library in double precision. It is slow, and serves to test kernels, launches and memory plans, and to try kernels.
 */
public final class SimDevice implements Device {
    private static final long ALIGN = 256;

    private final int threads;
    private final DType real;
    private final Offer offer;
    private final Map<Long, Arena> blocks = new HashMap<>();
    final Simulator simulator;
    final Library library;
    final Constants constants = new Constants(new Constants.Heap() {
        @Override
        public long upload(Constant c) {
            long address = allocate(c.bytes(), "constant '" + c.name() + "'");
            c.pack(0, MemorySegment.ofAddress(address).reinterpret(c.bytes()));
            simulator.memory().wrote(address, c.bytes());
            return address;
        }

        @Override
        public void free(long address, long bytes) {
            SimDevice.this.free(address);
        }
    });

    /**
     * A device that stores networks in F32, with all of the machine's checks but races.
     *
     * @throws IllegalArgumentException when there is not at least one thread
     */
    public SimDevice(int threads) {
        this(threads, DType.F32);
    }

    /** A device that stores networks in F32, F16 or BF16. */
    public SimDevice(int threads, DType real) {
        this(threads, real, MachineOptions.running(Math.max(1, threads)));
    }

    /**
     * @param threads number of threads of the library's part
     * @param real type in which the values of networks are stored: F32, F16 or BF16
     * @param options options of the machine
     */
    public SimDevice(int threads, DType real, MachineOptions options) {
        this(threads, real, options, Offer.NONE);
    }

    /** A device whose library does more than it must. */
    SimDevice(int threads, DType real, MachineOptions options, Offer offer) {
        if (threads < 1) {
            throw new IllegalArgumentException("device 'sim': expected at least 1 thread, got " + threads);
        }
        this.threads = threads;
        this.real = real;
        this.offer = offer;
        this.simulator = new Simulator(new Memory(), options);
        this.library = new Library(threads);
    }

    @Override
    public String name() {
        return "sim";
    }

    @Override
    public String description() {
        return "the GPU's kernels on a PTX machine in Java, its libraries' part in double precision, " + threads
                + " threads; slow, for tests";
    }

    @Override
    public SimExecutable compile(Program program) {
        return new SimExecutable(this, Plan.of(program, real, offer), 0);
    }

    /**
     * Compiles with unused bytes behind each buffer and an arena of NaN, for tests that look for reads and writes out of place.
     */
    SimExecutable compileGuarded(Program program, int guard) {
        return new SimExecutable(this, Plan.of(program, real, offer, guard), guard);
    }

    /**
     * Allocates memory of the machine, of which nothing counts as written.
     *
     * @throws IllegalArgumentException when it is more than the machine can have in a piece
     */
    synchronized long allocate(long bytes, String what) {
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("device 'sim': " + what + " needs " + (bytes >> 20)
                    + " MiB, the machine takes 2047 at most; try a smaller image");
        }
        Arena arena = Arena.ofShared();
        long address = arena.allocate(Math.max(bytes, 1), ALIGN).address();
        simulator.memory().map(address, bytes);
        blocks.put(address, arena);
        return address;
    }

    synchronized void free(long address) {
        simulator.memory().unmap(address);
        blocks.remove(address).close();
    }

    @Override
    public long liveBytes() {
        return simulator.memory().mapped();
    }

    /** @throws IllegalStateException when executables are still open */
    @Override
    public void close() {
        if (liveBytes() != 0) {
            throw new IllegalStateException("device 'sim' is closed while " + liveBytes()
                    + " bytes are live; close its executables before");
        }
        library.close();
    }
}
