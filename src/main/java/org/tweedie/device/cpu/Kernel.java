// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cpu;

import java.util.function.Function;

/**
 * An instruction made ready but for its addresses, which are known only when all memory is planned.
 *
 * @param scratch bytes of working memory while it runs
 * @param bind gives the step to run, once places are known
 */
record Kernel(long scratch, Function<Places, Runnable> bind) {
    /** Addresses of an instruction's inputs, results and working memory. */
    interface Places {
        long in(int i);

        long out(int i);

        long scratch();
    }

    /** A kernel that needs no working memory. */
    static Kernel of(Function<Places, Runnable> bind) {
        return new Kernel(0, bind);
    }
}
