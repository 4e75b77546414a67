// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.nvidia;

/** What a search for a library ended with. */
public sealed interface Finding permits Found, Missing {
    /** The library as one calls it: cuBLAS. */
    String what();

    /** One line, without {@link #what}: what was found and where, or what was expected, what there is instead, and what to do. */
    String text();
}
