// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Bicubic reduction (Keys, a = -1/2) of both sides by a whole factor, with the kernel stretched by the factor to avoid
 * aliasing: {@code sr:FACTOR}, [B,H,W,3] to [B,H/s,W/s,3].
 */
public record SuperResolution(int factor) implements LinearOperator {
    /** @throws IllegalArgumentException unless the factor is at least 2 */
    public SuperResolution {
        if (factor < 2) {
            throw new IllegalArgumentException("sr: expected a whole factor of at least 2, got " + factor
                    + "; as in sr:4 or sr:8");
        }
    }

    @Override
    public String spec() {
        return "sr:" + factor;
    }

    @Override
    public Shape outShape(Shape image) {
        return Shape.of(image.dim(0), reduced(image.dim(1)), reduced(image.dim(2)), 3);
    }

    private int reduced(int side) {
        if (side % factor != 0 || side == 0) {
            int less = side / factor * factor;
            throw new IllegalArgumentException(spec() + ": image side " + side + " is not a multiple of " + factor + "; "
                    + (less == 0 ? "" : "crop to " + less + " or ") + "pad to " + (less + factor));
        }
        return side / factor;
    }

    @Override
    public Value apply(Tracer t, Value x) {
        outShape(x.shape());
        return matrices(x.dim(1), x.dim(2)).apply(t, x);
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        return matrices(image.dim(1), image.dim(2)).adjoint(t, y);
    }

    private Separable matrices(int height, int width) {
        return Separable.of(height, width, n -> Separable.reduction(n, factor, SuperResolution::cubic, 2));
    }

    static double cubic(double x) {
        double d = Math.abs(x);
        return d <= 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    }

    /**
     * Returns the picture with each pixel repeated in a block, which is nearly a right inverse on photographs and adds no
     * detail between the blocks.
     */
    @Override
    public Tensor start(Tensor y) {
        Shape s = y.shape();
        int h = s.dim(1) * factor;
        int w = s.dim(2) * factor;
        float[] in = y.floats();
        float[] out = new float[s.dim(0) * h * w * 3];
        for (int i = 0; i < s.dim(0) * h * w; i++) {
            int row = i / w / factor; // counts the rows of the whole batch, which works since h is a multiple of the factor
            System.arraycopy(in, (row * s.dim(2) + i % w / factor) * 3, out, i * 3, 3);
        }
        return Tensor.of(Shape.of(s.dim(0), h, w, 3), out);
    }

    /** Returns the residual, interpolated linearly between the centres of the blocks. */
    @Override
    public Tensor extend(Tensor residual) {
        Shape s = residual.shape();
        int h = s.dim(1) * factor;
        int w = s.dim(2) * factor;
        float[] in = residual.floats();
        float[] out = new float[s.dim(0) * h * w * 3];
        for (int i = 0; i < s.dim(0) * h * w; i++) {
            double y = (i / w % h + 0.5) / factor - 0.5;
            double x = (i % w + 0.5) / factor - 0.5;
            Bilinear.sample(in, i / w / h, s.dim(1), s.dim(2), y, x, out, i);
        }
        return Tensor.of(Shape.of(s.dim(0), h, w, 3), out);
    }

    /** The tasks that name this operator. */
    static final class Family implements OperatorFamily {
        @Override
        public String name() {
            return "sr";
        }

        @Override
        public List<String> grammar() {
            return List.of("sr:FACTOR");
        }

        @Override
        public List<String> examples() {
            return List.of("sr:4", "sr:8");
        }

        @Override
        public String help() {
            return "The picture is reduced by a whole factor, with bicubic interpolation and without aliasing.";
        }

        @Override
        public MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored) {
            return new SuperResolution(task.requireCount(1, 1).whole(1, 0));
        }

        @Override
        public Shape image(Task task, Shape y) {
            int factor = task.requireCount(1, 1).whole(1, 0);
            return Shape.of(y.dim(0), y.dim(1) * factor, y.dim(2) * factor, 3);
        }
    }
}
