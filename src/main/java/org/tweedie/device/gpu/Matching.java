// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.tweedie.program.DType;
import org.tweedie.program.Value;

/** What patterns of a program have in common: questions about halves of a batch, and how a match is made. */
record Matching(Uses uses, Storage storage) {
    /** The value of which two others are the first and the second half along an axis, or null. */
    Value halves(int axis, Value first, Value second) {
        int n = extent(first, axis);
        if (!uses.isSlice(first, axis, 0, n) || !uses.isSlice(second, axis, n, 2 * n)) {
            return null;
        }
        Value both = uses.in(uses.maker(first), 0);
        return both.equals(uses.in(uses.maker(second), 0)) && both.dim(axis) == 2 * n ? both : null;
    }

    /** The two paddings whose sum puts two halves behind each other along an axis: of the first, of the second half; or null. */
    int[] pads(int axis, int add) {
        for (int k = 0; k < 2; k++) {
            Value first = uses.in(add, k);
            Value second = uses.in(add, 1 - k);
            int n = extent(first, axis) / 2;
            if (uses.isPadded(first, axis, 0, n) && uses.isPadded(second, axis, n, 0)) {
                return new int[] {uses.maker(first), uses.maker(second)};
            }
        }
        return null;
    }

    /** 0 where there is no such axis: nothing is a half of that. */
    private static int extent(Value v, int axis) {
        return axis >= 0 && axis < v.shape().rank() ? v.dim(axis) : 0;
    }

    /** An operand and the type in which a kernel reads it. */
    record Typed(Value value, DType dtype) {}

    static Typed f32(Value v) {
        return new Typed(v, DType.F32);
    }

    Typed stored(Value v) {
        return new Typed(v, storage.of(v));
    }

    /** Null where a value between is read elsewhere. */
    Match match(Set<Integer> instrs, GpuKernel kernel, Value out, Typed... in) {
        return match(instrs, kernel, List.of(out), in);
    }

    Match match(Set<Integer> instrs, GpuKernel kernel, List<Value> out, Typed... in) {
        for (int n : instrs) {
            if (!uses.staysWithin(n, instrs) && !out.containsAll(uses.instr(n).out())) {
                return null;
            }
        }
        return new Match(instrs, Arrays.stream(in).map(Typed::value).toList(), Arrays.stream(in).map(Typed::dtype).toList(), out, kernel);
    }

    /** Numbers of instructions; one may be named twice. */
    static Set<Integer> instrs(Integer... numbers) {
        return new TreeSet<>(List.of(numbers));
    }

    boolean isF32(Value v) {
        return storage.of(v) == DType.F32;
    }

    static boolean isScalar(Value v) {
        return v.shape().size() == 1;
    }
}
