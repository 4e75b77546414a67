// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tweedie.device.gpu.Buffer;
import org.tweedie.device.gpu.LibraryCall;

/**
 * Finds the engine for one graph: the one stored, or the fastest of the few that cuDNN ranks first. The graph's scope goes to what is prepared.
 *
 * @param key under which the choice is stored
 * @param trials null: take the first that works
 */
record Choosing(Scope scope, Graph graph, Engines engines, Target target, String key, PlanCache cache, Trials trials) {
    /**
     * @param most engines to try
     * @throws NoEngineException when no engine does the call
     */
    PreparedGraph choose(LibraryCall call, Set<Note> unwanted, int most) {
        Optional<Choice> stored = cache.get(key);
        if (stored.isPresent()) {
            try {
                return prepared(stored.get());
            } catch (CudnnException e) {
                cache.warn("cuDNN: the stored choice " + stored.get() + " for " + key + " does not work any more; choosing anew. " + e.getMessage());
            }
        }
        List<Choice> ranked = engines.ranked(scope.backend, scope.doing, unwanted);
        List<PreparedGraph> candidates = new ArrayList<>();
        try {
            CudnnException last = collect(ranked, trials == null ? 1 : most, candidates);
            if (candidates.isEmpty()) {
                throw new NoEngineException("cuDNN: no engine does this; while " + scope.doing + ". Of its engines without the notes " + unwanted + ", "
                        + ranked.size() + " knew the graph" + (last == null ? "" : ", none could be made ready: " + last.getMessage()), last);
            }
            PreparedGraph best = trials == null ? kept(candidates.getFirst()) : fastest(call, candidates);
            candidates.remove(best);
            return best;
        } finally {
            candidates.forEach(PreparedGraph::closePlan);
        }
    }

    /** Makes the first few ready that can be. @return the last failure, or null */
    private CudnnException collect(List<Choice> ranked, int most, List<PreparedGraph> into) {
        CudnnException last = null;
        for (Choice c : ranked) {
            if (into.size() == most) {
                break;
            }
            try {
                into.add(prepared(c));
            } catch (CudnnException e) { // heuristics offer engines that turn out not to fit: the next one
                last = e;
            }
        }
        return last;
    }

    private PreparedGraph prepared(Choice choice) {
        Scope plan = new Scope(scope.backend, scope.doing + ", " + choice);
        try {
            return new PreparedGraph(scope, plan, target instanceof Target.Card c ? c.handle() : 0, graph, engines.plan(plan, choice), choice);
        } catch (RuntimeException | Error e) {
            plan.close();
            throw e;
        }
    }

    private PreparedGraph kept(PreparedGraph best) {
        cache.put(key, best.choice());
        return best;
    }

    /** The fastest, which is stored; the first, which is not, if there is no memory to try them. */
    private PreparedGraph fastest(LibraryCall call, List<PreparedGraph> candidates) {
        List<Long> blocks = new ArrayList<>();
        try {
            LibraryCall placed = new LibraryCall(call.op(), call.epilogue(), placed(call.in(), blocks), placed(call.out(), blocks));
            long bytes = Math.max(256, candidates.stream().mapToLong(PreparedGraph::workspace).max().orElseThrow());
            long workspace = allocate(bytes, blocks);
            if (blocks.contains(0L)) {
                cache.warn("cuDNN: engines cannot be tried, the one that it believes fastest is taken for now; while " + scope.doing
                        + ". There is no memory for the operands, the results and " + bytes + " bytes to work in");
                return candidates.getFirst();
            }
            return kept(fastest(candidates, placed, workspace));
        } finally {
            blocks.stream().filter(at -> at != 0).forEach(trials::free);
        }
    }

    private PreparedGraph fastest(List<PreparedGraph> candidates, LibraryCall placed, long workspace) {
        PreparedGraph best = null;
        double least = Double.POSITIVE_INFINITY;
        CudnnException last = null;
        for (PreparedGraph c : candidates) {
            try {
                c.run(placed, workspace); // the first run loads its kernels
                double seconds = trials.seconds(() -> c.run(placed, workspace));
                if (best == null || seconds < least) {
                    least = seconds;
                    best = c;
                }
            } catch (CudnnException e) {
                cache.warn("cuDNN: an engine is passed over, since it failed when it was tried. " + e.getMessage());
                last = e;
            } catch (RuntimeException e) { // not a status of cuDNN's: a kernel of this engine faulted, after which nothing runs on the card
                throw new IllegalStateException("cuDNN: trying " + c.choice() + " failed; while " + scope.doing + ": " + e.getMessage(), e);
            }
        }
        if (best == null) {
            throw new NoEngineException("cuDNN: each engine failed when it was tried; the last said: " + last.getMessage(), last);
        }
        return best;
    }

    private List<Buffer> placed(List<Buffer> buffers, List<Long> blocks) {
        return buffers.stream().map(b -> new Buffer(b.name(), b.dtype(), b.shape(), allocate(b.bytes(), blocks))).toList();
    }

    private long allocate(long bytes, List<Long> blocks) {
        long at = trials.allocate(bytes);
        blocks.add(at);
        return at;
    }
}
