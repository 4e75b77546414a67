// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;

/**
 * Deterministic DDIM (arXiv 2010.02502, eta = 0), as traced formulas. A step to less noise samples, a step to more noise
 * inverts.
 */
public final class Ddim {
    private Ddim() {}

    /** Traces Tweedie's posterior mean: zbar = E[z0 | z] = (z - sigma eps) / sqrt(abar). */
    public static Value mean(Tracer t, Value z, Value eps, NoiseLevel.Traced at) {
        return t.div(t.sub(z, t.mul(eps, at.sigma())), at.sqrtAbar());
    }

    /** Traces the latent at another level with the same clean estimate and noise: sqrt(abar') zbar + sigma' eps. */
    public static Value move(Tracer t, Value zbar, Value eps, NoiseLevel.Traced to) {
        return t.add(t.mul(zbar, to.sqrtAbar()), t.mul(eps, to.sigma()));
    }
}
