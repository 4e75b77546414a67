// SPDX-License-Identifier: Apache-2.0
package org.tweedie.options;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Gives a record that implements a seam its name and its documentation. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Described {
    /** The name by which users choose it, for example {@code stsl}. */
    String name();

    /** One sentence that says what it does. */
    String text();

    /** The publication that describes it, for example {@code arXiv 2312.00852}. */
    String source() default "";
}
