// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tweedie.program.Shape;

class OperatorsTest {
    private static final Shape IMAGE = Shape.of(1, 64, 64, 3);
    private static final String KNOWN = "; known: blur[:STD], denoise, inpaint:box[:SIZE], inpaint:random:FRACTION, "
            + "inpaint:MASK.png, motion[:SIZE[:INTENSITY]], sr:FACTOR";

    @ParameterizedTest
    @CsvSource({"blur,blur:3", "blur:2.50,blur:2.5", "motion,motion:61:0.5", "motion:31,motion:31:0.5", "denoise,denoise",
            "sr:08,sr:8"})
    void specsAreCanonical(String asked, String canonical) {
        assertEquals(canonical, Operators.parse(asked, IMAGE, 0).spec());
        assertEquals(canonical, Operators.parse(canonical, IMAGE, 0).spec());
    }

    @ParameterizedTest
    @CsvSource({"sr8,sr:8", "SR:4,sr:4", "inpant:box,inpaint:box", "blurr,blur:3", "denoising,denoise", "Motion,motion:61:0.5"})
    void suggestsTheNearestTask(String asked, String meant) {
        var e = assertThrows(IllegalArgumentException.class, () -> Operators.parse(asked, IMAGE, 0));
        assertEquals("task '" + asked + "': unknown; did you mean '" + meant + "'?" + KNOWN, e.getMessage());
    }

    @Test
    void listsTheTasksWhenNothingIsNear() {
        var e = assertThrows(IllegalArgumentException.class, () -> Operators.parse("colorize", IMAGE, 0));
        assertEquals("task 'colorize': unknown" + KNOWN, e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "sr, 'task ''sr'': expected 1 number after ''sr'', got 0'",
        "sr:4:2, 'task ''sr:4:2'': expected 1 number after ''sr'', got 2'",
        "sr:x, '''sr:x'': expected a whole number, got ''x'''",
        "sr:1, 'sr: expected a whole factor of at least 2, got 1'",
        "blur:-1, 'blur: expected a standard deviation in (0,100] pixels, got -1.0'",
        "blur:NaN, 'blur: expected a standard deviation in (0,100] pixels, got NaN'",
        "motion:60, 'motion: expected an odd size from 9 to 255 pixels, got 60'",
        "motion:61:2, 'motion: expected an intensity from 0 to 1, got 2.0'",
        "inpaint, 'task ''inpaint'': expected inpaint:box, inpaint:box:SIZE'",
        "inpaint:random, 'task ''inpaint:random'': expected inpaint:box'",
        "inpaint:random:40, 'inpaint:random:40: expected the fraction of pixels to remove, between 0 and 1, got 40.0'",
        "inpaint:box:0, 'inpaint:box:0: a box of 0x0 does not fit'",
        "inpaint:none.png, 'none.png: no such file'",
        "denoise:3, 'task ''denoise:3'': expected 0 numbers after ''denoise'', got 1'"})
    void saysWhatIsWrong(String asked, String start) {
        String line = assertThrows(IllegalArgumentException.class, () -> Operators.parse(asked, IMAGE, 0)).getMessage();
        assertTrue(line.startsWith(start) && !line.contains("\n"), line);
    }
}
