// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import org.tweedie.diffusion.NoiseLevel;
import org.tweedie.profile.NfeLedger;
import org.tweedie.program.Philox;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Where a solver starts: the latent at the noisiest level. */
public final class Start {
    /** E(A+ y) carried upwards by DDIM inversion; or mixed with noise (sqrt(abar) z0 + sigma n); or noise alone. */
    public enum Kind { DDIM, QSAMPLE, NOISE }

    private Start() {}

    public static Tensor of(Problem p, Kind kind, int steps, NfeLedger counts) {
        Shape shape = p.codec().latent(p.image());
        List<NoiseLevel> levels = p.schedule().levels(steps);
        Tensor noise = new Philox(p.seed(), Philox.Stream.INIT).normals(0, shape);
        if (kind == Kind.NOISE) {
            return noise;
        }
        try (Sampling s = new Sampling(p)) {
            Tensor z = Finite.require(s.encode(p.operator().pinv(p.y()), counts), "start: encoded pseudo-inverse");
            if (kind == Kind.QSAMPLE) {
                NoiseLevel top = levels.getFirst();
                double[] mixed = z.doubles();
                for (int i = 0; i < mixed.length; i++) {
                    mixed[i] = top.sqrtAbar() * mixed[i] + top.sigma() * noise.get(i);
                }
                return Tensor.of(shape, mixed);
            }
            NoiseLevel from = p.schedule().after(levels.getLast(), steps);
            for (NoiseLevel to : levels.reversed()) {
                z = s.invert(z, from, to, counts);
                from = to;
            }
            return Finite.require(z, "start: inverted latent");
        }
    }
}
