// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class NoiseModelTest {
    private static final Shape Y = Shape.of(1, 100, 100, 3);
    private static final Tensor CLEAN = Tensor.of(Y, new float[30000]);

    @Test
    void gaussianHasItsSigma() {
        double[] y = NoiseModel.parse("gaussian", 0.05).on(CLEAN, 1).doubles();
        double sum = 0;
        for (double v : y) {
            sum += v * v;
        }
        assertEquals(0.05, Math.sqrt(sum / y.length), 0.05 * 5 / Math.sqrt(2 * 30000));
        assertArrayEquals(y, new NoiseModel.Gaussian(0.05).on(CLEAN, 1).doubles());
        assertArrayEquals(CLEAN.floats(), new NoiseModel.Gaussian(0).on(CLEAN, 1).floats());
    }

    @Test
    void saltAndPepperTouchWholePixels() {
        float[] y = NoiseModel.parse("salt-pepper:0.1", 0).on(CLEAN, 1).floats();
        int salt = 0;
        int pepper = 0;
        for (int i = 0; i < y.length; i += 3) {
            assertEquals(y[i], y[i + 1]);
            assertEquals(y[i], y[i + 2]);
            salt += y[i] == 1 ? 1 : 0;
            pepper += y[i] == -1 ? 1 : 0;
        }
        assertEquals(500, salt, 5 * Math.sqrt(500));
        assertEquals(500, pepper, 5 * Math.sqrt(500));
    }

    @Test
    void saysWhatThereIs() {
        var e = assertThrows(IllegalArgumentException.class, () -> NoiseModel.parse("salt", 0));
        assertEquals("noise 'salt': expected gaussian or salt-pepper:FRACTION, as in salt-pepper:0.02", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> NoiseModel.parse("gaussian", -1));
        assertThrows(IllegalArgumentException.class, () -> NoiseModel.parse("gaussian", Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> NoiseModel.parse("salt-pepper:2", 0));
    }
}
