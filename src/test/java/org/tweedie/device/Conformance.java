// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Program;
import org.tweedie.program.Shape;
import org.tweedie.program.Tensor;
import org.tweedie.program.Type;
import org.tweedie.program.Value;
import org.tweedie.program.op.*;
import org.tweedie.transform.Jvp;
import org.tweedie.transform.Vjp;

/** What every device has to run like the reference device, and how alike. */
public final class Conformance {
    /** A program made of one op, and what to give to it. */
    public record Run(String name, Program program, Map<String, Tensor> inputs) {}

    private Conformance() {}

    /** An op, its pull-backs and its push-forwards. */
    public static Stream<Run> runs(OpCase c) {
        Program f = c.program(3);
        Map<String, Tensor> in = c.inputs(7);
        List<Run> runs = new ArrayList<>(List.of(new Run("forward", f, in)));
        for (int i = 0; i < c.active(); i++) {
            Map<String, Tensor> back = new HashMap<>(in);
            back.put("cotangent", OpCase.random(f.output("y0").shape(), 99));
            runs.add(new Run("pull-back to x" + i, Vjp.of(f, "y0", "x" + i), back));
            Map<String, Tensor> push = new HashMap<>(in);
            push.put("tangent", OpCase.random(c.in().get(i), 98));
            runs.add(new Run("push-forward of x" + i, Jvp.of(f, "x" + i, "y0"), push));
        }
        return runs.stream();
    }

    /**
     * Returns the same program with each real input multiplied by 1 in a matrix product. A device that stores the results of
     * networks in 16 bits then stores the operands of any op in 16 bits.
     */
    public static Run throughNetwork(Run r) {
        Program p = r.program();
        List<Instr> body = new ArrayList<>();
        Map<Value, Value> replaced = new HashMap<>();
        int values = p.values();
        Value one = new Value(values++, Type.real(1, 1));
        for (Program.Input i : p.inputs()) {
            if (i.value().type().dtype() == DType.F32) {
                Shape s = i.value().shape();
                Value column = new Value(values++, Type.real(Math.toIntExact(s.size()), 1));
                Value product = new Value(values++, column.type());
                Value x = new Value(values++, i.value().type());
                body.add(new Instr(new Reshape(column.shape()), List.of(i.value()), List.of(column), ""));
                body.add(new Instr(new MatMul(false, false), List.of(column, one), List.of(product), ""));
                body.add(new Instr(new Reshape(s), List.of(product), List.of(x), ""));
                replaced.put(i.value(), x);
            }
        }
        p.body().forEach(i -> body.add(new Instr(i.op(), i.in().stream().map(v -> replaced.getOrDefault(v, v)).toList(), i.out(),
                i.where())));
        List<Program.Constant> constants = new ArrayList<>(p.constants());
        constants.add(new Program.Constant("one", one, Tensor.of(Shape.of(1, 1), 1f)));
        List<Program.Output> outputs = p.outputs().stream().map(o -> new Program.Output(o.name(),
                replaced.getOrDefault(o.value(), o.value()))).toList();
        return new Run(r.name() + " of network results", new Program(p.name(), p.inputs(), constants, body, outputs, values),
                r.inputs());
    }

    /** Whether an op only moves elements, which must keep their bits. */
    public static boolean moves(Op op) {
        return switch (op) {
            case Broadcast _, Concat _, Gather _, Pad _, Reshape _, Slice _, Transpose _, Upsample _ -> true;
            default -> false;
        };
    }

    /** |expected - actual| / |expected| in the Euclidean norm. */
    public static double distance(Tensor expected, Tensor actual) {
        assertEquals(expected.shape(), actual.shape());
        double[] y = expected.doubles();
        double[] z = actual.doubles();
        double off = 0;
        double norm = 0;
        for (int i = 0; i < y.length; i++) {
            off += (y[i] - z[i]) * (y[i] - z[i]);
            norm += y[i] * y[i];
        }
        return off == 0 ? 0 : Math.sqrt(off / norm);
    }

    public static void assertClose(Tensor expected, Tensor actual, double tolerance, String message) {
        double error = distance(expected, actual);
        assertTrue(error <= tolerance, message + ": relative error " + error);
    }

    public static void assertBits(Tensor expected, Tensor actual, String message) {
        assertArrayEquals(expected.doubles(), actual.doubles(), message + ": moved elements must keep their bits");
    }
}
