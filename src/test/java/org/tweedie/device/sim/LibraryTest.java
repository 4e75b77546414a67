// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Epilogue;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.ptx.launch.MachineOptions;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Convolutions, products and, where it offers, attention, which a library does on a GPU, as the simulator computes them: the
 * reference's numbers, rounded once.
 */
class LibraryTest {
    /** Half a unit in the last place, and what inputs and weights lose that are stored so. */
    private static double tolerance(DType t) {
        return switch (t) {
            case F32 -> 1e-7;
            case F16 -> 1e-3;
            default -> 8e-3;
        };
    }

    static Stream<OpCase> cases() {
        List<OpCase> more = List.of(
                new OpCase(new Convolution(2, 0, 0, 0, 0), 1, List.of(Shape.of(2, 6, 9, 5), Shape.of(7, 5, 3, 3))),
                new OpCase(new Convolution(3, 2, 1, 0, 2), 1, List.of(Shape.of(1, 14, 13, 16), Shape.of(32, 16, 4, 5),
                        Shape.of(32))),
                new OpCase(new ConvolutionVjp(new Convolution(3, 2, 1, 0, 2), 14, 13), 1, List.of(Shape.of(1, 5, 4, 32),
                        Shape.of(32, 16, 4, 5))));
        return Stream.concat(OpCase.all(), more.stream()).filter(c -> c.op() instanceof Convolution
                || c.op() instanceof ConvolutionVjp || c.op() instanceof MatMul);
    }

    /** silu(conv(x) + r) with and without each part, r an image or a number a channel and sample, made by a network. */
    static Stream<Program> epilogues() {
        return Stream.of(Shape.of(2, 5, 4, 6), Shape.of(2, 1, 1, 6), Shape.of()).flatMap(r -> Stream.of(true, false)
                .flatMap(bias -> Stream.of(true, false).map(silu -> {
            Tracer t = new Tracer("conv" + (bias ? " + bias" : "") + (r.rank() == 0 ? "" : " + " + r) + (silu ? ", silu" : ""));
            Value x = t.input("x0", Type.real(2, 5, 4, 3));
            Value y = t.conv2d(x, t.constant("w", OpCase.random(Shape.of(6, 3, 3, 3), 2)), bias ? t.constant("b",
                    OpCase.random(Shape.of(6), 3)) : null, 1, 1);
            if (r.rank() > 0) {
                Value column = t.input("x1", Type.real((int) r.size(), 1));
                y = t.add(t.reshape(t.silu(t.linear(column, t.constant("a", Tensor.of(Shape.of(1, 1), 0.5f)), null)), r), y);
            }
            t.output("y", silu ? t.silu(y) : y);
            return t.finish();
        })));
    }

    @ParameterizedTest
    @MethodSource
    void epilogues(Program p) {
        Map<String, Tensor> in = new HashMap<>();
        p.inputs().forEach(i -> in.put(i.name(), OpCase.random(i.value().shape(), 5 + in.size())));
        agrees(p, in);
        try (SimDevice d = new SimDevice(1, DType.F16, MachineOptions.STRICT); SimExecutable e = d.compile(p)) {
            LibraryCall last = (LibraryCall) e.steps().getLast(); // nothing of ours comes after it
            boolean residual = p.inputs().size() == 2;
            assertEquals(new Epilogue(residual, p.name().endsWith("silu")), last.epilogue());
            assertEquals(p.name().contains("bias"), last.bias() != null);
            assertEquals(residual, last.residual() != null);
        }
    }

    /** x + x W + b and its like, where the product may and where it must not lie over what is added. */
    static Stream<Program> sums() {
        return Stream.of("over", "kept", "itself", "constant", "twice").flatMap(what -> Stream.of(true, false).map(bias -> {
            Tracer t = new Tracer(what + (bias ? " + bias" : ""));
            Value b = bias ? t.constant("b", OpCase.random(Shape.of(7), 3)) : null;
            Value x = t.linear(t.input("x", Type.real(2, 3, 7)), t.constant("v", OpCase.random(Shape.of(7, 7), 1)), null);
            Value r = switch (what) {
                case "itself" -> x;
                case "constant" -> t.constant("r", OpCase.random(Shape.of(2, 3, 7), 4));
                default -> t.silu(x);
            };
            Value product = t.linear(x, t.constant("w", OpCase.random(Shape.of(7, 7), 2)), b);
            Value y = what.equals("twice") ? t.add(product, t.linear(r, t.constant("u", OpCase.random(Shape.of(7, 7), 5)), b))
                    : t.add(r, product);
            t.output("y", y);
            if (what.equals("kept")) {
                t.output("r", r);
            }
            return t.finish();
        }));
    }

    @ParameterizedTest
    @MethodSource
    void sums(Program p) {
        agrees(p, Map.of("x", OpCase.random(Shape.of(2, 3, 7), 7)));
        try (SimDevice d = new SimDevice(1, DType.F16, MachineOptions.STRICT); SimExecutable e = d.compile(p)) {
            List<PlanStep> steps = e.steps();
            LibraryCall call = (LibraryCall) steps.getLast();
            assertEquals(call.out().getFirst(), call.residual());
            call.in().subList(0, 2).forEach(b -> assertNotEquals(b.address(), call.residual().address()));
            boolean alone = steps.get(steps.size() - 2) instanceof Launch l && !l.entry().startsWith("residual")
                    || steps.get(steps.size() - 2) instanceof LibraryCall;
            assertEquals(!p.name().contains("bias") && (p.name().equals("over") || p.name().equals("twice")), alone,
                    "nothing is moved before");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithReference(OpCase c) {
        agrees(c.program(3), c.inputs(7));
    }

    private static void agrees(Program p, Map<String, Tensor> in) {
        Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(in);
        for (DType t : List.of(DType.F32, DType.F16, DType.BF16)) {
            for (int threads : new int[] {1, 3}) {
                try (SimDevice d = new SimDevice(threads, t, MachineOptions.STRICT); SimExecutable e = d.compile(p)) {
                    Map<String, Tensor> got = e.run(in);
                    assertEquals(expected.keySet(), got.keySet());
                    expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), tolerance(t), t + ", " + name));
                }
            }
        }
    }

    // ---- what a library may do besides ---------------------------------------------------------------------------------

    static Stream<OpCase> attentions() {
        return OpCase.all().filter(c -> c.op() instanceof DotProductAttention);
    }

    /** Forward and pull-back to q alone, and to keys too; with its push-forward it stays ours. Places are guarded. */
    @ParameterizedTest
    @MethodSource
    void attentions(OpCase c) {
        Conformance.runs(c).forEach(r -> {
            Map<String, Tensor> expected = new ReferenceDevice().compile(r.program()).run(r.inputs());
            for (DType t : List.of(DType.F32, DType.F16, DType.BF16)) {
                try (SimDevice d = new SimDevice(3, t, MachineOptions.STRICT, (op, in, stored) ->
                        stored == t); SimExecutable e = d.compileGuarded(r.program(), 128)) {
                    Map<String, Tensor> got = e.run(r.inputs());
                    // two roundings; ours sums in F32
                    double budget = r.name().startsWith("push") && t == DType.F32 ? 1e-5 : 2 * tolerance(t);
                    expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), budget, r.name() + ", " + t + ", "
                            + name));
                    assertTrue(e.guardsIntact());
                    long calls = e.steps().stream().filter(s -> s instanceof LibraryCall).count();
                    assertEquals(r.name().startsWith("push") ? 0 : r.name().startsWith("pull") ? 2 : 1, calls, e.plan()
                            .listing());
                }
            }
        });
    }

    /** A library that offers the pull-back only, and of some sizes only, is given that. */
    @Test
    void onlyWhatIsOffered() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program p = Simplify.of(Vjp.of(g.unetProgram(Shape.of(1, 8, 8, 4), 7), "out_sample", "sample"));
            Offer offer = (op, in, stored) -> op instanceof DotProductAttentionVjp && in.getFirst().shape().dim(1) == 64;
            try (SimDevice d = new SimDevice(2, DType.F32, MachineOptions.running(2), offer); SimExecutable e = d.compile(p)) {
                List<Op> taken = e.steps().stream().filter(s -> s instanceof LibraryCall).map(s -> ((LibraryCall) s).op())
                        .filter(o -> o instanceof DotProductAttention || o instanceof DotProductAttentionVjp).toList();
                assertEquals(p.body().stream().filter(i -> i.op() instanceof DotProductAttentionVjp && i.in().getFirst()
                        .dim(1) == 64).map(Instr::op).toList(), taken);
                assertTrue(taken.size() > 2);
                Map<String, Tensor> in = Map.of("sample", OpCase.random(Shape.of(1, 8, 8, 4), 1), "timestep",
                        Tensor.of(Shape.of(1), 501f),
                        "encoder_hidden_states", OpCase.random(p.input("encoder_hidden_states").shape(), 2), "cotangent",
                                OpCase.random(Shape.of(1, 8, 8, 4), 3));
                Map<String, Tensor> expected = new ReferenceDevice().compile(p).run(in);
                Map<String, Tensor> got = e.run(in);
                expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), 1e-5, name));
            }
        }
    }
}
