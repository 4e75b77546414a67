// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.image.Image;

/**
 * Compares with the arithmetic of the package lpips in PyTorch and float64 (weights-tools/golden/perceptual.py), term by term, on
 * thin networks with the layers and keys of torchvision.
 */
class LpipsGoldenTest {
    private static void compare(String device, double relative, List<Path> files, String net, int width, int height)
            throws IOException {
        double[] terms = Perceptual.value(net + ".terms");
        double[] features = Perceptual.value(net + ".features");
        Image a = Perceptual.picture("first").crop(0, 0, width, height);
        Image b = Perceptual.picture("second").crop(0, 0, width, height);
        try (Device d = Devices.open(device, 1); Lpips lpips = Lpips.open(files, d)) {
            double[] got = lpips.terms(a, b);
            double sum = 0;
            for (int k = 0; k < 5; k++) {
                assertEquals(terms[k], got[k], relative * terms[k], device + ", term " + k);
                sum += terms[k];
            }
            assertEquals(sum, lpips.of(a, b), relative * sum);
            assertArrayEquals(features, lpips.features(a), relative);
            assertEquals("lpips_" + net, lpips.name());
        }
    }

    @Test
    void alexnetInDouble() throws IOException {
        compare("reference", 1e-10, Perceptual.ALEXNET, "alex", 66, 71);
    }

    @Test
    void vggInDouble() throws IOException {
        compare("reference", 1e-10, Perceptual.VGG16, "vgg", 34, 49);
    }

    @Test
    void alexnetOnTheCpuDevice() throws IOException {
        compare("cpu", 1e-5, Perceptual.ALEXNET, "alex", 66, 71);
    }

    @Test
    void vggOnTheCpuDevice() throws IOException {
        compare("cpu", 1e-5, Perceptual.VGG16, "vgg", 34, 49);
    }
}
