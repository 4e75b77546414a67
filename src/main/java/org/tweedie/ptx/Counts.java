// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/** What a launch did. */
public final class Counts {
    /** Instructions issued, a warp's counting once. */
    public long warpInstructions;
    /** Instructions done, each thread's counting once. */
    public long threadInstructions;
}
