// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import org.tweedie.device.cudnn.Trials;

/** Memory and the card's clock for cuDNN's engines to be tried. */
final class CudnnTrials implements Trials {
    /** A byte of which F32, F16 and BF16 numbers of ordinary size are made: zeros would run faster than pictures do. */
    private static final byte ORDINARY = 0x3C;
    private static final int RUNS = 3;

    private final Driver driver;
    private final Driver.Stream stream;
    private final DeviceMemory memory;

    CudnnTrials(Driver driver, Driver.Stream stream, DeviceMemory memory) {
        this.driver = driver;
        this.stream = stream;
        this.memory = memory;
    }

    @Override
    public long allocate(long bytes) {
        long address = memory.allocate(bytes, "trials of cuDNN's engines");
        driver.fill(address, ORDINARY, bytes, stream);
        return address;
    }

    @Override
    public void free(long address) {
        memory.free(address);
    }

    /** The fastest of a few runs, after one that is not counted: it loads the kernel. */
    @Override
    public double seconds(Runnable run) {
        Driver.Event from = driver.event();
        Driver.Event to = driver.event();
        try {
            run.run();
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i < RUNS; i++) {
                driver.record(from, stream);
                run.run();
                driver.record(to, stream);
                driver.synchronize(stream);
                best = Math.min(best, driver.milliseconds(from, to) / 1000);
            }
            return best;
        } finally {
            driver.destroy(from);
            driver.destroy(to);
        }
    }
}
