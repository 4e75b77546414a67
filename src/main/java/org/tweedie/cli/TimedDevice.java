// SPDX-License-Identifier: Apache-2.0
package org.tweedie.cli;

import java.util.Optional;
import java.util.function.Consumer;
import org.tweedie.device.Ceilings;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpTimes;
import org.tweedie.program.Program;

/** A device that tells where time went when it is closed. */
final class TimedDevice implements Device {
    private final Device device;
    private final OpTimes times;
    private final Consumer<String> line;

    TimedDevice(Device device, OpTimes times, Consumer<String> line) {
        this.device = device;
        this.times = times;
        this.line = line;
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public String description() {
        return device.description();
    }

    @Override
    public Executable compile(Program program) {
        return device.compile(program);
    }

    @Override
    public Optional<Ceilings> ceilings() {
        return device.ceilings();
    }

    @Override
    public long liveBytes() {
        return device.liveBytes();
    }

    @Override
    public void close() {
        Optional<Ceilings> best = times.ops().isEmpty() ? Optional.empty() : device.ceilings();
        device.close();
        if (!times.ops().isEmpty()) {
            TimeTable.lines(times, best.orElse(null)).forEach(line);
        }
    }
}
