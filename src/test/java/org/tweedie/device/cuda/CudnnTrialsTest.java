// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tweedie.device.cuda.driver.CudaException;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.ptx.launch.MachineOptions;

/** Engines must be timed as they will run, in a graph, and no memory of a trial may be left, whatever happens. */
class CudnnTrialsTest {
    private static final Runnable FAULT = () -> {
        throw new CudaException("cuLaunchKernel", 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered");
    };
    private final MachineDriver driver = new MachineDriver(MachineOptions.running(1));
    private final Driver.Context context = driver.retain(0);
    private final Driver.Stream stream = driver.stream();
    private final DeviceMemory memory = new DeviceMemory(driver);
    private final CudnnTrials trials = new CudnnTrials(driver, stream, memory);

    @AfterEach
    void nothingStays() {
        memory.close();
        driver.destroy(stream);
        driver.release(0);
        driver.vendor.close();
        driver.assertNothingStays();
    }

    @Test
    void aGraphOfRunsIsTimed() {
        driver.makeCurrent(context);
        AtomicInteger runs = new AtomicInteger();
        assertTrue(trials.seconds(runs::incrementAndGet) > 0);
        assertEquals(5, runs.get(), "once to load, four times into the graph");
        assertEquals(3, driver.graphLaunches);
    }

    @Test
    void whatNoGraphTakesIsSlowestOfAll() {
        driver.failing.put("endCapture", new CudaException("cuStreamEndCapture", 901, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
                "operation failed due to a previous error during capture"));
        assertEquals(Double.POSITIVE_INFINITY, trials.seconds(() -> { }));
    }

    @Test
    void aFaultIsNoSlowness() {
        assertThrows(CudaException.class, () -> trials.seconds(FAULT));
    }

    @Test
    void waitingTellsOfAFault() {
        trials.await();
        driver.failing.put("synchronize", new CudaException("cuStreamSynchronize", 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                "an illegal memory access was encountered"));
        assertEquals(700, assertThrows(CudaException.class, trials::await).status());
    }

    @Test
    void memoryIsFilledAndGivenBack() {
        long a = trials.allocate(1000);
        assertTrue(driver.log.contains("fill 1000"), driver.log.toString());
        trials.free(a);
        assertEquals(0, memory.liveBytes());
    }

    @Test
    void onlyMemoryThatIsShortIsNoAddress() {
        assertEquals(0, trials.allocate(driver.capacity + 1));
        assertEquals(0, memory.liveBytes());
        for (String call : List.of("allocate", "fill")) {
            driver.failing.put(call, new CudaException(call, 700, "CUDA_ERROR_ILLEGAL_ADDRESS",
                    "an illegal memory access was encountered"));
            assertEquals(700, assertThrows(CudaException.class, () -> trials.allocate(1000), call).status());
            assertEquals(0, memory.liveBytes(), call);
        }
    }
}
