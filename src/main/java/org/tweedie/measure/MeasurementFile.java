// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.image.AtomicFile;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.image.Png;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.weights.SafeTensors;

/**
 * A measurement on disk. It has two files: {@code y.png}, a picture with 16 bits per channel, and beside it the sidecar
 * {@code y.measurement.safetensors} with the exact numbers ({@code measurement}) and the operator's {@code mask} or
 * {@code kernel}. Both files contain task, seed, noise, sigma, width and height.
 */
public final class MeasurementFile {
    /** A measurement that was read, and notes for the user about it. */
    public record Loaded(Measurement measurement, List<String> notes) {}

    private MeasurementFile() {}

    /** Returns the path of the sidecar, y.measurement.safetensors for y.png. */
    public static Path sidecar(Path png) {
        String name = png.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return png.resolveSibling((dot > 0 ? name.substring(0, dot) : name) + ".measurement.safetensors");
    }

    /** Writes both files. @throws IllegalArgumentException when they cannot be written there, as {@link AtomicFile#check} */
    public static void save(Measurement m, Path png) throws IOException {
        AtomicFile.check(png);
        Map<String, Tensor> tensors = new HashMap<>(m.operator().tensors());
        tensors.put("measurement", m.y());
        SafeTensors.write(sidecar(png), tensors, parameters(m));
        Png.writeMeasurement(png, m.picture(), parameters(m));
    }

    private static Map<String, String> parameters(Measurement m) {
        Map<String, String> p = new LinkedHashMap<>();
        p.put("kind", "measurement");
        p.put("task", m.operator().spec());
        p.put("seed", Long.toString(m.seed()));
        p.put("noise", m.noise());
        p.put("sigma", Double.toString(m.sigma()));
        p.put("width", Integer.toString(m.image().dim(2)));
        p.put("height", Integer.toString(m.image().dim(1)));
        return p;
    }

    /**
     * Reads a measurement. If there is a sidecar, its numbers are used, and they must agree with the picture. Otherwise the
     * numbers are those of the picture, rounded to 16 bits, and the operator is made from the task and the seed; a note says
     * so.
     *
     * @throws IllegalArgumentException with one line when the file is not a picture or not a measurement, or the two files
     *         disagree
     */
    public static Loaded load(Path png) throws IOException {
        ImageFile.Picture picture = ImageFile.read(png);
        Path sidecar = sidecar(png);
        if (!Files.exists(sidecar)) {
            Measurement m = measurement(png, picture.text(), picture.image().tensor(), Map.of());
            return new Loaded(m, List.of(png + ": no " + sidecar.getFileName() + " beside it; the numbers are taken from the "
                    + "picture, rounded to "
                    + "16 bits, and the operator is made again from the task and the seed"));
        }
        try (SafeTensors file = SafeTensors.open(sidecar)) {
            Map<String, Tensor> stored = new HashMap<>();
            // copies, which stay valid after the file is unmapped
            file.tensors().forEach((name, t) -> stored.put(name, Tensor.of(t.shape(), t.floats())));
            Tensor y = stored.get("measurement");
            if (y == null) {
                throw new IllegalArgumentException(sidecar + ": expected a tensor 'measurement', got " + stored.keySet()
                        + "; degrade again");
            }
            Measurement m = measurement(sidecar, file.metadata(), y, stored);
            requireSame(png, sidecar, picture, m.picture());
            return new Loaded(m, List.of());
        }
    }

    private static Measurement measurement(Path file, Map<String, String> p, Tensor y, Map<String, Tensor> stored) {
        String task = parameter(file, p, "task");
        Shape image = Shape.of(1, (int) number(file, p, "height"), (int) number(file, p, "width"), 3);
        long seed = seed(file, parameter(file, p, "seed"));
        return new Measurement(y, Operators.parse(task, image, seed, stored), image, parameter(file, p, "noise"),
                number(file, p, "sigma"), seed);
    }

    private static String parameter(Path file, Map<String, String> p, String key) {
        String value = p.get(key);
        if (value == null) {
            throw new IllegalArgumentException(file + ": not a measurement written by 'tweedie degrade' (it has no " + key
                    + "); give its task and noise with --task and --sigma");
        }
        return value;
    }

    private static double number(Path file, Map<String, String> p, String key) {
        return Task.number(file + ": " + key, parameter(file, p, key));
    }

    private static long seed(Path file, String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(file + ": seed: expected a whole number, got '" + text + "'");
        }
    }

    /** Checks that picture and sidecar have the same numbers to 16 bits. */
    private static void requireSame(Path png, Path sidecar, ImageFile.Picture seen, Image exact) {
        boolean same = seen.image().width() == exact.width() && seen.image().height() == exact.height();
        double range = Task.number("hi", seen.text().getOrDefault("hi", "1"))
                - Task.number("lo", seen.text().getOrDefault("lo", "-1"));
        for (int i = 0; same && i < exact.data().length; i++) {
            same = Math.abs(seen.image().data()[i] - exact.data()[i]) <= range * 0.51 / 65535;
        }
        if (!same) {
            throw new IllegalArgumentException(png + ": shows another measurement than " + sidecar.getFileName()
                    + " beside it; delete the one that is out of date");
        }
    }
}
