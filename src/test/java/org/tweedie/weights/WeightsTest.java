// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class WeightsTest {
    private static final Tensor PAIR = Tensor.of(Shape.of(2), 1f, 2f);
    private static final Tensor CONV = Tensor.of(Shape.of(2, 1, 1, 1), 3f, 4f);
    private static final Tensor IDS = Tensor.of(Shape.of(2), 0L, 1L);

    private static Weights weights(Map<String, Tensor> tensors) {
        return Weights.of("vae", "is this an SD 1.x autoencoder?", tensors);
    }

    @Test
    void takesByPrefix() {
        Weights w = weights(Map.of("down.0.conv.weight", PAIR));
        Weights block = w.at("down.0").at("conv");
        assertEquals("down.0.conv.weight", block.name("weight"));
        assertEquals("down.0.conv", block.prefix());
        assertEquals("", w.prefix());
        assertTrue(block.has("weight"));
        assertFalse(w.has("weight"));
        assertSame(PAIR, block.take("weight", 2));
        assertDoesNotThrow(() -> block.finish(Set.of()));
    }

    @Test
    void takesOldNamesAndOldShapesWhereAsked() {
        Weights w = weights(Map.of("mid.query.weight", CONV));
        Tensor t = w.at("mid").takeAny(List.of("to_q.weight", "query.weight"), 2, 1);
        assertEquals(Shape.of(2, 1), t.shape());
        assertArrayEquals(new float[] {3, 4}, t.floats());
        w.finish(Set.of());
        assertThrows(IllegalArgumentException.class, () -> {
            Weights strict = weights(Map.of("w", CONV));
            strict.take("w", 2, 1);
            strict.finish(Set.of());
        });
    }

    @Test
    void trailingOnesAreNotAnyOnes() {
        Weights w = weights(Map.of("w", Tensor.of(Shape.of(1, 2), 1f, 2f)));
        w.takeAny(List.of("w"), 2, 1);
        assertTrue(report(w).contains("'w' expected [2,1], got [1,2]"));
    }

    @Test
    void reportsAllProblemsAtOnce() {
        Weights w = weights(Map.of("a", PAIR, "position_ids", IDS, "extra", PAIR, "ints", IDS));
        assertArrayEquals(new float[3], w.take("a", 3).floats());
        assertArrayEquals(new float[4], w.take("gone", 2, 2).floats());
        assertArrayEquals(new float[2], w.take("ints", 2).floats());
        assertEquals(Shape.of(1), w.at("x").takeAny(List.of("new", "old"), 1).shape());
        assertEquals("""
                vae: the checkpoint does not fit the model
                  2 missing:
                    'gone'
                    'x.new or old'
                  2 with another shape:
                    'a' expected [3], got [2]
                    'ints' expected floating-point numbers, got I64[2]
                  1 not expected:
                    'extra'
                  is this an SD 1.x autoencoder?""", report(w, "position_ids"));
    }

    @Test
    void showsTenNamesOfEachKind() {
        Map<String, Tensor> many = new HashMap<>();
        for (int i = 0; i < 25; i++) {
            many.put(String.format("w%02d", i), PAIR);
        }
        String report = report(weights(many));
        assertTrue(report.contains("25 not expected:"), report);
        assertTrue(report.contains("'w09'") && !report.contains("'w10'"), report);
        assertTrue(report.contains("and 15 more"), report);
    }

    /** Placeholders of a wrong checkpoint must not take the memory of a whole model, and impossible ones none at all. */
    @Test
    void placeholdersShareTheirMemory() {
        Weights w = weights(Map.of());
        long large = 1 << 20;
        Tensor first = w.take("a", (int) large);
        assertEquals(first.data().address(), w.take("b", (int) large).data().address());
        assertThrows(IllegalArgumentException.class, () -> w.take("c", 4).data().fill((byte) 1));
        String message = assertThrows(IllegalArgumentException.class, () -> w.take("d", 1 << 30, 2)).getMessage();
        assertTrue(message.contains("4 missing"), message);
    }

    private static String report(Weights w, String... ignorable) {
        return assertThrows(IllegalArgumentException.class, () -> w.finish(Set.of(ignorable))).getMessage();
    }
}
