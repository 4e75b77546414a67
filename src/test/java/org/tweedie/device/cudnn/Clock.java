// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import org.tweedie.device.cudnn.engine.Trials;

/** Gives trials host memory in place of device memory, and a clock that the test sets. */
final class Clock implements Trials {
    final Map<Long, Arena> live = new HashMap<>();
    final double[] seconds;
    int timed;
    long most = Long.MAX_VALUE;
    RuntimeException fault;
    Runnable afterwards = () -> { };
    LongConsumer onAllocate = bytes -> { };

    Clock(double... seconds) {
        this.seconds = seconds;
    }

    @Override
    public long allocate(long bytes) {
        await();
        if (bytes > most) {
            return 0;
        }
        Arena arena = Arena.ofConfined();
        MemorySegment s = arena.allocate(bytes, 256);
        live.put(s.address(), arena);
        onAllocate.accept(bytes);
        return s.address();
    }

    @Override
    public void free(long address) {
        live.remove(address).close();
    }

    @Override
    public void await() {
        if (fault != null) {
            throw fault;
        }
    }

    @Override
    public double seconds(Runnable run) {
        run.run();
        if (timed == seconds.length - 1) {
            afterwards.run();
        }
        return seconds[timed++];
    }
}
