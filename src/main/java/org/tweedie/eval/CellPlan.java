// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.tweedie.measure.Operators;
import org.tweedie.profile.Nfe;
import org.tweedie.program.Shape;
import org.tweedie.solve.Solver;
import org.tweedie.solve.Solvers;

/**
 * The cells of an evaluation, in the order of its tables. Tasks are outermost, then come noise, seed, solver and picture, so
 * that neighbours share compiled programs.
 *
 * @param keys what the cells are about; no two are equal
 */
public record CellPlan(List<Cell.Key> keys) {
    /** The solver-less cell of y itself, for tasks whose measurement has the size of the picture. */
    public static final String MEASUREMENT = "measurement";
    /** The solver-less cell of the picture that solvers start from. */
    public static final String PINV = "pinv";
    /** The solver-less cell of the true picture, encoded and decoded. */
    public static final String AUTOENCODER = "autoencoder";
    /** Begins the name of a solver that starts from the true picture, which bounds what a better start can give. */
    public static final String ORACLE = "oracle:";

    /** @throws IllegalArgumentException when a key appears twice */
    public CellPlan {
        keys = List.copyOf(keys);
        Set<Cell.Key> seen = new HashSet<>();
        for (Cell.Key k : keys) {
            if (!seen.add(k)) {
                throw new IllegalArgumentException("two cells are equal: " + k.text() + "; give each task, noise, seed and "
                        + "solver once");
            }
        }
    }

    /**
     * Makes the plan of all combinations, with the solver-less cells before those of the solvers.
     *
     * @param pictures the names of the pictures' files
     * @param solvers the solvers as {@code NAME[:OPTION=VALUE,...]}
     * @param image the shape of the pictures, [1,H,W,3]
     * @throws IllegalArgumentException when a task or a solver is unknown or has a wrong option, or something is given twice
     */
    public static CellPlan of(List<String> pictures, List<Degradation> degradations, List<Long> seeds, List<String> solvers,
            Shape image) {
        List<Cell.Key> keys = new ArrayList<>();
        Map<String, List<Degradation>> byTask = new LinkedHashMap<>();
        degradations.forEach(d -> byTask.computeIfAbsent(d.task(), t -> new ArrayList<>()).add(d));
        byTask.forEach((task, noises) -> {
            solvers.forEach(s -> solver(s, task));
            for (Degradation d : noises) {
                for (long seed : seeds) {
                    boolean picture = Operators.parse(task, image, seed).outShape(image).equals(image);
                    Stream<String> bases = picture ? Stream.of(MEASUREMENT, PINV, AUTOENCODER) : Stream.of(PINV, AUTOENCODER);
                    Stream.concat(bases, solvers.stream()).forEach(s -> pictures.forEach(p ->
                            keys.add(new Cell.Key(p, task, d.noise(), s, seed))));
                }
            }
        });
        return new CellPlan(keys);
    }

    /** Returns those of the given cells that are in the plan, in the plan's order. */
    public List<Cell> select(Collection<Cell> cells) {
        Map<Cell.Key, Cell> byKey = new HashMap<>();
        cells.forEach(c -> byKey.put(c.key(), c));
        return keys.stream().filter(byKey::containsKey).map(byKey::get).toList();
    }

    /** Returns the keys for which there is no cell yet, in the plan's order. */
    public List<Cell.Key> missing(Collection<Cell> cells) {
        Set<Cell.Key> done = new HashSet<>();
        cells.forEach(c -> done.add(c.key()));
        return keys.stream().filter(k -> !done.contains(k)).toList();
    }

    /** Returns the solver that a cell's text names, with the defaults of the task. */
    static Solver solver(String text, String task) {
        return Solvers.of(text.startsWith(ORACLE) ? text.substring(ORACLE.length()) : text, task);
    }

    /** Returns true for the solver-less cells. */
    public static boolean isBase(String solver) {
        return solver.equals(MEASUREMENT) || solver.equals(PINV) || solver.equals(AUTOENCODER);
    }

    /**
     * Returns the network evaluations of a cell: the largest number if its solver may stop early.
     *
     * @param each the network evaluations of one prediction of the noise
     */
    public static Nfe evaluations(Cell.Key key, int each) {
        return switch (key.solver()) {
            case MEASUREMENT, PINV -> Nfe.NONE;
            case AUTOENCODER -> Nfe.encode(1, 0).plus(Nfe.decode(1, 0));
            default -> solver(key.solver(), key.task()).evaluations(each);
        };
    }
}
