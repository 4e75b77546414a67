// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.Arrays;
import java.util.List;
import org.tweedie.program.DType;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/**
 * Reads rows of a table [V,C] by ids [..] (I64): [..,C]. It has no derivatives, since the table is a weight and whole numbers
 * have no tangents.
 */
public record Gather() implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape table = in.get(0).shape();
        Shape ids = in.get(1).shape();
        Op.require(table.rank() == 2 && in.get(1).dtype() == DType.I64, "gather: expected a table [V,C] and I64 ids, got %s", in);
        int[] d = Arrays.copyOf(ids.dims(), ids.rank() + 1);
        d[ids.rank()] = table.dim(1);
        return List.of(Type.real(d));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        Op.require(!wanted[0] && !wanted[1], "gather: tables are constants and ids are whole numbers: no cotangent");
        return new Value[2];
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        throw new IllegalArgumentException("gather: tables are constants and ids are whole numbers: no tangent");
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return new Cost(0, 8 * out.getFirst().shape().size());
    }
}
