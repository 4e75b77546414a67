// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;

/**
 * Splits a program into the part that depends on constants alone, which needs to be computed only once, and the rest. An example
 * are the keys and values that cross-attention makes from the text: two products at each such layer.
 *
 * <p>A value is folded if it depends on constants alone, if a product, convolution, norm, softmax or attention is among what
 * computes it, and if something of the rest reads it or it is an output. A broadcast, padding, enlargement or reshape at its end
 * stays in the rest: it computes nothing, and its result needs no less memory than its operand. So nothing is folded that only
 * moves constants or fills memory.
 */
public final class Fold {
    private final Program program;
    private final Map<Value, Instr> makers = new HashMap<>();
    private final Set<Value> constant = new HashSet<>();
    private final Set<Value> worth = new HashSet<>();
    private final Map<Value, FoldKey> folded = new LinkedHashMap<>();

    private Fold(Program program) {
        this.program = program;
        program.constants().forEach(c -> constant.add(c.value()));
        for (Instr i : program.body()) {
            i.out().forEach(v -> makers.put(v, i));
            if (constant.containsAll(i.in())) {
                constant.addAll(i.out());
                if (computes(i.op()) || i.in().stream().anyMatch(worth::contains)) {
                    worth.addAll(i.out());
                }
            }
        }
        FoldKey.Maker keys = new FoldKey.Maker(program, makers);
        for (Instr i : program.body()) {
            if (!constant.containsAll(i.in())) {
                i.in().forEach(v -> fold(v, keys));
            }
        }
        program.outputs().forEach(o -> fold(o.value(), keys));
    }

    /** Finds what of a program can be folded. */
    public static Fold of(Program program) {
        return new Fold(program);
    }

    /** Folds a value that the rest reads, or what a broadcast or the like makes it from. */
    private void fold(Value v, FoldKey.Maker keys) {
        if (!worth.contains(v)) {
            return;
        }
        if (isGrowth(makers.get(v).op())) {
            makers.get(v).in().forEach(o -> fold(o, keys));
        } else if (!folded.containsKey(v)) {
            folded.put(v, keys.of(v));
        }
    }

    /** Tells the ops whose work is worth saving. */
    private static boolean computes(Op op) {
        return switch (op) {
            case MatMul _, Convolution _, ConvolutionVjp _, GroupNormalization _, GroupNormalizationVjp _,
                    GroupNormalizationJvp _, DotProductAttention _, DotProductAttentionVjp _, DotProductAttentionJvp _,
                    Softmax _ -> true;
            default -> false;
        };
    }

    /** Tells the ops that compute nothing and whose result is no smaller than their operand. */
    private static boolean isGrowth(Op op) {
        return op instanceof Broadcast || op instanceof Pad || op instanceof Upsample || op instanceof Reshape;
    }

    /**
     * The keys of the values that are folded, in the order in which these are computed. A value that is computed in two places
     * has one key.
     */
    public Set<FoldKey> keys() {
        return new LinkedHashSet<>(folded.values());
    }

    /**
     * The program that computes those folded values that are not known yet. It has no inputs, and an output for each key of
     * {@link #missing}, in order: {@code folded0}, {@code folded1}, ...
     */
    public Program constantPart(Set<FoldKey> known) {
        List<Program.Output> outputs = new ArrayList<>();
        for (FoldKey key : missing(known)) {
            Value v = folded.entrySet().stream().filter(e -> e.getValue().equals(key)).findFirst().orElseThrow().getKey();
            outputs.add(new Program.Output("folded" + outputs.size(), v));
        }
        List<Instr> body = program.body().stream().filter(i -> constant.containsAll(i.in())).toList();
        return Simplify.of(new Program(program.name() + ".constants", List.of(), program.constants(), body, outputs,
                program.values()));
    }

    /** The keys of which no result is known, each once. */
    public List<FoldKey> missing(Set<FoldKey> known) {
        return keys().stream().filter(k -> !known.contains(k)).toList();
    }

    /**
     * The program with its folded values as constants; the same object where nothing is folded.
     *
     * @param known has the result of each key
     */
    public Program finished(Map<FoldKey, Tensor> known) {
        if (folded.isEmpty()) {
            return program;
        }
        List<Program.Constant> constants = new ArrayList<>(program.constants());
        Set<Value> done = new HashSet<>();
        for (Map.Entry<Value, FoldKey> e : folded.entrySet()) {
            Value v = e.getKey();
            Tensor data = known.get(e.getValue());
            if (data == null || !data.shape().equals(v.shape())) {
                throw new IllegalArgumentException("program '" + program.name() + "': expected the folded value " + v + ", got "
                        + data);
            }
            constants.add(new Program.Constant(name(v), v, data));
            done.add(v);
        }
        List<Instr> body = program.body().stream().filter(i -> i.out().stream().noneMatch(done::contains)).toList();
        return Simplify.of(new Program(program.name(), program.inputs(), constants, body, program.outputs(), program.values()));
    }

    private String name(Value v) {
        String where = makers.get(v).where();
        return "folded" + (where.isEmpty() ? "" : " " + where) + " %" + v.id();
    }
}
