// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Locale;
import org.tweedie.program.DType;

/**
 * The options with which a device is opened.
 *
 * @param threads number of threads of the processor that the device may use
 * @param real how to store what networks compute: F32, F16 or BF16; null lets the device choose
 * @param graphs whether a GPU gets a program as one graph of launches
 * @param card number of the GPU
 * @param times gets the time of each op, or null
 * @param nvtx whether NVIDIA's profilers are to see each run as a range
 * @param arena the most bytes of a program's arena; {@code Long.MAX_VALUE} sets no limit
 */
public record DeviceOptions(int threads, DType real, boolean graphs, int card, OpTimes times, boolean nvtx, long arena) {
    /** Options without a limit of arenas. */
    public DeviceOptions(int threads, DType real, boolean graphs, int card, OpTimes times, boolean nvtx) {
        this(threads, real, graphs, card, times, nvtx, Long.MAX_VALUE);
    }

    /** These options with a limit of arenas. */
    public DeviceOptions withArena(long bytes) {
        return new DeviceOptions(threads, real, graphs, card, times, nvtx, bytes);
    }

    /** This many threads, and all else as suits the device. */
    public static DeviceOptions threads(int threads) {
        return new DeviceOptions(threads, null, true, 0, null, false);
    }

    /** @throws IllegalArgumentException when a device that has no choice is given another type, or is to time what it does not */
    void require(String device, boolean timesOps) {
        if (real != null && real != DType.F32) {
            throw new IllegalArgumentException("device '" + device + "': expected dtype f32, got "
                    + real.name().toLowerCase(Locale.ROOT)
                    + "; 16 bits are for --device cuda and sim");
        }
        if (times != null && !timesOps) {
            throw new IllegalArgumentException("device '" + device
                    + "' does not time its ops; --time works with --device cpu and cuda");
        }
    }
}
