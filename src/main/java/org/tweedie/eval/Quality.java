// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.image.Image;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.metrics.Psnr;
import org.tweedie.metrics.Ssim;
import org.tweedie.program.Tensor;

/**
 * The metrics of a cell. This is the only place where they are computed; a table has a column for each name, in the order in
 * which they are put here.
 *
 * @param x the true picture
 * @param operator the operator of the cell's task
 */
record Quality(Image x, MeasurementOperator operator) {
    /** The root mean square difference of two restorations that differ in the solver's random numbers. */
    static final String SPREAD = "spread";

    /** Returns the metrics of a picture that no solver made. */
    Map<String, Double> of(Image got) {
        Image shown = got.clamp();
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("psnr", Psnr.of(x, shown));
        metrics.put("ssim", Ssim.of(x, shown));
        holes(shown, metrics);
        return metrics;
    }

    /** Returns the metrics of a restoration, as it is and before pixel consistency. */
    Map<String, Double> of(Restoration r) {
        Image shown = r.picture();
        Image decoded = Image.of(r.decoded()).clamp();
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("psnr", Psnr.of(x, shown));
        metrics.put("ssim", Ssim.of(x, shown));
        metrics.put("residual", r.residual());
        metrics.put("decoded_psnr", Psnr.of(x, decoded));
        metrics.put("decoded_ssim", Ssim.of(x, decoded));
        metrics.put("decoded_residual", r.decodedResidual());
        holes(shown, metrics);
        return metrics;
    }

    /** Adds the PSNR over the pixels that the measurement lacks, if the operator has a mask with holes. */
    private void holes(Image shown, Map<String, Double> metrics) {
        Tensor mask = operator.tensors().get("mask");
        if (mask == null) {
            return;
        }
        double sum = 0;
        long count = 0;
        for (int i = 0; i < x.data().length; i++) {
            if (mask.get(i / 3) == 0) {
                double d = (double) x.data()[i] - shown.data()[i];
                sum += d * d;
                count++;
            }
        }
        if (count > 0) {
            metrics.put("hole_psnr", 10 * Math.log10(4 / (sum / count)));
        }
    }

    /** Returns the root mean square difference of two pictures on the scale of [-1,1]. */
    static double spread(Image a, Image b) {
        double sum = 0;
        for (int i = 0; i < a.data().length; i++) {
            double d = (double) a.data()[i] - b.data()[i];
            sum += d * d;
        }
        return Math.sqrt(sum / a.data().length);
    }
}
