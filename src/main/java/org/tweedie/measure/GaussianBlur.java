// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Gaussian blur with a standard deviation in pixels. The kernel is cut at four standard deviations and normalised, and the
 * picture is reflected at its ends: {@code blur} (3 pixels) or {@code blur:STD}.
 */
public record GaussianBlur(double std) implements LinearOperator {
    /** @throws IllegalArgumentException unless 0 &lt; std &lt;= 100 */
    public GaussianBlur {
        if (!(std > 0 && std <= 100)) {
            throw new IllegalArgumentException("blur: expected a standard deviation in (0,100] pixels, got " + std
                    + "; as in blur:3");
        }
    }

    @Override
    public String spec() {
        return "blur:" + Task.text(std);
    }

    @Override
    public Shape outShape(Shape image) {
        return image;
    }

    @Override
    public Value apply(Tracer t, Value x) {
        return matrices(x).apply(t, x);
    }

    @Override
    public Value adjoint(Tracer t, Value y, Shape image) {
        return matrices(y).adjoint(t, y);
    }

    private Separable matrices(Value x) {
        double[] taps = taps(std);
        return Separable.of(x.dim(1), x.dim(2), n -> Separable.correlation(n, taps));
    }

    /** Returns exp(-k^2 / 2 std^2) for |k| <= floor(4 std + 1/2), normalised to sum 1. */
    static double[] taps(double std) {
        int radius = (int) (4 * std + 0.5);
        double[] taps = new double[2 * radius + 1];
        double sum = 0;
        for (int k = -radius; k <= radius; k++) {
            taps[k + radius] = StrictMath.exp(-k * k / (2 * std * std));
            sum += taps[k + radius];
        }
        for (int k = 0; k < taps.length; k++) {
            taps[k] /= sum;
        }
        return taps;
    }

    /** Returns the blurred picture itself. */
    @Override
    public Tensor start(Tensor y) {
        return y;
    }

    /** Returns the residual itself. */
    @Override
    public Tensor extend(Tensor residual) {
        return residual;
    }

    /** The tasks that name this operator. */
    static final class Family implements OperatorFamily {
        @Override
        public String name() {
            return "blur";
        }

        @Override
        public List<String> grammar() {
            return List.of("blur[:STD]");
        }

        @Override
        public List<String> examples() {
            return List.of("blur:3");
        }

        @Override
        public String help() {
            return "The picture is blurred by a Gaussian with a standard deviation of STD pixels (default 3).";
        }

        @Override
        public MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored) {
            return new GaussianBlur(task.requireCount(0, 1).number(1, 3));
        }
    }
}
