// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a record component as an option. The option's name is the component's name in kebab case: {@code traceWeight} is
 * {@code trace-weight}. Components may be int, long, double, boolean, an enum, or a seam with a {@link Catalogue}.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Option {
    /** The default, written as a user would write it. */
    String value();

    /** One sentence that says what the option does. */
    String text();

    /** The letter that the literature uses for the option, or an empty text. */
    String symbol() default "";

    /** The smallest value that is allowed. */
    double min() default Double.NEGATIVE_INFINITY;

    /** The largest value that is allowed. */
    double max() default Double.POSITIVE_INFINITY;

    /** The value must be larger than this bound. */
    double above() default Double.NEGATIVE_INFINITY;
}
