// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The points of the solvers of one name in a plot, in the order of their cost.
 *
 * @param name the solvers' name without options
 */
record Curve(String name, List<Point> points) {
    /**
     * A solver in a plot.
     *
     * @param cost the mean over the solver's cells of the case
     * @param quality the estimate over pictures
     */
    record Point(double cost, Estimate quality) {}

    /** Returns the curves of a case; solvers without values are not there. */
    static List<Curve> of(CellSet cells, CellSet.Case at, Metric metric, Axis axis) {
        SortedMap<String, List<Point>> byName = new TreeMap<>();
        for (String solver : cells.solvers()) {
            SortedMap<Trial, Double> values = cells.values(at, solver, metric.name());
            if (!NaturalOrder.isBase(solver) && !values.isEmpty()) {
                double cost = Estimate.of(cells.cells(at, solver).stream().map(axis::of).toList()).mean();
                byName.computeIfAbsent(Conventions.name(solver), n -> new ArrayList<>())
                        .add(new Point(cost, Estimate.of(Trial.byPicture(values).values())));
            }
        }
        List<Curve> curves = new ArrayList<>();
        byName.forEach((name, points) -> {
            points.sort(Comparator.comparingDouble(Point::cost));
            curves.add(new Curve(name, points));
        });
        return curves;
    }

    /** Returns the name that the curve has in the legend. */
    String label() {
        return points.size() == 1 ? name : name + " (" + points.size() + " settings)";
    }

    double[] costs() {
        return points.stream().mapToDouble(Point::cost).toArray();
    }

    double[] means() {
        return points.stream().mapToDouble(p -> p.quality.mean()).toArray();
    }

    /** The half widths of the intervals; 0, which draws no bar, where there is one picture only. */
    double[] bars() {
        return points.stream().mapToDouble(p -> p.quality.n() < 2 ? 0 : p.quality.halfWidth(Estimate.LEVEL)).toArray();
    }
}
