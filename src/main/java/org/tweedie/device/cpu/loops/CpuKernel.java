// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.function.Function;

/**
 * An instruction made ready but for its addresses, which are known only when all memory is planned.
 *
 * @param scratch bytes of working memory while it runs
 * @param bind gives the step to run, once places are known
 */
public record CpuKernel(long scratch, Function<Places, Runnable> bind) {
    /** Addresses of an instruction's inputs, results and working memory. */
    public interface Places {
        long in(int i);

        long out(int i);

        long scratch();
    }

    /** A kernel that needs no working memory. */
    static CpuKernel of(Function<Places, Runnable> bind) {
        return new CpuKernel(0, bind);
    }
}
