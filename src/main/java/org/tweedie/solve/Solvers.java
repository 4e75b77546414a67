// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

import java.util.List;
import java.util.Map;
import org.tweedie.options.Catalogue;

/** Finds solvers by name. A new solver is one record in this package. */
public final class Solvers {
    private Solvers() {}

    /** The solvers of this package, with their options. */
    public static Catalogue<Solver> catalogue() {
        return Catalogue.of(Solver.class);
    }

    /** The names, in alphabetical order. */
    public static List<String> names() {
        return catalogue().names();
    }

    /**
     * Returns the solver that a text {@code NAME[:OPTION=VALUE,...]} names.
     *
     * @throws IllegalArgumentException with one line that says what is wrong
     */
    public static Solver of(String spec) {
        return catalogue().parse(spec);
    }

    /** Returns the solver that a text names, with the defaults that its publication gives for a task. */
    public static Solver of(String spec, String task) {
        return catalogue().parse(spec, task);
    }

    /** Returns the solver of a name; options that are not given have their defaults. */
    public static Solver of(String name, Map<String, String> options) {
        return catalogue().make(name, options);
    }

    /** Returns the solver of a name; options that are not given have the defaults that its publication gives for a task. */
    public static Solver of(String name, Map<String, String> options, String task) {
        return catalogue().make(name, options, task);
    }
}
