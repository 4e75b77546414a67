// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli.engine;

import java.io.IOException;
import org.tweedie.device.ByteSize;
import org.tweedie.device.Device;
import org.tweedie.device.DeviceOptions;
import org.tweedie.device.Devices;
import org.tweedie.device.Footprint;

/**
 * The memory that a process may take. Counted are the weights as the device holds them, the largest arena, and {@link #JVM} for
 * everything else. A rehearsal of the work finds out beforehand what it will take: it goes through the same code on a device
 * that only plans.
 *
 * @param bytes the limit
 * @param workers the number of processes that do the work at the same time beside one that only waits for them; 0 if this
 *         process does it itself
 */
public record MemoryLimit(long bytes, int workers) {
    /**
     * The allowance for the Java heap, the code of JVM and libraries, threads, and the pages of weight files that are being read.
     * The launcher bounds the garbage on the heap. {@code MemoryTest} measures a restoration against the limit.
     */
    public static final long JVM = 512L << 20;

    /** The work that a command will do, on whichever device it is given. */
    @FunctionalInterface
    public interface Work {
        void on(Device device) throws IOException;
    }

    /**
     * What work takes under a limit.
     *
     * @param arena the limit of arenas under which it fits; {@code Long.MAX_VALUE} if it needs none
     * @param footprint the weights and the largest arena under that limit
     */
    public record Fit(long arena, Footprint footprint) {}

    /** Returns the bytes of a process with such weights and arena. */
    public static long process(Footprint f) {
        return JVM + f.bytes();
    }

    /**
     * Finds the form in which work fits.
     *
     * @throws IllegalArgumentException when it does not fit in any, with the smallest limit under which it would
     */
    public Fit fit(String device, DeviceOptions options, Work work) throws IOException {
        long share = workers == 0 ? bytes : Math.max(0, bytes - JVM) / workers;
        Footprint free = rehearse(device, options, work);
        if (process(free) <= share) {
            return new Fit(share - JVM - free.weights(), free);
        }
        long arena = Math.max(0, share - JVM - free.weights());
        Footprint bound = rehearse(device, options.withArena(arena), work);
        if (process(bound) > share) {
            throw new IllegalArgumentException("--memory " + ByteSize.text(bytes) + ": this needs at least "
                    + ByteSize.text(workers == 0 ? process(bound) : JVM + workers * process(bound)) + ": "
                    + ByteSize.text(bound.weights()) + " of weights, " + ByteSize.text(bound.arena()) + " of arena and "
                    + ByteSize.text(JVM) + " for the JVM"
                    + (workers == 0 ? "; give more, or take a smaller picture" : " for each of " + workers
                    + " workers, and another JVM; give more, or fewer workers"));
        }
        return new Fit(arena, bound);
    }

    private static Footprint rehearse(String device, DeviceOptions options, Work work) throws IOException {
        try (Device rehearsal = Devices.rehearsal(device, options)) {
            work.on(rehearsal);
            return rehearsal.footprint();
        }
    }
}
