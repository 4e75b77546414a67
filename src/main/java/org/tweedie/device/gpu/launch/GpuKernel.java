// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

import java.util.List;
import java.util.function.Function;

/**
 * The steps of an instruction, which get their addresses later, when all memory is planned.
 *
 * @param scratch bytes of working memory while it runs
 * @param bind gives its steps, once places are known
 */
public record GpuKernel(long scratch, Function<Places, List<PlanStep>> bind) {
    /** An instruction's operands, results and working memory. */
    public interface Places {
        Buffer in(int i);

        Buffer out(int i);

        /** Address of the working memory. */
        long scratch();
    }

    /** Places that are chosen one by one, for a kernel that is a part of another. */
    public record Chosen(List<Buffer> operands, List<Buffer> results, long scratch) implements Places {
        @Override
        public Buffer in(int i) {
            return operands.get(i);
        }

        @Override
        public Buffer out(int i) {
            return results.get(i);
        }
    }

    /** A kernel that needs no working memory and is one launch or call. */
    public static GpuKernel of(Function<Places, PlanStep> bind) {
        return new GpuKernel(0, p -> List.of(bind.apply(p)));
    }
}
