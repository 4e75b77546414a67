// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Map;
import java.util.function.Supplier;
import org.tweedie.device.Device;
import org.tweedie.device.Executable;
import org.tweedie.diffusion.Run;
import org.tweedie.image.Image;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.Simplify;

/**
 * A degraded picture y = A x + noise, with the operator A and the level of the noise.
 *
 * @param y [1,h,w,3] on the [-1,1] scale, F32; zero in the holes of the operator
 * @param image shape [1,H,W,3] of the picture x
 * @param noise the kind of noise, as {@link NoiseModel#spec} writes it
 * @param sigma root mean square of the noise on the [-1,1] scale, over the measured values, without those in holes
 * @param seed the seed of the operator and of the noise
 */
public record Measurement(Tensor y, MeasurementOperator operator, Shape image, String noise, double sigma, long seed) {
    /**
     * @throws IllegalArgumentException when y does not have the shape of a measurement of such a picture, or sigma is
     *         negative or not finite
     */
    public Measurement {
        Shape expected = operator.outShape(image);
        if (!y.shape().equals(expected)) {
            throw new IllegalArgumentException(operator.spec() + ": expected a measurement " + expected + " of a picture "
                    + image + ", got "
                    + y.shape());
        }
        if (!(sigma >= 0 && sigma < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("sigma: expected 0 or more (on the [-1,1] scale), got " + sigma);
        }
    }

    /** Degrades a picture. Noise is added after A, and holes stay zero, which is mid grey. */
    public static Measurement of(Device device, Image picture, MeasurementOperator operator, NoiseModel noise, long seed) {
        return of((part, program, in) -> {
            try (Executable e = device.compile(program.get())) {
                return e.run(Map.of("in", in)).get("out");
            }
        }, picture, operator, noise, seed);
    }

    /** Degrades a picture with programs that the run's prior keeps for the next picture of the operator. */
    public static Measurement of(Run run, Image picture, MeasurementOperator operator, NoiseModel noise, long seed) {
        return of((part, program, in) -> run.evaluate(operator, part, Nfe.NONE, program, Map.of("in", in)).get("out"), picture,
                operator, noise, seed);
    }

    private static Measurement of(Programs programs, Image picture, MeasurementOperator operator, NoiseModel noise, long seed) {
        Shape image = picture.shape();
        Tensor clean = programs.run(Part.MEASURE, picture.tensor(), (t, x) -> operator.apply(t, x));
        Tensor noisy = noise.on(clean, seed);
        boolean holes = operator.measurements(image) < clean.size();
        Tensor y = !holes ? noisy : programs.run(Part.EMPTY_HOLES, noisy, (t, v) -> operator.residual(t, v, t.zeros(image)));
        double sigma = noise instanceof NoiseModel.Gaussian g ? g.sigma() : rms(y, clean, operator.measurements(image));
        return new Measurement(y, operator, image, noise.spec(), sigma, seed);
    }

    /** Makes a measurement of a degraded picture from another source, whose task and noise the user gives. */
    public static Measurement of(Image y, String task, double sigma, long seed) {
        Shape image = Operators.imageShape(task, y.shape());
        return new Measurement(y.tensor(), Operators.parse(task, image, seed), image, "gaussian", sigma, seed);
    }

    private enum Part { MEASURE, EMPTY_HOLES }

    private interface Body {
        Value emit(Tracer t, Value in);
    }

    /** Runs the program of a part of the measurement, which it compiles if necessary. */
    private interface Programs {
        Tensor run(Part part, Supplier<Program> program, Tensor in);

        default Tensor run(Part part, Tensor in, Body body) {
            Tensor out = run(part, () -> {
                Tracer t = new Tracer("measure");
                t.output("out", body.emit(t, t.input("in", Type.real(in.shape()))));
                return Simplify.of(t.finish());
            }, in);
            return Tensor.of(out.shape(), out.floats());
        }
    }

    private static double rms(Tensor y, Tensor clean, long count) {
        double sum = 0;
        for (long i = 0; i < y.size(); i++) {
            double d = y.get(i) - clean.get(i); // both y and A x are zero in holes
            sum += d * d;
        }
        return Math.sqrt(sum / count);
    }

    /**
     * The number m of measured values, without those in holes; the residual's norm for noise alone is about sigma sqrt(m).
     */
    public long count() {
        return operator.measurements(image);
    }

    /** The measurement as a picture of h x w pixels. */
    public Image picture() {
        return Image.of(y);
    }

    /** A picture of full size that agrees roughly with the measurement. */
    public Image start() {
        return Image.of(operator.start(y));
    }
}
