// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.tweedie.solve.Solvers;

/**
 * Values to try for an option of the solvers.
 *
 * @param option the option's name, for example {@code eta}
 * @param values the values as a user writes them
 */
public record Sweep(String option, List<String> values) {
    /** Reads {@code OPTION=VALUE,VALUE,...}; a value that contains commas is put in square brackets. */
    public static Sweep of(String text) {
        int equals = text.indexOf('=');
        List<String> values = equals < 1 ? List.of() : Stream.of(text.substring(equals + 1).split(",(?![^\\[]*\\])", -1))
                .map(String::strip).toList();
        if (values.isEmpty() || values.contains("")) {
            throw new IllegalArgumentException("--set: expected OPTION=VALUE,VALUE as in eta=0.05,0.1, got '" + text + "'");
        }
        return new Sweep(text.substring(0, equals).strip(), values);
    }

    /**
     * Replaces each solver by its variants: one for each combination of the values of the options that the solver has. The
     * last sweep varies fastest.
     *
     * @param solvers the solvers as {@code NAME[:OPTION=VALUE,...]}
     * @throws IllegalArgumentException when no solver has an option, when a solver is given a value for it already, or when
     *         two sweeps have one option
     */
    public static List<String> expand(List<String> solvers, List<Sweep> sweeps) {
        List<String> variants = solvers;
        for (int i = 0; i < sweeps.size(); i++) {
            Sweep sweep = sweeps.get(i);
            if (sweeps.subList(0, i).stream().anyMatch(s -> s.option.equals(sweep.option))) {
                throw new IllegalArgumentException("--set " + sweep.option + ": is given twice; list all values in one --set");
            }
            if (variants.stream().noneMatch(sweep::applies)) {
                throw new IllegalArgumentException("--set " + sweep.option + ": no solver of " + String.join(" ", solvers)
                        + " has this option; 'tweedie restore --solver NAME --help' lists a solver's options");
            }
            variants = variants.stream().flatMap(sweep::variants).toList();
        }
        return variants;
    }

    private boolean applies(String solver) {
        return Solvers.catalogue().options(solver.split(":", 2)[0]).names().contains(option);
    }

    private Stream<String> variants(String solver) {
        if (!applies(solver)) {
            return Stream.of(solver);
        }
        String[] parts = solver.split(":", 2);
        List<String> given = new ArrayList<>(parts.length == 1 ? List.of() : List.of(parts[1].split(",(?![^\\[]*\\])")));
        if (given.stream().anyMatch(g -> g.split("=", 2)[0].equals(option))) {
            throw new IllegalArgumentException("--set " + option + ": solver '" + solver + "' has a value for it already; remove "
                    + "one of the two");
        }
        return values.stream().map(v -> solver + (parts.length == 1 ? ":" : ",") + option + "=" + v);
    }
}
