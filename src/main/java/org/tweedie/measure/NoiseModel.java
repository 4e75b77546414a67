// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import org.tweedie.program.Philox;
import org.tweedie.program.Tensor;

/** The noise that is added to A x. Values are on the [-1,1] scale: a sigma of 0.05 is 0.025 on [0,1]. */
public sealed interface NoiseModel {
    /** The text that {@link #parse} reads as this noise. */
    String spec();

    /** Adds noise to a measurement [..,3] and returns it in F32. The same seed gives the same noise. */
    Tensor on(Tensor clean, long seed);

    /** Gaussian noise y + sigma N(0,1), independent for each number. */
    record Gaussian(double sigma) implements NoiseModel {
        /** @throws IllegalArgumentException unless sigma is 0 (no noise) or positive */
        public Gaussian {
            if (!(sigma >= 0 && sigma < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("noise: expected a sigma of 0 or more (on the [-1,1] scale), got " + sigma);
            }
        }

        @Override
        public String spec() {
            return "gaussian";
        }

        @Override
        public Tensor on(Tensor clean, long seed) {
            float[] y = clean.floats();
            float[] noise = new float[y.length];
            new Philox(seed, Philox.Stream.NOISE).normals(0, noise);
            for (int i = 0; i < y.length; i++) {
                y[i] += (float) (sigma * noise[i]);
            }
            return Tensor.of(clean.shape(), y);
        }
    }

    /**
     * Salt-and-pepper noise: each pixel becomes, with the given probability, black or white (half of them each), in all
     * channels together.
     */
    record SaltPepper(double fraction) implements NoiseModel {
        /** @throws IllegalArgumentException unless the fraction is between 0 and 1 */
        public SaltPepper {
            if (!(fraction > 0 && fraction < 1)) {
                throw new IllegalArgumentException("noise: expected salt-pepper:FRACTION between 0 and 1, got " + fraction);
            }
        }

        @Override
        public String spec() {
            return "salt-pepper:" + Task.text(fraction);
        }

        @Override
        public Tensor on(Tensor clean, long seed) {
            float[] y = clean.floats();
            float[] u = new float[y.length / 3];
            new Philox(seed, Philox.Stream.NOISE).uniforms(0, u);
            for (int i = 0; i < u.length; i++) {
                if (u[i] < fraction) {
                    y[3 * i] = y[3 * i + 1] = y[3 * i + 2] = u[i] < fraction / 2 ? -1 : 1;
                }
            }
            return Tensor.of(clean.shape(), y);
        }
    }

    /**
     * Reads {@code gaussian} (with the given sigma) or {@code salt-pepper:FRACTION}.
     *
     * @throws IllegalArgumentException listing the known kinds of noise
     */
    static NoiseModel parse(String spec, double sigma) {
        String[] parts = spec.split(":", -1);
        if (spec.equals("gaussian")) {
            return new Gaussian(sigma);
        }
        if (parts[0].equals("salt-pepper") && parts.length == 2) {
            return new SaltPepper(Task.number(spec, parts[1]));
        }
        throw new IllegalArgumentException("noise '" + spec + "': expected gaussian or salt-pepper:FRACTION, as in "
                + "salt-pepper:0.02");
    }
}
