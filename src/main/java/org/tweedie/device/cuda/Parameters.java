// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.tweedie.device.gpu.Arg;
import org.tweedie.device.gpu.Buffer;

/** Arguments as cuLaunchKernel reads them: a list of addresses, one an argument, each of a value of the parameter's size. */
final class Parameters {
    private Parameters() {}

    /** @param arena holds them as long as the launch may be made */
    static MemorySegment of(List<Arg> args, Arena arena) {
        MemorySegment list = arena.allocate(ADDRESS, args.size());
        for (int i = 0; i < args.size(); i++) {
            list.setAtIndex(ADDRESS, i, value(args.get(i), arena));
        }
        return list;
    }

    private static MemorySegment value(Arg a, Arena arena) {
        return switch (a) {
            case Arg.In(Buffer b) -> arena.allocateFrom(JAVA_LONG, b.address());
            case Arg.Out(Buffer b) -> arena.allocateFrom(JAVA_LONG, b.address());
            case Arg.InOut(Buffer b) -> arena.allocateFrom(JAVA_LONG, b.address());
            case Arg.None() -> arena.allocateFrom(JAVA_LONG, 0);
            case Arg.I32(int v) -> arena.allocateFrom(JAVA_INT, v);
            case Arg.I64(long v) -> arena.allocateFrom(JAVA_LONG, v);
            case Arg.F32(float v) -> arena.allocateFrom(JAVA_FLOAT, v);
            case Arg.F64(double v) -> arena.allocateFrom(JAVA_DOUBLE, v);
            case Arg.Ints(int[] v) -> arena.allocateFrom(JAVA_INT, v);
        };
    }
}
