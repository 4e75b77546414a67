// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/** Checks which values are folded, which are not, and which keys are equal. */
class FoldTest {
    private static final Tensor TEXT = OpCase.random(Shape.of(1, 5, 6), 1);
    private static final Tensor WEIGHT = OpCase.random(Shape.of(6, 6), 2);
    private static final Type X = Type.real(2, 5, 6);

    /** x + what two products make of the text, repeated for two samples. */
    private static Program program(String name, Tensor weight, double scale) {
        Tracer t = new Tracer(name);
        Value x = t.input("x", X);
        Value w = t.constant("w", weight);
        Value once = t.linear(t.constant("text", TEXT), w, null); // [1,5,6]
        Value twice = t.linear(t.scale(once, scale), w, null);
        t.output("y", t.add(x, t.broadcast(twice, X.shape())));
        return t.finish();
    }

    private static List<Op> ops(Program p) {
        return p.body().stream().map(Instr::op).toList();
    }

    /** Only the last product is kept, as small as it is: its repetition stays in the program, and what leads to it goes. */
    @Test
    void onlyWhatTheRestReadsIsFolded() {
        Program p = program("f", WEIGHT, 2);
        Fold fold = Fold.of(p);
        assertEquals(1, fold.keys().size());
        Program part = fold.constantPart(Set.of());
        assertEquals(List.of(), part.inputs());
        assertEquals(List.of(Shape.of(5, 6)), part.outputs().stream().map(o -> o.value().shape()).toList());
        assertEquals(2, ops(part).stream().filter(MatMul.class::isInstance).count());
        Tensor result = new ReferenceDevice().compile(part).run(Map.of()).get("folded0");
        Program rest = fold.finished(Map.of(fold.keys().iterator().next(), result));
        assertEquals(List.of(new Reshape(Shape.of(1, 5, 6)), new Broadcast(X.shape()), new Binary(Binary.Kind.ADD)), ops(rest));
        assertEquals(1, rest.constants().size());
        Map<String, Tensor> in = Map.of("x", OpCase.random(X.shape(), 3));
        assertEquals(List.of(doubles(p, in)), List.of(doubles(rest, in)));
    }

    private static List<Double> doubles(Program p, Map<String, Tensor> in) {
        return java.util.Arrays.stream(new ReferenceDevice().compile(p).run(in).get("y").doubles()).boxed().toList();
    }

    /** Scalings and moves of constants stay: their results would only fill memory. */
    @Test
    void movesAndArithmeticAreNotFolded() {
        Tracer t = new Tracer("moves");
        Value c = t.transpose(t.broadcast(t.scale(t.constant("c", TEXT), 3), Shape.of(2, 5, 6)), 1, 0, 2);
        t.output("y", t.add(t.input("x", Type.real(5, 2, 6)), c));
        Program p = t.finish();
        assertEquals(Set.of(), Fold.of(p).keys());
        assertSame(p, Fold.of(p).finished(Map.of()));
    }

    @Test
    void anOutputThatNoInputReachesIsFolded() {
        Tracer t = new Tracer("constant");
        Value y = t.matmul(t.constant("a", WEIGHT), t.constant("b", WEIGHT), false, true);
        t.output("y", y);
        Fold fold = Fold.of(t.finish());
        Tensor data = OpCase.random(Shape.of(6, 6), 4);
        Program rest = fold.finished(Map.of(fold.keys().iterator().next(), data));
        assertEquals(List.of(), rest.body());
        assertSame(data, new ReferenceDevice().compile(rest).program().constants().getFirst().data());
    }

    /** An attention with two results that are both read: each has a key of its own, and the op goes. */
    @Test
    void resultsOfOneInstructionAreToldApart() {
        Tracer t = new Tracer("two");
        Value q = t.constant("q", TEXT);
        List<Value> o = t.emit(new DotProductAttention(2, false), q, q, q);
        t.output("y", t.add(t.input("x", Type.real(1, 5, 6)), o.get(0)));
        t.output("lse", t.add(t.input("l", Type.real(1, 2, 5)), o.get(1)));
        Fold fold = Fold.of(t.finish());
        assertEquals(List.of(0, 1), fold.keys().stream().map(FoldKey::output).toList());
        Map<String, Tensor> out = new ReferenceDevice().compile(fold.constantPart(Set.of())).run(Map.of());
        List<FoldKey> keys = List.copyOf(fold.keys());
        Program rest = fold.finished(Map.of(keys.get(0), out.get("folded0"), keys.get(1), out.get("folded1")));
        assertEquals(2, rest.body().size());
    }

    /**
     * Keys depend on ops and constants, not on the program around them, nor on the tensors of scalars, which each tracing makes
     * anew.
     */
    @Test
    void keysAreThoseOfTheComputation() {
        Set<FoldKey> keys = Fold.of(program("f", WEIGHT, 2)).keys();
        assertEquals(keys, Fold.of(program("g", WEIGHT, 2)).keys());
        assertEquals(List.of(), Fold.of(program("g", WEIGHT, 2)).missing(keys));
        assertNotEquals(keys, Fold.of(program("f", WEIGHT, 3)).keys());
        assertNotEquals(keys, Fold.of(program("f", OpCase.random(WEIGHT.shape(), 2), 2)).keys(), "other memory, equal numbers");
    }

    @Test
    void aMissingResultIsNamed() {
        Exception e = assertThrows(IllegalArgumentException.class, () -> Fold.of(program("f", WEIGHT, 2)).finished(Map.of()));
        assertTrue(e.getMessage().contains("program 'f': expected the folded value %"), e.getMessage());
    }
}
