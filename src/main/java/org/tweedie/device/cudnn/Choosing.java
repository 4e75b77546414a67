// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tweedie.device.Closing;
import org.tweedie.device.gpu.launch.LibraryCall;

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
            Trying.Verdict verdict = trials == null ? new Trying.Verdict(candidates.getFirst(), true) : new Trying(trials, cache, scope.doing).of(call, candidates);
            if (verdict.tried()) {
                cache.put(key, verdict.best().choice());
            }
            closePlans(candidates.stream().filter(c -> c != verdict.best()).toList());
            return verdict.best();
        } catch (RuntimeException | Error e) {
            Closing.after(e, () -> closePlans(candidates)); // those that are closed already are so to no effect
            throw e;
        }
    }

    private static void closePlans(List<PreparedGraph> prepared) {
        try (Closing closing = new Closing()) {
            prepared.forEach(p -> closing.add(p::closePlan));
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
                if (e.broken()) {
                    cache.warnOfFailure(e);
                }
            }
        }
        return last;
    }

    private PreparedGraph prepared(Choice choice) {
        Scope plan = new Scope(scope.backend, scope.doing + ", " + choice);
        try {
            return new PreparedGraph(scope, plan, target instanceof Target.Card c ? c.handle() : 0, graph, engines.plan(plan, choice), choice);
        } catch (RuntimeException | Error e) {
            Closing.after(e, plan::close);
            throw e;
        }
    }
}
