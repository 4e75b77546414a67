// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.tweedie.image.Image;
import org.tweedie.image.ImageFile;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Removes pixels, the same ones in all channels: y = mask x. {@code inpaint:box} (half of each side),
 * {@code inpaint:box:SIZE}, {@code inpaint:random:FRACTION} or {@code inpaint:FILE.png} (white is kept).
 *
 * @param spec the task as the user wrote it
 * @param mask [1,H,W,1], 1 where the pixel is kept, 0 in holes
 */
public record Inpaint(String spec, Tensor mask) implements LinearOperator {
    /** @throws IllegalArgumentException when the mask has other values than 0 and 1, or keeps no pixel */
    public Inpaint {
        Shape s = mask.shape();
        if (s.rank() != 4 || s.dim(0) != 1 || s.dim(3) != 1) {
            throw new IllegalArgumentException("inpaint: expected a mask [1,H,W,1], got " + s);
        }
        boolean any = false;
        for (float v : mask.floats()) {
            if (v != 0 && v != 1) {
                throw new IllegalArgumentException("inpaint: expected a mask of zeros (holes) and ones (kept), got " + v);
            }
            any |= v == 1;
        }
        if (!any) {
            throw new IllegalArgumentException("inpaint: the mask keeps no pixel; white is kept, black is removed");
        }
    }

    /** Removes a box of the given size at a random place that is at least a sixteenth of the side away from the border. */
    static Inpaint box(String spec, Shape image, int height, int width, long seed) {
        int h = image.dim(1);
        int w = image.dim(2);
        int freeY = h - 2 * (h / 16) - height;
        int freeX = w - 2 * (w / 16) - width;
        if (height < 1 || width < 1 || freeY < 0 || freeX < 0) {
            throw new IllegalArgumentException(spec + ": a box of " + width + "x" + height + " does not fit into a picture of "
                    + w + "x" + h
                    + " with a margin of a sixteenth; choose a size from 1 to " + Math.min(h - 2 * (h / 16), w - 2 * (w / 16)));
        }
        Philox random = new Philox(seed, Philox.Stream.MASK);
        int top = h / 16 + below(random, 0, freeY + 1);
        int left = w / 16 + below(random, 1, freeX + 1);
        float[] mask = ones(h * w);
        for (int y = top; y < top + height; y++) {
            Arrays.fill(mask, y * w + left, y * w + left + width, 0);
        }
        return new Inpaint(spec, Tensor.of(Shape.of(1, h, w, 1), mask));
    }

    /** Removes exactly floor(fraction H W + 1/2) random pixels. */
    static Inpaint random(String spec, Shape image, double fraction, long seed) {
        if (!(fraction > 0 && fraction < 1)) {
            throw new IllegalArgumentException(spec + ": expected the fraction of pixels to remove, between 0 and 1, got "
                    + fraction);
        }
        int n = image.dim(1) * image.dim(2);
        int remove = (int) Math.floor(fraction * n + 0.5);
        Philox random = new Philox(seed, Philox.Stream.MASK);
        int[] order = new int[n];
        Arrays.setAll(order, i -> i);
        float[] mask = ones(n);
        for (int i = 0; i < remove; i++) { // the first steps of a shuffle
            int j = i + below(random, i, n - i);
            int pick = order[j];
            order[j] = order[i];
            mask[pick] = 0;
        }
        return new Inpaint(spec, Tensor.of(Shape.of(1, image.dim(1), image.dim(2), 1), mask));
    }

    /**
     * Makes the mask from a picture: pixels whose mean is above mid grey are kept.
     *
     * @throws IllegalArgumentException when the mask's size is not the picture's
     */
    static Inpaint of(String spec, Image picture, Shape image) {
        int h = image.dim(1);
        int w = image.dim(2);
        if (picture.width() != w || picture.height() != h) {
            throw new IllegalArgumentException(spec + ": the mask is " + picture.width() + "x" + picture.height()
                    + ", the picture "
                    + w + "x" + h + "; make them the same size");
        }
        float[] mask = new float[h * w];
        float[] p = picture.data();
        for (int i = 0; i < mask.length; i++) {
            mask[i] = p[3 * i] + p[3 * i + 1] + p[3 * i + 2] > 0 ? 1 : 0;
        }
        return new Inpaint(spec, Tensor.of(Shape.of(1, h, w, 1), mask));
    }

    private static float[] ones(int n) {
        float[] out = new float[n];
        Arrays.fill(out, 1);
        return out;
    }

    /** Returns a random whole number in [0,n). */
    private static int below(Philox random, long index, int n) {
        return (int) ((random.bits(index) & 0xFFFFFFFFL) * n >>> 32);
    }

    @Override
    public Shape outShape(Shape image) {
        if (!image.with(0, 1).with(3, 1).equals(mask.shape())) {
            throw new IllegalArgumentException(spec + ": the mask is for pictures of " + mask.shape().dim(2) + "x"
                    + mask.shape().dim(1)
                    + ", got " + image.dim(2) + "x" + image.dim(1));
        }
        return image;
    }

    @Override
    public Value apply(Tracer t, Value x) {
        outShape(x.shape());
        return t.mul(x, t.constant("mask", mask));
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        return apply(t, y);
    }

    /** Traces the residual, which is zero in holes whatever values the measurement has there. */
    @Override
    public Value residual(Tracer t, Value y, Value x) {
        return apply(t, t.sub(y, x));
    }

    @Override
    public long measurements(Shape image) {
        outShape(image);
        long kept = 0;
        for (float v : mask.floats()) {
            kept += (long) v;
        }
        return 3 * kept * image.dim(0);
    }

    /**
     * Returns the picture with its holes filled smoothly from their surroundings, since a flat hole is a bad start for a
     * sampler.
     */
    @Override
    public Tensor start(Tensor y) {
        outShape(y.shape());
        int h = mask.shape().dim(1);
        int w = mask.shape().dim(2);
        float[] m = mask.floats();
        boolean[] known = new boolean[m.length];
        for (int i = 0; i < m.length; i++) {
            known[i] = m[i] == 1;
        }
        float[] in = y.floats();
        float[] out = new float[in.length];
        int n = h * w * 3;
        for (int b = 0; b < y.shape().dim(0); b++) {
            System.arraycopy(HoleFill.fill(Arrays.copyOfRange(in, b * n, (b + 1) * n), known, h, w), 0, out, b * n, n);
        }
        return Tensor.of(y.shape(), out);
    }

    /** Returns the residual of the kept pixels, extended smoothly into the holes. */
    @Override
    public Tensor extend(Tensor residual) {
        return start(residual);
    }

    @Override
    public Map<String, Tensor> tensors() {
        return Map.of("mask", mask);
    }

    /** The tasks that name this operator. */
    static final class Family implements OperatorFamily {
        @Override
        public String name() {
            return "inpaint";
        }

        @Override
        public List<String> grammar() {
            return List.of("inpaint:box[:SIZE]", "inpaint:random:FRACTION", "inpaint:MASK.png");
        }

        @Override
        public List<String> examples() {
            return List.of("inpaint:box", "inpaint:random:0.4");
        }

        @Override
        public String help() {
            return "Pixels are missing: a box (default half of each side), a random fraction of the pixels, or the black pixels "
                    + "of a mask.";
        }

        @Override
        public MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored) {
            return stored.containsKey("mask") ? new Inpaint(task.spec(), stored.get("mask")) : of(task, image, seed);
        }

        private static Inpaint of(Task task, Shape image, long seed) {
            String kind = task.count() > 0 ? task.word(1) : "";
            if (kind.equals("box") && task.count() <= 2) {
                return box(task.spec(), image, task.whole(2, image.dim(1) / 2), task.whole(2, image.dim(2) / 2), seed);
            }
            if (kind.equals("random") && task.count() == 2) {
                return random(task.spec(), image, task.number(2, 0), seed);
            }
            if (task.spec().toLowerCase(Locale.ROOT).endsWith(".png")) {
                try {
                    Path file = Path.of(task.spec().substring("inpaint:".length()));
                    return Inpaint.of(task.spec(), ImageFile.read(file).image(), image);
                } catch (IOException e) {
                    throw new UncheckedIOException(e.getMessage(), e);
                }
            }
            throw new IllegalArgumentException("task '" + task.spec() + "': expected inpaint:box, inpaint:box:SIZE, "
                    + "inpaint:random:FRACTION or "
                    + "inpaint:MASK.png (white is kept)");
        }
    }
}
