// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.Map;
import java.util.function.BiFunction;
import org.tweedie.measure.LinearOperator;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.DirectionCheck;

/** Applies operators to tensors, in double precision. */
final class Applied {
    private Applied() {}

    static Tensor apply(MeasurementOperator a, Tensor x) {
        return run(x, a::apply);
    }

    static Tensor adjoint(LinearOperator a, Tensor y, Shape image) {
        return run(y, (t, v) -> a.adjoint(t, v, image));
    }

    static Tensor residual(MeasurementOperator a, Tensor y, Tensor x) {
        return run(x, (t, v) -> a.residual(t, t.constant("y", y), v));
    }

    private static Tensor run(Tensor in, BiFunction<Tracer, Value, Value> body) {
        Tracer t = new Tracer("applied");
        t.output("out", body.apply(t, t.input("in", Type.real(in.shape()))));
        return DirectionCheck.run(t.finish(), Map.of("in", in)).get("out");
    }
}
