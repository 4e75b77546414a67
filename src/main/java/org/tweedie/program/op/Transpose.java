// SPDX-License-Identifier: Apache-2.0
package org.tweedie.program.op;

import java.util.List;
import org.tweedie.program.Instr;
import org.tweedie.program.Shape;
import org.tweedie.program.Tracer;
import org.tweedie.program.Type;
import org.tweedie.program.Value;

/** Reorders axes: axis i of the result is axis perm[i] of x. */
public record Transpose(List<Integer> perm) implements Op {
    @Override
    public List<Type> infer(List<Type> in) {
        Shape s = in.getFirst().shape();
        Op.require(perm.size() == s.rank() && perm.stream().sorted().distinct().count() == s.rank(),
                "transpose: %s is no permutation of the axes of %s", perm, s);
        return List.of(new Type(in.getFirst().dtype(), Shape.of(perm.stream().mapToInt(s::dim).toArray())));
    }

    @Override
    public Value[] vjp(Tracer t, Instr at, Value[] cotangents, boolean[] wanted) {
        int[] inverse = new int[perm.size()];
        for (int i = 0; i < inverse.length; i++) {
            inverse[perm.get(i)] = i;
        }
        return new Value[] {t.transpose(cotangents[0], inverse)};
    }

    @Override
    public Value[] jvp(Tracer t, Instr at, Value[] tangents) {
        return new Value[] {t.emit1(this, tangents[0])};
    }

    @Override
    public Cost cost(List<Type> in, List<Type> out) {
        return Op.perElement(0, in, out);
    }
}
