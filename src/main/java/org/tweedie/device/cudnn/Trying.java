// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.tweedie.device.gpu.launch.Buffer;
import org.tweedie.device.gpu.launch.LibraryCall;

/**
 * Runs engines against each other on a card. Whatever no engine can help, a card that has faulted, is thrown on.
 *
 * @param cache gets a line for each engine that is passed over
 * @param doing for messages
 */
record Trying(Trials trials, PlanCache cache, String doing) {
    /** Times this near to the least count as the least: so much a clock errs, and memory is worth more. */
    private static final double AS_FAST = 1.03;

    /** @param tried false if there was no memory to run any, so that the next to ask should try again */
    record Verdict(PreparedGraph best, boolean tried) {}

    private record Timed(PreparedGraph graph, double seconds) {}

    /** @throws NoEngineException when each fails */
    Verdict of(LibraryCall call, List<PreparedGraph> candidates) {
        List<Long> blocks = new ArrayList<>();
        try {
            LibraryCall placed = new LibraryCall(call.op(), call.epilogue(), placed(call.in(), blocks), placed(call.out(), blocks));
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
                cache.warn("cuDNN: an engine is passed over, since it failed when it was tried. " + e.getMessage());
                last = e;
            }
        }
        if (!timed.isEmpty()) {
            tellOf(large);
            return new Verdict(best(timed), true);
        }
        PreparedGraph least = large.stream().min(Comparator.comparingLong(PreparedGraph::workspace)).orElse(null);
        if (least == null) {
            throw new NoEngineException("cuDNN: each engine failed when it was tried; the last said: " + last.getMessage(), last);
        }
        return untried(least, "wants least memory", "its " + least.workspace() + " bytes to work in");
    }

    /** Nothing if there is no memory for it to work in. */
    private OptionalDouble seconds(PreparedGraph c, LibraryCall placed) {
        long workspace = trials.allocate(Math.max(256, c.workspace()));
        if (workspace == 0) {
            return OptionalDouble.empty();
        }
        try {
            return OptionalDouble.of(seconds(c, placed, workspace));
        } catch (CudnnException e) {
            throw e;
        } catch (RuntimeException e) { // not a status of cuDNN's: a kernel of this engine faulted, after which nothing runs on the card
            throw new IllegalStateException("cuDNN: trying " + c.choice() + " failed; while " + doing + ": " + e.getMessage(), e);
        } finally {
            trials.free(workspace);
        }
    }

    private double seconds(PreparedGraph c, LibraryCall placed, long workspace) {
        try {
            c.run(placed, workspace); // the first run loads its kernels
            return trials.seconds(() -> c.run(placed, workspace));
        } catch (CudnnException e) {
            trials.await(); // on a card that has faulted cuDNN fails as well: then that is what is thrown
            throw e;
        }
    }

    /** Of those about as fast as the fastest, what takes the least memory; what cuDNN ranks first if the clock tells none from another. */
    private static PreparedGraph best(List<Timed> timed) {
        double least = timed.stream().mapToDouble(Timed::seconds).min().orElseThrow();
        if (least == Double.POSITIVE_INFINITY) {
            return timed.getFirst().graph;
        }
        return timed.stream().filter(t -> t.seconds <= least * AS_FAST)
                .min(Comparator.comparingLong((Timed t) -> t.graph.workspace()).thenComparingDouble(Timed::seconds)).orElseThrow().graph;
    }

    private void tellOf(List<PreparedGraph> large) {
        if (!large.isEmpty()) {
            cache.warn("cuDNN: there is no memory to try " + large.stream().map(c -> c.choice() + " (" + c.workspace() + " bytes to work in)")
                    .collect(Collectors.joining(", ")) + ", others were tried; while " + doing);
        }
    }

    private Verdict untried(PreparedGraph taken, String as, String what) {
        cache.warn("cuDNN: engines cannot be tried, the one that " + as + " is taken for now; while " + doing + ". There is no memory for " + what);
        return new Verdict(taken, false);
    }
}
