// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.device.OpTimes;
import org.tweedie.program.Program;
import org.tweedie.program.op.Cost;

/** Tests the report of times: sums, shares and rates of ops by kind; no measured time is lost. */
class TimedDeviceTest {
    private static final OpTimes.Op CONV = new OpTimes.Op("unet", "conv_in", "Convolution", "cudnn eng1",
            new Cost(2_000_000_000, 1_000_000));
    private static final OpTimes.Op SUM = new OpTimes.Op("unet", "out", "Binary", "add_forward_f16", new Cost(1_000, 3_000_000));

    private static OpTimes times() {
        OpTimes times = new OpTimes();
        for (int i = 0; i < 2; i++) {
            times.add(CONV, 3e-3);
            times.add(SUM, 1e-3);
            times.addRun("unet", 4e-3);
        }
        return times;
    }

    @Test
    void sharesAndRates() {
        List<String> lines = TimeTable.lines(times().ops(), times().runs(), new Rates(4096, 1e12, 6e9));
        assertTrue(lines.get(1).matches("unet +2 +8\\.00 +4\\.000 +500\\.0"), lines.get(1)); // 2 GFLOP in 4 ms
        assertTrue(lines.get(4).matches("unet +Convolution +cudnn eng1 +2 +6\\.00 75\\.0 % +666\\.7 +0\\.3 +67 %"), lines.get(4));
        // bound by memory: 3 of 6 GB/s
        assertTrue(lines.get(5).matches("unet +Binary +add_forward_f16 +2 +2\\.00 25\\.0 % +0\\.0 +3\\.0 +50 %"), lines.get(5));
        assertTrue(lines.getLast().startsWith("best, measured just now: 1000.0 GFLOP/s in products of 4096 x 4096, 6.0 GB/s"),
                lines.getLast());
    }

    /** A GPU that has faulted, or has too little memory for two chains of products. */
    @Test
    void timesAreToldWhereTheDeviceCannotBeMeasured() {
        Broken device = new Broken();
        List<String> lines = new ArrayList<>();
        new TimedDevice(device, times(), lines::add).close();
        assertEquals("the best rates of the device could not be measured: no memory", lines.getFirst());
        assertTrue(lines.stream().anyMatch(l -> l.matches("unet +Convolution .* -")), lines.toString());
        assertTrue(device.closed);
    }

    private static final class Broken implements Device {
        private boolean closed;

        @Override
        public String name() {
            return "cpu";
        }

        @Override
        public String description() {
            return "broken";
        }

        @Override
        public Executable compile(Program program) {
            throw new IllegalStateException("no memory");
        }

        @Override
        public long liveBytes() {
            return 0;
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
