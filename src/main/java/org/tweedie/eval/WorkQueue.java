// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Hands keys out to workers. A worker gets a run of keys that differ in the picture alone, one after the other, so that it
 * needs few programs; when no run is left, it takes the second half of the longest run of another worker.
 */
final class WorkQueue {
    private final Deque<Deque<Cell.Key>> runs = new ArrayDeque<>();
    private final List<Deque<Cell.Key>> own = new ArrayList<>();
    private boolean stopped;

    /** @param keys in the order of the plan */
    WorkQueue(List<Cell.Key> keys, int workers) {
        Cell.Key last = null;
        for (Cell.Key k : keys) {
            if (last == null || !sameRun(last, k)) {
                runs.add(new ArrayDeque<>());
            }
            runs.getLast().add(k);
            last = k;
        }
        for (int i = 0; i < workers; i++) {
            own.add(new ArrayDeque<>());
        }
    }

    private static boolean sameRun(Cell.Key a, Cell.Key b) {
        return a.task().equals(b.task()) && a.noise().equals(b.noise()) && a.solver().equals(b.solver()) && a.seed() == b.seed();
    }

    /** Returns the next key for a worker, or null when there is nothing left to do. */
    synchronized Cell.Key next(int worker) {
        if (stopped) {
            return null;
        }
        if (own.get(worker).isEmpty()) {
            own.set(worker, runs.isEmpty() ? half() : runs.poll());
        }
        return own.get(worker).poll();
    }

    /** Takes the second half of the longest run that a worker has; a single key moves as a whole. */
    private Deque<Cell.Key> half() {
        Deque<Cell.Key> longest = own.getFirst();
        for (Deque<Cell.Key> o : own) {
            longest = o.size() > longest.size() ? o : longest;
        }
        Deque<Cell.Key> taken = new ArrayDeque<>();
        for (int n = (longest.size() + 1) / 2; n > 0; n--) {
            taken.addFirst(longest.pollLast());
        }
        return taken;
    }

    /** Hands out no more keys. */
    synchronized void stop() {
        stopped = true;
    }
}
