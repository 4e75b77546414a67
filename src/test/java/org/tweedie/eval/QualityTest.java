// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.OpCase;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.image.Image;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.Denoise;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.metrics.Lpips;
import org.tweedie.metrics.MsSsim;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

class QualityTest {
    private static final int SIDE = 16;

    private static Image flat(double value) {
        float[] data = new float[SIDE * SIDE * 3];
        Arrays.fill(data, (float) value);
        return new Image(SIDE, SIDE, data);
    }

    private static MeasurementOperator box() {
        return Operators.parse("inpaint:box:4", Shape.of(1, SIDE, SIDE, 3), 3);
    }

    /** An error of 0.2 in the holes alone has mean square 0.04 there, and 16/256 of that over the picture; the peak is 2. */
    @Test
    void countsTheErrorInHolesAlone() {
        float[] got = flat(0.25).data().clone();
        float[] mask = box().tensors().get("mask").floats();
        int holes = 0;
        for (int i = 0; i < got.length; i++) {
            if (mask[i / 3] == 0) {
                got[i] += 0.2f;
                holes++;
            }
        }
        assertEquals(4 * 4 * 3, holes);
        Map<String, Double> metrics = new Quality(flat(0.25), box(), null).of(new Image(SIDE, SIDE, got));
        assertEquals(List.of("psnr", "ssim", "hole_psnr"), List.copyOf(metrics.keySet()));
        assertEquals(20, metrics.get("hole_psnr"), 1e-5);
        assertEquals(20 + 10 * Math.log10(16), metrics.get("psnr"), 1e-5);
    }

    @Test
    void aRestorationHasTheMetricsOfBothPictures() {
        Tensor image = flat(1.5).tensor(); // it is shown as 1
        Tensor decoded = flat(0.5).tensor();
        Restoration r = new Restoration(image, decoded, 0.9, 7, new NfeLedger());
        MeasurementOperator sr = Operators.parse("sr:2", Shape.of(1, SIDE, SIDE, 3), 3);
        Map<String, Double> metrics = new Quality(flat(0.8), sr, null).of(r);
        assertEquals(List.of("psnr", "ssim", "residual", "decoded_psnr", "decoded_ssim", "decoded_residual"),
                List.copyOf(metrics.keySet()));
        assertEquals(20, metrics.get("psnr"), 1e-5);
        assertEquals(10 * Math.log10(4 / 0.09), metrics.get("decoded_psnr"), 1e-5);
        assertEquals(0.9, metrics.get("residual"));
        assertEquals(7, metrics.get("decoded_residual"));
    }

    /** A picture of 64 pixels holds three scales of MS-SSIM, and LPIPS is measured if there are weights. */
    @Test
    void largerPicturesHaveMoreMetrics() throws IOException {
        Path weights = Path.of("src/test/resources/golden/lpips");
        Tensor a = OpCase.random(Shape.of(1, 64, 64, 3), 1);
        Tensor b = OpCase.random(Shape.of(1, 64, 64, 3), 2);
        try (Device device = new ReferenceDevice(); Lpips lpips = Lpips.open(List.of(weights.resolve("alexnet.safetensors"),
                weights.resolve("alexnet-linear.safetensors")), device)) {
            Image x = Image.of(a).clamp();
            Image got = Image.of(b).clamp();
            Map<String, Double> metrics = new Quality(x, new Denoise(), lpips).of(Image.of(b));
            assertEquals(List.of("psnr", "ssim", "ms_ssim3", "lpips_alex"), List.copyOf(metrics.keySet()));
            assertEquals(MsSsim.of(x, got, 3), metrics.get("ms_ssim3"));
            assertEquals(lpips.of(x, got), metrics.get("lpips_alex"));
        }
    }

    /** The fields of a table are empty where a cell lacks a number, and its order is that of the cells. */
    @Test
    void tablesHaveAColumnForEachNumber() {
        Cell base = new Cell(new Cell.Key("a, b.png", "sr:4", "gaussian:0.01", "pinv", 1), Map.of("psnr", 1.0 / 3), Map.of(), 2);
        Cell solved = new Cell(new Cell.Key("c.png", "sr:4", "gaussian:0.01", "stsl:a=1,b=2", 1), Map.of("psnr",
                Double.POSITIVE_INFINITY), Map.of("nfe", 12L), 0.25);
        assertEquals("""
                picture,task,noise,solver,seed,psnr,nfe
                "a, b.png",sr:4,gaussian:0.01,pinv,1,0.333333,
                c.png,sr:4,gaussian:0.01,"stsl:a=1,b=2",1,Infinity,12
                """, CellTable.results(List.of(base, solved)));
        assertEquals("""
                picture,task,noise,solver,seed,seconds
                c.png,sr:4,gaussian:0.01,"stsl:a=1,b=2",1,0.250
                "a, b.png",sr:4,gaussian:0.01,pinv,1,2.000
                """, CellTable.times(List.of(solved, base)));
        assertFalse(CellTable.results(List.of(base, solved)).contains("seconds"));
    }

    @Test
    void picturesAreAveragedInBlocks() {
        Image x = new Image(4, 2, new float[] {1, 0, 0, 3, 0, 0, 10, 0, 0, 30, 0, 0, 5, 0, 0, 7, 0, 0, 50, 0, 0, 70, 0, 0});
        Image small = Pictures.average(x, 1, 2);
        assertEquals(4, small.get(0, 0, 0));
        assertEquals(40, small.get(1, 0, 0));
        String message = assertThrows(IllegalArgumentException.class, () -> Pictures.average(x, 1, 3)).getMessage();
        assertTrue(message.startsWith("expected sides that are multiples of 3x1, got 4x2"), message);
    }
}
