// SPDX-License-Identifier: Apache-2.0
package org.tweedie.inverse;

import java.util.List;
import java.util.function.Supplier;
import org.tweedie.diffusion.Finite;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.diffusion.Run;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.sample.Sampler;

/** The latent at the noisiest level, from which a solver starts. */
public enum Start {
    /** The encoded start picture E(A+ y), moved to the noisiest level by DDIM inversion. */
    DDIM {
        @Override
        public Tensor at(Sampler.Walk walk, Problem p, Run run) {
            Tensor z = encoded(p, run);
            List<NoiseLevel> levels = walk.levels();
            NoiseLevel from = levels.getLast();
            for (NoiseLevel to : levels.subList(0, levels.size() - 1).reversed()) {
                z = run.invert(z, from, to);
                from = to;
            }
            return Finite.require(z, "start: inverted latent");
        }
    },
    /**
     * The encoded start picture, moved to the noisiest level by DDIM inversion with fresh noise n in each move, since the
     * inversion of a degraded picture is not normally distributed. A move adds half of the variance that the forward process
     * adds: z' = sqrt(abar') zbar + sqrt(sigma'^2 - s^2) eps + s n with s^2 = (1 - abar'/abar)/2.
     */
    DDIM_NOISE {
        @Override
        public Tensor at(Sampler.Walk walk, Problem p, Run run) {
            Tensor z = encoded(p, run);
            List<NoiseLevel> levels = walk.levels();
            Supplier<Tensor> noise = noise(p, Philox.Stream.INIT);
            NoiseLevel from = levels.getLast();
            for (NoiseLevel to : levels.subList(0, levels.size() - 1).reversed()) {
                Tensor eps = run.eps(z, from, to.timestep());
                double s2 = (1 - to.abar() / from.abar()) / 2;
                double signal = to.sqrtAbar() / from.sqrtAbar(); // zbar = (z - sigma eps) / sqrt(abar)
                double direction = Math.sqrt(to.sigma() * to.sigma() - s2) - signal * from.sigma();
                z = Vectors.mix(1, Vectors.mix(signal, z, direction, eps), Math.sqrt(s2), noise.get());
                from = to;
            }
            return Finite.require(z, "start: inverted latent");
        }
    },
    /** The encoded start picture mixed with noise n: sqrt(abar) E(A+ y) + sigma n. */
    QSAMPLE {
        @Override
        public Tensor at(Sampler.Walk walk, Problem p, Run run) {
            NoiseLevel top = walk.levels().getFirst();
            return Vectors.mix(top.sqrtAbar(), encoded(p, run), top.sigma(), noise(p));
        }
    },
    /** The start is noise alone. */
    NOISE {
        @Override
        public Tensor at(Sampler.Walk walk, Problem p, Run run) {
            return Vectors.scale(walk.initNoise(), noise(p));
        }
    };

    /** The network evaluations that the start takes. @param each the evaluations of one prediction of the noise */
    public Nfe evaluations(int steps, int each) {
        return switch (this) {
            case DDIM, DDIM_NOISE -> Nfe.encode(1, 0).plus(Nfe.unet((long) steps * each, 0));
            case QSAMPLE -> Nfe.encode(1, 0);
            case NOISE -> Nfe.NONE;
        };
    }

    /** Computes the latent [1,h,w,c]. @param walk the walk that starts from it */
    public abstract Tensor at(Sampler.Walk walk, Problem p, Run run);

    private static Tensor encoded(Problem p, Run run) {
        return Finite.require(run.encode(p.start()), "start: encoded start picture");
    }

    private static Tensor noise(Problem p) {
        return new Philox(p.seed(), Philox.Stream.INIT).normals(0, p.prior().latent());
    }

    /** Returns the noise for a stochastic sampler: each call draws a new N(0,I) of the latent's shape. */
    public static Supplier<Tensor> stepNoise(Problem p) {
        return noise(p, Philox.Stream.STEP);
    }

    private static Supplier<Tensor> noise(Problem p, Philox.Stream stream) {
        Shape latent = p.prior().latent();
        long[] drawn = {0};
        Philox random = new Philox(p.seed(), stream);
        return () -> random.normals(latent.size() * drawn[0]++, latent);
    }
}
