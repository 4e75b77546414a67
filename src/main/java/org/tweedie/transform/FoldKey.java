// SPDX-License-Identifier: Apache-2.0
package org.tweedie.transform;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Value;
import org.tweedie.program.op.Op;

/**
 * Identifies a value that depends on constants alone, whichever program computes it: the ops that lead to it, in an order that
 * follows from operands alone, and the constants that they read. Two keys are equal if the values must be. A small constant
 * counts by its numbers, another by the memory that holds it, so a key must not outlive the mapping of that memory.
 *
 * @param nodes the computation, operands before what reads them; the value is made by the last one
 * @param output the number of the value among that node's results
 */
public record FoldKey(List<Node> nodes, int output) {
    /** Numbers up to which a constant is known by its content: tracing makes new tensors for the same scalars. */
    private static final long SMALL = 16;

    /** An instruction with the nodes that it reads, or a constant. */
    public sealed interface Node permits Step, Data, Numbers {}

    /** A result of an earlier node. */
    public record Operand(int node, int output) {}

    /** One instruction. */
    public record Step(Op op, List<Operand> in) implements Node {}

    /** A constant by its place in memory. */
    public record Data(DType dtype, Shape shape, MemorySegment memory) implements Node {}

    /** A small constant by its numbers. */
    public record Numbers(DType dtype, Shape shape, List<Double> numbers) implements Node {}

    public FoldKey {
        nodes = List.copyOf(nodes);
    }

    /** Makes the keys of one program's values. */
    static final class Maker {
        private final Map<Value, Instr> makers;
        private final Map<Value, Tensor> constants = new HashMap<>();

        /** @param makers the instruction that makes each value */
        Maker(Program program, Map<Value, Instr> makers) {
            this.makers = makers;
            program.constants().forEach(c -> constants.put(c.value(), c.data()));
        }

        FoldKey of(Value v) {
            List<Node> nodes = new ArrayList<>();
            Operand last = operand(v, nodes, new HashMap<>());
            return new FoldKey(nodes, last.output);
        }

        private Operand operand(Value v, List<Node> nodes, Map<Value, Operand> done) {
            Operand known = done.get(v);
            if (known != null) {
                return known;
            }
            Tensor data = constants.get(v);
            if (data != null) {
                nodes.add(node(data));
                done.put(v, new Operand(nodes.size() - 1, 0));
            } else {
                Instr i = makers.get(v);
                List<Operand> in = i.in().stream().map(o -> operand(o, nodes, done)).toList();
                nodes.add(new Step(i.op(), in));
                for (int k = 0; k < i.out().size(); k++) {
                    done.put(i.out().get(k), new Operand(nodes.size() - 1, k));
                }
            }
            return done.get(v);
        }

        private static Node node(Tensor x) {
            if (x.size() > SMALL) {
                return new Data(x.dtype(), x.shape(), x.data());
            }
            List<Double> numbers = new ArrayList<>();
            for (long i = 0; i < x.size(); i++) {
                numbers.add(x.get(i));
            }
            return new Numbers(x.dtype(), x.shape(), numbers);
        }
    }
}
