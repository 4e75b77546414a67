// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.GroupNormalization;
import org.tweedie.program.op.GroupNormalizationVjp;
import org.tweedie.ptx.launch.MachineOptions;

/**
 * The pull-back of a norm with what is added to it, by each of the three families of kernels: numbers, and where the result may
 * lie.
 */
class NormSumsTest {
    private static final Shape BLOCK = Shape.of(2, 5, 7, 24);
    private static final Shape STRIPS = Shape.of(1, 37, 61, 64);
    private static final Shape ROWS = Shape.of(5, 1, 40);

    static Stream<Arguments> runs() {
        return Stream.of("x", "dy", "plus", "none", "all", "dy added", "x added")
                .flatMap(dying -> Stream.of(BLOCK, STRIPS, ROWS).map(s -> Arguments.of(dying, s)));
    }

    /** dx + plus of operands that a network has made; those that are not to die there are outputs as well. */
    private static Program program(String dying, Shape s) {
        Tracer t = new Tracer(dying + " " + s);
        GroupNormalization norm = new GroupNormalization(s.equals(BLOCK) ? 4 : s.equals(ROWS) ? 1 : 2, 1e-5, !s.equals(ROWS));
        Value gamma = t.constant("gamma", OpCase.random(Shape.of(s.dim(-1)), 1));
        Value beta = t.constant("beta", OpCase.random(Shape.of(s.dim(-1)), 2));
        Map<String, Value> made = new HashMap<>();
        for (String name : List.of("x", "dy", "plus")) {
            made.put(name, t.emit1(norm, t.input("of " + name, Type.real(s)), gamma, beta));
        }
        Value dx = t.emit1(new GroupNormalizationVjp(norm), made.get("x"), gamma, beta, made.get("dy"));
        t.output("y", t.add(made.get(dying.endsWith(" added") ? dying.split(" ")[0] : "plus"), dx));
        made.forEach((name, v) -> {
            if (!dying.equals("all") && !dying.startsWith(name)) {
                t.output(name, v);
            }
        });
        return t.finish();
    }

    @ParameterizedTest
    @MethodSource("runs")
    void liesInPlaceOfWhatDies(String dying, Shape s) {
        Program p = program(dying, s);
        Map<String, Tensor> in = new HashMap<>();
        p.inputs().forEach(i -> in.put(i.name(), OpCase.random(s, 3 + in.size())));
        for (DType t : List.of(DType.F32, DType.F16, DType.BF16)) {
            try (SimDevice d = new SimDevice(2, t,
                    MachineOptions.STRICT); SimExecutable e = d.compile(p); SimExecutable apart = d.compileGuarded(p, 128)) {
                Map<String, Tensor> got = e.run(in);
                Map<String, Tensor> same = apart.run(in);
                assertTrue(apart.guardsIntact());
                got.forEach((name, y) -> assertArrayEquals(same.get(name).doubles(), y.doubles(), t + ", " + name));
                if (t == DType.F32) {
                    new ReferenceDevice().compile(p).run(in).forEach((name, y) -> Conformance.assertClose(y, got.get(name), 1e-5,
                            name));
                }
                assertPlace(dying, (Launch) e.steps().getLast());
            }
        }
    }

    /** The last launch writes over the operand that dies, if any does. */
    private static void assertPlace(String dying, Launch last) {
        assertTrue(last.entry().contains("_vjp_"), last.entry());
        List<Buffer> whole = last.args().stream().filter(a -> a instanceof Arg.In).map(a -> ((Arg.In) a).buffer()).filter(b ->
                b.shape().rank() > 1 && b.name().startsWith("%")).toList();
        assertEquals(3, whole.size(), "x, dy and plus: " + last);
        Buffer y = last.args().stream().filter(a -> a instanceof Arg.Out).map(a -> ((Arg.Out) a).buffer()).findFirst()
                .orElseThrow();
        List<Boolean> over = whole.stream().map(b -> b.address() == y.address()).toList();
        switch (dying) {
            case "x" -> assertEquals(List.of(true, false, false), over);
            case "dy" -> assertEquals(List.of(false, true, false), over);
            case "plus" -> assertEquals(List.of(false, false, true), over);
            case "none" -> assertEquals(List.of(false, false, false), over);
            case "dy added" -> assertEquals(List.of(false, true, true), over);
            case "x added" -> assertEquals(List.of(true, false, true), over);
            default -> assertTrue(over.contains(true), "one of them");
        }
    }
}
