// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.plan.Elements;
import org.tweedie.program.DType;
import org.tweedie.program.Tensor;

/**
 * Page-locked host memory of an executable. Each input and output has its own part, so that all copies of a run are started
 * before any is waited for.
 */
final class Staging implements AutoCloseable {
    private static final long ALIGN = 256;

    private final Driver driver;
    private final MemorySegment memory;
    private final Map<String, MemorySegment> places = new LinkedHashMap<>();

    /**
     * Takes the memory.
     *
     * @param buffers the buffers, by names that are all different
     */
    Staging(Driver driver, Map<String, Buffer> buffers) {
        this.driver = driver;
        long bytes = 0;
        for (Buffer b : buffers.values()) {
            bytes += Math.ceilDiv(b.bytes(), ALIGN) * ALIGN;
        }
        memory = driver.allocateHost(Math.max(ALIGN, bytes));
        long at = 0;
        for (Map.Entry<String, Buffer> e : buffers.entrySet()) {
            places.put(e.getKey(), memory.asSlice(at, e.getValue().bytes()));
            at += Math.ceilDiv(e.getValue().bytes(), ALIGN) * ALIGN;
        }
    }

    /** Stores a tensor's elements as the device stores them, and returns the memory that holds them. */
    MemorySegment put(String name, Tensor x, DType as) {
        MemorySegment s = places.get(name);
        Elements.pack(x, 0, as, s);
        return s;
    }

    MemorySegment place(String name) {
        return places.get(name);
    }

    /** Returns what a copy from the device has brought, as a tensor of its own of F32 or I64. */
    Tensor get(String name, Buffer b) {
        Tensor stored = new Tensor(b.dtype(), b.shape(), places.get(name));
        return b.dtype() == DType.I64 ? Tensor.of(b.shape(), stored.longs()) : Tensor.of(b.shape(), stored.floats());
    }

    List<String> names() {
        return List.copyOf(places.keySet());
    }

    @Override
    public void close() {
        driver.freeHost(memory);
    }
}
