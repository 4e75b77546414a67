// SPDX-License-Identifier: Apache-2.0
package org.tweedie.workload;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.tweedie.eval.Cell;
import org.tweedie.eval.CellPlan;
import org.tweedie.profile.Nfe;

/**
 * Predicts how long an evaluation will take. It counts network evaluations alone, and takes it that workers do not slow each
 * other down.
 *
 * @param plan all cells
 * @param missing the cells that are not done yet
 * @param each the network evaluations of one prediction of the noise
 * @param runs how often a solver runs in a cell
 */
public record Forecast(CellPlan plan, List<Cell.Key> missing, int each, int runs) {
    /** The cells of a solver that have the same evaluations, which may depend on the task. */
    private record Kind(String solver, Nfe evaluations) {}

    /** All evaluations of the cells that are not done yet. */
    public Nfe left() {
        return missing.stream().map(k -> evaluations(k)).reduce(Nfe.NONE, Nfe::plus);
    }

    private Nfe evaluations(Cell.Key k) {
        return CellPlan.evaluations(k, each).times(CellPlan.isBase(k.solver()) ? 1 : runs);
    }

    /**
     * Returns a line of {@code key=value} words for each solver, and a last one for all.
     *
     * @param workers the number of cells that are made at the same time
     */
    public List<String> lines(NetworkTimes times, int workers) {
        Map<Kind, Set<Cell.Key>> kinds = new LinkedHashMap<>();
        plan.keys().forEach(k -> kinds.computeIfAbsent(new Kind(k.solver(), evaluations(k)), kind -> new LinkedHashSet<>())
                .add(k));
        List<String> lines = new ArrayList<>();
        Set<Cell.Key> open = new LinkedHashSet<>(missing);
        kinds.forEach((kind, keys) -> {
            long left = keys.stream().filter(open::contains).count();
            double seconds = times.seconds(kind.evaluations);
            lines.add(String.format(Locale.ROOT, "solver=%s cells=%d done=%d %s seconds_each=%.2f hours=%.3f", kind.solver,
                    keys.size(), keys.size() - left, kind.evaluations, seconds, left * seconds / 3600));
        });
        lines.add(String.format(Locale.ROOT, "cells=%d done=%d workers=%d hours=%.3f", plan.keys().size(),
                plan.keys().size() - missing.size(), workers, times.seconds(left()) / 3600 / workers));
        return lines;
    }
}
