// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tweedie.device.Closing;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.binding.Target;
import org.tweedie.device.cudnn.graph.Graph;
import org.tweedie.device.gpu.launch.LibraryCall;

/**
 * Finds the engine for one graph: the stored choice, or the fastest of the few engines that cuDNN ranks first. The prepared graph
 * takes over the graph's scope.
 *
 * @param key the key under which the choice is stored
 * @param trials tries the engines; with null the first engine that works is taken
 */
public record Choosing(Scope scope, Graph graph, Engines engines, Target target, String key, PlanCache cache, Trials trials) {
    /**
     * Chooses an engine and prepares the graph with it.
     *
     * @param most the most engines to try
     * @throws NoEngineException when no engine supports the call
     */
    public PreparedGraph choose(LibraryCall call, Set<Note> unwanted, int most) {
        Optional<EngineChoice> stored = cache.get(key);
        if (stored.isPresent()) {
            try {
                return prepared(stored.get());
            } catch (CudnnException e) {
                cache.warn("cuDNN: the stored choice " + stored.get() + " for " + key + " does not work any more; choosing anew. "
                        + e.getMessage());
            }
        }
        List<EngineChoice> ranked = engines.ranked(scope.backend, scope.doing, unwanted);
        List<PreparedGraph> candidates = new ArrayList<>();
        try {
            CudnnException last = collect(ranked, trials == null ? 1 : most, candidates);
            if (candidates.isEmpty()) {
                throw new NoEngineException("cuDNN: no engine supports this; while " + scope.doing
                        + ". Of its engines without the notes " + unwanted + ", "
                        + ranked.size() + " support the graph" + (last == null ? "" : ", but none could be made ready: "
                        + last.getMessage()), last);
            }
            Trying.Verdict verdict = trials == null ? new Trying.Verdict(candidates.getFirst(), true)
                    : new Trying(trials, cache, scope.doing).of(call, candidates);
            if (verdict.tried()) {
                cache.put(key, verdict.best().choice());
            }
            closePlans(candidates.stream().filter(c -> c != verdict.best()).toList());
            return verdict.best();
        } catch (RuntimeException | Error e) {
            Closing.after(e, () -> closePlans(candidates)); // closing a plan twice has no effect
            throw e;
        }
    }

    private static void closePlans(List<PreparedGraph> prepared) {
        try (Closing closing = new Closing()) {
            prepared.forEach(p -> closing.add(p::closePlan));
        }
    }

    /**
     * Makes the first few engines ready, skipping those that fail.
     *
     * @return the last failure, or null
     */
    private CudnnException collect(List<EngineChoice> ranked, int most, List<PreparedGraph> into) {
        CudnnException last = null;
        for (EngineChoice c : ranked) {
            if (into.size() == most) {
                break;
            }
            try {
                into.add(prepared(c));
            } catch (CudnnException e) { // heuristics offer engines that turn out not to fit; the next one is taken
                last = e;
                if (e.broken()) {
                    cache.warnOfFailure(e);
                }
            }
        }
        return last;
    }

    private PreparedGraph prepared(EngineChoice choice) {
        Scope plan = new Scope(scope.backend, scope.doing + ", " + choice);
        try {
            return new PreparedGraph(scope, plan, target instanceof Target.Card c ? c.handle() : 0, graph,
                    engines.plan(plan, choice), choice);
        } catch (RuntimeException | Error e) {
            Closing.after(e, plan::close);
            throw e;
        }
    }
}
