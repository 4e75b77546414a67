// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.tweedie.profile.Nfe;

/**
 * Estimates how long the rest of an evaluation will take. A cell is expected to take as long as the cells of its task and
 * solver took on average. Where there is none yet, it is expected to take the mean time of one network evaluation of all
 * cells, times its number of evaluations.
 */
public final class TimeLeft {
    private record Kind(String task, String solver) {}

    /** The work and the time of the cells of one kind that are done. */
    private static final class Tally {
        private long units;
        private int left;
        private int done;
        private double seconds;
    }

    private final Map<Kind, Tally> kinds = new HashMap<>();
    private final int workers;

    /**
     * @param keys all cells of the plan
     * @param workers the number of cells that are made at the same time
     */
    public TimeLeft(List<Cell.Key> keys, int workers) {
        this.workers = workers;
        for (Cell.Key k : keys) {
            Tally t = kinds.computeIfAbsent(kind(k), kind -> new Tally());
            if (t.left == 0) {
                t.units = units(CellPlan.evaluations(k, 1));
            }
            t.left++;
        }
    }

    private static Kind kind(Cell.Key k) {
        return new Kind(k.task(), k.solver());
    }

    private static long units(Nfe n) {
        return n.unetForwards() + n.unetVjps() + n.unetJvps() + n.decodes() + n.decodeVjps() + n.decodeJvps() + n.encodes()
                + n.encodeVjps();
    }

    /** Adds a cell of the plan that is done. */
    public void done(Cell.Key key, double seconds) {
        Tally t = kinds.get(kind(key));
        t.left--;
        t.done++;
        t.seconds += seconds;
    }

    /** Leaves out a cell of the plan that could not be made. */
    public void failed(Cell.Key key) {
        kinds.get(kind(key)).left--;
    }

    /** Returns the time in seconds until all cells are done; empty while nothing is known. */
    public OptionalDouble seconds() {
        double seconds = 0;
        double units = 0;
        for (Tally t : kinds.values()) {
            if (t.units > 0) {
                seconds += t.seconds;
                units += (double) t.units * t.done;
            }
        }
        double left = 0;
        for (Tally t : kinds.values()) {
            if (t.left > 0 && t.done == 0 && t.units > 0 && units == 0) {
                return OptionalDouble.empty();
            }
            left += t.left * (t.done > 0 ? t.seconds / t.done : t.units == 0 ? 0 : t.units * seconds / units);
        }
        return OptionalDouble.of(left / Math.min(workers, Math.max(1, left())));
    }

    private int left() {
        return kinds.values().stream().mapToInt(t -> t.left).sum();
    }
}
