// SPDX-License-Identifier: Apache-2.0
package org.tweedie.diffusion;

import org.tweedie.program.Tracer;
import org.tweedie.program.Value;
import org.tweedie.program.op.DdimMove;
import org.tweedie.program.op.TweedieMean;

/** Deterministic DDIM (arXiv 2010.02502, eta = 0), as ops. Downwards it samples, upwards it inverts. */
public final class Ddim {
    private Ddim() {}

    /** Tweedie's posterior mean: zbar = E[z0 | z] = (z - sigma eps) / sqrt(abar). */
    public static Value mean(Tracer t, Value z, Value eps, NoiseLevel.Traced at) {
        return t.emit1(new TweedieMean(), z, eps, at.sigma(), at.sqrtAbar());
    }

    /** The latent at another level with the same clean estimate and noise: sqrt(abar') zbar + sigma' eps. */
    public static Value move(Tracer t, Value z, Value eps, NoiseLevel.Traced from, NoiseLevel.Traced to) {
        return t.emit1(new DdimMove(), z, eps, from.sigma(), from.sqrtAbar(), to.sqrtAbar(), to.sigma());
    }
}
