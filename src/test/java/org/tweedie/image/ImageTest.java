// SPDX-License-Identifier: Apache-2.0
package org.tweedie.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class ImageTest {
    /** Makes a picture in which channel c of pixel (x,y) is x + 10 y + 100 c. */
    private static Image ramp(int w, int h) {
        float[] d = new float[w * h * 3];
        for (int i = 0; i < d.length; i++) {
            d[i] = i / 3 % w + 10 * (i / 3 / w) + 100 * (i % 3);
        }
        return new Image(w, h, d);
    }

    @Test
    void isATensorOfRowsPixelsChannels() {
        Image a = ramp(3, 2);
        assertEquals(Shape.of(1, 2, 3, 3), a.tensor().shape());
        assertEquals(212, a.tensor().get((1 * 3 + 2) * 3 + 2));
        assertEquals(212, a.get(2, 1, 2));
        Image b = Image.of(a.tensor());
        assertEquals(3, b.width());
        assertArrayEquals(a.data(), b.data());
        assertEquals(2, Image.of(Tensor.of(Shape.of(2, 3, 3), a.data())).height());
        assertThrows(IllegalArgumentException.class, () -> Image.of(Tensor.of(Shape.of(2, 3, 3, 1), a.data())));
        assertThrows(IllegalArgumentException.class, () -> new Image(3, 3, a.data()));
    }

    @Test
    void crops() {
        Image c = ramp(5, 4).crop(1, 2, 3, 2);
        assertEquals(3, c.width());
        assertEquals(21, c.get(0, 0, 0));
        assertEquals(233, c.get(2, 1, 2));
        var e = assertThrows(IllegalArgumentException.class, () -> ramp(5, 4).crop(3, 0, 3, 2));
        assertEquals("crop: 3x2 at (3,0) is outside of a picture of 5x4", e.getMessage());
    }

    @Test
    void joinsSideBySideWithWhiteGaps() {
        Image j = Image.join(2, ramp(2, 3), ramp(3, 3));
        assertEquals(7, j.width());
        assertEquals(1, j.get(2, 1, 0));
        assertEquals(1, j.get(3, 2, 2));
        assertEquals(21, j.get(1, 2, 0));
        assertEquals(122, j.get(6, 2, 1));
        assertThrows(IllegalArgumentException.class, () -> Image.join(2, ramp(2, 3), ramp(2, 4)));
    }
}
