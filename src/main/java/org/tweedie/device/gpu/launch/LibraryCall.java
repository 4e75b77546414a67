// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.Op;

/**
 * Work that a vendor's library does (cuBLAS, cuDNN); the simulator computes it in double precision, as {@code reference} does.
 *
 * @param op the op to compute
 * @param epilogue work on the sums before they are written
 * @param in the op's operands (an absent bias is left out, as in the program; a matrix product has none, it is in y before), then
 *        the epilogue's residual; the weight of a convolution has the order that libraries want with NHWC images:
 *        [Cout,kh,kw,Cin]
 * @param out its results; none shares the place of an operand of the op, or of the residual of a convolution
 */
public record LibraryCall(Op op, Epilogue epilogue, List<Buffer> in, List<Buffer> out) implements PlanStep {
    public LibraryCall {
        in = List.copyOf(in);
        out = List.copyOf(out);
    }

    /** A residual in the place of the result counts as read all the same. */
    @Override
    public long bytes() {
        return Stream.concat(in.stream(), out.stream()).mapToLong(Buffer::bytes).sum();
    }

    /** The tensor that is added to the sums, or null. */
    public Buffer residual() {
        return epilogue.residual() ? in.getLast() : null;
    }

    /** The bias [Cout] of a convolution, or null. */
    public Buffer bias() {
        return op instanceof Convolution && in.size() - (epilogue.residual() ? 1 : 0) == 3 ? in.get(2) : null;
    }

    @Override
    public String toString() {
        String after = (epilogue.residual() ? " + residual" : "") + (epilogue.silu() ? ", silu" : "");
        return op + after + " " + in.stream().map(Buffer::toString).collect(Collectors.joining(", "))
                + " -> " + out.stream().map(Buffer::toString).collect(Collectors.joining(", "));
    }
}
