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
import org.tweedie.device.gpu.launch.Arg;
import org.tweedie.device.gpu.launch.Buffer;

/** Packs arguments as cuLaunchKernel reads them: a list with the address of each argument, which has its parameter's size. */
public final class Parameters {
    private Parameters() {}

    /**
     * Packs the arguments in one block: the list, then the values in their order, each at a multiple of its size.
     *
     * @param arena keeps the block for as long as the launch may be made
     */
    public static MemorySegment of(List<Arg> args, Arena arena) {
        long[] at = new long[args.size()];
        long end = ADDRESS.byteSize() * args.size();
        for (int i = 0; i < at.length; i++) {
            long align = args.get(i) instanceof Arg.Ints ? Integer.BYTES : bytes(args.get(i));
            at[i] = Math.ceilDiv(end, align) * align;
            end = at[i] + bytes(args.get(i));
        }
        MemorySegment block = arena.allocate(end, ADDRESS.byteSize());
        for (int i = 0; i < at.length; i++) {
            MemorySegment value = block.asSlice(at[i], bytes(args.get(i)));
            put(args.get(i), value);
            block.setAtIndex(ADDRESS, i, value);
        }
        return block;
    }

    private static long bytes(Arg a) {
        return switch (a) {
            case Arg.In _, Arg.Out _, Arg.InOut _, Arg.None _, Arg.I64 _, Arg.F64 _ -> 8;
            case Arg.I32 _, Arg.F32 _ -> 4;
            case Arg.Ints(int[] v) -> 4L * v.length;
        };
    }

    private static void put(Arg a, MemorySegment to) {
        switch (a) {
            case Arg.In(Buffer b) -> to.set(JAVA_LONG, 0, b.address());
            case Arg.Out(Buffer b) -> to.set(JAVA_LONG, 0, b.address());
            case Arg.InOut(Buffer b) -> to.set(JAVA_LONG, 0, b.address());
            case Arg.None() -> to.set(JAVA_LONG, 0, 0);
            case Arg.I32(int v) -> to.set(JAVA_INT, 0, v);
            case Arg.I64(long v) -> to.set(JAVA_LONG, 0, v);
            case Arg.F32(float v) -> to.set(JAVA_FLOAT, 0, v);
            case Arg.F64(double v) -> to.set(JAVA_DOUBLE, 0, v);
            case Arg.Ints(int[] v) -> MemorySegment.copy(v, 0, to, JAVA_INT, 0, v.length);
        }
    }
}
