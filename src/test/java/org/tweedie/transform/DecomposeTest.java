// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.tweedie.device.Conformance;
import org.tweedie.device.OpCase;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Fused ops against what they decompose into, and which ops a program has afterwards. */
class DecomposeTest {
    private static boolean isFused(Op op) {
        return switch (op) {
            case DotProductAttentionJvp _, DotProductAttentionVjp _, DdimMove _, Geglu _, GegluJvp _, GegluVjp _,
                    GroupNormalization _, GroupNormalizationJvp _, GroupNormalizationVjp _, Guidance _,
                    GuidanceVjp _, HutchinsonEstimate _, HutchinsonEstimateVjp _, HutchinsonPair _, HutchinsonPairVjp _,
                            TweedieMean _ -> true;
            default -> false;
        };
    }

    static Stream<Conformance.Run> runs() {
        return OpCase.all().flatMap(Conformance::runs).filter(r -> has(r.program()));
    }

    private static boolean has(Program p) {
        return p.body().stream().map(Instr::op).anyMatch(DecomposeTest::isFused);
    }

    @ParameterizedTest
    @MethodSource("runs")
    void givesTheSame(Conformance.Run r) {
        Program plain = Decompose.of(r.program(), DecomposeTest::isFused);
        assertFalse(has(plain), plain.listing());
        assertEquals(r.program().inputs().stream().map(Program.Input::name).toList(), plain.inputs().stream()
                .map(Program.Input::name).toList());
        Map<String, Tensor> expected = DirectionCheck.run(r.program(), r.inputs());
        Map<String, Tensor> got = DirectionCheck.run(plain, r.inputs());
        assertEquals(expected.keySet(), got.keySet());
        expected.forEach((name, y) -> Conformance.assertClose(y, got.get(name), 1e-10, r.program().name() + ", " + r.name()
                + ", " + name));
    }

    @Test
    void aProgramThatLacksNothingIsLeftAsItIs() {
        Program p = move();
        assertSame(p, Decompose.of(p, op -> op instanceof Geglu));
    }

    /** A DDIM step decomposes into Tweedie's mean and more; that is decomposed where it is lacking too. */
    @Test
    void whatADecompositionHoldsIsDecomposedInTurn() {
        List<Op> once = Decompose.of(move(), op -> op instanceof DdimMove).body().stream().map(Instr::op).toList();
        assertTrue(once.contains(new TweedieMean()), once.toString());
        List<Op> all = Decompose.of(move(), op -> op instanceof DdimMove || op instanceof TweedieMean).body().stream()
                .map(Instr::op).toList();
        assertEquals(6, all.stream().filter(Binary.class::isInstance).count());
        assertEquals(6, all.size());
    }

    @Test
    void instructionsKeepTheirPlace() {
        Program p = Decompose.of(move(), op -> op instanceof DdimMove);
        p.body().forEach(i -> assertEquals("sampler", i.where()));
    }

    @Test
    void anOpWithoutADecompositionIsNamed() {
        Exception e = assertThrows(IllegalStateException.class, () -> Decompose.of(Decompose.of(move(), op ->
                op instanceof DdimMove), op -> op instanceof Binary));
        assertTrue(e.getMessage().contains("Binary[kind=") && e.getMessage().contains("has no decomposition"), e.getMessage());
    }

    private static Program move() {
        Tracer t = new Tracer("move");
        Value[] in = new Value[6];
        for (int i = 0; i < in.length; i++) {
            in[i] = t.input("x" + i, i < 2 ? Type.real(2, 3) : Type.real());
        }
        t.output("z", t.scope("sampler", () -> t.emit1(new DdimMove(), in)));
        return t.finish();
    }
}
