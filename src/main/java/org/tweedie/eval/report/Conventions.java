// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.solve.Solvers;

/** The legend of a table: what solvers say about conventions that differ between them. */
final class Conventions {
    private Conventions() {}

    /** Returns the name of a solver without its options: {@code stsl} for {@code stsl:eta=0}. */
    static String name(String solver) {
        int colon = solver.indexOf(':');
        return colon < 0 ? solver : solver.substring(0, colon);
    }

    /** Returns a sentence for each solver's name; rows that need no solver have none. */
    static List<String> of(Collection<String> solvers) {
        Set<String> names = new TreeSet<>();
        solvers.stream().filter(s -> !NaturalOrder.isBase(s)).forEach(s -> names.add(name(s)));
        return names.stream().map(n -> Table.code(n) + ": " + text(n)).toList();
    }

    private static String text(String name) {
        if (name.equals("oracle")) {
            return "the solver named after it starts from the true picture; it bounds what a better start can give.";
        }
        if (!Solvers.names().contains(name)) {
            return "this version has no such solver, so its conventions are unknown.";
        }
        String said = Solvers.catalogue().options(name).described().conventions();
        return said.isEmpty() ? "it does not state its conventions." : said;
    }
}
