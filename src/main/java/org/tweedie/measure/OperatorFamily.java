// SPDX-License-Identifier: Apache-2.0
package org.tweedie.measure;

import java.util.List;
import java.util.Map;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;

/**
 * The operators whose tasks begin with the same word. Each operator's file contains its family; {@link Operators} finds all
 * families of this package, and help texts and documentation list them.
 */
public interface OperatorFamily {
    /** The first word of the task, for example {@code sr}. */
    String name();

    /** The forms that a task may have, for example {@code sr:FACTOR}. */
    List<String> grammar();

    /** Examples of tasks; tests run each of them. */
    List<String> examples();

    /** One sentence that says what the operator does. */
    String help();

    /**
     * Makes the operator.
     *
     * @param stored tensors stored with a measurement, which have priority over spec and seed
     * @param image the picture's shape [1,H,W,3]
     */
    MeasurementOperator parse(Task task, Shape image, long seed, Map<String, Tensor> stored);

    /** Returns the shape of the picture whose measurement has shape y. */
    default Shape image(Task task, Shape y) {
        return y;
    }
}
