// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu;

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
public record Launch(String module, String entry, Dim grid, Dim block, int shared, List<Arg> args) implements Step {
    /** Sizes along x, y and z. */
    public record Dim(int x, int y, int z) {
        public Dim {
            if (x < 1 || y < 1 || z < 1 || y > 65535 || z > 65535) {
                throw new IllegalArgumentException("launch: a grid of " + x + " x " + y + " x " + z + " is beyond CUDA's limits");
            }
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

    /** Threads enough for n items, {@code threads} a block, an item each. */
    public static Dim blocks(long n, int threads) {
        return Dim.of(Math.max(1, (n + threads - 1) / threads));
    }

    @Override
    public String toString() {
        return entry + "<<<" + grid + ", " + block + ", " + shared + ">>>" + args;
    }
}
