// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.List;
import org.tweedie.program.op.Op;

/**
 * Work that a vendor's library does (cuBLAS, cuDNN); the simulator computes it as {@code reference} does.
 *
 * @param op what to compute, on buffers of the op's operands (an absent bias is left out, as in the program)
 * @param out its results; none lies where an input lies
 */
public record LibraryCall(Op op, List<Buffer> in, List<Buffer> out) implements Step {
    public LibraryCall {
        in = List.copyOf(in);
        out = List.copyOf(out);
    }
}
