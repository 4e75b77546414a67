// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.sim.Simulator;
import org.tweedie.ptx.launch.Memory;
import org.tweedie.ptx.launch.MachineOptions;

/** The PTX machine with every check on. */
final class MachineSite implements KernelSite {
    private final Arena arena = Arena.ofShared();
    private final Simulator simulator = new Simulator(new Memory(), MachineOptions.STRICT);

    @Override
    public long allocate(long bytes, int guard, byte mark) {
        long address = arena.allocate(bytes, 256).fill(mark).address();
        simulator.memory().map(address + guard, bytes - 2L * guard);
        return address;
    }

    @Override
    public void write(long address, MemorySegment bytes) {
        MemorySegment.ofAddress(address).reinterpret(bytes.byteSize()).copyFrom(bytes);
        simulator.memory().wrote(address, bytes.byteSize());
    }

    @Override
    public byte[] read(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes).toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void launch(Launch l) {
        simulator.launch(l);
    }

    @Override
    public void close() {
        arena.close();
    }
}
