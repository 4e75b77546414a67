// SPDX-License-Identifier: Apache-2.0
package org.tweedie.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tweedie.program.DType;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Tests weights without a checkpoint: they depend on name and seed only, and their size keeps activations in range. */
class RandomWeightsTest {
    private static float[] draw(long seed, DType dtype, String name, Shape shape) {
        try (RandomWeights w = new RandomWeights(seed, dtype)) {
            return w.draw(name, shape).floats();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "F32"})
    void variesAsOneOverTheFanIn(DType dtype) {
        float[] x = draw(1, dtype, "unet.conv.weight", Shape.of(64, 40, 3, 3));
        double mean = 0;
        double square = 0;
        for (float v : x) {
            mean += v / x.length;
            square += (double) v * v / x.length;
        }
        double variance = 1.0 / (40 * 9);
        assertEquals(0, mean, 4 * Math.sqrt(variance / x.length));
        assertEquals(variance, square, 0.02 * variance);
    }

    @Test
    void sameNameAndSeedSameNumbersWhateverIsDrawnBefore() {
        Shape shape = Shape.of(300, 301); // these are several pieces, and the last one is not full
        float[] x = draw(1, DType.F32, "unet.a.weight", shape);
        try (RandomWeights w = new RandomWeights(1, DType.F32)) {
            w.draw("unet.b.weight", Shape.of(7, 5));
            assertArrayEquals(x, w.draw("unet.a.weight", shape).floats());
        }
        assertFalse(Arrays.equals(x, draw(2, DType.F32, "unet.a.weight", shape)));
        assertFalse(Arrays.equals(x, draw(1, DType.F32, "unet.b.weight", shape)));
    }

    @Test
    void vectorsAreNearOneOrZero() {
        for (float v : draw(1, DType.F32, "unet.norm.weight", Shape.of(99))) {
            assertEquals(1, v, 0.1);
        }
        for (float v : draw(1, DType.F32, "unet.norm.bias", Shape.of(99))) {
            assertEquals(0, v, 0.1);
        }
    }

    @Test
    void nothingIsMissing() {
        try (RandomWeights random = new RandomWeights(1, DType.F16)) {
            Weights w = Weights.of("vae", random);
            assertTrue(w.has("anything"));
            Tensor t = w.at("mid").takeAny(List.of("to_q.weight", "query.weight"), 8, 8);
            assertEquals(Shape.of(8, 8), t.shape());
            assertEquals(DType.F16, t.dtype());
            w.finish(Set.of());
        }
    }

    @Test
    void refusesWhatNoCheckpointHolds() {
        assertEquals("random weights: expected F16 or F32, got I64",
                assertThrows(IllegalArgumentException.class, () -> new RandomWeights(1, DType.I64)).getMessage());
    }
}
