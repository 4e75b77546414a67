// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.device.cuda.driver.Jcuda;
import org.tweedie.device.gpu.kernel.KernelSite;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.nvidia.JcudaNatives;

/** Runs kernels under test on a card. */
public final class CardSite implements KernelSite {
    private final Driver driver;
    private final Driver.Stream stream;
    private final KernelModules modules;
    private final List<Long> blocks = new ArrayList<>();

    /**
     * Keeps a card.
     *
     * @param modules modules that stay open, so that not every case compiles the kernels again
     */
    CardSite(Driver driver, Driver.Stream stream, KernelModules modules) {
        this.driver = driver;
        this.stream = stream;
        this.modules = modules;
    }

    /** Returns the first card, which is opened once for all tests. */
    public static CardSite open() {
        First.DRIVER.makeCurrent(First.CONTEXT);
        return new CardSite(First.DRIVER, First.STREAM, First.MODULES);
    }

    private static final class First {
        static final Driver DRIVER = driver();
        static final Driver.Context CONTEXT = DRIVER.retain(0);
        static final Driver.Stream STREAM = DRIVER.stream();
        static final KernelModules MODULES = new KernelModules(DRIVER, new DeviceMemory(DRIVER), DRIVER.card(0).sharedMemory());

        private static Driver driver() {
            JcudaNatives.DRIVER.load();
            return new Jcuda();
        }
    }

    @Override
    public long allocate(long bytes, int guard, byte mark) {
        long address = driver.allocate(bytes);
        blocks.add(address);
        driver.fill(address, mark, bytes, stream);
        return address;
    }

    @Override
    public void write(long address, MemorySegment bytes) {
        try (Arena arena = Arena.ofConfined()) {
            driver.toDevice(address, arena.allocate(bytes.byteSize()).copyFrom(bytes), stream);
            driver.synchronize(stream);
        }
    }

    @Override
    public byte[] read(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment s = arena.allocate(bytes);
            driver.toHost(s, address, stream);
            driver.synchronize(stream);
            return s.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Override
    public void launch(Launch l) {
        try (Arena arena = Arena.ofConfined()) {
            driver.launch(modules.function(l), l.grid(), l.block(), l.shared(), stream, Parameters.of(l.args(), arena));
            driver.synchronize(stream);
        }
    }

    @Override
    public void close() {
        driver.synchronize(stream);
        blocks.forEach(driver::free);
    }
}
