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

    /**
     * For a solver: sentences that say, for its defaults, where it follows a convention that differs between solvers. These are
     * the norm of the residual (plain, squared or mean), what the gradient is applied to, the start, the sampler, and of which
     * latent the result is the decoding. Reports print them below their tables.
     */
    String conventions() default "";
}
