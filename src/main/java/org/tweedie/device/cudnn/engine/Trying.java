// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;

/**
 * Runs engines against each other on a card. A failure that no other engine can avoid, such as a card that has faulted, is thrown
 * on.
 *
 * @param cache gets a line for each engine that is passed over
 * @param doing what the graph is for, for messages
 */
record Trying(Trials trials, PlanCache cache, String doing) {
    /**
     * Times within 3 % of the fastest are treated as equal, because the clock's error is about that large and a smaller working
     * memory is worth more.
     */
    private static final double AS_FAST = 1.03;

    /**
     * The best engine of a trial.
     *
     * @param tried false if there was no memory to run any engine, so that the next call should try again
     */
    record Verdict(PreparedGraph best, boolean tried) {}

    private record Timed(PreparedGraph graph, double seconds) {}

    /**
     * Tries the candidates.
     *
     * @throws NoEngineException when each of them fails
     */
    Verdict of(LibraryCall call, List<PreparedGraph> candidates) {
        List<Long> blocks = new ArrayList<>();
        try {
            LibraryCall placed = new LibraryCall(call.op(), call.epilogue(), placed(call.in(), blocks),
                    placed(call.out(), blocks));
            if (blocks.contains(0L)) {
                return untried(candidates.getFirst(), "cuDNN believes fastest", "the operands and results");
            }
            return of(candidates, placed);
        } finally {
            blocks.stream().filter(at -> at != 0).forEach(trials::free);
        }
    }

    private List<Buffer> placed(List<Buffer> buffers, List<Long> blocks) {
        return buffers.stream().map(b -> {
            blocks.add(trials.allocate(b.bytes()));
            return new Buffer(b.name(), b.dtype(), b.shape(), blocks.getLast());
        }).toList();
    }

    private Verdict of(List<PreparedGraph> candidates, LibraryCall placed) {
        List<Timed> timed = new ArrayList<>();
        List<PreparedGraph> large = new ArrayList<>();
        CudnnException last = null;
        for (PreparedGraph c : candidates) {
            try {
                seconds(c, placed).ifPresentOrElse(s -> timed.add(new Timed(c, s)), () -> large.add(c));
            } catch (CudnnException e) {
                cache.warn("cuDNN: an engine is passed over because it failed when it was tried. " + e.getMessage());
                last = e;
            }
        }
        if (!timed.isEmpty()) {
            tellOf(large);
            return new Verdict(best(timed), true);
        }
        PreparedGraph least = large.stream().min(Comparator.comparingLong(PreparedGraph::workspace)).orElse(null);
        if (least == null) {
            throw new NoEngineException("cuDNN: each engine failed when it was tried; the last failure was: " + last.getMessage(),
                    last);
        }
        return untried(least, "needs the least memory", "its " + least.workspace() + " bytes of working memory");
    }

    /** Runs one engine and returns its time, or nothing if there is not enough memory for it. */
    private OptionalDouble seconds(PreparedGraph c, LibraryCall placed) {
        long workspace = trials.allocate(Math.max(256, c.workspace()));
        if (workspace == 0) {
            return OptionalDouble.empty();
        }
        try {
            return OptionalDouble.of(seconds(c, placed, workspace));
        } catch (CudnnException e) {
            throw e;
        // this is not a status of cuDNN: a kernel of this engine faulted, after which nothing runs on the card
        } catch (RuntimeException e) {
            throw new IllegalStateException("cuDNN: trying " + c.choice() + " failed; while " + doing + ": " + e.getMessage(), e);
        } finally {
            trials.free(workspace);
        }
    }

    private double seconds(PreparedGraph c, LibraryCall placed, long workspace) {
        try {
            c.run(placed, workspace); // the first run loads the kernels
            return trials.seconds(() -> c.run(placed, workspace));
        } catch (CudnnException e) {
            trials.await(); // on a card that has faulted cuDNN fails as well; then this call throws the fault
            throw e;
        }
    }

    /**
     * Returns, of the engines that are about as fast as the fastest, the one that takes the least memory; if their times do not
     * differ, the one that cuDNN ranks first.
     */
    private static PreparedGraph best(List<Timed> timed) {
        double least = timed.stream().mapToDouble(Timed::seconds).min().orElseThrow();
        if (least == Double.POSITIVE_INFINITY) {
            return timed.getFirst().graph;
        }
        return timed.stream().filter(t -> t.seconds <= least * AS_FAST)
                .min(Comparator.comparingLong((Timed t) -> t.graph.workspace()).thenComparingDouble(Timed::seconds))
                .orElseThrow().graph;
    }

    private void tellOf(List<PreparedGraph> large) {
        if (!large.isEmpty()) {
            cache.warn("cuDNN: there is not enough memory to try " + large.stream().map(c -> c.choice() + " (" + c.workspace()
                    + " bytes of working memory)")
                    .collect(Collectors.joining(", ")) + ", but others were tried; while " + doing);
        }
    }

    private Verdict untried(PreparedGraph taken, String as, String what) {
        cache.warn("cuDNN: engines cannot be tried, so the one that " + as + " is taken for now; while " + doing
                + ". There is not enough memory for " + what);
        return new Verdict(taken, false);
    }
}
