// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.plan;

import java.util.Map;
import java.util.TreeMap;
import org.tweedie.device.gpu.launch.Launch;
import org.tweedie.device.gpu.launch.LibraryCall;
import org.tweedie.device.gpu.launch.PlanStep;
import org.tweedie.program.Instr;
import org.tweedie.program.Value;
import org.tweedie.program.op.Cost;
import org.tweedie.program.op.DotProductAttention;
import org.tweedie.program.op.DotProductAttentionJvp;
import org.tweedie.program.op.DotProductAttentionVjp;

/**
 * The work of one run of a plan on a GPU, from which its time can be estimated. Attention is counted apart, since it is bound by
 * arithmetic as the library's part is, while all other kernels of ours are bound by memory.
 *
 * @param launches number of launches of our kernels
 * @param calls number of calls of libraries
 * @param parts floating-point operations, and bytes that each launch or call reads and writes, as stored
 */
public record Work(int launches, int calls, Map<Part, Cost> parts) {
    /** The parts whose times have different bounds: arithmetic or memory. */
    public enum Part { LIBRARY, ATTENTION, OTHER }

    public static Work of(Plan plan) {
        int launches = 0;
        int calls = 0;
        Map<Part, Cost> parts = new TreeMap<>();
        for (Part p : Part.values()) {
            parts.put(p, Cost.NONE);
        }
        for (Plan.Stage stage : plan.bind(0, c -> 0).stages()) {
            boolean library = stage.steps().stream().anyMatch(LibraryCall.class::isInstance);
            calls += (int) stage.steps().stream().filter(LibraryCall.class::isInstance).count();
            launches += (int) stage.steps().stream().filter(Launch.class::isInstance).count();
            long bytes = stage.steps().stream().mapToLong(PlanStep::bytes).sum();
            long flops = stage.group().instrs().stream().mapToLong(Work::flops).sum();
            Part part = library ? Part.LIBRARY : stage.group().instrs().stream().anyMatch(Work::attention) ? Part.ATTENTION
                    : Part.OTHER;
            parts.merge(part, new Cost(flops, bytes), Cost::plus);
        }
        return new Work(launches, calls, parts);
    }

    private static long flops(Instr i) {
        return i.op().cost(i.in().stream().map(Value::type).toList(), i.out().stream().map(Value::type).toList()).flops();
    }

    private static boolean attention(Instr i) {
        return i.op() instanceof DotProductAttention || i.op() instanceof DotProductAttentionVjp
                || i.op() instanceof DotProductAttentionJvp;
    }
}
