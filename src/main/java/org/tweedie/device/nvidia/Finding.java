// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

/** The result of a search for a library. */
public sealed interface Finding permits Found, Missing {
    /** Returns the usual name of the library, for example cuBLAS. */
    String what();

    /**
     * Returns one line, without {@link #what}: what was found and where, or what was expected, what there is instead, and what to
     * do.
     */
    String text();
}
