// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu.loops;

import java.util.function.Function;

/**
 * A kernel of an instruction that is ready except for its addresses, which are known only when all memory is planned.
 *
 * @param scratch bytes of working memory that it needs while it runs
 * @param bind returns the step to run, once addresses are known
 */
public record CpuKernel(long scratch, Function<Places, Runnable> bind) {
    /** The addresses of an instruction's inputs, results and working memory. */
    public interface Places {
        long in(int i);

        long out(int i);

        long scratch();
    }

    /** Makes a kernel that needs no working memory. */
    static CpuKernel of(Function<Places, Runnable> bind) {
        return new CpuKernel(0, bind);
    }
}
