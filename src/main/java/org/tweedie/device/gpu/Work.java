// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.Map;
import java.util.TreeMap;
import org.tweedie.program.Instr;
import org.tweedie.program.Value;
import org.tweedie.program.op.Attention;
import org.tweedie.program.op.AttentionJvp;
import org.tweedie.program.op.AttentionVjp;
import org.tweedie.program.op.Cost;

/**
 * What one run of a plan asks of a GPU, from which its time can be foretold: attention apart, since it is bound by arithmetic as the
 * library's part is, while all other kernels of ours are bound by memory.
 *
 * @param launches of our kernels
 * @param calls of the libraries
 * @param parts floating-point operations, and bytes that each launch or call reads and writes, as stored
 */
public record Work(int launches, int calls, Map<Part, Cost> parts) {
    /** By what bounds its time. */
    public enum Part { LIBRARY, ATTENTION, OTHER }

    public static Work of(Plan plan) {
        int launches = 0;
        int calls = 0;
        Map<Part, Cost> parts = new TreeMap<>();
        for (Part p : Part.values()) {
            parts.put(p, Cost.NONE);
        }
        for (Plan.Stage stage : plan.bind(0, c -> 0).stages()) {
            long bytes = 0;
            boolean library = false;
            for (Step step : stage.steps()) {
                switch (step) {
                    case Launch l -> {
                        launches++;
                        bytes += l.args().stream().mapToLong(Work::bytes).sum();
                    }
                    case LibraryCall c -> {
                        calls++;
                        library = true;
                        bytes += c.in().stream().mapToLong(Buffer::bytes).sum() + c.out().stream().mapToLong(Buffer::bytes).sum();
                    }
                }
            }
            long flops = stage.group().instrs().stream().mapToLong(Work::flops).sum();
            Part part = library ? Part.LIBRARY : stage.group().instrs().stream().anyMatch(Work::attention) ? Part.ATTENTION : Part.OTHER;
            parts.merge(part, new Cost(flops, bytes), Cost::plus);
        }
        return new Work(launches, calls, parts);
    }

    private static long bytes(Arg a) {
        return switch (a) {
            case Arg.In(Buffer b) -> b.bytes();
            case Arg.Out(Buffer b) -> b.bytes();
            case Arg.InOut(Buffer b) -> 2 * b.bytes();
            case Arg.None _, Arg.I32 _, Arg.I64 _, Arg.F32 _, Arg.F64 _, Arg.Ints _ -> 0;
        };
    }

    private static long flops(Instr i) {
        return i.op().cost(i.in().stream().map(Value::type).toList(), i.out().stream().map(Value::type).toList()).flops();
    }

    private static boolean attention(Instr i) {
        return i.op() instanceof Attention || i.op() instanceof AttentionVjp || i.op() instanceof AttentionJvp;
    }
}
