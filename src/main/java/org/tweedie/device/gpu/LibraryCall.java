// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.List;
import java.util.stream.Collectors;
import org.tweedie.program.op.Op;

/**
 * Work that a vendor's library does (cuBLAS, cuDNN); the simulator computes it in double precision, as {@code reference} does.
 *
 * @param op what to compute, on buffers of the op's operands (an absent bias is left out, as in the program); the weight of a convolution
 *        lies as libraries want it with NHWC images: [Cout,kh,kw,Cin]
 * @param out its results; none lies where an input lies
 */
public record LibraryCall(Op op, List<Buffer> in, List<Buffer> out) implements Step {
    public LibraryCall {
        in = List.copyOf(in);
        out = List.copyOf(out);
    }

    @Override
    public String toString() {
        return op + " " + in.stream().map(Buffer::toString).collect(Collectors.joining(", "))
                + " -> " + out.stream().map(Buffer::toString).collect(Collectors.joining(", "));
    }
}
