// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;

/**
 * The restored pictures of an evaluation, as PNG files with 8 bits: TASK/NOISE/SOLVER/SEED/PICTURE.png in a folder. In these
 * names, characters that a file system may not allow are replaced by an underscore.
 */
public record SavedPictures(Path folder) {
    /** Returns the file of a cell. */
    public Path file(Cell.Key k) {
        return folder.resolve(name(k.task())).resolve(name(k.noise())).resolve(name(k.solver())).resolve(Long.toString(k.seed()))
                .resolve(name(k.picture().replaceFirst("\\.[^.]*$", "")) + ".png");
    }

    private static String name(String text) {
        return text.replaceAll("[^A-Za-z0-9.,=+-]", "_");
    }

    /** Writes the picture of a cell, clamped to [-1,1]. The file appears when it is complete. */
    void write(Cell.Key k, Image picture) throws IOException {
        Path file = file(k);
        Files.createDirectories(file.getParent());
        Png.write(file, picture, Map.of("cell", k.text()));
    }

    /** Reads the picture of a cell. @throws IOException when it was not saved */
    Image read(Cell.Key k) throws IOException {
        return ImageFile.read(file(k)).image();
    }
}
