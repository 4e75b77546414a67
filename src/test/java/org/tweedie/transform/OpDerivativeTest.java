// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.OpCase;
import org.tweedie.program.Program;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.GroupNormalization;
import org.tweedie.program.op.Unary;
import org.tweedie.program.op.UnaryMul;

/** First and second derivatives of every op, each differentiable input in turn. */
class OpDerivativeTest {
    static Stream<OpCase> cases() {
        return OpCase.all().filter(c -> c.active() > 0);
    }

    static Stream<OpCase> twice() {
        return cases().filter(c -> !(c.op() instanceof Unary u && u.order() > 1) && !(c.op() instanceof UnaryMul m
                && m.order() > 0)
                && !isHeavy(c));
    }

    /** The larger attention case says nothing more in second order. */
    private static boolean isHeavy(OpCase c) {
        return c.op() instanceof DotProductAttention && c.in().getFirst().dim(1) > 20 || c.op() instanceof GroupNormalization g
                && g.groups() == 32;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void first(OpCase c) {
        Program f = c.program(1);
        for (int i = 0; i < c.active(); i++) {
            DirectionCheck.first(f, c.inputs(5), "x" + i, "y0", 1e-6);
        }
    }

    @ParameterizedTest
    @MethodSource("twice")
    void second(OpCase c) {
        Program f = c.program(1);
        for (int i = 0; i < c.active(); i++) {
            DirectionCheck.second(f, c.inputs(5), "x" + i, "y0", 1e-5);
        }
    }
}
