// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import java.util.ArrayList;
import java.util.List;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.Shape;
import org.tweedie.program.op.MatMul;

/**
 * Makes matrix products. A library does them, which can add to what its result holds but knows no bias, so a kernel of ours
 * writes bias and residual there before.
 */
public final class ProductKernels {
    private ProductKernels() {}

    /**
     * Computes a' b' + bias + residual, where a' and b' are the operands, transposed if the op says so.
     *
     * @param y shape of the product; residual and result have as many elements
     * @param bias whether there is a third operand [N]
     * @param residual whether there is a last operand, the residual, whose place the result may take
     */
    public static GpuKernel of(MatMul op, Shape y, boolean bias, boolean residual) {
        GpuKernel repeated = bias ? MoveKernels.broadcast(y, Shape.of(y.dim(-1))) : null;
        GpuKernel moved = residual ? ElementwiseKernels.residual(y, bias) : null;
        return new GpuKernel(0, p -> {
            Buffer to = p.out(0).reshape(y.dims());
            List<Buffer> before = new ArrayList<>(); // the operands whose sum the result holds when the product is added
            if (residual) {
                before.add(p.in(bias ? 3 : 2));
            }
            if (bias) {
                before.add(p.in(2));
            }
            List<PlanStep> steps = new ArrayList<>();
            if (bias || residual && before.getFirst().address() != to.address()) {
                steps.addAll((residual ? moved : repeated).bind().apply(new GpuKernel.Chosen(before, List.of(to), p.scratch())));
            }
            boolean adds = bias || residual;
            steps.add(new LibraryCall(op, new Epilogue(adds, false), adds ? List.of(p.in(0), p.in(1), to)
                    : List.of(p.in(0), p.in(1)), List.of(to)));
            return steps;
        });
    }
}
