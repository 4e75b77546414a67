// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.Footprint;
import org.tweedie.device.OpTimes;
import org.tweedie.program.Program;

/** A device that reports how time was spent when it is closed. */
public final class TimedDevice implements Device {
    private final Device device;
    private final OpTimes times;
    private final Consumer<String> line;

    /** @param line takes each line of the report */
    public TimedDevice(Device device, OpTimes times, Consumer<String> line) {
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
    public long liveBytes() {
        return device.liveBytes();
    }

    @Override
    public long peakBytes() {
        return device.peakBytes();
    }

    @Override
    public Footprint footprint() {
        return device.footprint();
    }

    @Override
    public void close() {
        List<Map.Entry<OpTimes.Op, OpTimes.Total>> ops = times.ops();
        List<Map.Entry<String, OpTimes.Total>> runs = times.runs();
        if (ops.isEmpty()) {
            device.close();
            return;
        }
        try (device) {
            TimeTable.lines(ops, runs, best()).forEach(line);
        }
    }

    /**
     * Measures the best rates of the device. If the card has too little memory or has faulted, prints the reason and returns
     * null, so that the times measured before are still reported.
     */
    private Rates best() {
        try {
            return Rates.measure(device, times);
        } catch (RuntimeException e) {
            line.accept("the best rates of the device could not be measured: " + e.getMessage());
            return null;
        }
    }
}
