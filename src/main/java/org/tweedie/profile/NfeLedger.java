// SPDX-License-Identifier: Apache-2.0
package org.tweedie.profile;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * The evaluations of one run and their time. {@code nfe} is the count that papers report (one per gradient step, however many
 * evaluations it takes); {@link #evaluations} counts the evaluations that ran.
 */
public final class NfeLedger {
    /** The number of runs of a program and their total time in seconds. */
    public record Time(long runs, double seconds) {}

    private long nfe;
    private Nfe evaluations = Nfe.NONE;
    private final Map<String, Time> times = new TreeMap<>();

    /** Adds to the count that papers report. */
    public void nfe(long n) {
        nfe += n;
    }

    /** Adds one run of a program. */
    public void add(String program, Nfe ran, double seconds) {
        evaluations = evaluations.plus(ran);
        times.merge(program, new Time(1, seconds), (a, b) -> new Time(a.runs + b.runs, a.seconds + b.seconds));
    }

    public long nfe() {
        return nfe;
    }

    public Nfe evaluations() {
        return evaluations;
    }

    /** The time of each program, by its name. */
    public Map<String, Time> times() {
        return Collections.unmodifiableMap(times);
    }

    /** Returns words as in {@code nfe=250 unet_forwards=600 ...}. */
    @Override
    public String toString() {
        return "nfe=" + nfe + " " + evaluations;
    }
}
