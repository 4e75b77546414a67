// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The pictures of a folder, averaged down to one size.
 *
 * @param height, width the size in pixels
 */
public record Pictures(Path folder, int height, int width) {
    /**
     * Returns the names of at most {@code limit} pictures in alphabetical order, after skipping the first {@code skip}. All
     * files whose names do not begin with a dot count as pictures.
     *
     * @throws IllegalArgumentException when there is none
     */
    public List<String> names(int skip, int limit) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + ": expected a folder with pictures, found none; check the path");
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<String> names = files.filter(Files::isRegularFile).map(f -> f.getFileName().toString())
                    .filter(n -> !n.startsWith(".")).sorted().skip(skip).limit(limit).toList();
            if (names.isEmpty()) {
                throw new IllegalArgumentException(folder + ": expected pictures after the first " + skip + ", found none; check "
                        + "the folder, --skip and --limit");
            }
            return names;
        }
    }

    /**
     * Reads a picture.
     *
     * @throws IllegalArgumentException when it is not a picture, or its sides are not multiples of this size
     */
    public Image read(String name) throws IOException {
        try {
            return average(ImageFile.read(folder.resolve(name)).image(), height, width);
        } catch (IllegalArgumentException e) {
            String message = e.getMessage();
            throw new IllegalArgumentException(message.contains(name) ? message : folder.resolve(name) + ": " + message, e);
        }
    }

    /** Reduces a picture to sides that divide its own sides; each pixel is the mean of a block. */
    static Image average(Image x, int height, int width) {
        if (x.width() % width != 0 || x.height() % height != 0) {
            throw new IllegalArgumentException("expected sides that are multiples of " + width + "x" + height + ", got "
                    + x.width() + "x" + x.height() + "; crop the picture or choose another --size");
        }
        int fx = x.width() / width;
        int fy = x.height() / height;
        float[] out = new float[height * width * 3];
        for (int i = 0; i < x.height(); i++) {
            for (int j = 0; j < x.width(); j++) {
                for (int c = 0; c < 3; c++) {
                    out[((i / fy) * width + j / fx) * 3 + c] += x.get(j, i, c) / (fx * fy);
                }
            }
        }
        return Image.of(Tensor.of(Shape.of(1, height, width, 3), out));
    }
}
