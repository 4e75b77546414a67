// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import java.util.List;
import org.tweedie.device.cuda.driver.Driver;
import org.tweedie.ptx.PtxModule;
import org.tweedie.ptx.execution.Entry;

/** The objects that {@link MachineDriver} returns where a driver returns handles. */
final class FakeHandles {
    /** A kernel may have this much dynamic shared memory unless it is permitted more. */
    private static final int USUAL_SHARED = 48 << 10;

    private FakeHandles() {}

    record FakeContext() implements Driver.Context {}

    record FakeStream(long address) implements Driver.Stream {}

    static final class FakeEvent implements Driver.Event {
        double at = Double.NaN;
    }

    record FakeModule(PtxModule code) implements Driver.Module {}

    static final class FakeFunction implements Driver.Function {
        final Entry entry;
        int allowed = USUAL_SHARED;

        FakeFunction(Entry entry) {
            this.entry = entry;
        }
    }

    record FakeGraph(List<Runnable> work) implements Driver.Graph {}
}
