// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.FusedOp;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** A fused op that no device knows: its record alone makes it run, forward and with both derivatives. */
class NewFusedOpTest {
    /** y = x + x^3. */
    private record Cubic() implements FusedOp {
        @Override
        public List<Type> infer(List<Type> in) {
            return in;
        }

        @Override
        public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
            return null;
        }

        @Override
        public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
            return null;
        }

        @Override
        public Value[] decompose(Tracer t, List<Value> in) {
            Value x = in.getFirst();
            return new Value[] {t.add(x, t.mul(x, t.mul(x, x)))};
        }

        @Override
        public Cost cost(List<Type> in, List<Type> out) {
            return new Cost(3 * in.getFirst().shape().size(), 8 * in.getFirst().shape().size());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpu", "sim"})
    void runsByItsDecomposition(String device) {
        Shape s = Shape.of(2, 3);
        Tracer t = new Tracer("cubic");
        t.output("y", t.emit1(new Cubic(), t.input("x", Type.real(s))));
        var f = t.finish();
        Tensor x = Tensor.of(s, -1.5f, -1, 0, 0.5f, 1, 2);
        Tensor ones = Tensor.of(s, 1f, 1, 1, 1, 1, 1);
        try (Device d = Devices.open(device, 2)) {
            Map<String, Tensor> y = run(d, f, Map.of("x", x));
            Map<String, Tensor> vjp = run(d, Vjp.of(f, "y", "x"), Map.of("x", x, "cotangent", ones));
            Map<String, Tensor> jvp = run(d, Jvp.of(f, "x", "y"), Map.of("x", x, "tangent", ones));
            for (int i = 0; i < 6; i++) {
                double v = x.get(i);
                assertEquals(v + v * v * v, y.get("y").get(i), 1e-5);
                assertEquals(1 + 3 * v * v, vjp.get("grad").get(i), 1e-5);
                assertEquals(1 + 3 * v * v, jvp.get("jvp").get(i), 1e-5);
            }
        }
    }

    private static Map<String, Tensor> run(Device d, org.tweedie.program.Program p, Map<String, Tensor> in) {
        try (Executable e = d.compile(p)) {
            return e.run(in);
        }
    }
}
