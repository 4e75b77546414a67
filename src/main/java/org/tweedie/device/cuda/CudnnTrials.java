// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import org.tweedie.device.Closing;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.cudnn.engine.Trials;

/** Gives cuDNN's trials of engines the card's memory and clock. */
final class CudnnTrials implements Trials {
    /** F32, F16 and BF16 numbers made of this byte have an ordinary size; zeros would run faster than pictures do. */
    private static final byte ORDINARY = 0x3C;
    /** The number of runs in the timed graph, and of launches of that graph. */
    private static final int RUNS = 4;
    private static final int TIMES = 3;

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
        long address;
        try {
            address = memory.allocate(bytes, "trials of cuDNN's engines");
        } catch (CudaException e) {
            if (e.outOfMemory()) {
                return 0;
            }
            throw e;
        }
        try {
            driver.fill(address, ORDINARY, bytes, stream);
        } catch (CudaException e) {
            memory.free(address);
            throw e;
        }
        return address;
    }

    @Override
    public void free(long address) {
        memory.free(address);
    }

    @Override
    public void await() {
        driver.synchronize(stream);
    }

    /**
     * Returns the shortest of a few times, after a run that is not counted and loads the kernels. Runs are timed as one graph, as
     * they will be launched later: if they were launched one by one, the time of a small kernel would be that of the host
     * preparing the call.
     */
    @Override
    public double seconds(Runnable run) {
        run.run();
        await();
        try (Closing closing = new Closing()) {
            Driver.Graph graph;
            try {
                graph = driver.capture(stream, () -> {
                    for (int i = 0; i < RUNS; i++) {
                        run.run();
                    }
                });
            } catch (CudaException e) {
                if (e.ofCapture()) {
                    return Double.POSITIVE_INFINITY;
                }
                throw e;
            }
            closing.add(() -> driver.destroy(graph));
            Driver.Event from = driver.event();
            closing.add(() -> driver.destroy(from));
            Driver.Event to = driver.event();
            closing.add(() -> driver.destroy(to));
            double best = Double.POSITIVE_INFINITY;
            for (int i = 0; i < TIMES; i++) {
                driver.record(from, stream);
                driver.launch(graph, stream);
                driver.record(to, stream);
                driver.synchronize(stream);
                best = Math.min(best, driver.milliseconds(from, to) / 1000 / RUNS);
            }
            return best;
        }
    }
}
