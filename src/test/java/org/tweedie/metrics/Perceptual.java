// SPDX-License-Identifier: Apache-2.0
package org.tweedie.metrics;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tweedie.image.Image;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/** The pictures, weights and values that weights-tools/golden/perceptual.py wrote. */
final class Perceptual {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    /** AlexNet in one file and its linear weights in another. */
    static final List<Path> ALEXNET = List.of(FOLDER.resolve("lpips/alexnet.safetensors"),
            FOLDER.resolve("lpips/alexnet-linear.safetensors"));

    /** VGG16 with its linear weights in the same file. */
    static final List<Path> VGG16 = List.of(FOLDER.resolve("lpips/vgg16.safetensors"));

    private Perceptual() {}

    /** Returns the numbers of a golden value. */
    static double[] value(String name) throws IOException {
        try (SafeTensors golden = SafeTensors.open(FOLDER.resolve("perceptual.safetensors"))) {
            return golden.tensor(name).doubles();
        }
    }

    /** Returns the rows of a golden matrix. */
    static List<double[]> rows(String name) throws IOException {
        try (SafeTensors golden = SafeTensors.open(FOLDER.resolve("perceptual.safetensors"))) {
            Tensor t = golden.tensor(name);
            List<double[]> rows = new ArrayList<>();
            for (int i = 0; i < t.shape().dim(0); i++) {
                double[] row = new double[t.shape().dim(1)];
                for (int j = 0; j < row.length; j++) {
                    row[j] = t.get((long) i * row.length + j);
                }
                rows.add(row);
            }
            return rows;
        }
    }

    /** Returns a whole picture, {@code first} or {@code second}. */
    static Image picture(String name) throws IOException {
        try (SafeTensors golden = SafeTensors.open(FOLDER.resolve("perceptual.safetensors"))) {
            Tensor t = golden.tensor(name);
            float[] data = t.floats();
            for (int i = 0; i < data.length; i++) {
                data[i] = data[i] / 127.5f - 1;
            }
            return new Image(t.shape().dim(1), t.shape().dim(0), data);
        }
    }
}
