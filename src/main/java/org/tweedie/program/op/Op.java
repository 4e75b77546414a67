// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * A primitive of the closed set. Each states its type rule, its derivatives and its work, in one file.
 *
 * <p>The derivative rules emit ops of the same set, so derivatives compose to any order. A {@link FusedOp} states its
 * decomposition as well; where it has no rule, its derivatives are those of the decomposition. Weights are constants: no rule
 * gives a derivative to a convolution's or a normalisation's parameters.
 */
public sealed interface Op permits Affine, Binary, Broadcast, Concat, Convolution, ConvolutionVjp, DotProductAttention,
        FusedOp, Gather, MatMul, Pad, ReduceSum, Reshape, Slice, Softmax, SumPool, Transpose, Unary, UnaryMul, Upsample {

    /** Types of the results. @throws IllegalArgumentException when the inputs do not fit */
    List<Type> infer(List<Type> in);

    /**
     * Emits the pull-back of one instruction.
     *
     * @param cotangents one per result, null where nothing flows back
     * @param wanted which inputs need a cotangent
     * @return one per input, null where not wanted or zero; or null: differentiate the decomposition
     */
    Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted);

    /**
     * Emits the push-forward of one instruction.
     *
     * @param tangents one per input, null where zero; at least one is not
     * @return one per result, null where zero; or null: differentiate the decomposition
     */
    Value[] jvp(Tracer t, Instr at, Value[] tangents);

    /** Emits the same results from simpler ops. @throws IllegalStateException unless the op is a {@link FusedOp} */
    default Value[] decompose(Tracer t, List<Value> in) {
        throw new IllegalStateException(this + " has no decomposition");
    }

    Cost cost(List<Type> in, List<Type> out);

    /** Work of an op that touches each element of its inputs and results once, with some operations per result element. */
    static Cost perElement(int flops, List<Type> in, List<Type> out) {
        long elements = out.stream().mapToLong(x -> x.shape().size()).sum();
        long all = elements + in.stream().mapToLong(x -> x.shape().size()).sum();
        return new Cost(flops * elements, 4 * all);
    }

    /** @throws IllegalArgumentException unless the condition holds */
    static void require(boolean condition, String message, Object... args) {
        if (!condition) {
            throw new IllegalArgumentException(String.format(message, args));
        }
    }

    /** @throws IllegalArgumentException unless each of these has one element */
    static void requireScalars(String what, List<Type> in) {
        require(in.stream().allMatch(x -> x.shape().rank() == 0), "%s: expected scalars, got %s", what, in);
    }

    /** The type of two such tensors [B,..] one behind the other: [2B,..]. */
    static Type twice(Type x) {
        return Type.real(x.shape().with(0, 2 * x.shape().dim(0)));
    }

    /** The type [B,..] of the first half of a tensor [2B,..]. @throws IllegalArgumentException when it has no halves */
    static Type firstHalf(String who, Type x) {
        require(x.shape().rank() > 0 && x.shape().dim(0) % 2 == 0, "%s: the first axis of %s has no halves", who, x);
        return Type.real(x.shape().with(0, x.shape().dim(0) / 2));
    }
}
