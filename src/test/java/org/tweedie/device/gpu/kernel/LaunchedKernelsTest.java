// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.fusion.FusionTest;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.inverse.Surrogate;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** No kernel lies there that nothing launches: the entry points of kernels/ are those that plans launch. */
class LaunchedKernelsTest {
    private static final List<DType> REALS = List.of(DType.F32, DType.F16, DType.BF16);

    @Test
    void everyEntryIsLaunched() throws IOException {
        Set<String> launched = new TreeSet<>();
        for (Program p : programs()) {
            for (DType real : REALS) {
                Plan.of(p, real).bind(0, c -> 0).stages().stream().flatMap(s -> s.steps().stream())
                        .forEach(step -> {
                            if (step instanceof Launch l) {
                                launched.add(l.entry());
                            }
                        });
            }
        }
        Set<String> idle = entries();
        idle.removeAll(launched);
        assertEquals(Set.of(), idle,
                "entry points that no plan launches; remove them from kernels/, or add the program that needs them");
    }

    private static List<Program> programs() throws IOException {
        List<Program> all = new ArrayList<>();
        Stream.concat(OpCase.all(), more()).flatMap(Conformance::runs).map(Conformance.Run::program).forEach(p ->
                all.addAll(List.of(p, inside(p))));
        all.addAll(odd());
        try (Golden g = new Golden(Golden.SD15)) {
            all.add(FusionTest.surrogate(g, 1, Surrogate.Probe.UNIT, Surrogate.Gradient.FUSED));
        }
        try (Golden g = new Golden(Golden.DEMO)) {
            Program unet = g.unetProgram(Shape.of(1, 16, 16, 4), 77);
            Program decode = g.decodeProgram(Shape.of(1, 16, 16, 4));
            all.addAll(List.of(unet, Vjp.of(unet, "out_sample", "sample"), Jvp.of(unet, "sample", "out_sample"), Vjp.of(decode,
                    "image", "latent"),
                    Jvp.of(decode, "latent", "image")));
        }
        return all;
    }

    /**
     * Shapes that reach what the common cases do not: wide heads, long rows, groups and samples beyond one block, units of 8
     * bytes.
     */
    private static Stream<OpCase> more() {
        List<OpCase> c = new ArrayList<>();
        for (int d : new int[] {5, 20, 40, 80, 160, 168}) {
            Shape q = Shape.of(1, 32, d);
            Shape k = Shape.of(1, 16, d);
            DotProductAttention op = new DotProductAttention(1, false);
            c.add(new OpCase(op, 3, List.of(q, k, k)));
            c.add(new OpCase(new DotProductAttentionJvp(op, false), 0, List.of(q, k, k, q, Shape.of(1, 1, 32), q)));
        }
        c.add(new OpCase(new GroupNormalization(2, 1e-6, false), 1, List.of(Shape.of(1, 160, 160, 8), Shape.of(8), Shape.of(8))));
        c.add(new OpCase(new GroupNormalization(2, 1e-6, true), 1, List.of(Shape.of(1, 160, 160, 8), Shape.of(8), Shape.of(8))));
        Shape large = Shape.of(1, 192, 192, 4);
        c.add(new OpCase(new HutchinsonEstimate(-1), 3, List.of(large, Shape.of(2, 192, 192, 4), large, Shape.of(), Shape.of(),
                Shape.of())));
        c.add(new OpCase(new Concat(1), 2, List.of(Shape.of(3, 4), Shape.of(3, 4))));
        c.add(new OpCase(new Slice(1, 4, 8), 1, List.of(Shape.of(3, 24))));
        c.add(new OpCase(new Broadcast(Shape.of(4, 64)), 1, List.of(Shape.of(4, 1))));
        c.add(new OpCase(new Upsample(2), 1, List.of(Shape.of(1, 2, 2, 4))));
        c.add(new OpCase(new Gather(), 0, List.of(Shape.of(11, 8))));
        c.add(new OpCase(new Gather(), 0, List.of(Shape.of(11, 4))));
        c.add(new OpCase(new ReduceSum(List.of(0)), 1, List.of(Shape.of(65, 16))));
        c.add(new OpCase(new Softmax(), 1, List.of(Shape.of(3, 1025))));
        c.add(new OpCase(new Binary(Binary.Kind.SUB), 2, List.of(Shape.of(3, 64), Shape.of(3, 64))));
        return c.stream();
    }

    /** A residual around a product whose rows are no whole vectors, and whole numbers that change places. */
    private static List<Program> odd() {
        Tracer t = new Tracer("residual");
        Value x = product(t, t.input("x", Type.real(5, 13)));
        t.output("y", t.add(x, t.linear(x, t.constant("w", OpCase.random(Shape.of(13, 13), 1)), t.constant("b",
                OpCase.random(Shape.of(13), 2)))));
        Tracer whole = new Tracer("ids");
        whole.output("y", whole.transpose(whole.input("ids", new Type(DType.I64, Shape.of(16, 16))), 1, 0));
        return List.of(t.finish(), whole.finish());
    }

    /** A program within a network: its inputs are results of products, so that they are stored as networks are. */
    private static Program inside(Program p) {
        Tracer t = new Tracer(p.name());
        Map<String, Value> args = new HashMap<>();
        for (Program.Input i : p.inputs()) {
            Value x = t.input(i.name(), i.value().type());
            args.put(i.name(), x.type().dtype() == DType.F32 ? product(t, x) : x);
        }
        Value[] map = t.inline(p, args);
        p.outputs().forEach(o -> t.output(o.name(), map[o.value().id()]));
        return t.finish();
    }

    private static Value product(Tracer t, Value x) {
        Value column = t.reshape(x, Shape.of((int) x.shape().size(), 1));
        return t.reshape(t.matmul(column, t.constant("one", Tensor.of(Shape.of(1, 1), 1f)), false, false), x.shape());
    }

    private static Set<String> entries() throws IOException {
        Set<String> names = new TreeSet<>();
        try (Stream<Path> files = Files.list(Path.of("kernels"))) {
            for (Path p : files.filter(f -> f.toString().endsWith(".ptx")).toList()) {
                Pattern.compile("(?m)^\\.visible \\.entry (\\w+)\\(").matcher(Files.readString(p)).results().map(m -> m.group(1))
                        .forEach(names::add);
            }
        }
        return names;
    }
}
