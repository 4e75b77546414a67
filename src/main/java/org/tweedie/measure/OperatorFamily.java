// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The operators that tasks with one first word name. Each operator's file holds its own family; {@link Operators} finds all that stand in this
 * package, and help texts and documentation list them from here.
 */
public interface OperatorFamily {
    /** The first word of the task, as in {@code sr}. */
    String name();

    /** The forms that a task may have, as in {@code sr:FACTOR}. */
    List<String> grammar();

    /** Tasks as a user may write them; tests run each of them. */
    List<String> examples();

    /** One sentence that says what A does. */
    String help();

    /** Makes the operator. @param stored tensors kept beside a measurement, which come before spec and seed; @param image [1,H,W,3] */
    MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored);

    /** The shape of the picture whose measurement has shape y. */
    default Shape image(Task task, Shape y) {
        return y;
    }
}
