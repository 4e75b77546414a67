// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tweedie.device.Device;
import org.tweedie.device.Devices;
import org.tweedie.image.Image;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/** Tests what holds for any weights, and which weights and pictures are refused. */
class LpipsTest {
    @TempDir
    Path folder;

    private final Device device = Devices.open("cpu", 1);

    @AfterEach
    void close() {
        device.close();
    }

    private static Image first(int width, int height) throws IOException {
        return Perceptual.picture("first").crop(0, 0, width, height);
    }

    private static Image second(int width, int height) throws IOException {
        return Perceptual.picture("second").crop(0, 0, width, height);
    }

    /** Returns the tensors of a golden file, copied so that the file can be closed. */
    private static Map<String, Tensor> tensors(List<Path> files) throws IOException {
        Map<String, Tensor> all = new HashMap<>();
        for (Path file : files) {
            try (SafeTensors open = SafeTensors.open(file)) {
                open.tensors().forEach((key, t) -> all.put(key, Tensor.of(t.shape(), t.floats())));
            }
        }
        return all;
    }

    private List<Path> write(Map<String, Tensor> tensors) throws IOException {
        Path path = folder.resolve("weights.safetensors");
        SafeTensors.write(path, tensors, Map.of());
        return List.of(path);
    }

    private String refusal(List<Path> files) {
        return assertThrows(IllegalArgumentException.class, () -> Lpips.open(files, device).close()).getMessage();
    }

    @Test
    void isZeroForEqualPicturesAndSymmetric() throws IOException {
        try (Lpips lpips = Lpips.open(Perceptual.ALEXNET, device)) {
            Image a = first(40, 35);
            Image b = second(40, 35);
            assertEquals(0, lpips.of(a, a));
            assertEquals(lpips.of(a, b), lpips.of(b, a), 1e-15);
            assertTrue(lpips.of(a, b) > 1e-3, "different pictures are apart");
            assertEquals("alexnet.features", lpips.featuresName());
        }
    }

    /** A network is compiled for one size at a time; coming back to a size gives the same number again. */
    @Test
    void takesPicturesOfAnySize() throws IOException {
        try (Lpips lpips = Lpips.open(Perceptual.VGG16, device)) {
            double small = lpips.of(first(24, 20), second(24, 20));
            double large = lpips.of(first(33, 40), second(33, 40));
            assertEquals(small, lpips.of(first(24, 20), second(24, 20)));
            assertEquals(large, lpips.of(first(33, 40), second(33, 40)));
            assertEquals("vgg16.features", lpips.featuresName());
        }
    }

    /** With linear weights of 0 but for one map, only that map's term is left, and it is linear in them. */
    @Test
    void linearWeightsScaleTheTerms() throws IOException {
        Map<String, Tensor> tensors = tensors(Perceptual.VGG16);
        double before;
        try (Lpips lpips = Lpips.open(Perceptual.VGG16, device)) {
            before = lpips.terms(first(24, 20), second(24, 20))[1];
        }
        for (int k = 0; k < 5; k++) {
            String key = "lin" + k + ".model.1.weight";
            float[] w = tensors.get(key).floats();
            for (int c = 0; c < w.length; c++) {
                w[c] *= k == 1 ? 2 : 0;
            }
            tensors.put(key, Tensor.of(tensors.get(key).shape(), w));
        }
        try (Lpips lpips = Lpips.open(write(tensors), device)) {
            assertArrayEquals(new double[] {0, 2 * before, 0, 0, 0}, lpips.terms(first(24, 20), second(24, 20)), 1e-12);
        }
    }

    /** The smallest side that is refused leaves some map without a pixel, and the next one is compared. */
    @Test
    void refusesPicturesThatAreTooSmall() throws IOException {
        for (List<Path> files : List.of(Perceptual.ALEXNET, Perceptual.VGG16)) {
            LpipsWeights weights = LpipsWeights.of("golden", tensors(files));
            int side = weights.backbone().smallestSide();
            assertThrows(IllegalArgumentException.class, () -> weights.program(side - 1, side));
            try (Lpips lpips = Lpips.open(files, device)) {
                assertEquals(0, lpips.of(first(side, side), first(side, side)));
                String message = assertThrows(IllegalArgumentException.class,
                        () -> lpips.features(first(side + 5, side - 1))).getMessage();
                assertEquals(lpips.name() + ": expected pictures of at least " + side + "x" + side + ", got " + (side + 5) + "x"
                        + (side - 1) + "; use larger pictures", message);
            }
        }
    }

    @Test
    void refusesWhatCannotBeCompared() throws IOException {
        try (Lpips lpips = Lpips.open(Perceptual.ALEXNET, device)) {
            var e = assertThrows(IllegalArgumentException.class, () -> lpips.of(first(40, 40), second(41, 40)));
            assertEquals("lpips_alex: expected two pictures of one size, got 40x40 and 41x40; crop or scale one", e.getMessage());
            Image damaged = first(40, 40);
            damaged.data()[100] = Float.NaN;
            e = assertThrows(IllegalArgumentException.class, () -> lpips.of(damaged, second(40, 40)));
            assertEquals("lpips_alex: expected a finite result, got NaN; check the pictures and the weights for numbers that are "
                    + "not finite", e.getMessage());
        }
    }

    @Test
    void saysWhichKeysAreMissing() {
        String message = refusal(List.of(Perceptual.ALEXNET.getFirst()));
        assertTrue(message.startsWith("lpips: " + Perceptual.ALEXNET.getFirst() + ": "), message);
        assertTrue(message.contains("5 missing"), message);
        assertTrue(message.contains("'lin4.model.1.weight'"), message);
        assertTrue(message.contains("the keys resemble torchvision's alexnet; expected the keys features.N.weight"), message);
        assertEquals("lpips: " + Perceptual.ALEXNET.getLast() + ": expected the keys features.N.weight of torchvision's AlexNet "
                + "or VGG16, got none among 5 keys; add the file with the network's state dict",
                refusal(List.of(Perceptual.ALEXNET.getLast())));
        assertEquals("lpips: expected one safetensors file or two, got none; name the files with the network's weights and the "
                + "linear weights", refusal(List.of()));
    }

    @Test
    void saysWhichKeysAreMisshapenOrNotExpected() throws IOException {
        Map<String, Tensor> tensors = tensors(Perceptual.VGG16);
        tensors.put("features.5.weight", Tensor.of(Shape.of(4, 3, 5, 5), new float[300]));
        tensors.put("lin2.model.1.weight", Tensor.of(Shape.of(1, 9, 1, 1), new float[9]));
        tensors.put("features.30.weight", Tensor.of(Shape.of(1), 0f)); // as VGG19 has it, which has more layers
        String message = refusal(write(tensors));
        assertTrue(message.contains("'features.5.weight' expected [4,3,3,3], got [4,3,5,5]"), message);
        assertTrue(message.contains("'lin2.model.1.weight' expected [1,6,1,1], got [1,9,1,1]"), message);
        assertTrue(message.contains("1 not expected:\n    'features.30.weight'"), message);
        assertTrue(message.contains("torchvision's vgg16"), message);
    }

    @Test
    void refusesAKeyThatTwoFilesHave() throws IOException {
        Path file = Perceptual.VGG16.getFirst();
        String key = refusal(List.of(file, file));
        assertTrue(key.matches("lpips: the key \\S+ is in \\S+ and in \\S+; expected it once; leave one file out"), key);
    }
}
