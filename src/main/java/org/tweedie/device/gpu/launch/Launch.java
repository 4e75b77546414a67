// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import java.util.ArrayList;
import java.util.List;

/**
 * One launch of a kernel of ours.
 *
 * @param module the family, {@code kernels/<module>.ptx}
 * @param entry the kernel's name in it
 * @param grid blocks along x, y, z
 * @param block threads of a block along x, y, z
 * @param shared bytes of dynamic shared memory
 */
public record Launch(String module, String entry, Dim grid, Dim block, int shared, List<Arg> args) implements PlanStep {
    /** Sizes along x, y and z. */
    public record Dim(int x, int y, int z) {
        public Dim {
            if (x < 1 || y < 1 || z < 1 || y > 65535 || z > 65535) {
                throw new IllegalArgumentException("launch: a grid of " + x + " x " + y + " x " + z + " is beyond CUDA's limits");
            }
        }

        /** The sizes, for example {@code 4x2}, without ones at the end. */
        @Override
        public String toString() {
            return x + (y == 1 && z == 1 ? "" : "x" + y) + (z == 1 ? "" : "x" + z);
        }

        public static Dim of(long x) {
            return new Dim(Math.toIntExact(x), 1, 1);
        }

        public static Dim of(long x, long y) {
            return new Dim(Math.toIntExact(x), Math.toIntExact(y), 1);
        }
    }

    public Launch {
        args = List.copyOf(args);
    }

    /** A grid whose blocks of so many threads have at least n threads together. */
    public static Dim blocks(long n, int threads) {
        return Dim.of(Math.max(1, (n + threads - 1) / threads));
    }

    /** Counts a move as reading no more than it writes, however large its operand is. */
    @Override
    public long bytes() {
        long read = 0;
        long written = 0;
        for (Arg a : args) {
            switch (a) {
                case Arg.In(Buffer b) -> read += b.bytes();
                case Arg.Out(Buffer b) -> written += b.bytes();
                case Arg.InOut(Buffer b) -> {
                    read += b.bytes();
                    written += b.bytes();
                }
                case Arg.None _, Arg.I32 _, Arg.I64 _, Arg.F32 _, Arg.F64 _, Arg.Ints _ -> { }
            }
        }
        return written + (module.equals("move") ? Math.min(read, written) : read);
    }

    /** The launch in a line, for example {@code silu_forward_f32 <<<4, 256>>> x:F32[1024] -> y:F32[1024]}. */
    @Override
    public String toString() {
        List<String> in = new ArrayList<>();
        List<String> out = new ArrayList<>();
        for (Arg a : args) {
            switch (a) {
                case Arg.In(Buffer b) -> in.add(b.toString());
                case Arg.Out(Buffer b) -> out.add(b.toString());
                case Arg.InOut(Buffer b) -> out.add(b + " (read too)");
                case Arg.None() -> in.add("none");
                case Arg.I32 _, Arg.I64 _, Arg.F32 _, Arg.F64 _, Arg.Ints _ -> { }
            }
        }
        String memory = shared == 0 ? "" : ", " + shared;
        return entry + " <<<" + grid + ", " + block + memory + ">>> " + String.join(", ", in) + " -> " + String.join(", ", out);
    }
}
