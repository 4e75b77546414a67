// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.fusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.MemoryPlan;
import org.tweedie.device.OpCase;
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.plan.Plan;
import org.tweedie.device.storage.Uses;
import org.tweedie.model.Golden;
import org.tweedie.program.DType;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.Binary;
import org.tweedie.program.op.Convolution;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.GroupNormalization;
import org.tweedie.program.op.GroupNormalizationVjp;
import org.tweedie.program.op.MatMul;
import org.tweedie.program.op.Op;
import org.tweedie.program.op.Reshape;
import org.tweedie.transform.Simplify;
import org.tweedie.transform.Vjp;

/**
 * Which convolutions, products and pull-backs of norms are done with what is added to them; that numbers stay is for {@code
 * LibraryTest} and {@code NormSumsTest} of device.sim.
 */
class SumPatternsTest {
    /**
     * In each residual block both convolutions, the first with the time embedding, the second with the block's input: none is
     * followed by a sum of ours.
     */
    @Test
    void residualBlocksAddInTheirConvolutions() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program p = Simplify.of(g.unetProgram(Shape.of(2, 8, 8, 4), 7));
            long blocks = p.body().stream().filter(i -> i.op() instanceof Convolution && i.where().endsWith("conv2")).count();
            Map<String, Integer> count = FusionTest.merged(p, DType.F16);
            int embeddings = count.entrySet().stream().filter(e -> e.getKey()
                    .matches("Convolution \\+ bias \\+ \\[2,1,1,\\d+\\]")).mapToInt(Map.Entry::getValue).sum();
            int inputs = count.entrySet().stream().filter(e -> e.getKey()
                    .matches("Convolution \\+ bias \\+ \\[2,[248],[248],\\d+\\]")).mapToInt(Map.Entry::getValue).sum();
            assertTrue(blocks > 4, blocks + " blocks");
            assertEquals(blocks, embeddings, count.toString());
            assertEquals(blocks, inputs, count.toString());
        }
    }

    /** silu(conv(x) + r) and its parts, by what else reads what lies between. */
    @Test
    void aConvolutionIsDoneWithWhatFollows() {
        Shape y = Shape.of(2, 4, 4, 6);
        assertEquals(Map.of("Convolution + bias + " + y + " silu", 1), FusionTest.merged(convolution(y, false, true, ""),
                DType.F16));
        assertEquals(Map.of("Convolution + bias + [2,1,1,6] silu", 1), FusionTest.merged(convolution(Shape.of(2, 1, 1, 6), true,
                true, ""), DType.BF16));
        assertEquals(Map.of("Convolution + bias + [2,1,1,6]", 1), FusionTest.merged(convolution(Shape.of(2, 1, 1, 6), false,
                false, ""), DType.F32));
        assertEquals(Map.of("Convolution + bias silu", 1), FusionTest.merged(convolution(null, false, true, ""), DType.F16));
        assertEquals(Map.of("Convolution + bias + " + y, 1), FusionTest.merged(convolution(y, false, true, "sum"), DType.F16),
                "the sum is wanted too");
        assertEquals(Map.of(), FusionTest.merged(convolution(y, false, true, "conv"), DType.F16),
                "the convolution is wanted too");
        assertEquals(Map.of(), FusionTest.merged(convolution(Shape.of(6), false, true, ""), DType.F16),
                "the same for all samples");
        assertEquals(Map.of(), FusionTest.merged(convolution(Shape.of(2, 4, 1, 6), false, true, ""), DType.F16), "of each row");
    }

    /** Nothing else is added to a convolution that is added to itself. */
    @Test
    void aConvolutionIsNotItsOwnResidual() {
        Tracer t = new Tracer("twice");
        Value x = t.input("x", Type.real(2, 4, 4, 3));
        Value y = t.conv2d(x, t.constant("w", OpCase.random(Shape.of(6, 3, 3, 3), 2)), null, 1, 1);
        t.output("y", t.add(y, y));
        assertEquals(Map.of(), FusionTest.merged(t.finish(), DType.F32));
    }

    /**
     * The product that a transformer block adds to its input, and the one that a pull-back sums, add themselves, and they write
     * over their other summand where nothing else reads that.
     */
    @Test
    void productsAddThemselves() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program forward = Simplify.of(g.unetProgram(Shape.of(1, 8, 8, 4), 7));
            Program gradient = Simplify.of(Vjp.of(forward, "out_sample", "sample"));
            for (Program p : List.of(forward, gradient)) {
                List<Group> alone = FusionTest.fuse(p, DType.F16).groups().stream().filter(x -> FusionTest.isAlone(x)
                        && x.instrs().getFirst().op().equals(new Binary(Binary.Kind.ADD))).toList();
                assertEquals(List.of(), alone.stream().filter(x -> x.in().stream().anyMatch(v -> isMadeBy(MatMul.class,
                        new Uses(p), v))).toList());
            }
            // two a block, and two linear layers around it
            int attentions = (int) forward.body().stream().filter(i -> i.op() instanceof DotProductAttention).count() / 2;
            assertEquals(4 * attentions, addedInPlace(forward), "all of a forward's");
            assertTrue(addedInPlace(gradient) >= 2 * attentions,
                    "q, k and v pulled back; the forward's summands are kept for norms");
        }
    }

    /** How many products are added to what lies in the place of their result. */
    private static int addedInPlace(Program p) {
        int over = 0;
        for (Plan.Stage s : Plan.of(p, DType.F16).bind(256, c -> 1L << 40).stages()) {
            if (s.group().instrs().getFirst().op() instanceof MatMul && s.group().instrs().getLast().op() instanceof Binary) {
                LibraryCall call = (LibraryCall) s.steps().getLast();
                assertEquals(call.out().getFirst(), call.residual());
                boolean moved = s.steps().getFirst() instanceof Launch l && l.args().getFirst() instanceof Arg.In(Buffer r)
                        && r.address() != call.residual().address();
                over += moved ? 0 : 1;
            }
        }
        return over;
    }

    /** Whether a value is such an op's, reshaped or not, that one instruction reads. */
    private static boolean isMadeBy(Class<? extends Op> kind, Uses uses, Value v) {
        if (uses.maker(v) < 0 || uses.readers(v).size() != 1 || uses.isResult(v)) {
            return false;
        }
        return uses.op(v, kind) != null || uses.op(v, Reshape.class) != null && isMadeBy(kind, uses, uses.in(uses.maker(v), 0));
    }

    /**
     * In a pull-back, what meets a norm's own at the input of a block: none is followed by a sum of ours, and most are added by
     * the norm.
     */
    @Test
    void normsAddWhatElseIsPulledBack() throws Exception {
        try (Golden g = new Golden(Golden.SD15)) {
            Program p = Simplify.of(Vjp.of(Simplify.of(g.unetProgram(Shape.of(1, 8, 8, 4), 7)), "out_sample", "sample"));
            Uses uses = new Uses(p);
            List<Group> groups = FusionTest.fuse(p, DType.F16).groups();
            List<Group> sums = groups.stream().filter(x -> x.instrs().getLast().op().equals(new Binary(Binary.Kind.ADD)))
                    .toList();
            assertEquals(List.of(), sums.stream().filter(x -> FusionTest.isAlone(x) && x.in().stream().anyMatch(v ->
                    isMadeBy(GroupNormalizationVjp.class, uses, v))).toList());
            List<Group> merged = sums.stream().filter(x -> x.instrs().getFirst().op() instanceof GroupNormalizationVjp).toList();
            long norms = p.body().stream().filter(i -> i.op() instanceof GroupNormalizationVjp).count();
            assertTrue(2 * merged.size() > norms, merged.size() + " of " + norms);
            merged.forEach(x -> assertEquals(MemoryPlan.Sharing.IN_PLACE, x.sharing()));
        }
    }

    /** The pull-back of a norm with what is added to it, on either side, reshaped before or not. */
    @Test
    void aNormsPullBackIsDoneWithWhatIsAdded() {
        for (boolean before : new boolean[] {false, true}) {
            for (String what : List.of("norm", "reshaped", "product")) {
                assertEquals(Map.of("groupnorm_silu_vjp_f16", 1), FusionTest.merged(pullBack(what, before), DType.F16), what);
                Group g = FusionTest.fuse(pullBack(what, before), DType.BF16).groups().stream().filter(x ->
                        !FusionTest.isAlone(x)).findFirst().orElseThrow();
                assertEquals(5, g.in().size());
                assertEquals(List.of(DType.BF16, DType.BF16, DType.BF16, DType.BF16, DType.BF16), g.wanted());
            }
            assertEquals(Map.of("MatMul + [30,8]", 1), FusionTest.merged(pullBack("later product", before), DType.F16),
                    "the later of two adds the other");
            Map<String, Integer> none = Map.of();
            assertEquals(none, FusionTest.merged(pullBack("kept", before), DType.F16), "the pull-back is wanted too");
            assertEquals(none, FusionTest.merged(pullBack("depends", before), DType.F16), "what is added is made of it");
            assertEquals(none, FusionTest.merged(pullBack("itself", before), DType.F16), "it is added to itself");
            assertEquals(none, FusionTest.merged(pullBack("channels", before), DType.F16), "the same for all places");
            assertEquals(none, FusionTest.merged(pullBack("input", before), DType.F16), "the sum is the solver's, in F32");
            assertEquals(Map.of("groupnorm_silu_vjp_f32", 1), FusionTest.merged(pullBack("input", before), DType.F32));
        }
    }

    private static Program pullBack(String what, boolean before) {
        Tracer t = new Tracer(what);
        Value x = t.input("x", Type.real(2, 3, 5, 8));
        Value gamma = t.constant("gamma", OpCase.random(Shape.of(8), 1));
        Value beta = t.constant("beta", OpCase.random(Shape.of(8), 2));
        GroupNormalization norm = new GroupNormalization(4, 1e-5, true);
        Value other = what.equals("product") ? t.reshape(product(t, 30), x.shape()) : t.emit1(norm, x, gamma, beta);
        Value dx = t.emit1(new GroupNormalizationVjp(norm), x, gamma, beta, t.input("dy", x.type()));
        Value sum = what.equals("reshaped") ? t.reshape(dx, Shape.of(6, 40)) : dx;
        Value plus = switch (what) {
            case "reshaped" -> t.reshape(other, Shape.of(6, 40));
            case "later product" -> t.reshape(product(t, 30), x.shape());
            case "depends" -> t.silu(dx);
            case "itself" -> dx;
            case "channels" -> t.silu(product(t, 1));
            case "input" -> t.input("r", x.type());
            default -> other;
        };
        t.output("y", before ? t.add(plus, sum) : t.add(sum, plus));
        if (what.equals("kept")) {
            t.output("dx", dx);
        }
        return t.finish();
    }

    private static Value product(Tracer t, int rows) {
        return t.linear(t.input("r", Type.real(rows, 3)), t.constant("a", OpCase.random(Shape.of(8, 3), 3)), null);
    }

    /** What is stored in F32, as sums with the solver's own numbers are, is not a library's to write. */
    @Test
    void solversSumsAreNotFused() {
        Tracer t = new Tracer("latent");
        Value x = t.input("x", Type.real(2, 4, 4, 3));
        t.output("y", t.add(x, t.conv2d(x, t.constant("w", OpCase.random(Shape.of(3, 3, 3, 3), 2)), null, 1, 1)));
        Program p = t.finish();
        assertEquals(Map.of(), FusionTest.merged(p, DType.F16));
        assertEquals(Map.of("Convolution + [2,4,4,3]", 1), FusionTest.merged(p, DType.F32));
    }

    /** A residual that is a network's, but no sum. */
    private static Program convolution(Shape residual, boolean before, boolean silu, String kept) {
        Tracer t = new Tracer("conv");
        Value x = t.input("x", Type.real(2, 4, 4, 3));
        Value r = residual == null ? null : t.silu(t.reshape(t.linear(t.input("r", Type.real((int) residual.size(), 5)),
                t.constant("a", OpCase.random(Shape.of(1, 5), 1)), null), residual));
        Value conv = t.conv2d(x, t.constant("w", OpCase.random(Shape.of(6, 3, 3, 3), 2)), t.constant("b",
                OpCase.random(Shape.of(6), 3)), 1, 1);
        Value sum = r == null ? conv : before ? t.add(r, conv) : t.add(conv, r);
        t.output("y", silu ? t.silu(sum) : sum);
        switch (kept) {
            case "sum" -> t.output("sum", sum);
            case "conv" -> t.output("conv", conv);
            default -> { }
        }
        return t.finish();
    }
}
