// SPDX-License-Identifier: Apache-2.0
package org.tweedie.sample;

import java.util.List;
import org.tweedie.options.Catalogue;

/** Finds samplers by name. A new sampler is one record in this package. */
public final class Samplers {
    private Samplers() {}

    /** The samplers of this package. */
    public static Catalogue<Sampler> catalogue() {
        return Catalogue.of(Sampler.class);
    }

    /** The names, in alphabetical order. */
    public static List<String> names() {
        return catalogue().names();
    }

    /**
     * Returns the sampler that a text {@code NAME[:OPTION=VALUE,...]} names.
     *
     * @throws IllegalArgumentException with one line that says what is wrong
     */
    public static Sampler of(String spec) {
        return catalogue().parse(spec);
    }
}
