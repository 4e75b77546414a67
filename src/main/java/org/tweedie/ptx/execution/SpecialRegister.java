// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

import java.util.Set;

/** The special registers, which tell a thread its place in the grid. */
public final class SpecialRegister {
    private static final Set<String> KNOWN = Set.of("%tid.x", "%tid.y", "%tid.z", "%ntid.x", "%ntid.y", "%ntid.z", "%ctaid.x",
            "%ctaid.y",
            "%ctaid.z", "%nctaid.x", "%nctaid.y", "%nctaid.z", "%laneid", "%warpid", "%nwarpid", "%lanemask_eq", "%lanemask_lt",
            "%lanemask_le",
            "%lanemask_gt", "%lanemask_ge", "%dynamic_smem_size", "%total_smem_size");

    private SpecialRegister() {}

    public static boolean known(String name) {
        return KNOWN.contains(name);
    }

    /** Tells whether a register's value differs from block to block. */
    static boolean ofBlock(String name) {
        return name.startsWith("%ctaid");
    }

    /** Returns the register's value for a thread. */
    static int value(String name, Block b, int thread) {
        int lane = thread % Instruction.LANES;
        int dot = name.indexOf('.');
        if (dot > 0) {
            char axis = name.charAt(dot + 1);
            return switch (name.substring(0, dot)) {
                case "%tid" -> along(axis, thread % b.threads.x(), thread / b.threads.x() % b.threads.y(),
                        thread / b.threads.x() / b.threads.y());
                case "%ntid" -> along(axis, b.threads.x(), b.threads.y(), b.threads.z());
                case "%ctaid" -> along(axis, b.index.x(), b.index.y(), b.index.z());
                default -> along(axis, b.grid.x(), b.grid.y(), b.grid.z());
            };
        }
        return switch (name) {
            case "%laneid" -> lane;
            case "%warpid" -> thread / Instruction.LANES;
            case "%nwarpid" -> (int) (b.threads.count() + Instruction.LANES - 1) / Instruction.LANES;
            case "%lanemask_eq" -> 1 << lane;
            case "%lanemask_lt" -> (1 << lane) - 1;
            case "%lanemask_le" -> (2 << lane) - 1;
            case "%lanemask_gt" -> ~((2 << lane) - 1);
            case "%lanemask_ge" -> ~((1 << lane) - 1);
            case "%dynamic_smem_size" -> b.dynamicShared;
            default -> b.sharedBytes;
        };
    }

    private static int along(char axis, int x, int y, int z) {
        return axis == 'x' ? x : axis == 'y' ? y : z;
    }
}
