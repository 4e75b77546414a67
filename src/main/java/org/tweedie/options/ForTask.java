// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Values that replace the defaults of a record's options for one task, as its publication gives them. An option that the
 * user gives has priority.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@Repeatable(ForTask.All.class)
public @interface ForTask {
    /** The first words of the task, for example {@code inpaint:box}; it holds for {@code inpaint:box:40} too. */
    String task();

    /** The values, as in {@code omega=0.1,gamma=0.01}. */
    String options();

    /** The file or publication from which the values were taken. */
    String source();

    /** Holds several of them. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE)
    @interface All {
        /** The settings, one for each task. */
        ForTask[] value();
    }
}
