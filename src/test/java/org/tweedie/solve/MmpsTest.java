// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.RealVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tweedie.device.reference.ReferenceDevice;
import org.tweedie.diffusion.Codec;
import org.tweedie.diffusion.DiagonalPrior;
import org.tweedie.diffusion.Listener;
import org.tweedie.diffusion.MixturePrior;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.NoiseSchedule;
import org.tweedie.diffusion.Prior;
import org.tweedie.diffusion.Run;
import org.tweedie.inverse.PixelConsistency;
import org.tweedie.inverse.Problem;
import org.tweedie.inverse.Start;
import org.tweedie.measure.MeasurementOperator;
import org.tweedie.measure.Operators;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.sample.Ddim;
import org.tweedie.sample.Sampler;

/** Tests MMPS on normal priors of independent pixels, for which E[z0 | z, y] is known. */
class MmpsTest extends GuidedByResidualTest {
    private static final double AE = 0.001;
    private static final int PIXELS = (int) GaussianBed.IMAGE.size();

    private static Mmps mmps(int steps, int k, Sampler sampler, Start init) {
        return new Mmps(steps, k, AE, sampler, init, PixelConsistency.NONE);
    }

    /** A sampler that keeps what it is given. */
    private record Recorder(List<NoiseLevel> levels, List<Tensor> z, List<Tensor> eps) implements Sampler {
        Recorder() {
            this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        @Override
        public Walk walk(NoiseSchedule schedule, int steps) {
            Walk ddim = new Ddim(1).walk(schedule, steps);
            return new Walk() {
                @Override
                public List<NoiseLevel> levels() {
                    return ddim.levels();
                }

                @Override
                public double initNoise() {
                    return ddim.initNoise();
                }

                @Override
                public Tensor step(int i, Tensor at, Tensor noise, Supplier<Tensor> fresh) {
                    levels.add(ddim.levels().get(i));
                    z.add(at);
                    eps.add(noise);
                    return ddim.step(i, at, noise, fresh);
                }
            };
        }

        /** Returns the clean estimate, zhat, that belongs to the eps of a step. */
        double zhat(int step, int pixel) {
            NoiseLevel level = levels.get(step);
            return (z.get(step).get(pixel) - level.sigma() * eps.get(step).get(pixel)) / level.sqrtAbar();
        }
    }

    /** A prior with four different variances, which alternate among the pixels. */
    private static DiagonalPrior uneven() {
        double[] variance = new double[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            variance[i] = List.of(0.04, 0.3, 0.6, 0.11).get((i + i / 24) % 4);
        }
        return new DiagonalPrior(0.1, Tensor.of(GaussianBed.IMAGE, variance));
    }

    /** Pictures that are a curve of their latents, x = z + z^3 / 10. */
    private static final Codec CURVED = new Codec() {
        @Override
        public Value encode(Tracer t, Value image) {
            return image;
        }

        @Override
        public Value decode(Tracer t, Value z) {
            return t.add(z, t.scale(t.mul(z, t.mul(z, z)), 0.1));
        }

        @Override
        public Shape latent(Shape image) {
            return image;
        }
    };

    /** sr:4 has 12 values; in the other tasks the covariance of the measurement has four different eigenvalues. */
    @ParameterizedTest
    @CsvSource({"sr:4,12,false", "inpaint:random:0.5,4,false", "inpaint:box,4,false", "denoise,4,false", "sr:4,12,true",
            "sr:4,14,false"})
    void withEnoughIterationsTheEstimateIsThePosteriorMean(String task, int k, boolean curved) {
        DiagonalPrior prior = uneven();
        MeasurementOperator a = Operators.parse(task, GaussianBed.IMAGE, 3);
        Problem flat = GaussianBed.problem(new ReferenceDevice(), prior, a, 7);
        Problem p = !curved ? flat : new Problem(new Prior(new ReferenceDevice(), GaussianBed.SCHEDULE, prior, CURVED,
                GaussianBed.IMAGE), a, flat.y(), flat.sigma(), 7);
        Recorder steps = new Recorder();
        mmps(3, k, steps, Start.QSAMPLE).solve(p, Listener.NONE);
        assertEquals(3, steps.levels().size());
        for (int i = 0; i < 3; i++) {
            double[] exact = posteriorMean(p, prior, steps.z().get(i), steps.levels().get(i), curved);
            for (int j = 0; j < PIXELS; j++) {
                assertEquals(exact[j], steps.zhat(i, j), 1e-8, task + ", step " + i + ", pixel " + j);
            }
        }
    }

    /** zbar + C B^T (v0 I + B C B^T)^-1 (y - A D(zbar)) by dense matrices, where B is A times the derivative of the decoder. */
    private static double[] posteriorMean(Problem p, DiagonalPrior prior, Tensor z, NoiseLevel level, boolean curved) {
        double[] zbar = new double[PIXELS];
        double[] x = new double[PIXELS];
        RealMatrix b = MatrixUtils.createRealMatrix((int) p.y().size(), PIXELS);
        RealMatrix cbt = MatrixUtils.createRealMatrix(PIXELS, (int) p.y().size());
        for (int j = 0; j < PIXELS; j++) {
            zbar[j] = prior.mean(j, z.get(j), level);
            x[j] = zbar[j] + (curved ? 0.1 * Math.pow(zbar[j], 3) : 0);
            double slope = curved ? 1 + 0.3 * zbar[j] * zbar[j] : 1;
            double[] unit = new double[PIXELS];
            unit[j] = slope;
            double[] column = Applied.apply(p.operator(), Tensor.of(GaussianBed.IMAGE, unit)).doubles();
            b.setColumn(j, column);
            for (int i = 0; i < column.length; i++) {
                cbt.setEntry(j, i, prior.covariance(j, level) * column[i]);
            }
        }
        RealVector r = new ArrayRealVector(Applied.residual(p.operator(), p.y(), Tensor.of(GaussianBed.IMAGE, x)).doubles());
        double v0 = p.sigma() * p.sigma() + AE;
        RealMatrix m = b.multiply(cbt).add(MatrixUtils.createRealIdentityMatrix(r.getDimension()).scalarMultiply(v0));
        RealVector u = new LUDecomposition(m).getSolver().solve(r);
        return new ArrayRealVector(zbar).add(cbt.operate(u)).toArray();
    }

    /** With equal variances and A = I each pixel is on its own; one iteration is enough, and more find nothing more. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void eachPixelOfANoisyPicture(int k) {
        Problem p = GaussianBed.problem(MixturePrior.normal(0, STD), "denoise");
        Recorder steps = new Recorder();
        mmps(4, k, steps, Start.NOISE).solve(p, Listener.NONE);
        for (int i = 0; i < 4; i++) {
            NoiseLevel level = steps.levels().get(i);
            double noise = 1 - level.abar();
            double total = level.abar() * STD * STD + noise;
            double variance = STD * STD * noise / total; // of z0 given z
            double v0 = GaussianBed.SIGMA * GaussianBed.SIGMA + AE;
            for (int j = 0; j < PIXELS; j++) {
                double zbar = level.sqrtAbar() * STD * STD / total * steps.z().get(i).get(j);
                double expected = (v0 * zbar + variance * p.y().get(j)) / (v0 + variance);
                assertEquals(expected, steps.zhat(i, j), 1e-9, "step " + i + ", pixel " + j);
            }
        }
    }

    /**
     * One iteration alone is the step c = r.w / w.w along d, worked out here for a prior with several variances. The operator
     * x + x^3 is linearised at zbar, where its slope is 1 + 3 zbar^2.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneIterationIsTheBestStepAlongTheGradient(boolean cubic) {
        DiagonalPrior prior = uneven();
        Problem p = GaussianBed.problem(new ReferenceDevice(), prior,
                cubic ? new NonLinearTest.Cubic() : Operators.parse("denoise", GaussianBed.IMAGE, 3), 7);
        Recorder steps = new Recorder();
        mmps(2, 1, steps, Start.QSAMPLE).solve(p, Listener.NONE);
        NoiseLevel level = steps.levels().get(1);
        double[] zbar = new double[PIXELS];
        double[] d = new double[PIXELS];
        double rw = 0;
        double ww = 0;
        for (int j = 0; j < PIXELS; j++) {
            zbar[j] = prior.mean(j, steps.z().get(1).get(j), level);
            double slope = cubic ? 1 + 3 * zbar[j] * zbar[j] : 1;
            double r = p.y().get(j) - zbar[j] - (cubic ? Math.pow(zbar[j], 3) : 0);
            d[j] = prior.covariance(j, level) * slope * r;
            double w = (GaussianBed.SIGMA * GaussianBed.SIGMA + AE) * r + slope * d[j];
            rw += r * w;
            ww += w * w;
        }
        for (int j = 0; j < PIXELS; j++) {
            assertEquals(zbar[j] + rw / ww * d[j], steps.zhat(1, j), 1e-9, "pixel " + j);
        }
    }

    @Test
    void withoutIterationsItIsPlainSampling() {
        Problem p = GaussianBed.problem(uneven(), "sr:4");
        assertArrayEquals(sampled(p, 6), mmps(6, 0, new Ddim(1), Start.QSAMPLE).solve(p, Listener.NONE).decoded().doubles());
    }

    /** If nothing is measured the residual is exactly zero, and MMPS is plain sampling too. */
    @Test
    void aResidualOfZeroChangesNothing() {
        record Blind() implements IdentityOperator {
            @Override
            public Value residual(Tracer t, Value y, Value x) {
                return t.scale(t.sub(y, x), 0);
            }
        }
        Problem p = GaussianBed.problem(new ReferenceDevice(), uneven(), new Blind(), 7);
        assertArrayEquals(sampled(p, 6), mmps(6, 3, new Ddim(1), Start.QSAMPLE).solve(p, Listener.NONE).decoded().doubles());
    }

    private static double[] sampled(Problem p, int steps) {
        Run run = new Run(p.prior(), Listener.NONE);
        Sampler.Walk walk = new Ddim(1).walk(GaussianBed.SCHEDULE, steps);
        Supplier<Tensor> noise = Start.stepNoise(p);
        Tensor z = Start.QSAMPLE.at(walk, p, run);
        for (int i = 0; i < steps; i++) {
            z = walk.step(i, z, run.eps(z, walk.levels().get(i)), noise);
        }
        return z.doubles();
    }

    @Test
    void counts() {
        countsWhatRan(mmps(7, 3, new Ddim(1), Start.QSAMPLE),
                "nfe=7 unet_forwards=7 unet_vjps=21 decodes=8 decode_vjps=21 decode_jvps=21 encodes=1");
    }

    @Test
    void theDefaultsOfATask() {
        assertEquals(0.00035, ((Mmps) Solvers.of("mmps", "sr:8")).autoencoderVariance());
        assertEquals(0.0031, ((Mmps) Solvers.of("mmps", "inpaint:box")).autoencoderVariance());
        assertEquals(0.0033, ((Mmps) Solvers.of("mmps", "inpaint:random:0.4")).autoencoderVariance());
        assertEquals(0.001, ((Mmps) Solvers.of("mmps", "sr:2")).autoencoderVariance());
    }

    @Test
    void stops() {
        Halting.stopsWhenCancelled(mmps(5, 2, new Ddim(1), Start.NOISE));
        Halting.namesWhatIsNotFinite(mmps(5, 2, new Ddim(1), Start.NOISE), "mmps: step 1 of 5 (t=801): residual");
    }
}
