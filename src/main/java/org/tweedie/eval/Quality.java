// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tweedie.image.Image;
import org.tweedie.inverse.Restoration;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.metrics.Lpips;
import org.tweedie.metrics.MsSsim;
import org.tweedie.metrics.Psnr;
import org.tweedie.metrics.Ssim;
import org.tweedie.program.Tensor;

/**
 * The metrics of a cell. This is the only place where they are computed; a table has a column for each name, in the order in
 * which they are put here.
 *
 * @param x the true picture
 * @param operator the operator of the cell's task
 * @param lpips measures LPIPS; null if it is not measured
 */
record Quality(Image x, MeasurementOperator operator, Lpips lpips) {
    /** The scales of MS-SSIM for pictures that are too small for all five. */
    private static final int FEWER_SCALES = 3;

    /** The root mean square difference of two restorations that differ in the solver's random numbers. */
    static final String SPREAD = "spread";

    /** Returns the metrics of a picture that no solver made. */
    Map<String, Double> of(Image got) {
        Image shown = got.clamp();
        Map<String, Double> metrics = new LinkedHashMap<>();
        whole(shown, metrics);
        holes(shown, metrics);
        return metrics;
    }

    private void whole(Image shown, Map<String, Double> metrics) {
        metrics.put("psnr", Psnr.of(x, shown));
        metrics.put("ssim", Ssim.of(x, shown));
        int side = Math.min(x.width(), x.height());
        int scales = side >= MsSsim.smallestSide(MsSsim.SCALES) ? MsSsim.SCALES : FEWER_SCALES;
        if (side >= MsSsim.smallestSide(scales)) {
            metrics.put(MsSsim.name(scales), MsSsim.of(x, shown, scales));
        }
        if (lpips != null) {
            metrics.put(lpips.name(), lpips.of(x, shown));
        }
    }

    /** Returns the metrics of a restoration, as it is and before pixel consistency. */
    Map<String, Double> of(Restoration r) {
        Image shown = r.picture();
        Image decoded = Image.of(r.decoded()).clamp();
        Map<String, Double> metrics = new LinkedHashMap<>();
        whole(shown, metrics);
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
        if (mask != null && operator.measurements(x.shape()) < x.data().length) {
            metrics.put("hole_psnr", Psnr.of(x, shown, mask));
        }
    }
}
