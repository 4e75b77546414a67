// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.op.Cost;

/** Collects the time of each op of each program, added up over runs. It is given to a device that is to time what it runs. */
public final class OpTimes {
    /**
     * One thing that is done at once.
     *
     * @param program its program's name
     * @param where the place in the model
     * @param op name of the op
     * @param how the kernel or library that does it
     * @param cost work of one execution
     */
    public record Op(String program, String where, String op, String how, Cost cost) {}

    /** Times and seconds, all together. */
    public record Total(long count, double seconds) {
        Total plus(double more) {
            return new Total(count + 1, seconds + more);
        }
    }

    private final Map<Op, Total> ops = new HashMap<>();
    private final Map<String, Total> runs = new HashMap<>();

    /** Counts one more run of an op. */
    public synchronized void add(Op op, double seconds) {
        ops.merge(op, new Total(1, seconds), (a, b) -> a.plus(seconds));
    }

    /** A whole run of a program, from its first op to its last. */
    public synchronized void addRun(String program, double seconds) {
        runs.merge(program, new Total(1, seconds), (a, b) -> a.plus(seconds));
    }

    /** The slowest first. */
    public synchronized List<Map.Entry<Op, Total>> ops() {
        return slowestFirst(ops);
    }

    /** By program, the slowest first. */
    public synchronized List<Map.Entry<String, Total>> runs() {
        return slowestFirst(runs);
    }

    /** All that a program's ops of a kind took until now. */
    public synchronized Total total(String program, String op) {
        return ops.entrySet().stream().filter(e -> e.getKey().program().equals(program) && e.getKey().op().equals(op))
                .map(Map.Entry::getValue)
                .reduce(new Total(0, 0), (a, b) -> new Total(a.count() + b.count(), a.seconds() + b.seconds()));
    }

    private static <K> List<Map.Entry<K, Total>> slowestFirst(Map<K, Total> map) {
        List<Map.Entry<K, Total>> list = new ArrayList<>();
        map.forEach((k, v) -> list.add(Map.entry(k, v)));
        list.sort((a, b) -> Double.compare(b.getValue().seconds(), a.getValue().seconds()));
        return list;
    }
}
