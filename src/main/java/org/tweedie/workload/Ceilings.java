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
 * What a device can do at most, through our own path to it: chains of one op on squares too large for any cache. The difference of a long and
 * a short chain is the ops' own time; what both have in common (starting, copying in and out) drops out.
 */
public final class Ceilings {
    /** {@code gemm}: matrix products; {@code copy}: a function of each element, which reads and writes as a copy does. */
    public static final List<String> NAMES = List.of("gemm", "copy");
    public static final int SHORT = 8;
    public static final int LONG = 40;

    private Ceilings() {}

    /** @param side of the squares; @param random draws them, and lives as long as the program */
    public static Program chain(String name, int side, int links, RandomWeights random) {
        Tracer t = new Tracer(name);
        Shape square = Shape.of(side, side);
        Value a = t.constant("a", random.draw("a", square)); // of variance 1/side: products keep their size
        Value x = t.mul(t.constant("x", random.draw("x", square)), t.broadcast(t.input("scale", Type.real()), square));
        for (int i = 0; i < links; i++) {
            x = name.equals("gemm") ? t.matmul(a, x, false, false) : t.unary(Fn.SILU, x);
        }
        t.output("sum", t.sum(x, 0, 1)); // one number, so that nothing large is copied out
        return t.finish();
    }

    public static RandomWeights weights() {
        return new RandomWeights(1, DType.F16);
    }
}
