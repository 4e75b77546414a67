// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.transform.DirectionCheck;
import org.tweedie.transform.Jvp;

/** Tests Tweedie's first and second moment with priors whose posterior is known. */
class TweedieTest {
    private static final Shape ONE = Shape.of(1, 1, 1, 1);

    /** Returns mean and variance of z0 given z by Tweedie's formulas, from the score and its derivative. */
    private static double[] moments(Denoiser prior, NoiseLevel level, double z) {
        Tracer t = new Tracer("moments");
        Value zIn = t.input("z", Type.real(ONE));
        NoiseLevel.Traced l = NoiseLevel.inputs(t, "");
        Value eps = prior.eps(t, zIn, l);
        t.output("mean", l.mean(t, zIn, eps));
        t.output("slope", Jvp.push(t, Map.of(zIn, t.broadcast(t.constant(1.0), ONE)), eps)[0]);
        Map<String, Tensor> in = new HashMap<>(level.tensors(""));
        in.put("z", Tensor.of(ONE, z));
        Map<String, Tensor> out = DirectionCheck.run(t.finish(), in);
        double scoreSlope = -out.get("slope").get(0) / level.sigma();
        double variance = (1 - level.abar()) / level.abar() * (1 + (1 - level.abar()) * scoreSlope);
        return new double[] {out.get("mean").get(0), variance};
    }

    @Test
    void normalPrior() {
        NoiseLevel level = new NoiseLevel(500, 0.3);
        double mu = 0.7;
        double s2 = 0.25;
        double z = -0.4;
        double v = level.abar() * s2 + 1 - level.abar();
        double[] m = moments(MixturePrior.normal(mu, 0.5), level, z);
        assertEquals(mu + s2 * level.sqrtAbar() * (z - level.sqrtAbar() * mu) / v, m[0], 1e-12);
        assertEquals(s2 * (1 - level.abar()) / v, m[1], 1e-12);
    }

    /** The numbers of a mixture were worked out independently of this code; OU time 0.5 is abar = exp(-1). */
    @Test
    void mixturePriorAndTheBoundOnTheLikelihood() {
        MixturePrior prior = new MixturePrior(new double[] {0.4, 0.6}, new double[] {-1, 1.5}, new double[] {0.4, 0.6});
        double[] m = moments(prior, new NoiseLevel(0, Math.exp(-1)), 0.3);
        assertEquals(0.59944, m[0], 5e-6);
        assertEquals(1.31702, m[1], 5e-6);
        double a = 0.8;
        double y = 0.7;
        double s = 0.5;
        double firstOrder = -Math.pow(y - a * m[0], 2) / (2 * s * s);
        double secondOrder = firstOrder - a * a * m[1] / (2 * s * s);
        assertEquals(-0.09719, firstOrder, 1e-5);
        assertEquals(-1.78298, secondOrder, 1e-5);
        assertTrue(secondOrder <= -0.79497 && -0.79497 <= firstOrder, "the second-order value bounds the true one from below, "
                + "the first-order one does not");
    }
}
