// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;

/** The solvers there are, by name. A new one is one record here and one line in this list. */
public final class Solvers {
    public static final List<String> NAMES = List.of("stsl");

    private Solvers() {}

    /** @throws IllegalArgumentException listing the solvers there are */
    public static Solver of(String name, Stsl.Options options) {
        return switch (name) {
            case "stsl" -> new Stsl(options);
            default -> throw new IllegalArgumentException("solver '" + name + "': unknown; known: " + String.join(", ", NAMES));
        };
    }
}
