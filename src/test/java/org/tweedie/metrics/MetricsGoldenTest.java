// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.tweedie.image.Image;
import org.tweedie.weights.SafeTensors;

/**
 * Compares with scikit-image (weights-tools/golden/operators.py). Pictures have single precision here, so the last digit may
 * differ.
 */
class MetricsGoldenTest {
    @Test
    void agreeWithScikitImage() throws IOException {
        try (SafeTensors golden = SafeTensors.open(Path.of("src/test/resources/golden/metrics.safetensors"))) {
            Image a = Image.of(golden.tensor("first"));
            Image b = Image.of(golden.tensor("second"));
            assertEquals(golden.tensor("psnr").get(0), Psnr.of(a, b), 1e-5);
            assertEquals(golden.tensor("ssim").get(0), Ssim.of(a, b), 1e-6);
        }
    }
}
