// SPDX-License-Identifier: Apache-2.0
package org.tweedie.eval;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the cells of a plan that a file does not hold yet, and appends each to the file as soon as it is made. A cell that
 * fails does not stop the others.
 */
public final class Evaluation {
    /** Follows an evaluation; only one thread at a time calls it. */
    public interface Watcher {
        /** A cell is in the file. @param seconds the time that it took, with compilation */
        void done(Cell.Key key, double seconds);

        /** A cell could not be made. */
        void failed(Cell.Key key, CellFailure failure);
    }

    private final CellPlan plan;
    private final CellFile file;
    private final Watcher watcher;
    private final List<? extends CellMaker> makers;
    private final WorkQueue work;
    private int failures;
    private Throwable fault;

    /** @param makers each makes one cell at a time; the caller closes them */
    public Evaluation(CellPlan plan, CellFile file, List<? extends CellMaker> makers, Watcher watcher) {
        this.plan = plan;
        this.file = file;
        this.makers = makers;
        this.watcher = watcher;
        work = new WorkQueue(plan.missing(file.cells()), makers.size());
    }

    /**
     * Makes the cells. A single maker runs on the calling thread, several run on a thread each.
     *
     * @throws IllegalStateException when a cell failed, after all others were made
     * @throws IOException when a maker or the file fails; the cells that were made before are in the file
     */
    public void run() throws IOException {
        if (makers.size() == 1) {
            make(0);
        } else {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < makers.size(); i++) {
                int worker = i;
                threads.add(Thread.ofPlatform().name("worker " + (i + 1)).start(() -> make(worker)));
            }
            threads.forEach(Evaluation::join);
        }
        report();
    }

    private static void join(Thread t) {
        try {
            t.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void make(int worker) {
        try {
            for (Cell.Key key = work.next(worker); key != null; key = work.next(worker)) {
                make(makers.get(worker), key);
            }
        } catch (IOException | RuntimeException | Error e) {
            stop(e);
        }
    }

    private void make(CellMaker maker, Cell.Key key) throws IOException {
        long start = System.nanoTime();
        try {
            Cell cell = maker.make(key);
            file.append(cell);
            synchronized (this) {
                watcher.done(key, (System.nanoTime() - start) / 1e9);
            }
        } catch (CellFailure e) {
            synchronized (this) {
                failures++;
                watcher.failed(key, e);
            }
        }
    }

    /** Ends all makers after the first fault; the faults that this causes in the others are not reported. */
    private void stop(Throwable e) {
        synchronized (this) {
            if (fault != null) {
                return;
            }
            fault = e;
        }
        work.stop();
        makers.forEach(CellMaker::close);
    }

    private void report() throws IOException {
        switch (fault) {
            case null -> { }
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(fault);
        }
        if (failures > 0) {
            int total = plan.keys().size();
            throw new IllegalStateException(failures + " of " + total + " cells failed, as reported above; the other "
                    + (total - failures) + " are in the file of cells and will be kept when you change or leave out what failed");
        }
    }
}
