// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.Convolution;

/**
 * Correlation with the kernel of a shaken camera, with the picture reflected at its ends: {@code motion} (size 61, intensity
 * 0.5), {@code motion:SIZE} or {@code motion:SIZE:INTENSITY}.
 *
 * @param size the odd side of the square that contains the kernel
 * @param intensity the bending of the camera's path, from 0 (straight) to 1 (strongly bent)
 * @param kernel [1,1,size,size], not negative, of sum 1
 */
public record MotionBlur(int size, double intensity, Tensor kernel) implements LinearOperator {
    /** @throws IllegalArgumentException when the kernel is not of that size or its sum is not 1 */
    public MotionBlur {
        if (!kernel.shape().equals(Shape.of(1, 1, size, size))) {
            throw new IllegalArgumentException("motion: expected a kernel [1,1," + size + "," + size + "], got "
                    + kernel.shape());
        }
        double sum = 0;
        for (double v : kernel.doubles()) {
            sum += v;
        }
        if (!(Math.abs(sum - 1) < 1e-4)) {
            throw new IllegalArgumentException("motion: expected a kernel of sum 1, got " + sum
                    + "; it would change the brightness");
        }
    }

    /** Makes a random kernel from a seed. */
    public MotionBlur(int size, double intensity, long seed) {
        this(size, intensity, MotionKernel.draw(size, intensity, seed));
    }

    @Override
    public String spec() {
        return "motion:" + size + ":" + Task.text(intensity);
    }

    @Override
    public Shape outShape(Shape image) {
        return image;
    }

    /** The smallest rectangle of the kernel that has all nonzero values, and its extent from the middle in each direction. */
    private record Support(Tensor weight, Tensor flipped, int up, int down, int left, int right) {
        int height() {
            return up + down + 1;
        }

        int width() {
            return left + right + 1;
        }
    }

    private Support support() {
        float[] k = kernel.floats();
        int top = size;
        int bottom = -1;
        int first = size;
        int last = -1;
        for (int i = 0; i < k.length; i++) {
            if (k[i] != 0) {
                top = Math.min(top, i / size);
                bottom = Math.max(bottom, i / size);
                first = Math.min(first, i % size);
                last = Math.max(last, i % size);
            }
        }
        int h = bottom - top + 1;
        int w = last - first + 1;
        float[] weight = new float[h * w];
        float[] flipped = new float[h * w];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = k[(top + i / w) * size + first + i % w];
            flipped[weight.length - 1 - i] = weight[i];
        }
        int middle = size / 2;
        return new Support(Tensor.of(Shape.of(1, 1, h, w), weight), Tensor.of(Shape.of(1, 1, h, w), flipped),
                middle - top, bottom - middle, middle - first, last - middle);
    }

    @Override
    public Value apply(Tracer t, Value x) {
        Support s = support();
        Value padded = padding(s, x.dim(1), x.dim(2)).apply(t, x); // [B,H+kh-1,W+kw-1,3]
        Value y = t.conv2d(planes(t, padded), t.constant("kernel", s.weight), null, 1, 0);
        return pictures(t, y, x.dim(0));
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        Support s = support();
        Convolution full = new Convolution(1, s.height() - 1, s.width() - 1, s.height() - 1, s.width() - 1);
        Value padded = t.conv2d(planes(t, y), t.constant("kernel.flipped", s.flipped), null, full);
        return padding(s, y.dim(1), y.dim(2)).adjoint(t, pictures(t, padded, y.dim(0)));
    }

    private static Separable padding(Support s, int height, int width) {
        return new Separable(Separable.padding(height, s.up, s.down), Separable.padding(width, s.left, s.right));
    }

    /** Traces [B,H,W,3] to [B*3,H,W,1], so that one kernel serves all channels. */
    private static Value planes(Tracer t, Value x) {
        return t.reshape(t.transpose(x, 0, 3, 1, 2), Shape.of(x.dim(0) * 3, x.dim(1), x.dim(2), 1));
    }

    private static Value pictures(Tracer t, Value planes, int batch) {
        return t.transpose(t.reshape(planes, Shape.of(batch, 3, planes.dim(1), planes.dim(2))), 0, 2, 3, 1);
    }

    /** Returns the blurred picture itself. */
    @Override
    public Tensor start(Tensor y) {
        return y;
    }

    /**
     * Returns the residual correlated with the turned kernel and reflected at the ends, which equals A^T r away from the
     * ends. The residual itself would suffice only for a kernel with a positive spectrum; for other kernels it could move the
     * picture in the wrong direction.
     */
    @Override
    public Tensor extend(Tensor residual) {
        Support k = support();
        float[] taps = k.flipped.floats();
        int h = residual.shape().dim(1);
        int w = residual.shape().dim(2);
        float[] in = residual.floats();
        float[] out = new float[in.length];
        int[] columns = new int[w];
        for (int tap = 0; tap < taps.length; tap++) {
            int dy = tap / k.width() - k.down;
            int dx = tap % k.width() - k.right;
            Arrays.setAll(columns, x -> 3 * Separable.reflect(x + dx, w));
            // the rows of all pictures of the batch
            for (int row = 0; taps[tap] != 0 && row < out.length / (3 * w); row++) {
                int from = (row / h * h + Separable.reflect(row % h + dy, h)) * 3 * w;
                for (int x = 0; x < w; x++) {
                    for (int c = 0; c < 3; c++) {
                        out[(row * w + x) * 3 + c] += taps[tap] * in[from + columns[x] + c];
                    }
                }
            }
        }
        return Tensor.of(residual.shape(), out);
    }

    @Override
    public Map<String, Tensor> tensors() {
        return Map.of("kernel", kernel);
    }

    /** The tasks that name this operator. */
    static final class Family implements OperatorFamily {
        @Override
        public String name() {
            return "motion";
        }

        @Override
        public List<String> grammar() {
            return List.of("motion[:SIZE[:INTENSITY]]");
        }

        @Override
        public List<String> examples() {
            return List.of("motion:61:0.5");
        }

        @Override
        public String help() {
            return "The camera moves along a random path within SIZE pixels (default 61), which bends by INTENSITY "
                    + "(default 0.5).";
        }

        @Override
        public MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored) {
            int size = task.requireCount(0, 2).whole(1, 61);
            double intensity = task.number(2, 0.5);
            Tensor kernel = stored.get("kernel");
            return kernel == null ? new MotionBlur(size, intensity, seed) : new MotionBlur(size, intensity, kernel);
        }
    }
}
