// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.tweedie.program.DType;

/**
 * The options with which a device is opened.
 *
 * @param threads number of threads of the processor that the device may use
 * @param real how to store what networks compute: F32 on every device, BF16 on cpu, cuda and sim, F16 on cuda and sim; null lets
 *     the device take its default, {@link Devices#real}; {@link Devices#fastest} tells the fastest
 * @param graphs whether a GPU gets a program as one graph of launches
 * @param card number of the GPU
 * @param times gets the time of each op, or null
 * @param nvtx whether NVIDIA's profilers are to see each run as a range
 */
public record DeviceOptions(int threads, DType real, boolean graphs, int card, OpTimes times, boolean nvtx) {
    /** This many threads, and all else as suits the device. */
    public static DeviceOptions threads(int threads) {
        return new DeviceOptions(threads, null, true, 0, null, false);
    }

    /** These options with another type for what networks compute. */
    public DeviceOptions with(DType real) {
        return new DeviceOptions(threads, real, graphs, card, times, nvtx);
    }

    /**
     * @param types the types that the device has
     * @throws IllegalArgumentException when another type is asked for, or a device is to time its ops that does not
     */
    void require(String device, boolean timesOps, DType... types) {
        if (real != null && !List.of(types).contains(real)) {
            String has = Arrays.stream(types).map(t -> t.name().toLowerCase(Locale.ROOT)).collect(Collectors.joining(" or "));
            throw new IllegalArgumentException("device '" + device + "': expected dtype " + has + ", got "
                    + real.name().toLowerCase(Locale.ROOT) + "; bf16 is for --device cpu, cuda and sim, f16 for cuda and sim");
        }
        if (times != null && !timesOps) {
            throw new IllegalArgumentException("device '" + device
                    + "' does not time its ops; --time works with --device cpu and cuda");
        }
    }
}
