// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Type;
import org.tweedie.program.op.Op;

/**
 * Tells which ops a device's libraries do although we have kernels for them too; it is asked for each attention and each
 * pull-back of one. An attention that is done together with its push-forward stays ours.
 */
@FunctionalInterface
public interface Offer {
    Offer NONE = (op, in, stored) -> false;

    /**
     * Tells whether a library is to do it.
     *
     * @param in the operands' types, as in the program
     * @param stored type in which they and the results are stored, but for lse, which is F32
     */
    boolean takes(Op op, List<Type> in, DType stored);
}
