// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.image.ImageFile;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** The measurement operators there are, by the words of a user: {@code sr:8}, {@code inpaint:box}, ... */
public final class Operators {
    /** One of each, as a user may write it. */
    public static final List<String> EXAMPLES =
            List.of("sr:4", "sr:8", "blur:3", "motion:61:0.5", "inpaint:box", "inpaint:random:0.4", "denoise");

    private static final String KNOWN = "sr:FACTOR, blur[:STD], motion[:SIZE[:INTENSITY]], inpaint:box[:SIZE], inpaint:random:FRACTION, "
            + "inpaint:MASK.png, denoise";

    private Operators() {}

    /**
     * The operator that a task names, for pictures of a size.
     *
     * @param image [1,H,W,3]
     * @param seed of random masks and kernels
     * @throws IllegalArgumentException with one line: an unknown task (with the known ones), a wrong number, a size that does not fit
     */
    public static MeasurementOperator parse(String spec, Shape image, long seed) {
        return parse(spec, image, seed, Map.of());
    }

    /** The same with the mask or kernel that was stored with a measurement, which then comes before spec and seed. */
    public static MeasurementOperator parse(String spec, Shape image, long seed, Map<String, Tensor> stored) {
        String[] p = spec.split(":", -1);
        MeasurementOperator op = switch (p[0]) {
            case "sr" -> new SuperResolution(whole(spec, arguments(spec, p, 1, 1)[1]));
            case "blur" -> new GaussianBlur(arguments(spec, p, 0, 1).length == 1 ? 3 : number(spec, p[1]));
            case "motion" -> motion(spec, arguments(spec, p, 0, 2), seed, stored.get("kernel"));
            case "inpaint" -> stored.containsKey("mask") ? new Inpaint(spec, stored.get("mask")) : inpaint(spec, p, image, seed);
            case "denoise" -> {
                arguments(spec, p, 0, 0);
                yield new Denoise();
            }
            default -> throw new IllegalArgumentException("task '" + spec + "': unknown" + suggestion(spec) + "; known: " + KNOWN);
        };
        op.outShape(image);
        return op;
    }

    /** An operator for each of {@link #EXAMPLES}. */
    public static List<MeasurementOperator> all(Shape image, long seed) {
        return EXAMPLES.stream().map(s -> parse(s, image, seed)).toList();
    }

    /** Shape of the picture whose measurement by a known task has the given shape. */
    public static Shape imageShape(String spec, Shape y) {
        if (!spec.startsWith("sr:")) {
            return y;
        }
        int factor = whole(spec, arguments(spec, spec.split(":", -1), 1, 1)[1]);
        return Shape.of(y.dim(0), y.dim(1) * factor, y.dim(2) * factor, 3);
    }

    private static MeasurementOperator motion(String spec, String[] p, long seed, Tensor kernel) {
        int size = p.length > 1 ? whole(spec, p[1]) : 61;
        double intensity = p.length > 2 ? number(spec, p[2]) : 0.5;
        return kernel == null ? new MotionBlur(size, intensity, seed) : new MotionBlur(size, intensity, kernel);
    }

    private static MeasurementOperator inpaint(String spec, String[] p, Shape image, long seed) {
        String kind = p.length > 1 ? p[1] : "";
        if (kind.equals("box") && p.length <= 3) {
            int height = p.length == 3 ? whole(spec, p[2]) : image.dim(1) / 2;
            int width = p.length == 3 ? height : image.dim(2) / 2;
            return Inpaint.box(spec, image, height, width, seed);
        }
        if (kind.equals("random") && p.length == 3) {
            return Inpaint.random(spec, image, number(spec, p[2]), seed);
        }
        if (spec.toLowerCase(Locale.ROOT).endsWith(".png")) {
            try {
                Path file = Path.of(spec.substring("inpaint:".length()));
                return Inpaint.of(spec, ImageFile.read(file).image(), image);
            } catch (IOException e) {
                throw new UncheckedIOException(e.getMessage(), e);
            }
        }
        throw new IllegalArgumentException("task '" + spec + "': expected inpaint:box, inpaint:box:SIZE, inpaint:random:FRACTION or "
                + "inpaint:MASK.png (white is kept)");
    }

    private static String[] arguments(String spec, String[] p, int least, int most) {
        if (p.length - 1 < least || p.length - 1 > most) {
            String count = least == most ? Integer.toString(least) : least + " to " + most;
            throw new IllegalArgumentException("task '" + spec + "': expected " + count + (most == 1 ? " number" : " numbers") + " after '"
                    + p[0] + "', got " + (p.length - 1) + "; known: " + KNOWN);
        }
        return p;
    }

    static int whole(String spec, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + spec + "': expected a whole number, got '" + text + "'");
        }
    }

    static double number(String spec, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + spec + "': expected a number, got '" + text + "'");
        }
    }

    /** Shortest form: 3 rather than 3.0. */
    static String number(double x) {
        return x == Math.rint(x) && Math.abs(x) < 1e9 ? Long.toString((long) x) : Double.toString(x);
    }

    /** The example nearest as a whole, or by its first word, if few letters differ. */
    private static String suggestion(String spec) {
        String asked = spec.toLowerCase(Locale.ROOT);
        String best = null;
        int least = 4;
        for (boolean whole : new boolean[] {true, false}) {
            for (String example : EXAMPLES) {
                String form = whole ? example : example.split(":")[0];
                int d = distance(asked, form);
                if (d < least && d < form.length()) {
                    least = d;
                    best = example;
                }
            }
        }
        return best == null ? "" : "; did you mean '" + best + "'?";
    }

    /** Letters to insert, delete or exchange (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
