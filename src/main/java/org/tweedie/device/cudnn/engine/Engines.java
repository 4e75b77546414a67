// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cudnn.engine;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.tweedie.device.cudnn.binding.Attribute;
import org.tweedie.device.cudnn.binding.Backend;
import org.tweedie.device.cudnn.binding.BackendDescriptor;
import org.tweedie.device.cudnn.binding.CudnnException;
import org.tweedie.device.cudnn.binding.DescriptorKind;
import org.tweedie.device.cudnn.binding.Scope;
import org.tweedie.device.cudnn.binding.Target;

/** The engines that cuDNN offers for a graph, and the plans that are made of them. */
public final class Engines {
    private static final int MOST_KNOBS = 64; // CUDNN_KNOB_TYPE_COUNTS is 46 in 9.24 and grows

    private final Target target;
    private final BackendDescriptor graph;

    /**
     * Keeps the graph.
     *
     * @param graph a finished OPERATIONGRAPH
     */
    public Engines(Target target, BackendDescriptor graph) {
        this.target = target;
        this.graph = graph;
    }

    /** The values of cudnnBackendHeurMode_t that we use. */
    private enum Mode {
        A(3), FALLBACK(2);

        final int code;

        Mode(int code) {
            this.code = code;
        }
    }

    /**
     * Returns the choices without unwanted notes. The first is the one that the library believes fastest; those of the fallback
     * mode are last.
     */
    List<EngineChoice> ranked(Backend backend, String doing, Set<Note> unwanted) {
        Set<EngineChoice> all = new LinkedHashSet<>();
        for (Mode mode : Mode.values()) {
            try (Scope scope = new Scope(backend, doing)) {
                for (BackendDescriptor config : configurations(scope, mode)) {
                    BackendDescriptor engine = scope.create(DescriptorKind.ENGINE);
                    config.fill(Attribute.ENGINECFG_ENGINE, engine);
                    if (notes(engine).stream().noneMatch(unwanted::contains)) {
                        all.add(choice(scope, config, engine));
                    }
                }
            } catch (CudnnException e) { // a mode that does not support the graph says so by a status
                if (!e.notSupported()) {
                    throw e;
                }
            }
        }
        return new ArrayList<>(all);
    }

    private List<BackendDescriptor> configurations(Scope scope, Mode mode) {
        BackendDescriptor heuristics = scope.create(DescriptorKind.ENGINEHEUR).set(Attribute.ENGINEHEUR_OPERATION_GRAPH, graph)
                .set(Attribute.ENGINEHEUR_MODE, mode.code);
        if (target instanceof Target.Properties card) {
            heuristics.set(Attribute.ENGINEHEUR_DEVICEPROP, card.of());
        }
        heuristics.finish();
        BackendDescriptor[] configs = new BackendDescriptor[heuristics.count(Attribute.ENGINEHEUR_RESULTS)];
        for (int i = 0; i < configs.length; i++) {
            configs[i] = scope.create(DescriptorKind.ENGINECFG);
        }
        return configs.length == 0 ? List.of() : List.of(configs)
                .subList(0, heuristics.fill(Attribute.ENGINEHEUR_RESULTS, configs));
    }

    private static Set<Note> notes(BackendDescriptor engine) {
        Set<Note> notes = EnumSet.noneOf(Note.class);
        Note[] known = Note.values();
        for (long n : engine.get(Attribute.ENGINE_NUMERICAL_NOTE, 32)) {
            if (n < known.length) { // later versions may have more notes
                notes.add(known[(int) n]);
            }
        }
        return notes;
    }

    private static EngineChoice choice(Scope scope, BackendDescriptor config, BackendDescriptor engine) {
        BackendDescriptor[] knobs = new BackendDescriptor[MOST_KNOBS];
        for (int i = 0; i < knobs.length; i++) {
            knobs[i] = scope.create(DescriptorKind.KNOB_CHOICE);
        }
        TreeMap<Long, Long> set = new TreeMap<>();
        int n = config.fill(Attribute.ENGINECFG_KNOB_CHOICES, knobs);
        for (int i = 0; i < n; i++) {
            set.put(knobs[i].get(Attribute.KNOB_CHOICE_KNOB_TYPE, 1)[0], knobs[i].get(Attribute.KNOB_CHOICE_KNOB_VALUE, 1)[0]);
        }
        return new EngineChoice(engine.get(Attribute.ENGINE_GLOBAL_INDEX, 1)[0], set);
    }

    /**
     * Makes the finished EXECUTION_PLAN of a choice.
     *
     * @throws CudnnException when the engine does not support the graph after all
     */
    BackendDescriptor plan(Scope scope, EngineChoice choice) {
        BackendDescriptor engine = scope.create(DescriptorKind.ENGINE).set(Attribute.ENGINE_OPERATION_GRAPH, graph)
                .set(Attribute.ENGINE_GLOBAL_INDEX, choice.engine());
        if (target instanceof Target.Properties card) {
            engine.set(Attribute.ENGINE_DEVICEPROP, card.of());
        }
        BackendDescriptor config = scope.create(DescriptorKind.ENGINECFG).set(Attribute.ENGINECFG_ENGINE, engine.finish());
        List<BackendDescriptor> knobs = new ArrayList<>();
        for (Map.Entry<Long, Long> k : choice.knobs().entrySet()) {
            knobs.add(scope.create(DescriptorKind.KNOB_CHOICE).set(Attribute.KNOB_CHOICE_KNOB_TYPE, k.getKey())
                    .set(Attribute.KNOB_CHOICE_KNOB_VALUE, k.getValue()).finish());
        }
        if (!knobs.isEmpty()) {
            config.set(Attribute.ENGINECFG_KNOB_CHOICES, knobs.toArray(BackendDescriptor[]::new));
        }
        BackendDescriptor plan = scope.create(DescriptorKind.EXECUTION_PLAN).set(Attribute.EXECUTION_PLAN_ENGINE_CONFIG,
                config.finish());
        switch (target) {
            case Target.Card card -> plan.set(Attribute.EXECUTION_PLAN_HANDLE, card.handle());
            case Target.Properties card -> plan.set(Attribute.EXECUTION_PLAN_DEVICEPROP, card.of());
        }
        return plan.finish();
    }
}
