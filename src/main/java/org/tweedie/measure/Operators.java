// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tweedie.options.Implementations;
import org.tweedie.options.Spelling;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/** Finds the measurement operator that a task names, for example {@code sr:8} or {@code inpaint:box}. */
public final class Operators {
    private static final List<OperatorFamily> FAMILIES = Implementations.of(OperatorFamily.class).stream().<OperatorFamily>map(
            Operators::create)
            .sorted(Comparator.comparing(OperatorFamily::name)).toList();

    private Operators() {}

    private static OperatorFamily create(Class<? extends OperatorFamily> family) {
        try {
            var constructor = family.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(family.getName() + ": expected a constructor without parameters", e);
        }
    }

    /** The families of this package, in the order of their names. */
    public static List<OperatorFamily> families() {
        return FAMILIES;
    }

    /** The forms of all tasks, separated by commas. */
    public static String grammar() {
        return FAMILIES.stream().flatMap(f -> f.grammar().stream()).collect(Collectors.joining(", "));
    }

    /** The examples of all families. */
    public static List<String> examples() {
        return FAMILIES.stream().flatMap(f -> f.examples().stream()).toList();
    }

    /**
     * Makes the operator that a task names, for pictures of a size.
     *
     * @param image the shape of the pictures, [1,H,W,3]
     * @param seed the seed of random masks and kernels
     * @throws IllegalArgumentException with one line when the task is unknown (the message lists the known ones), a number is
     *         wrong, or the size does not fit
     */
    public static MeasurementOperator parse(String spec, Shape image, long seed) {
        return parse(spec, image, seed, Map.of());
    }

    /** Makes the operator with the mask or kernel that was stored with a measurement; it has priority over spec and seed. */
    public static MeasurementOperator parse(String spec, Shape image, long seed, Map<String, Tensor> stored) {
        Task task = Task.of(spec);
        MeasurementOperator op = family(task).parse(task, image, seed, stored);
        op.outShape(image);
        return op;
    }

    /**
     * Returns the shape of the picture whose measurement by a task has shape y.
     *
     * @throws IllegalArgumentException as {@link #parse}
     */
    public static Shape imageShape(String spec, Shape y) {
        Task task = Task.of(spec);
        return family(task).image(task, y);
    }

    private static OperatorFamily family(Task task) {
        return FAMILIES.stream().filter(f -> f.name().equals(task.name())).findFirst().orElseThrow(() ->
                new IllegalArgumentException(
                "task '" + task.spec() + "': unknown" + suggestion(task.spec()) + "; known: " + grammar()));
    }

    /** Suggests the most similar example, compared as a whole or by its first word, if few letters differ. */
    private static String suggestion(String spec) {
        String asked = spec.toLowerCase(Locale.ROOT);
        String best = null;
        int least = 4;
        for (boolean whole : new boolean[] {true, false}) {
            for (String example : examples()) {
                String form = whole ? example : example.split(":")[0];
                int d = Spelling.distance(asked, form);
                if (d < least && d < form.length()) {
                    least = d;
                    best = example;
                }
            }
        }
        return best == null ? "" : "; did you mean '" + best + "'?";
    }
}
