// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedSet;

/**
 * A table of the report with the texts around it.
 *
 * @param title the heading
 * @param caption sentences that say what the numbers are and how many pictures, seeds and comparisons they rest on
 * @param table the numbers
 * @param notes what is missing, a sentence for each
 * @param solvers the solvers whose conventions are listed below the table
 */
record Section(String title, List<String> caption, Table table, List<String> notes, List<String> solvers) {
    /** Returns the section in Markdown. */
    String markdown() {
        StringBuilder s = new StringBuilder("## ").append(title).append("\n\n").append(String.join(" ", caption)).append("\n\n")
                .append(table.markdown());
        list(s, "Left out:", notes);
        list(s, "Conventions that differ between solvers, at their defaults:", Conventions.of(solvers));
        return s.toString();
    }

    private static void list(StringBuilder s, String head, List<String> items) {
        if (!items.isEmpty()) {
            s.append('\n').append(head).append("\n\n");
            items.forEach(i -> s.append("- ").append(i).append('\n'));
        }
    }

    /** Returns a number with its noun, or a range of numbers: {@code 1 picture}, {@code 3 to 4 pictures}. */
    static String count(Collection<Integer> numbers, String noun) {
        int least = numbers.stream().mapToInt(n -> n).min().orElse(0);
        int most = numbers.stream().mapToInt(n -> n).max().orElse(0);
        return (least == most ? "" : least + " to ") + most + " " + noun + (most == 1 ? "" : "s");
    }

    /** Returns seeds as {@code seed 1} or {@code seeds 1, 2, 3}. */
    static String seeds(SortedSet<Long> seeds) {
        List<String> words = new ArrayList<>();
        seeds.forEach(s -> words.add(Long.toString(s)));
        return (seeds.size() == 1 ? "seed " : "seeds ") + (words.isEmpty() ? "none" : String.join(", ", words));
    }
}
