// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Fn;
import org.tweedie.weights.RandomWeights;

/**
 * Programs that measure the highest rates that a device reaches through Tweedie: chains of one op on square matrices that are
 * too large for any cache. The difference between the times of a long and a short chain is the time of the ops alone; the
 * overhead that both have in common (starting, copying in and out) cancels.
 */
public final class Ceilings {
    /**
     * The chains: {@code gemm} is matrix products; {@code copy} is a function of each element, which reads and writes as much
     * as a copy.
     */
    public static final List<String> NAMES = List.of("gemm", "copy");
    public static final int SHORT = 8;
    public static final int LONG = 40;

    private Ceilings() {}

    /**
     * Traces a chain.
     *
     * @param side the side of the square matrices
     * @param random draws the matrices, and must live as long as the program
     */
    public static Program chain(String name, int side, int links, RandomWeights random) {
        Tracer t = new Tracer(name);
        Shape square = Shape.of(side, side);
        Value a = t.constant("a", random.draw("a", square)); // of variance 1/side, so that the products keep their magnitude
        Value x = t.mul(t.constant("x", random.draw("x", square)), t.broadcast(t.input("scale", Type.real()), square));
        for (int i = 0; i < links; i++) {
            x = name.equals("gemm") ? t.matmul(a, x, false, false) : t.unary(Fn.SILU, x);
        }
        t.output("sum", t.sum(x, 0, 1)); // a single number, so that no large tensor is copied out
        return t.finish();
    }

    public static RandomWeights weights() {
        return new RandomWeights(1, DType.F16);
    }
}
