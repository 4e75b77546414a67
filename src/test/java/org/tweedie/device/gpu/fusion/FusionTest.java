// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.Executable;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.kernel.KernelBench;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.GpuKernel;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.Offer;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.device.storage.Storage;
import org.tweedie.diffusion.Denoiser;
import org.tweedie.diffusion.LatentCodec;
import org.tweedie.diffusion.LatentDenoiser;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.inverse.Surrogate;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.model.Golden;
import org.tweedie.model.UNet;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Simplify;

/** Which instructions are merged, in which order the rest runs, and that results stay the same. */
@Tag("kernels")
public class FusionTest {
    private static final NoiseLevel LEVEL = new NoiseLevel(400, 0.42);
    private static final NoiseLevel NEXT = new NoiseLevel(380, 0.45);
    private static final Shape LATENT = Shape.of(1, 4, 4, 4);

    // ---- programs --------------------------------------------------------------------------------------------------

    private static Denoiser denoiser(Golden g, double guidance) throws IOException {
        Tensor text = g.raw("ddim.cond");
        return new LatentDenoiser(g.unet(), NoiseSchedule.Prediction.EPSILON, text, text, guidance);
    }

    public static Program surrogate(Golden g, double guidance, Surrogate.Probe probe,
            Surrogate.Gradient gradient) throws IOException {
        Denoiser denoiser = denoiser(g, guidance);
        UNet unet = g.unet();
        Shape image = Shape.of(1, 4 * g.vae().factor(), 4 * g.vae().factor(), 3);
        MeasurementOperator a = Operators.parse("inpaint:random:0.5", image, 1);
        return new Surrogate(denoiser, new LatentCodec(g.vae(), unet.stride()), a, Surrogate.Norm.NORM, probe).program(LATENT,
                image, gradient);
    }

    private static Program ddim(Golden g, double guidance) throws IOException {
        Tracer t = new Tracer("ddim");
        Value z = t.input("z", Type.real(LATENT));
        NoiseLevel.Traced from = NoiseLevel.inputs(t, "from.");
        NoiseLevel.Traced to = NoiseLevel.inputs(t, "to.");
        Value eps = denoiser(g, guidance).eps(t, z, from);
        t.output("z", from.move(t, z, eps, to));
        return Simplify.of(t.finish());
    }

    /** Random tensors for what a solver computes, real ones for noise levels. */
    private static Map<String, Tensor> inputs(Program p) {
        Map<String, Tensor> level = new HashMap<>(LEVEL.tensors(""));
        level.putAll(LEVEL.tensors("from."));
        level.putAll(NEXT.tensors("to."));
        level.put("h", Tensor.of(Shape.of(), new double[] {0.0625}));
        level.put("lambda", Tensor.of(Shape.of(), new double[] {0.7}));
        level.put("trace_weight", Tensor.of(Shape.of(), new double[] {0.02}));
        Map<String, Tensor> in = new HashMap<>();
        int seed = 1;
        for (Program.Input i : p.inputs()) {
            in.put(i.name(), level.containsKey(i.name()) ? level.get(i.name()) : OpCase.random(i.value().shape(), seed++));
        }
        return in;
    }

    // ---- structure -------------------------------------------------------------------------------------------------

    static Fusion fuse(Program p, DType real) {
        return Fusion.of(p, Storage.of(p, real), Offer.NONE);
    }

    /** A group that is one instruction with its own operands. */
    static boolean isAlone(Group g) {
        return g.instrs().size() == 1 && g.in().equals(g.instrs().getFirst().in());
    }

    /** How often each kernel does several instructions, by entry point, or by op and epilogue where it is a library's. */
    static Map<String, Integer> merged(Program p, DType real) {
        Fusion fusion = fuse(p, real);
        Map<String, Integer> count = new TreeMap<>();
        for (Group g : fusion.groups()) {
            if (!isAlone(g)) {
                for (PlanStep s : g.kernel().bind().apply(new Nowhere(g, Storage.of(p, real)))) {
                    count.merge(name(s), 1, Integer::sum);
                }
            }
        }
        return count;
    }

    private static String name(PlanStep s) {
        return switch (s) {
            case Launch l -> l.entry();
            case LibraryCall c -> c.op().getClass().getSimpleName() + (c.bias() == null ? "" : " + bias") + (c.residual() == null
                    ? "" : " + " + c.residual().shape())
                    + (c.epilogue().silu() ? " silu" : "");
        };
    }

    /** Counts how often each of these families' kernels is launched. */
    private static Map<String, Integer> launched(Program p, DType real, String families) {
        Map<String, Integer> count = new TreeMap<>();
        Plan.of(p, real).bind(0, c -> 0).stages().stream().flatMap(stage -> stage.steps().stream()).forEach(step -> {
            if (step instanceof Launch l && l.entry().matches("(" + families + ")_.*")) {
                count.merge(l.entry(), 1, Integer::sum);
            }
        });
        return count;
    }

    /** Places without memory, to see launches. */
    private record Nowhere(Group group, Storage storage) implements GpuKernel.Places {
        @Override
        public Buffer in(int i) {
            return new Buffer("in" + i, group.wanted().get(i), group.in().get(i).shape(), 256);
        }

        @Override
        public Buffer out(int i) {
            return new Buffer("out" + i, storage.of(group.out().get(i)), group.out().get(i).shape(), 256);
        }

        @Override
        public long scratch() {
            return 256;
        }
    }

    private static final String SOLVER = "hutchinson|tweedie|ddim|guidance";

    @Test
    void surrogateIsProbedInOnePassEach() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            assertEquals(Map.of("hutchinson_form_forward_f16", 1, "hutchinson_form_vjp_f16", 1, "hutchinson_reduce_forward_f16",
                    1,
                    "hutchinson_seed_forward_f16", 1, "tweedie_forward_f16", 1),
                    launched(surrogate(g, 1, Surrogate.Probe.UNIT, Surrogate.Gradient.FUSED), DType.F16, SOLVER));
            assertEquals(Map.of("hutchinson_form_forward_f32", 1, "hutchinson_form_vjp_bf16", 1,
                    "hutchinson_reduce_forward_bf16", 1,
                    "hutchinson_seed_forward_f32", 1, "tweedie_forward_bf16", 1, "guidance_forward_bf16", 1, "guidance_vjp_f32",
                            1),
                    launched(surrogate(g, 3, Surrogate.Probe.UNIT, Surrogate.Gradient.FUSED), DType.BF16, SOLVER));
        }
    }

    /**
     * Halves of a batch or of a gated unit, [B,N,2C], are sliced for nobody; only the skips of the network are, by channels
     * [B,h,w,C].
     */
    @Test
    void nothingIsSlicedInHalves() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program p = surrogate(g, 1, Surrogate.Probe.UNIT, Surrogate.Gradient.FUSED);
            List<Group> slices = fuse(p, DType.F16).groups().stream().filter(x -> x.instrs().getFirst().op() instanceof Slice)
                    .toList();
            assertTrue(slices.size() > 2, "skips");
            assertEquals(List.of(), slices.stream().filter(x -> !(x.instrs().getFirst().op() instanceof Slice s && s.axis() == 3))
                    .toList());
        }
    }

    @Test
    void ddimIsOnePass() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            assertEquals(Map.of("ddim_forward_f16", 1), launched(ddim(g, 1), DType.F16, SOLVER));
            assertEquals(Map.of("ddim_forward_f32", 1, "guidance_forward_f32", 1), launched(ddim(g, 7.5), DType.F32, SOLVER));
        }
    }

    /** Each norm, attention and gated unit that has a push-forward is done with it. */
    @Test
    void exactProbePairsEachOperationWithItsPushForward() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program p = surrogate(g, 1, Surrogate.Probe.EXACT, Surrogate.Gradient.FUSED);
            for (Class<?> kind : List.of(GroupNormalizationJvp.class, DotProductAttentionJvp.class, GegluJvp.class)) {
                List<Group> all = fuse(p, DType.F32).groups().stream().filter(x -> x.instrs().stream().anyMatch(i ->
                        kind.isInstance(i.op()))).toList();
                assertTrue(all.size() > 4, all.size() + " of " + kind);
                all.forEach(x -> assertEquals(2, x.instrs().size(), x + " is done alone"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Surrogate.Probe.class)
    void orderIsValid(Surrogate.Probe probe) throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            for (Surrogate.Gradient gradient : Surrogate.Gradient.values()) {
                Program p = surrogate(g, 3, probe, gradient);
                Set<Integer> made = new HashSet<>();
                p.inputs().forEach(i -> made.add(i.value().id()));
                p.constants().forEach(c -> made.add(c.value().id()));
                for (Group group : fuse(p, DType.F16).groups()) {
                    group.in().forEach(v -> assertTrue(made.contains(v.id()), group + " reads " + v + " too early"));
                    group.out().forEach(v -> assertTrue(made.add(v.id()), v + " is made twice"));
                }
                p.outputs().forEach(o -> assertTrue(made.contains(o.value().id()), o + " is not made"));
            }
        }
    }

    /** Without anything to merge, the order is the program's. */
    @Test
    void nothingToMergeNothingMoves() {
        Tracer t = new Tracer("plain");
        Value x = t.input("x", Type.real(3, 5));
        Value y = t.silu(x);
        t.output("y", t.add(t.mul(y, x), t.scale(x, 2)));
        Program p = t.finish();
        assertEquals(p.body(), fuse(p, DType.F32).groups().stream().flatMap(g -> g.instrs().stream()).toList());
    }

    /** The push-forward of an activation whose tangent depends on its result cannot be done with it. */
    @Test
    void whatDependsOnTheResultIsNotMerged() {
        Tracer t = new Tracer("loop");
        Value x = t.input("x", Type.real(3, 5));
        Value y = t.silu(x);
        t.output("y", t.emit1(new UnaryMul(Fn.SILU, 1), x, t.scale(y, 2)));
        Program p = t.finish();
        assertEquals(3, fuse(p, DType.F32).groups().size());
    }

    /** Two pairs each of which could be merged, but not both: either would wait for the other. */
    @Test
    void twoPairsThatCrossAreNotBothMerged() {
        Tracer t = new Tracer("cross");
        Value a = t.input("a", Type.real(3, 5));
        Value b = t.input("b", Type.real(3, 5));
        Value fa = t.silu(a);
        Value fb = t.silu(b);
        t.output("ta", t.emit1(new UnaryMul(Fn.SILU, 1), a, t.scale(fb, 2)));
        t.output("tb", t.emit1(new UnaryMul(Fn.SILU, 1), b, t.scale(fa, 2)));
        Program p = t.finish();
        assertEquals(1, fuse(p, DType.F32).groups().stream().filter(g -> g.instrs().size() == 2).count());
    }

    /** A value between that is wanted elsewhere keeps its instruction, and so all of them. */
    @Test
    void whatIsReadElsewhereIsNotMerged() {
        for (boolean kept : new boolean[] {false, true}) {
            Tracer t = new Tracer("form");
            Value back = t.emit1(new HutchinsonPairVjp(), t.input("both", Type.real(4, 3, 3, 4)));
            t.output("dz", t.add(t.input("u", Type.real(2, 3, 3, 4)), back));
            if (kept) {
                t.output("back", back);
            }
            Program p = t.finish();
            assertEquals(kept ? 2 : 1, fuse(p, DType.F32).groups().size());
        }
    }

    /** A pair has both results, also where both are outputs of the program. */
    @Test
    void pairsWriteBothResults() {
        Tracer t = new Tracer("pair");
        Value x = t.input("x", Type.real(1, 2, 2, 8));
        Value gamma = t.input("gamma", Type.real(8));
        Value beta = t.input("beta", Type.real(8));
        GroupNormalization norm = new GroupNormalization(2, 1e-5, true);
        t.output("y", t.emit1(norm, x, gamma, beta));
        t.output("ty", t.emit1(new GroupNormalizationJvp(norm), x, gamma, beta, t.input("tx", x.type())));
        Program p = t.finish();
        List<Group> groups = fuse(p, DType.F32).groups();
        assertEquals(1, groups.size());
        assertEquals(p.outputs().stream().map(Program.Output::value).toList(), groups.getFirst().out());
    }

    // ---- numbers ---------------------------------------------------------------------------------------------------

    /** Merged kernels of ours on the machine and the rest in double give the program's results. */
    @ParameterizedTest
    @ValueSource(doubles = {1, 3})
    void surrogateStaysTheSame(double guidance) throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            check(surrogate(g, guidance, Surrogate.Probe.UNIT, Surrogate.Gradient.FUSED));
            check(ddim(g, guidance));
        }
    }

    /** Two samples, of an analytic prior: weights and traces are per sample. */
    @Test
    void batchStaysTheSame() {
        Shape image = Shape.of(2, 8, 8, 3);
        Denoiser mixture = new MixturePrior(new double[] {0.4, 0.6}, new double[] {-0.5, 0.5}, new double[] {0.3, 0.2});
        MeasurementOperator a = Operators.parse("sr:4", image, 1);
        Program p = new Surrogate(mixture, MixturePrior.PIXELS, a, Surrogate.Norm.SUM, Surrogate.Probe.SCALED).program(image,
                image, Surrogate.Gradient.FUSED);
        assertEquals(Set.of("hutchinson_form_forward_f32", "hutchinson_form_vjp_f32", "hutchinson_seed_forward_f32",
                "hutchinson_reduce_forward_f32",
                "tweedie_forward_f32"), launched(p, DType.F32, SOLVER).keySet());
        check(p);
    }

    /** A network and its push-forward at once. */
    @Test
    @Tag("sanitized")
    void pairsStayTheSame() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Tracer t = new Tracer("eps");
            Value z = t.input("z", Type.real(LATENT));
            t.output("eps", denoiser(g, 1).eps(t, z, NoiseLevel.inputs(t, "")));
            Program p = Jvp.of(t.finish(), "z", "eps");
            assertTrue(merged(p, DType.F32).keySet().stream().filter(entry -> entry.contains("_jvp_")).count() >= 4,
                    "norms, attention, activations, gated units");
            check(p);
        }
    }

    private static void check(Program p) {
        Map<String, Tensor> in = inputs(p);
        Map<String, Tensor> expected;
        try (Executable e = new ReferenceDevice().compile(p)) {
            expected = e.run(in);
        }
        Map<String, Tensor> actual = run(p, in);
        expected.forEach((name, x) -> {
            double[] want = x.doubles();
            double[] got = actual.get(name).doubles();
            double norm = Math.sqrt(Arrays.stream(want).map(v -> v * v).sum());
            double error = 0;
            for (int i = 0; i < want.length; i++) {
                error += (got[i] - want[i]) * (got[i] - want[i]);
            }
            assertTrue(Math.sqrt(error) <= 1e-4 * norm, p.name() + " " + name + ": error " + Math.sqrt(error) + " of " + norm);
        });
    }

    private static Map<String, Tensor> run(Program p, Map<String, Tensor> in) {
        Fusion fusion = fuse(p, DType.F32);
        Map<Integer, Tensor> values = new HashMap<>();
        p.constants().forEach(c -> values.put(c.value().id(), c.data()));
        p.inputs().forEach(i -> values.put(i.value().id(), in.get(i.name())));
        for (Group g : fusion.groups()) {
            if (isAlone(g) && !isSolvers(g.instrs().getFirst().op()) || g.instrs().stream().anyMatch(i ->
                    i.op() instanceof Convolution || i.op() instanceof MatMul)) {
                g.instrs().forEach(i -> alone(i, values));
            } else {
                together(g, Storage.of(p, DType.F32), values);
            }
        }
        Map<String, Tensor> out = new HashMap<>();
        p.outputs().forEach(o -> out.put(o.name(), values.get(o.value().id())));
        return out;
    }

    private static boolean isSolvers(Op op) {
        return switch (op) {
            case DdimMove _, Guidance _, GuidanceVjp _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _,
                    HutchinsonPairVjp _, TweedieMean _ -> true;
            default -> false;
        };
    }

    private static void together(Group g, Storage storage, Map<Integer, Tensor> values) {
        try (KernelBench bench = new KernelBench()) {
            List<Buffer> in = new ArrayList<>();
            List<Buffer> out = new ArrayList<>();
            for (int k = 0; k < g.in().size(); k++) {
                in.add(bench.in("in" + k, g.wanted().get(k), values.get(g.in().get(k).id())));
            }
            g.out().forEach(v -> out.add(bench.out("%" + v.id(), storage.of(v), v.shape())));
            bench.run(g.kernel(), in, out);
            for (int k = 0; k < out.size(); k++) {
                values.put(g.out().get(k).id(), Tensor.of(g.out().get(k).shape(), bench.read(out.get(k))));
            }
        }
    }

    private static void alone(Instr i, Map<Integer, Tensor> values) {
        List<Program.Input> in = new ArrayList<>();
        Map<String, Tensor> given = new HashMap<>();
        for (Value v : new HashSet<>(i.in())) {
            in.add(new Program.Input("%" + v.id(), v));
            given.put("%" + v.id(), values.get(v.id()));
        }
        List<Program.Output> out = i.out().stream().map(v -> new Program.Output("%" + v.id(), v)).toList();
        int highest = Math.max(i.in().stream().mapToInt(Value::id).max().orElseThrow(), i.out().stream().mapToInt(Value::id).max()
                .orElseThrow());
        try (Executable e = new ReferenceDevice().compile(new Program("one", in, List.of(), List.of(i), out, highest + 1))) {
            Map<String, Tensor> results = e.run(given);
            i.out().forEach(v -> values.put(v.id(), results.get("%" + v.id())));
        }
    }
}
